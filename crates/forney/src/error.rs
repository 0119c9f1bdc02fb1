//! Why there is no answer.

use forney_bounds::BoundError;
use forney_certify::Stop;
use forney_exact::human;
use forney_model::ModelError;
use forney_uai::UaiError;

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A model or evidence that cannot be.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// A file that cannot be read.
    #[error(transparent)]
    File(#[from] UaiError),
    /// No method could run.
    #[error(transparent)]
    Bound(#[from] BoundError),
    /// Exact elimination takes more memory than is allowed.
    #[error(transparent)]
    NoFit(#[from] NoFit),
    /// The budget ended first.
    #[error("there was no exact answer in time ({0}); allow more time, or ask for a bracket")]
    Stopped(Stop),
    /// `Z = 0`: no assignment is allowed, so there is neither a distribution nor a best one.
    #[error("Z = 0: evidence and hard zeros allow no assignment")]
    Impossible,
}

/// An exact answer that does not fit in memory.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
#[error(
    "an exact answer needs {} of tables, more than the {} allowed; its largest step joins {} \
     variables; allow more memory, or ask for a bracket",
    human(*bytes),
    human(*limit),
    width + 1
)]
pub struct NoFit {
    /// Variables of the largest clique, minus 1.
    pub width: usize,
    /// Entries of the largest clique.
    pub largest_clique: f64,
    /// Bytes that it takes.
    pub bytes: f64,
    /// Bytes allowed.
    pub limit: f64,
    /// Bytes that `ln Z` alone takes.
    pub ln_z_bytes: f64,
}
