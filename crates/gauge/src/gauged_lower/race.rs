//! Starts that race under a falling barrier.

use forney_bounds::race::{Account, Proof, Racer, Rules, Won, race, tighter};
use forney_certify::{Below, Budget, Certificate, Lbfgs, Objective, Refine, Stop};
use forney_model::FactorGraph;

use super::objective::GaugedElbo;
use super::witness::GaugedMeanField;

/// The first weight of the barrier.
const BARRIER: f64 = 1.0;

/// The barrier falls by this factor with each cycle, down to [`LEAST_BARRIER`].
const FALL: f64 = 0.4;

/// Below this the entries come so close to zero that rounding may hide their sign.
const LEAST_BARRIER: f64 = 1e-10;

/// With a barrier above this the values say little about where a start ends.
const RACING_BARRIER: f64 = 0.2;

/// At most so many evaluations with one weight of the barrier.
const CYCLE: usize = 1000;

/// The least: one at the start with a barrier, one step, and one at the end without.
const SHORTEST: usize = 3;

/// Evaluations for which one start races, at least.
const EVALUATIONS_PER_START: usize = 100;

/// A cycle is over once a step gains no more than this part of what the barrier costs, times `μ`,
/// or [`LEAST_IDLE`] of it. Cycles that end much earlier leave the central path for worse maxima.
const IDLE: f64 = 1e-3;
const LEAST_IDLE: f64 = 1e-5;

/// Pairs that quasi-Newton steps remember.
pub(super) const PAIRS: usize = 40;

/// A verified bound of a start.
pub(super) type StartProof = Proof<Below, GaugedMeanField>;

/// One start.
pub(super) struct Start<'g> {
    graph: &'g FactorGraph,
    /// The name of its bounds.
    method: &'static str,
    objective: GaugedElbo,
    x: Vec<f64>,
    barrier: f64,
    /// `−ELBO` without a barrier.
    value: f64,
    evaluations: usize,
    bytes: f64,
}

impl<'g> Start<'g> {
    /// `None` if the bound is not finite at the start.
    pub(super) fn new(
        graph: &'g FactorGraph,
        method: &'static str,
        mut objective: GaugedElbo,
        x: Vec<f64>,
        bytes: f64,
    ) -> Option<Self> {
        let value = objective.evaluate(&x, &mut vec![0.0; x.len()]);
        value.is_finite().then_some(Self {
            graph,
            method,
            objective,
            x,
            barrier: BARRIER,
            value,
            evaluations: 1,
            bytes,
        })
    }

    /// Follows the barrier for one more weight, by at most so many evaluations.
    fn follow(&mut self, evaluations: usize, budget: &Budget) {
        self.objective.balance(&mut self.x);
        let barred = self.objective.clone().with_barrier(self.barrier);
        let mut climb = Lbfgs::new(barred, self.x.clone(), PAIRS);
        let costs = self.barrier * self.graph.num_factors() as f64;
        let idle = costs * (IDLE * self.barrier).max(LEAST_IDLE);
        climb.descend_by(evaluations.min(CYCLE) - 2, idle, budget);
        self.evaluations += climb.evaluations() + 1;
        self.x = climb.point();
        self.value = (self.objective).evaluate(&self.x, &mut vec![0.0; self.x.len()]);
        self.barrier = (self.barrier * FALL).max(LEAST_BARRIER);
    }

    /// What the barrier still costs is about its weight for each factor.
    fn is_at_the_end(&self, tolerance: f64) -> bool {
        let costs = self.barrier / FALL * self.graph.num_factors() as f64;
        costs <= tolerance || self.barrier <= LEAST_BARRIER
    }
}

impl Racer for Start<'_> {
    type Side = Below;
    type Witness = GaugedMeanField;

    /// Lets the barrier fall once, and before the values mean anything until they do.
    fn cycle(&mut self, evaluations: usize, budget: &Budget) -> bool {
        let end = self.evaluations + evaluations;
        while end - self.evaluations >= SHORTEST && budget.stop().is_none() {
            self.follow(end - self.evaluations, budget);
            if self.barrier <= RACING_BARRIER {
                break;
            }
        }
        true
    }

    fn value(&self) -> f64 {
        self.value
    }

    fn evaluations(&self) -> usize {
        self.evaluations
    }

    fn bytes(&self) -> f64 {
        self.bytes
    }

    /// A point that does not verify, because rounding hides a sign, proves nothing.
    fn prove(&self) -> Option<StartProof> {
        let witness = self.objective.clone().witness(&self.x, self.graph).ok()?;
        Some(Proof {
            bound: witness.verify(self.graph).ok()?,
            witness,
            method: self.method,
        })
    }
}

/// How many of so many starts the evaluations afford, at least one.
pub(super) fn affordable(starts: usize, account: &Account<'_, '_>) -> usize {
    starts.min(account.left() / EVALUATIONS_PER_START).max(1)
}

/// Lets starts race for half of what there is, and the winner go on; the best proof of all, and why it ended.
pub(super) fn climb(
    starts: Vec<Start<'_>>,
    mut best: StartProof,
    tolerance: f64,
    account: &mut Account<'_, '_>,
) -> (StartProof, Stop) {
    let rules = Rules {
        first: (account.left() / (4 * starts.len().max(1))).min(2 * CYCLE),
        keep: 2,
    };
    let (time, memory) = (account.time(0.5), account.memory());
    let won = account.part(usize::MAX, &time, memory, |part| {
        race(starts, rules, 0, part)
    });
    let mut winner = won.map(|Won { racer, proof }| {
        best = tighter(Some(best.clone()), proof).expect("one of the two");
        racer
    });
    let mut gained = f64::INFINITY;
    let stop = loop {
        if let Some(stop) = account.budget().stop() {
            break stop;
        }
        let Some(winner) = &mut winner else {
            break Stop::Converged;
        };
        if gained <= tolerance && winner.is_at_the_end(tolerance) {
            break Stop::Converged;
        }
        let before = winner.evaluations();
        let cycle = account.left().min(CYCLE);
        account.cycle(winner, cycle);
        account.spend::<Below>(winner.evaluations() - before);
        if winner.evaluations() == before {
            break Stop::SweepLimit;
        }
        let known = best.bound.ln();
        // A proof of a point that is no better would take time and change nothing. Written so that
        // NaN, of a start that rounding has stranded, is passed over.
        if -winner.value() > known {
            best = tighter(Some(best), account.prove(winner)).expect("one of the two");
        }
        gained = best.bound.ln() - known;
    };
    (best, stop)
}
