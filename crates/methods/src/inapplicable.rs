//! Why a method gives no value.

use forney_bounds::{BoundError, StartError};
use forney_certify::Flaw;
use forney_exact::TooLarge;
use forney_gauge::GaugedLowerError;
use forney_planar::PlanarError;

use crate::value::Gives;

/// Why a method does not apply to a model, or not within the limits.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Inapplicable {
    /// The method has no such side.
    #[error("{name} gives no {side} value")]
    Gives {
        /// The method.
        name: &'static str,
        /// The side it was asked for.
        side: Gives,
    },
    /// Mini-buckets do not fit.
    #[error(transparent)]
    Bound(#[from] BoundError),
    /// Forests do not exist or prove nothing.
    #[error(transparent)]
    TreeReweighting(#[from] forney_bounds::ForestError),
    /// Blocks of structured mean field do not fit.
    #[error(transparent)]
    Blocks(#[from] StartError),
    /// No gauge helps.
    #[error(transparent)]
    Gauges(#[from] GaugedLowerError),
    /// Not a planar model of spins.
    #[error(transparent)]
    Planar(#[from] PlanarError),
    /// A witness proved nothing.
    #[error(transparent)]
    Flaw(#[from] Flaw),
}

impl Inapplicable {
    /// The same in terms of all of the memory, of which the method had one share in so many.
    pub(crate) fn of_all(self, shares: f64) -> Self {
        let whole = |of: TooLarge| TooLarge {
            bytes: shares * of.bytes,
            limit: shares * of.limit,
            ..of
        };
        match self {
            Self::Bound(BoundError::TooLarge(of)) => Self::Bound(BoundError::TooLarge(whole(of))),
            Self::Blocks(StartError::TooLarge(of)) => Self::Blocks(StartError::TooLarge(whole(of))),
            Self::Bound(BoundError::MiniBucketsTooLarge { bytes, limit }) => {
                Self::Bound(BoundError::MiniBucketsTooLarge {
                    bytes: shares * bytes,
                    limit: shares * limit,
                })
            }
            other => other,
        }
    }

    /// Would more memory help?
    #[must_use]
    pub fn is_memory(&self) -> bool {
        matches!(
            self,
            Self::Bound(BoundError::MiniBucketsTooLarge { .. } | BoundError::TooLarge(_))
                | Self::Planar(PlanarError::TooLarge { .. })
        )
    }
}
