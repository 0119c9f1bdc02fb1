//! Starts that race under a falling barrier.

use forney_bounds::race::{Account, Proof, Racer, Rules, finish, race, tighter};
use forney_certify::{Below, Budget, Certificate, Lbfgs, Objective, Refine, Stop};
use forney_model::FactorGraph;

use super::objective::GaugedElbo;
use super::witness::GaugedMeanField;

/// The first weight of the barrier; 0.3 was no better, and much worse for belief propagation
/// (docs/gauged-lower.md).
const BARRIER: f64 = 1.0;

/// The barrier falls by this factor with each cycle, down to [`LEAST_BARRIER`]. Set by hand,
/// as what follows but for the ends of cycles; not tuned.
const FALL: f64 = 0.4;

/// Below this the entries come so close to zero that rounding may hide their sign.
const LEAST_BARRIER: f64 = 1e-10;

/// With a barrier above this the values say little about where a start ends.
const RACING_BARRIER: f64 = 0.2;

/// At most so many evaluations with one weight of the barrier.
const CYCLE: usize = 1000;

/// The least: one at the start with a barrier, one step, and one at the end without.
const SHORTEST: usize = 3;

/// Evaluations for which one start races, at least: with 100 for each, one start with all was better, and with 190
/// several were (docs/gauged-lower.md).
const EVALUATIONS_PER_START: usize = 200;

/// A round of a race takes one part in so many of the evaluations, so that most are left for the best start: with
/// a quarter several starts were looser than one with all (docs/gauged-lower.md).
const ROUND: usize = 8;

/// A cycle is over once a step gains no more than this part of what the barrier costs, times `μ`,
/// or [`LEAST_IDLE`] of it. Cycles that end much earlier leave the central path for worse maxima: measured in
/// docs/gauged-lower.md.
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
    /// In nats.
    tolerance: f64,
}

impl<'g> Start<'g> {
    /// `None` if the bound is not finite at the start.
    pub(super) fn new(
        graph: &'g FactorGraph,
        method: &'static str,
        mut objective: GaugedElbo,
        x: Vec<f64>,
        (bytes, tolerance): (f64, f64),
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
            tolerance,
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
}

impl Racer for Start<'_> {
    type Side = Below;
    type Witness = GaugedMeanField;

    /// Lets the barrier fall once, and before the values mean anything until they do; it is at its end once
    /// what the barrier still costs, about its weight for each factor, is nothing and neither is the gain.
    fn cycle(&mut self, evaluations: usize, budget: &Budget) -> bool {
        let before = self.value;
        let end = self.evaluations + evaluations;
        while end - self.evaluations >= SHORTEST && budget.stop().is_none() {
            self.follow(end - self.evaluations, budget);
            if self.barrier <= RACING_BARRIER {
                break;
            }
        }
        let costs = self.barrier / FALL * self.graph.num_factors() as f64;
        let fallen = costs <= self.tolerance || self.barrier <= LEAST_BARRIER;
        !(fallen && before - self.value <= self.tolerance)
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

    fn slice(&self) -> usize {
        CYCLE
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
    plain: StartProof,
    account: &mut Account<'_, '_>,
) -> (StartProof, Stop) {
    let rules = Rules {
        first: (account.left() / (ROUND * starts.len().max(1))).min(2 * CYCLE),
        keep: 2,
        time: 0.5,
    };
    let mut part = account.part(usize::MAX, &account.time(rules.time), account.memory());
    let won = race(starts, rules, 0, &mut part);
    account.settle(&part);
    let (mut best, mut stop) = (Some(plain), Stop::Converged);
    if let Some(mut won) = won {
        // The start itself says when it has come to its end.
        finish(&mut won, f64::NEG_INFINITY, account);
        best = tighter(best, won.proof);
        if !won.idle {
            stop = Stop::SweepLimit;
        }
    }
    let stop = account.budget().stop().unwrap_or(stop);
    (best.expect("that without gauges, if no other"), stop)
}
