//! How a gauged bound is improved on either side.
//!
//! Above, `|·|` has kinks and any gauge is allowed: Adam. Below, the tables stay positive, where the
//! objective is smooth: quasi-Newton steps under a barrier that falls.

use forney_bounds::wmbe::WeightMap;
use forney_certify::{Above, Below, Budget, Lbfgs, Objective, Refine};

use crate::{Adam, GaugeObjective};

/// First step of every cycle of Adam; 0.03 ended higher (docs/gauges.md).
const STEP: f64 = 0.1;

/// So few evaluations gain more by quasi-Newton steps, up to the next kink. Set by hand, as the barrier below;
/// not tuned.
const SHORT: usize = 20;
const PAIRS: usize = 5;

/// The first weight of the barrier.
const BARRIER: f64 = 0.1;

/// The barrier falls by this factor with each cycle, down to [`LEAST_BARRIER`].
const FALL: f64 = 0.3;

/// Below this the barrier costs nothing worth having.
const LEAST_BARRIER: f64 = 1e-5;

/// Pairs that quasi-Newton steps remember.
const MEMORY: usize = 20;

/// A search that goes on cycle by cycle, each from the best point of the one before.
pub(crate) trait Optimiser: Send + Sync {
    type Side: WeightMap;

    /// Evaluates the objective at a start.
    fn new(objective: GaugeObjective<Self::Side>, start: Vec<f64>) -> Self;

    /// Improves the point by at most so many evaluations.
    fn cycle(&mut self, evaluations: usize, budget: &Budget);

    /// `±ln Z_w` at the point, lower is tighter.
    fn value(&self) -> f64;

    fn point(&self) -> Vec<f64>;

    fn evaluations(&self) -> usize;

    fn objective(&self) -> &GaugeObjective<Self::Side>;
}

/// The upper side.
pub(crate) struct Descent(Adam<GaugeObjective<Above>>);

impl Optimiser for Descent {
    type Side = Above;

    fn new(objective: GaugeObjective<Above>, start: Vec<f64>) -> Self {
        // A plan of one evaluation ends with a step of 0.
        let mut adam = Adam::new(objective, start, STEP, 1);
        adam.sweep();
        Self(adam)
    }

    fn cycle(&mut self, evaluations: usize, budget: &Budget) {
        if evaluations < SHORT {
            self.0.polish(evaluations, PAIRS, budget);
            return;
        }
        self.0.restart(STEP, evaluations);
        for _ in 0..evaluations {
            if budget.stop().is_some() || !self.0.sweep().is_finite() {
                return;
            }
        }
    }

    fn value(&self) -> f64 {
        self.0.value()
    }

    fn point(&self) -> Vec<f64> {
        self.0.point()
    }

    fn evaluations(&self) -> usize {
        self.0.evaluations()
    }

    fn objective(&self) -> &GaugeObjective<Above> {
        self.0.objective()
    }
}

/// The lower side.
pub(crate) struct Ascent {
    /// Without a barrier.
    objective: GaugeObjective<Below>,
    barrier: f64,
    x: Vec<f64>,
    unused: Vec<f64>,
    value: f64,
    evaluations: usize,
}

impl Optimiser for Ascent {
    type Side = Below;

    fn new(mut objective: GaugeObjective<Below>, x: Vec<f64>) -> Self {
        let mut unused = vec![0.0; x.len()];
        Self {
            value: objective.evaluate(&x, &mut unused),
            objective,
            barrier: BARRIER,
            x,
            unused,
            evaluations: 1,
        }
    }

    fn cycle(&mut self, evaluations: usize, budget: &Budget) {
        // One at the start with a barrier, one step at least, and one at the end without.
        if evaluations < 3 {
            return;
        }
        let barred = self.objective.clone().with_barrier(self.barrier);
        let mut climb = Lbfgs::new(barred, self.x.clone(), MEMORY);
        climb.descend_by(evaluations - 2, 0.0, budget);
        self.evaluations += climb.evaluations() + 1;
        self.barrier = (self.barrier * FALL).max(LEAST_BARRIER);
        let point = climb.point();
        let value = self.objective.evaluate(&point, &mut self.unused);
        // The barrier may have led to a looser bound; then the point before is kept.
        if value < self.value {
            self.value = value;
            self.x = point;
        }
    }

    fn value(&self) -> f64 {
        self.value
    }

    fn point(&self) -> Vec<f64> {
        self.x.clone()
    }

    fn evaluations(&self) -> usize {
        self.evaluations
    }

    fn objective(&self) -> &GaugeObjective<Below> {
        &self.objective
    }
}
