//! `ln Z_w` as a function of some of its parameters, the others as they are at the start.

use std::ops::Range;
use std::sync::Arc;

use forney_certify::Objective;
use forney_exact::Schedule;
use forney_model::FactorGraph;

use super::{Variant, WeightMap, Wmbe, WmbeObjective};

/// A [`WmbeObjective`] of which only the parameters that a variant moves are free.
pub(super) struct Frozen<S: WeightMap> {
    objective: WmbeObjective<S>,
    /// All parameters: shifts, then logits of the weights.
    x: Vec<f64>,
    gradient: Vec<f64>,
    free: Range<usize>,
}

impl<S: WeightMap> Frozen<S> {
    pub(super) fn new(schedule: Arc<Schedule>, graph: &FactorGraph, variant: Variant) -> Self {
        let x = WmbeObjective::<S>::start(&schedule);
        let shifts = schedule.num_shifts();
        let first = if variant.moves_shifts() { 0 } else { shifts };
        let last = if variant.moves_weights() {
            x.len()
        } else {
            shifts
        };
        Self {
            objective: WmbeObjective::new(schedule, graph),
            gradient: vec![0.0; x.len()],
            x,
            free: first..last,
        }
    }

    /// The free parameters to start from.
    pub(super) fn start(&self) -> Vec<f64> {
        self.x[self.free.clone()].to_vec()
    }

    /// The witness at these free parameters.
    pub(super) fn witness(&self, free: &[f64]) -> Wmbe<S> {
        let mut x = self.x.clone();
        x[self.free.clone()].copy_from_slice(free);
        self.objective.witness(&x)
    }
}

impl<S: WeightMap> Objective for Frozen<S> {
    fn evaluate(&mut self, free: &[f64], gradient: &mut [f64]) -> f64 {
        self.x[self.free.clone()].copy_from_slice(free);
        let value = self.objective.evaluate(&self.x, &mut self.gradient);
        gradient.copy_from_slice(&self.gradient[self.free.clone()]);
        value
    }
}
