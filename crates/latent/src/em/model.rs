//! What a latent-variable model and its data owe the loop of EM.

use std::ops::Range;

use forney_certify::Budget;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::LatentError;

/// Training data, cut into batches.
///
/// A *unit* is what an E-step handles at once: a row, a sequence, a group of equal rows. The units of
/// a batch lie side by side, and every unit belongs to one batch.
pub trait Examples: Sync {
    /// The least number of units that is worth a task of its own.
    const GRAIN: usize;

    /// Number of batches, at least 1.
    fn batches(&self) -> usize;

    /// The units of a batch.
    fn units(&self, batch: usize) -> Range<usize>;

    /// Number of examples in a batch: one for each unit, unless the data say otherwise.
    fn examples(&self, batch: usize) -> usize {
        self.units(batch).len()
    }

    /// Number of examples in all batches.
    fn total(&self) -> usize {
        (0..self.batches()).map(|batch| self.examples(batch)).sum()
    }
}

/// Expected sufficient statistics: a vector space, so that batches can be added, replaced and averaged;
/// they are part of what [`EmState`](super::EmState) saves.
pub trait Statistics: Clone + Send + Sync + Serialize + DeserializeOwned {
    /// `self ← self + factor · other`.
    fn add(&mut self, other: &Self, factor: f64);

    /// `self ← factor · self`.
    fn scale(&mut self, factor: f64);
}

/// A model `p(h, v; θ)` that EM can learn.
///
/// The M-step maximises `E_q[ln p(h, v; θ)]`, which depends on the examples through their statistics
/// alone; a prior on the parameters adds [`ln_prior`](Self::ln_prior).
pub trait LatentModel: Clone + Send + Sync + Serialize + DeserializeOwned {
    /// The examples `v`.
    type Data<'d>: Examples;
    /// Expected sufficient statistics.
    type Statistics: Statistics;
    /// The distribution `q(h | v)` of an E-step, with everything worked out that all examples share.
    type Posterior: Sync;

    /// Checks that the data have the width, or the states, of the model.
    ///
    /// # Errors
    /// Where they do not.
    fn check_data(&self, data: &Self::Data<'_>) -> Result<(), LatentError>;

    /// The posterior at the present parameters, ready to be evaluated.
    fn posterior(&self) -> Self::Posterior;

    /// E-step: adds the statistics `E_q[s(h, v)]` of some units to `into` and returns their
    /// `L(v, θ, q) = E_q[ln p(h, v; θ)] + H(q)`, (19.7), in nats.
    ///
    /// For the exact posterior that is `ln p(v; θ)`; `−∞` if the model excludes an example, which then
    /// adds no statistics. It may return early, with anything, once the budget has ended: nothing is made
    /// of that.
    fn collect(
        posterior: &Self::Posterior,
        data: &Self::Data<'_>,
        units: Range<usize>,
        budget: &Budget,
        into: &mut Self::Statistics,
    ) -> f64;

    /// The statistics of no examples.
    fn no_statistics(&self) -> Self::Statistics;

    /// Full M-step: the parameters that maximise `E_q[ln p(h, v; θ)] + ln p(θ)`.
    ///
    /// Parameters that the statistics say nothing about stay as they are.
    #[must_use]
    fn maximised(&self, statistics: &Self::Statistics) -> Self;

    /// `E_q[ln p(h, v; θ)]` in nats, summed over the examples of the statistics.
    fn expected_ln_joint(&self, statistics: &Self::Statistics) -> f64;

    /// `ln p(θ)` in nats up to a constant; 0 without a prior.
    fn ln_prior(&self) -> f64 {
        0.0
    }

    /// The parameters as an unconstrained vector: logits, means, logarithms of scales.
    fn parameters(&self) -> Vec<f64>;

    /// The model with other parameters, laid out as [`parameters`](Self::parameters); `None` if they
    /// make no model (an overflow).
    fn with_parameters(&self, parameters: &[f64]) -> Option<Self>;

    /// The gradient of `E_q[ln p(h, v; θ)] + ln p(θ)` by [`parameters`](Self::parameters).
    fn gradient(&self, statistics: &Self::Statistics) -> Vec<f64>;
}

/// The value and the statistics of an E-step.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Expected<S> {
    /// `L(v, θ, q)` in nats, summed over the examples.
    pub free_energy: f64,
    /// `E_q[s(h, v)]`, summed over the examples.
    pub statistics: S,
}
