//! Why there is no value.

use forney_certify::Stop;
use forney_exact::human;
use forney_model::{FactorId, VarId};

/// Why a model has no value as one of spins in the plane.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum PlanarError {
    /// A variable that is no spin.
    #[error("variable {variable} has {states} states, and a planar Ising model has two for each")]
    Cardinality {
        /// The variable.
        variable: VarId,
        /// Its states.
        states: usize,
    },
    /// A factor of more than two spins.
    #[error(
        "factor {factor} joins {variables} variables, and a planar Ising model joins them by twos"
    )]
    Scope {
        /// The factor.
        factor: FactorId,
        /// How many spins it has.
        variables: usize,
    },
    /// A factor that forbids one or three of four assignments.
    #[error(
        "factor {factor} forbids assignments, and not those in which its two variables are equal, or differ"
    )]
    Zeros {
        /// The factor.
        factor: FactorId,
    },
    /// Couplings that cross in every drawing.
    #[error(
        "the couplings{} cannot be drawn in the plane without crossing",
        if *.fields { ", and one more spin that stands for the fields," } else { "" }
    )]
    Crossing {
        /// Are there fields, which one more spin stands for? Without them it may be drawn.
        fields: bool,
    },
    /// Fronts that do not fit.
    #[error("matchings need {}, more than the {} allowed; allow more memory", human(*.bytes), human(*.limit))]
    TooLarge {
        /// Bytes, by prediction.
        bytes: f64,
        /// Bytes allowed.
        limit: f64,
    },
    /// The budget was over.
    #[error("the run was stopped: {0}")]
    Stopped(Stop),
    /// The couplings are so strong that rounding leaves nothing of a positive number.
    #[error("the couplings are too strong: rounding leaves nothing of a sum of positive terms")]
    Rounding,
}
