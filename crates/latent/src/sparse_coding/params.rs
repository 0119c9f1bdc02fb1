//! Dictionary learning: what is asked for.

use serde::{Deserialize, Serialize};

use super::inference::Inference;
use super::update::{Penalty, Update};
use crate::{LatentError, check};

/// In which order codes and dictionary take turns.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum Turns {
    /// All codes, then the dictionary; `J` falls monotonically.
    Batch,
    /// A few examples, then the dictionary, from sums over all examples so far in which the old
    /// ones fade (Mairal et al. 2010). It needs no memory for each example.
    Online {
        /// Examples at a time.
        batch: usize,
        /// `ρ ≥ 0`: before step `t` the sums are multiplied by `(1 − 1/t)^ρ`; with 0 nothing fades.
        /// About `t/(1 + ρ)` steps are remembered; the codes of the poor dictionaries at the start
        /// hold learning back, so large exponents learn much faster.
        forgetting: f64,
    },
    /// A few examples, then the dictionary, from sums in which the latest code of each example
    /// replaces its previous one (Neal and Hinton 1999). The codes of all examples are kept; in each
    /// pass they are the start of the next ones, and `J` falls monotonically after the first.
    Incremental {
        /// Examples at a time.
        batch: usize,
    },
}

impl Turns {
    /// Examples at a time; `None` for all.
    pub(super) fn batch(self) -> Option<usize> {
        match self {
            Self::Batch => None,
            Self::Online { batch, .. } | Self::Incremental { batch } => Some(batch),
        }
    }

    pub(super) fn is_online(self) -> bool {
        matches!(self, Self::Online { .. })
    }
}

/// The parameters of dictionary learning.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SparseCodingParams {
    /// Number of atoms `K`.
    pub atoms: usize,
    /// `λ`, the rate of the prior; default 1.
    pub lambda: f64,
    /// `β`, the precision of the noise; default 1.
    pub beta: f64,
    /// How codes are inferred, and which signs they may have.
    pub inference: Inference,
    /// What keeps the dictionary from growing; default atoms of norm at most 1.
    pub penalty: Penalty,
    /// How the dictionary is updated; default three sweeps of coordinate descent.
    pub update: Update,
    /// In which order codes and dictionary take turns; default online, 512 examples at a
    /// time, forgetting with exponent 50.
    pub schedule: Turns,
    /// Whether the bias `b` is learned; default false, and then it is zero: nothing is subtracted
    /// from the data.
    pub learn_bias: bool,
    /// The most passes over the data; default 20.
    pub passes: usize,
    /// A pass that improves the mean objective by less than this share ends learning; default
    /// `1e-4`. Online learning, whose objectives are of different dictionaries, does not stop by it.
    pub tolerance: f64,
    /// The seed of the first dictionary and of the order of the examples.
    pub seed: u64,
}

impl SparseCodingParams {
    /// The defaults, for a number of atoms.
    #[must_use]
    pub fn new(atoms: usize) -> Self {
        Self {
            atoms,
            lambda: 1.0,
            beta: 1.0,
            inference: Inference::default(),
            penalty: Penalty::MaxNorm { norm: 1.0 },
            update: Update::BlockCoordinateDescent { sweeps: 3 },
            schedule: Turns::Online {
                batch: 512,
                forgetting: 50.0,
            },
            learn_bias: false,
            passes: 20,
            tolerance: 1e-4,
            seed: 0,
        }
    }

    /// Bytes that learning takes beside so many rows of so many columns, about: a few matrices of the atoms and of the dictionary, and a copy of the
    /// rows.
    ///
    /// A caller with a limit compares them with it before it begins.
    #[must_use]
    pub fn demand(&self, rows: usize, columns: usize) -> f64 {
        let (n, d, k) = (rows as f64, columns as f64, self.atoms as f64);
        8.0 * (n * d + 2.0 * n + 8.0 * k * k + 10.0 * d * k)
    }

    pub(super) fn check(&self) -> Result<(), LatentError> {
        check::some("the number of atoms", self.atoms)?;
        check::positive("the rate λ", self.lambda)?;
        check::positive("the precision β", self.beta)?;
        check::positive("the tolerance of inference", self.inference.tolerance)?;
        check::tolerance(self.tolerance)?;
        match self.penalty {
            Penalty::MaxNorm { norm } => check::positive("the largest norm of an atom", norm)?,
            Penalty::WeightDecay { decay } => check::positive("the weight decay", decay)?,
        }
        if let Turns::Online { forgetting, .. } = self.schedule {
            check::not_negative("the exponent of forgetting", forgetting)?;
        }
        let batch = self.schedule.batch();
        check::some("the examples at a time", batch.unwrap_or(1))
    }
}
