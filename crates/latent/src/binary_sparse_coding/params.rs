//! Learning: what is asked for.

use ndarray::{Array1, Array2, ArrayView2, Axis};
use rand::RngExt;
use rand_distr::StandardNormal;
use rand_pcg::Pcg64;
use serde::{Deserialize, Serialize};

use super::model::BinarySparseCoding;
use crate::m_step::MStep;
use crate::{LatentError, check};

/// Deterministic annealing: `q` is that of `p(h) p(v | h)^{1/T}` while `T` falls to 1.
///
/// Until then all units share one bias and all visible units one precision, so that no unit dies
/// and no pixel is believed early, while it is still open which unit explains what.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Annealing {
    /// `T` at the start; 1 for none.
    pub temperature: f64,
    /// Iterations until `T = 1`, in geometric steps.
    pub iterations: usize,
}

impl Annealing {
    /// No annealing.
    pub const NONE: Self = Self {
        temperature: 1.0,
        iterations: 0,
    };
}

/// The parameters of learning.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BinarySparseCodingParams {
    /// Number of hidden units `H`.
    pub units: usize,
    /// How many are on at first, in the mean; default 2.
    pub active: f64,
    /// Whether all visible units share one precision; default false.
    pub isotropic: bool,
    /// Default from `T = 5` in 50 iterations.
    pub annealing: Annealing,
    /// Independent starts, of which the one with the best bound is kept; default 12.
    pub starts: usize,
    /// How the parameters follow the moments; default the closed form.
    pub m_step: MStep,
    /// The most iterations at `T = 1`, for each start; default 200.
    pub iterations: usize,
    /// An iteration that raises the bound by at most so many nats for each example ends learning;
    /// default `1e-5`.
    pub tolerance: f64,
    /// The seed of the starts.
    pub seed: u64,
}

impl BinarySparseCodingParams {
    /// The defaults, for a number of units.
    #[must_use]
    pub fn new(units: usize) -> Self {
        Self {
            units,
            active: 2.0,
            isotropic: false,
            annealing: Annealing {
                temperature: 5.0,
                iterations: 50,
            },
            starts: 12,
            m_step: MStep::Full,
            iterations: 200,
            tolerance: 1e-5,
            seed: 0,
        }
    }

    /// Bytes that learning takes beside so many rows of so many columns, about: means and fields of all units for each row, a matrix of the units for
    /// each 64 rows, and what the E-step takes for itself.
    ///
    /// A caller with a limit compares them with it before it begins.
    #[must_use]
    pub fn demand(&self, rows: usize, columns: usize) -> f64 {
        let (n, d, h) = (rows as f64, columns as f64, self.units as f64);
        8.0 * (3.0 * n * h + n * d + (rows.div_ceil(64) as f64 + 8.0) * h * h + 8.0 * d * h)
    }

    /// Components scattered around the mean of the data, shared by the active units, with the
    /// variance of the data for noise.
    pub(super) fn first_model(
        &self,
        data: ArrayView2<'_, f64>,
        rng: &mut Pcg64,
    ) -> BinarySparseCoding {
        let mean = data
            .mean_axis(Axis(0))
            .unwrap_or_else(|| Array1::zeros(data.ncols()));
        let variance = data.var_axis(Axis(0), 0.0);
        let share = (self.active / self.units as f64).clamp(1e-3, 0.5);
        let scale = 1.0 / (share * self.units as f64);
        let weights = Array2::from_shape_fn((data.ncols(), self.units), |(d, _)| {
            let noise: f64 = rng.sample(StandardNormal);
            scale * mean[d] + noise * variance[d].sqrt() * SCATTER
        });
        let precision = if self.isotropic {
            Array1::from_elem(data.ncols(), data.ncols() as f64 / variance.sum())
        } else {
            variance.mapv(|v| 1.0 / v)
        };
        BinarySparseCoding {
            weights,
            bias: Array1::from_elem(self.units, (share / (1.0 - share)).ln()),
            precision,
        }
    }

    pub(super) fn check(&self, data: ArrayView2<'_, f64>) -> Result<(), LatentError> {
        check::enough(data.nrows(), 2)?;
        check::finite("the data", data)?;
        check::varying(data)?;
        check::some("the number of units", self.units)?;
        check::some("the number of starts", self.starts)?;
        check::positive("the number of active units", self.active)?;
        let Annealing { temperature, .. } = self.annealing;
        let ok = temperature.is_finite() && temperature >= 1.0;
        check::within("the temperature", "finite and at least 1", temperature, ok)?;
        check::tolerance(self.tolerance)?;
        self.m_step.check()
    }
}

/// The scatter of the first components, in standard deviations of the data.
const SCATTER: f64 = 0.25;
