//! What gauged lower bounds work with, and what they say.

use forney_bounds::{MeanField, StartError};
use forney_certify::{Lower, Stop};
use forney_exact::human;

use super::witness::Gauged;

/// What [`gauged_mean_field`](crate::gauged_mean_field) and its relatives work with.
#[derive(Clone, Debug, PartialEq)]
pub struct GaugedLowerOptions {
    /// Starts that race, or as many of them as memory and evaluations have room for; once the barrier is
    /// low, the better half goes on.
    pub starts: usize,
    /// At most so many gradient evaluations of all starts together; `None` for no limit.
    pub iterations: Option<usize>,
    /// Converged once a cycle gains no more than this, in nats.
    pub tolerance: f64,
    /// Seed of the starts.
    pub seed: u64,
    /// Bytes that all starts together may take; with structured mean field also those of the
    /// marginals of one block.
    pub memory: f64,
}

impl Default for GaugedLowerOptions {
    /// Eight starts, until nothing is gained, 4 GiB.
    fn default() -> Self {
        Self {
            starts: 8,
            iterations: None,
            tolerance: 1e-5,
            seed: 0,
            memory: 4.0 * 1024f64.powi(3),
        }
    }
}

/// Sees every verified improvement, with the gradient evaluations spent on it.
pub type LowerWatch<'w> = dyn FnMut(Lower, usize) + Send + 'w;

/// A gauged lower bound with its witness.
#[derive(Clone, Debug)]
pub struct GaugedLowerReport<Q = MeanField> {
    /// `"g-mf"`, `"g-bp"` or `"g-smf"`.
    pub method: &'static str,
    /// The verified bound.
    pub bound: Lower,
    /// Its witness.
    pub witness: Gauged<Q>,
    /// Gradient evaluations of all starts.
    pub iterations: usize,
    /// Why it ended.
    pub stop: Stop,
}

/// Why a gauged lower bound does not apply to a model.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum GaugedLowerError {
    /// `Z = 0`.
    #[error("hard zeros forbid every assignment: Z = 0, and there is nothing to bound")]
    NoAssignment,
    /// No variable can be gauged.
    #[error(
        "no variable can be gauged: gauges want a variable in exactly two factors, at least one of \
         which has no hard zero beside a positive entry; use plain mean field, or bring the model \
         into Forney form first"
    )]
    NothingToGauge,
    /// Not even one start fits.
    #[error(
        "the gauges take {} for one start, more than the {} allowed; allow more memory, or use \
         plain mean field",
        human(*bytes),
        human(*limit)
    )]
    TooLarge {
        /// Bytes that one start takes.
        bytes: f64,
        /// Bytes allowed.
        limit: f64,
    },
    /// No start with a finite bound.
    #[error(
        "no assignment was found that the hard zeros allow, so there is nowhere to begin; use \
         another seed or more time"
    )]
    NoStart,
    /// The blocks of structured mean field need too much memory.
    #[error(transparent)]
    Structured(#[from] StartError),
}
