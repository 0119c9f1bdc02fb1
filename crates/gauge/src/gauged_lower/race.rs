//! Starts that race under a falling barrier.

use forney_certify::{Budget, Certificate, Lbfgs, Lower, Objective, Refine, Stop};
use forney_model::FactorGraph;
use rayon::prelude::*;

use super::objective::GaugedElbo;
use super::{GaugedLowerError, GaugedLowerOptions, GaugedLowerReport};

/// The first weight of the barrier.
const BARRIER: f64 = 1.0;

/// The barrier falls by this factor with each cycle, down to [`LEAST_BARRIER`].
const FALL: f64 = 0.4;

/// Below this the entries come so close to zero that rounding may hide their sign.
const LEAST_BARRIER: f64 = 1e-10;

/// With a barrier above this the values say little about where a start ends.
const RACING_BARRIER: f64 = 0.2;

/// At most so many evaluations in a cycle.
const CYCLE: usize = 1000;

/// A cycle is over once a step gains no more than this part of what the barrier costs, times `μ`,
/// or [`LEAST_IDLE`] of it. Cycles that end much earlier leave the central path for worse maxima.
const IDLE: f64 = 1e-3;
const LEAST_IDLE: f64 = 1e-5;

/// Pairs that quasi-Newton steps remember.
pub(super) const PAIRS: usize = 40;

/// One start.
pub(super) struct Climb {
    objective: GaugedElbo,
    x: Vec<f64>,
    barrier: f64,
    /// `−ELBO` without a barrier.
    value: f64,
    evaluations: usize,
}

impl Climb {
    /// `None` if the bound is not finite at the start.
    pub(super) fn new(mut objective: GaugedElbo, x: Vec<f64>) -> Option<Self> {
        let value = objective.evaluate(&x, &mut vec![0.0; x.len()]);
        value.is_finite().then_some(Self {
            objective,
            x,
            barrier: BARRIER,
            value,
            evaluations: 1,
        })
    }

    /// Follows the barrier for one more weight, by at most so many evaluations.
    fn cycle(&mut self, factors: usize, evaluations: usize, budget: &Budget) {
        self.objective.balance(&mut self.x);
        let barred = self.objective.clone().with_barrier(self.barrier);
        let mut climb = Lbfgs::new(barred, self.x.clone(), PAIRS);
        let costs = self.barrier * factors as f64;
        let idle = costs * (IDLE * self.barrier).max(LEAST_IDLE);
        while climb.evaluations() < evaluations && budget.stop().is_none() {
            let before = climb.value();
            // Written so that NaN ends it too.
            #[allow(clippy::neg_cmp_op_on_partial_ord)]
            if !(before - climb.sweep() > idle) {
                break;
            }
        }
        self.evaluations += climb.evaluations();
        self.x = climb.point();
        self.value = (self.objective).evaluate(&self.x, &mut vec![0.0; self.x.len()]);
        self.barrier = (self.barrier * FALL).max(LEAST_BARRIER);
    }
}

/// Lets starts race; the best verified witness wins, `best` if none is better.
pub(super) fn race(
    mut climbs: Vec<Climb>,
    mut best: GaugedLowerReport,
    graph: &FactorGraph,
    options: &GaugedLowerOptions,
    budget: &Budget,
    watch: &mut dyn FnMut(Lower, usize),
) -> Result<GaugedLowerReport, GaugedLowerError> {
    let factors = graph.num_factors();
    // The race gets no more than half of the time.
    let half = budget.remaining().map(|left| budget.capped(left / 2));
    let most = options.iterations.unwrap_or(usize::MAX);
    best.stop = budget.stop().unwrap_or(best.stop);
    while !climbs.is_empty() {
        let before = best.bound.ln();
        for climb in &mut climbs {
            best.iterations = best.iterations.max(climb.evaluations);
            // A proof of a point that is no better would take time and change nothing. Written so
            // that NaN is passed over.
            let better = -climb.value > best.bound.ln();
            if !better {
                continue;
            }
            // A point that does not verify, because rounding hides a sign, is passed over.
            let Ok(witness) = climb.objective.witness(&climb.x, graph) else {
                continue;
            };
            if let Ok(bound) = witness.verify(graph)
                && best.bound.tighten(bound)
            {
                best.witness = witness;
                watch(bound, best.iterations);
            }
        }
        if let Some(stop) = budget.stop() {
            best.stop = stop;
            break;
        }
        if climbs.iter().all(|climb| climb.evaluations >= most) {
            best.stop = Stop::SweepLimit;
            break;
        }
        // What the barrier still costs is about its weight for each factor.
        let costs = climbs[0].barrier / FALL * factors as f64;
        if best.bound.ln() - before <= options.tolerance
            && (costs <= options.tolerance || climbs[0].barrier <= LEAST_BARRIER)
        {
            break;
        }
        climbs.par_iter_mut().for_each(|climb| {
            let left = most.saturating_sub(climb.evaluations);
            if left > 0 {
                climb.cycle(factors, left.min(CYCLE), budget);
            }
        });
        // A start that rounding has stranded sorts last, as NaN.
        climbs.sort_by(|a, b| a.value.total_cmp(&b.value));
        if half.as_ref().is_some_and(|half| half.stop().is_some()) {
            climbs.truncate(1);
        } else if climbs[0].barrier <= RACING_BARRIER {
            climbs.truncate(climbs.len().div_ceil(2));
        }
    }
    if best.bound.ln() == f64::NEG_INFINITY {
        return Err(GaugedLowerError::NoStart);
    }
    Ok(best)
}
