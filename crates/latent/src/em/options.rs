//! What EM is asked for, whatever the model.

use serde::{Deserialize, Serialize};

use crate::LatentError;
use crate::check::{some, tolerance, within};
use crate::m_step::MStep;

/// When the M-steps come.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Variant {
    /// One M-step after an E-step over all examples: the free energy never falls.
    Batch,
    /// One M-step for each batch, from a running average of the statistics,
    /// `S ← (1 − ρ) S + ρ s_batch` with `ρ = (m + 2)^{−decay}` at M-step `m = 0, 1, …`
    /// (Cappé & Moulines 2009).
    ///
    /// A last E-step over all examples makes the free energy that belongs to the parameters, and
    /// refreshes `S`.
    Minibatch {
        /// Examples in a batch.
        examples: usize,
        /// `½ < decay ≤ 1`.
        decay: f64,
    },
    /// One M-step for each batch, whose statistics replace those it gave before (Neal & Hinton 1998).
    ///
    /// The free energy is that of the posteriors as they are, old ones included: it never falls, and
    /// bounds `ln p(v; θ)` from below.
    Incremental {
        /// Examples in a batch.
        examples: usize,
    },
}

/// Options of the loop, common to all models.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Em {
    /// Batch, minibatch or incremental; batch by default.
    pub variant: Variant,
    /// Full by default.
    pub m_step: MStep,
    /// At most so many sweeps over the data; 1000 by default.
    pub sweeps: usize,
    /// Converged once a sweep changes the free energy by no more than this, in nats per example;
    /// 1e-6 by default.
    pub tolerance: f64,
}

impl Default for Em {
    fn default() -> Self {
        Self {
            variant: Variant::Batch,
            m_step: MStep::Full,
            sweeps: 1000,
            tolerance: 1e-6,
        }
    }
}

impl Em {
    /// Examples in a batch; `None` if all are in one.
    pub(crate) fn batch(&self) -> Option<usize> {
        match self.variant {
            Variant::Batch => None,
            Variant::Minibatch { examples, .. } | Variant::Incremental { examples } => {
                Some(examples)
            }
        }
    }

    /// Refuses options outside their ranges.
    pub(crate) fn check(&self) -> Result<(), LatentError> {
        if let Some(examples) = self.batch() {
            some("the batch size", examples)?;
        }
        if let Variant::Minibatch { decay, .. } = self.variant {
            let admissible = decay > 0.5 && decay <= 1.0;
            within("decay", "above 0.5 and at most 1", decay, admissible)?;
        }
        self.m_step.check()?;
        tolerance(self.tolerance)
    }
}
