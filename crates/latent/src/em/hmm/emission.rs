//! What a state of a hidden Markov model emits.

use std::ops::Range;

use ndarray::{ArrayView2, ArrayViewMut2};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::LatentError;
use crate::em::model::Statistics;

/// The distributions `p(v_t | h_t = k)`, whose methods follow those of
/// [`LatentModel`](crate::em::LatentModel).
pub trait Emission: Clone + Send + Sync + Serialize + DeserializeOwned {
    /// The observations of all steps of all sequences.
    type Observations<'d>: Copy + Send + Sync;
    /// Expected sufficient statistics.
    type Statistics: Statistics;
    /// The densities, ready to be evaluated.
    type Ready: Send + Sync;

    /// Number of states `K`.
    fn states(&self) -> usize;

    /// Checks parameters that were read from a file.
    ///
    /// # Errors
    /// Parameters that make no distribution.
    fn check(&self) -> Result<(), LatentError>;

    /// Checks that the emissions can give these observations.
    ///
    /// # Errors
    /// Another width, or a symbol that does not exist.
    fn check_observations(&self, observations: Self::Observations<'_>) -> Result<(), LatentError>;

    /// The densities at the present parameters.
    fn ready(&self) -> Self::Ready;

    /// Sets `into`, `T × K`, to `ln p(v_t | h_t = k)` at some steps.
    fn ln_densities(
        ready: &Self::Ready,
        observations: Self::Observations<'_>,
        steps: Range<usize>,
        into: ArrayViewMut2<'_, f64>,
    );

    /// Adds the statistics of some steps with the weights `γ`, `T × K`, whose rows sum to 1.
    fn collect(
        ready: &Self::Ready,
        observations: Self::Observations<'_>,
        steps: Range<usize>,
        weights: ArrayView2<'_, f64>,
        into: &mut Self::Statistics,
    );

    /// The statistics of no steps.
    fn no_statistics(&self) -> Self::Statistics;

    /// The parameters that maximise [`expected_ln_density`](Self::expected_ln_density).
    #[must_use]
    fn maximised(&self, statistics: &Self::Statistics) -> Self;

    /// `Σ_tk γ_t(k) ln p(v_t | h_t = k)`, in nats.
    fn expected_ln_density(&self, statistics: &Self::Statistics) -> f64;

    /// The parameters as an unconstrained vector.
    fn parameters(&self) -> Vec<f64>;

    /// The emissions of another vector; `None` if it overflows.
    fn with_parameters(&self, parameters: &[f64]) -> Option<Self>;

    /// The gradient of [`expected_ln_density`](Self::expected_ln_density) by the parameters.
    fn gradient(&self, statistics: &Self::Statistics) -> Vec<f64>;
}
