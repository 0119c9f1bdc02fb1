//! `ln Z_w` as a function of free parameters: shifts as they are, weights through logits.

use std::marker::PhantomData;
use std::sync::Arc;

use forney_certify::{Above, Below, Objective, Side};
use forney_exact::{Engine, Keep, Schedule};
use forney_model::FactorGraph;

use super::Wmbe;
use super::witness::weights_of;

/// No weight comes closer to 0: the powers `1/w` stay far from overflow. Set by hand, not tuned.
const LEAST_WEIGHT: f64 = 1e-6;

/// No negative weight goes below this: far out the bound hardly changes, and the difference of
/// huge weights loses its digits. Set by hand, not tuned.
const LARGEST_WEIGHT: f64 = 100.0;

/// How free parameters become weights on one side.
pub trait WeightMap: Side {
    /// The factor that turns `ln Z_w` into something to minimise.
    const SENSE: f64;

    /// The weight of a mini-bucket that keeps only its extreme: `+0` (maximum) above, `−0`
    /// (minimum) below.
    const EXTREME: f64;

    /// Logits to start from for a split into `r` mini-buckets.
    fn start(r: usize) -> Vec<f64>;

    /// The weights of one split.
    fn weights(logits: &[f64], weights: &mut [f64]);

    /// `∂f/∂logits` from `∂f/∂weights`.
    fn pull_back(logits: &[f64], d_weights: &[f64], d_logits: &mut [f64]);
}

impl WeightMap for Above {
    const SENSE: f64 = 1.0;
    const EXTREME: f64 = 0.0;

    fn start(r: usize) -> Vec<f64> {
        vec![0.0; r]
    }

    /// `w_r ∝ softmax(u)_r + 10⁻⁶`.
    fn weights(logits: &[f64], weights: &mut [f64]) {
        let most = logits.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        for (w, u) in weights.iter_mut().zip(logits) {
            *w = (u - most).exp();
        }
        let sum: f64 = weights.iter().sum();
        let total = 1.0 + LEAST_WEIGHT * weights.len() as f64;
        for w in weights {
            *w = (*w / sum + LEAST_WEIGHT) / total;
        }
    }

    fn pull_back(logits: &[f64], d_weights: &[f64], d_logits: &mut [f64]) {
        let most = logits.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let total = 1.0 + LEAST_WEIGHT * logits.len() as f64;
        let sum: f64 = logits.iter().map(|u| (u - most).exp()).sum();
        let softmax = |u: &f64| (u - most).exp() / sum;
        let mean: f64 = logits
            .iter()
            .zip(d_weights)
            .map(|(u, g)| softmax(u) * g)
            .sum();
        for ((d, u), g) in d_logits.iter_mut().zip(logits).zip(d_weights) {
            *d = softmax(u) * (g - mean) / total;
        }
    }
}

impl WeightMap for Below {
    const SENSE: f64 = -1.0;
    const EXTREME: f64 = -0.0;

    fn start(r: usize) -> Vec<f64> {
        let mut logits = vec![-1.0; r];
        logits[0] = 0.0;
        logits
    }

    /// `w_r = −(100 σ(u_r − ln 100) + 10⁻⁶)`, about `−exp u_r`, for every mini-bucket but the
    /// first, which takes the rest.
    fn weights(logits: &[f64], weights: &mut [f64]) {
        let mut negative = 0.0;
        for (w, u) in weights.iter_mut().zip(logits).skip(1) {
            *w = -(saturating_exp(*u) + LEAST_WEIGHT);
            negative += *w;
        }
        weights[0] = 1.0 - negative;
    }

    fn pull_back(logits: &[f64], d_weights: &[f64], d_logits: &mut [f64]) {
        d_logits[0] = 0.0;
        for ((d, u), g) in d_logits.iter_mut().zip(logits).zip(d_weights).skip(1) {
            let w = saturating_exp(*u);
            *d = w * (1.0 - w / LARGEST_WEIGHT) * (d_weights[0] - g);
        }
    }
}

/// `100 σ(u − ln 100)`.
fn saturating_exp(u: f64) -> f64 {
    LARGEST_WEIGHT / (1.0 + LARGEST_WEIGHT * (-u).exp())
}

