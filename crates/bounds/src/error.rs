//! What keeps a bound from being computed.

use forney_exact::TooLarge;

/// Why no bound was computed.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
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
