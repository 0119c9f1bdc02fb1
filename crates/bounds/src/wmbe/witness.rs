//! The witness of a weighted mini-bucket bound.

use std::marker::PhantomData;
use std::sync::Arc;

use forney_certify::{Above, Below, Bound, Certificate, Flaw, Side};
use forney_exact::{Engine, Keep, Schedule, Split};
use forney_model::FactorGraph;

/// How far weights may sum beside 1: rounding only.
const WEIGHT_SLACK: f64 = 1e-9;

/// A split schedule with its Hölder weights and cost shifts: a proof of `ln Z_w ≥ ln Z` or
/// `ln Z_w ≤ ln Z`.
#[derive(Clone, Debug)]
pub struct Wmbe<S: Side> {
    /// Which tables meet where.
    pub schedule: Arc<Schedule>,
    /// `w_r`, [`Schedule::num_weights`] of them.
    pub weights: Vec<f64>,
    /// `λ`, [`Schedule::num_shifts`] of them.
    pub shifts: Vec<f64>,
    side: PhantomData<S>,
}

impl<S: Side> Wmbe<S> {
    /// Joins the parts of a witness; [`Certificate::verify`] judges them.
    #[must_use]
    pub fn new(schedule: Arc<Schedule>, weights: Vec<f64>, shifts: Vec<f64>) -> Self {
        Self {
            schedule,
            weights,
            shifts,
            side: PhantomData,
        }
    }

    fn recompute(&self, graph: &FactorGraph, sound: fn(&[f64]) -> bool) -> Result<Bound<S>, Flaw> {
        let schedule = &self.schedule;
        schedule.check(graph).map_err(Flaw::Invalid)?;
        if self.weights.len() != schedule.num_weights()
            || self.shifts.len() != schedule.num_shifts()
        {
            return Err(Flaw::Invalid(
                "weights or shifts of another schedule".into(),
            ));
        }
        if !self.shifts.iter().all(|shift| shift.is_finite()) {
            return Err(Flaw::Invalid("a cost shift is not finite".into()));
        }
        let of_split = |split: &Split| {
            &self.weights[split.first_weight..split.first_weight + split.steps.len()]
        };
        for split in schedule.splits() {
            let weights = of_split(split);
            let sum: f64 = weights.iter().sum();
            // Written so that NaN fails.
            if !((sum - 1.0).abs() <= WEIGHT_SLACK && sound(weights)) {
                let v = split.variable;
                return Err(Flaw::Invalid(format!(
                    "the weights {weights:?} of variable {v} are no {} bound",
                    S::NAME
                )));
            }
        }
        let mut engine = Engine::new(Arc::clone(schedule), graph, Keep::Live);
        Bound::new(engine.forward(&self.weights, &self.shifts))
    }
}

impl Certificate<FactorGraph> for Wmbe<Above> {
    type Side = Above;

    /// Recomputes the upper bound; every weight has to be ≥ +0 (+0 is a maximum).
    fn verify(&self, graph: &FactorGraph) -> Result<Bound<Above>, Flaw> {
        // −0 would be a minimum, and is `>= 0.0`.
        self.recompute(graph, |weights| {
            weights.iter().all(|&w| w >= 0.0 && w.is_sign_positive())
        })
    }
}

impl Certificate<FactorGraph> for Wmbe<Below> {
    type Side = Below;

    /// Recomputes the lower bound; exactly one weight of each split has to be > 0, the others ≤ −0
    /// (−0 is a minimum).
    fn verify(&self, graph: &FactorGraph) -> Result<Bound<Below>, Flaw> {
        self.recompute(graph, |weights| {
            let negative = |w: f64| w <= 0.0 && w.is_sign_negative();
            weights.iter().filter(|&&w| w > 0.0).count() == 1
                && weights.iter().filter(|&&w| negative(w)).count() == weights.len() - 1
        })
    }
}
