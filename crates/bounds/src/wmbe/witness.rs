//! The witness of a weighted mini-bucket bound.

use std::marker::PhantomData;
use std::ops::Range;
use std::sync::Arc;

use forney_certify::{Bound, Certificate, Flaw, Side};
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
}

/// Do weights and shifts belong to this schedule and prove a bound on the side of `S`?
///
/// Above, Hölder asks for weights ≥ +0 (+0 is a maximum); below, reverse Hölder for exactly one
/// weight > 0 in each split and the others ≤ −0 (−0 is a minimum). Those of a split sum to 1.
///
/// # Errors
/// [`Flaw::Invalid`] if the schedule is none of this model, if there are too few or too many
/// parameters, or if some of them prove nothing.
pub fn check_parameters<S: Side>(
    schedule: &Schedule,
    graph: &FactorGraph,
    weights: &[f64],
    shifts: &[f64],
) -> Result<(), Flaw> {
    schedule.check(graph).map_err(Flaw::Invalid)?;
    if weights.len() != schedule.num_weights() || shifts.len() != schedule.num_shifts() {
        return Err(Flaw::Invalid(
            "weights or shifts of another schedule".into(),
        ));
    }
    if !shifts.iter().all(|shift| shift.is_finite()) {
        return Err(Flaw::Invalid("a cost shift is not finite".into()));
    }
    for split in schedule.splits() {
        let weights = &weights[weights_of(split)];
        let sum: f64 = weights.iter().sum();
        // Written so that NaN fails.
        if !((sum - 1.0).abs() <= WEIGHT_SLACK && are_sound::<S>(weights)) {
            return Err(Flaw::Invalid(format!(
                "the weights {weights:?} of variable {} are no {} bound",
                split.variable,
                S::NAME
            )));
        }
    }
    Ok(())
}

/// Where the weights of a split lie.
pub(super) fn weights_of(split: &Split) -> Range<usize> {
    split.first_weight..split.first_weight + split.steps.len()
}

/// Have the weights of one split the signs of Hölder, or of reverse Hölder?
fn are_sound<S: Side>(weights: &[f64]) -> bool {
    // −0 is a minimum, although it is `>= 0.0`.
    let count = |sign: fn(f64) -> bool| weights.iter().filter(|&&w| sign(w)).count();
    if S::TRIVIAL > 0.0 {
        count(|w| w >= 0.0 && w.is_sign_positive()) == weights.len()
    } else {
        count(|w| w > 0.0) == 1 && count(|w| w <= 0.0 && w.is_sign_negative()) == weights.len() - 1
    }
}

impl<S: Side> Certificate<FactorGraph> for Wmbe<S> {
    type Side = S;

    /// Recomputes the bound with weights and shifts that pass [`check_parameters`].
    fn verify(&self, graph: &FactorGraph) -> Result<Bound<S>, Flaw> {
        check_parameters::<S>(&self.schedule, graph, &self.weights, &self.shifts)?;
        let mut engine = Engine::new(Arc::clone(&self.schedule), graph, Keep::Live);
        Bound::new(engine.forward(&self.weights, &self.shifts))
    }
}
