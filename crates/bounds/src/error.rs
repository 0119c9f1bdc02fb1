//! What keeps a bound from being computed.

use forney_exact::{TooLarge, human};

/// Why no bound was computed.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum BoundError {
    /// A factor exceeds the ibound.
    #[error(
        "factor {factor} joins {scope} variables, so mini-buckets need an ibound of at least \
         {least}; {ibound} was asked for"
    )]
    IboundTooSmall {
        /// The ibound asked for.
        ibound: usize,
        /// The least ibound that works for this model.
        least: usize,
        /// The factor with the largest scope.
        factor: usize,
        /// Its variables of more than one state.
        scope: usize,
    },
    /// Not even the smallest cliques that hold the factors fit.
    #[error(
        "mini-buckets need {} of memory even with cliques as small as the factors, more than the {} \
         allowed",
        human(*bytes),
        human(*limit)
    )]
    MiniBucketsTooLarge {
        /// Bytes that both sides would take.
        bytes: f64,
        /// Bytes allowed.
        limit: f64,
    },
    /// The tables do not fit.
    #[error(transparent)]
    TooLarge(#[from] TooLarge),
    /// Two proofs contradict each other.
    #[error(transparent)]
    Crossed(#[from] forney_certify::Crossed),
    /// A witness proved nothing.
    #[error(transparent)]
    Flaw(#[from] forney_certify::Flaw),
}
