//! How far the parameters follow the moments of `q`.

use serde::{Deserialize, Serialize};

use crate::{LatentError, check};

/// How far an M-step goes.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MStep {
    /// To the maximum, in closed form.
    Full,
    /// One step of gradient ascent on the bound, along its mean gradient over the examples. That of
    /// [`em`](crate::em) is halved until the bound does not fall.
    Gradient {
        /// Length of the step, times the gradient.
        rate: f64,
    },
}

impl MStep {
    /// Refuses a step of no length.
    pub(crate) fn check(self) -> Result<(), LatentError> {
        match self {
            Self::Full => Ok(()),
            Self::Gradient { rate } => check::positive("the rate of the gradient step", rate),
        }
    }
}