/// `±ln Z_w(λ, u)`, to be minimised; one evaluation is one forward and one backward pass.
#[derive(Clone, Debug)]
pub struct WmbeObjective<S: WeightMap> {
    engine: Engine,
    weights: Vec<f64>,
    d_weights: Vec<f64>,
    /// Do shifts move, and weights? Others have no gradient, so they stay where they start.
    moves: [bool; 2],
    side: PhantomData<S>,
}

impl<S: WeightMap> WmbeObjective<S> {
    /// Loads the model into the schedule.
    #[must_use]
    pub fn new(schedule: Arc<Schedule>, graph: &FactorGraph) -> Self {
        let weights = vec![0.0; schedule.num_weights()];
        let engine = Engine::new(schedule, graph, Keep::All);
        Self {
            engine,
            d_weights: weights.clone(),
            weights,
            moves: [true; 2],
            side: PhantomData,
        }
    }

    /// The same with shifts and weights free or not; what is not stays where it starts.
    pub(super) fn moving(self, moves: [bool; 2]) -> Self {
        Self { moves, ..self }
    }

    /// The schedule.
    #[must_use]
    pub fn schedule(&self) -> &Arc<Schedule> {
        self.engine.schedule()
    }

    /// The weights `w_r` at the point that was evaluated last.
    #[must_use]
    pub fn weights(&self) -> &[f64] {
        &self.weights
    }

    /// The parameters to start from: no shifts, neutral weights.
    #[must_use]
    pub fn start(schedule: &Schedule) -> Vec<f64> {
        let mut x = vec![0.0; schedule.num_shifts()];
        for split in schedule.splits() {
            x.extend(S::start(split.steps.len()));
        }
        x
    }

    /// The witness at these parameters.
    #[must_use]
    pub fn witness(&self, x: &[f64]) -> Wmbe<S> {
        Self::witness_at(self.engine.schedule(), x)
    }

    /// The witness at these parameters of a schedule.
    #[must_use]
    pub fn witness_at(schedule: &Arc<Schedule>, x: &[f64]) -> Wmbe<S> {
        let (shifts, logits) = x.split_at(schedule.num_shifts());
        let mut weights = vec![0.0; logits.len()];
        all_weights::<S>(schedule, logits, &mut weights);
        Wmbe::new(Arc::clone(schedule), weights, shifts.to_vec())
    }
}

impl<S: WeightMap> Wmbe<S> {
    /// No shifts, neutral weights: a bound after a single pass, before anything was optimised.
    #[must_use]
    pub fn neutral(schedule: Arc<Schedule>) -> Self {
        let start = WmbeObjective::<S>::start(&schedule);
        WmbeObjective::<S>::witness_at(&schedule, &start)
    }
}

/// The weights of all splits, by [`WeightMap::weights`].
pub fn all_weights<S: WeightMap>(schedule: &Schedule, logits: &[f64], weights: &mut [f64]) {
    for split in schedule.splits() {
        let part = weights_of(split);
        S::weights(&logits[part.clone()], &mut weights[part]);
    }
}

/// `∂f/∂logits` of all splits, by [`WeightMap::pull_back`].
pub fn all_pulled_back<S: WeightMap>(
    schedule: &Schedule,
    logits: &[f64],
    d_weights: &[f64],
    d_logits: &mut [f64],
) {
    for split in schedule.splits() {
        let part = weights_of(split);
        S::pull_back(
            &logits[part.clone()],
            &d_weights[part.clone()],
            &mut d_logits[part],
        );
    }
}

impl<S: WeightMap> Objective for WmbeObjective<S> {
    fn evaluate(&mut self, x: &[f64], gradient: &mut [f64]) -> f64 {
        let schedule = Arc::clone(self.engine.schedule());
        let (shifts, logits) = x.split_at(schedule.num_shifts());
        all_weights::<S>(&schedule, logits, &mut self.weights);
        let value = self.engine.forward(&self.weights, shifts);
        let (d_shifts, d_logits) = gradient.split_at_mut(shifts.len());
        self.engine
            .backward(&self.weights, shifts, false, &mut self.d_weights, d_shifts);
        all_pulled_back::<S>(&schedule, logits, &self.d_weights, d_logits);
        for (part, moves) in [d_shifts, d_logits].into_iter().zip(self.moves) {
            match moves {
                true => part.iter_mut().for_each(|g| *g *= S::SENSE),
                false => part.fill(0.0),
            }
        }
        S::SENSE * value
    }
}
