//! Learning: expectation maximisation with annealing and restarts.

use forney_certify::{Budget, Stop};
use ndarray::{Array1, Array2, ArrayView2, Axis};
use rand::RngExt;
use rand_distr::StandardNormal;
use rand_pcg::Pcg64;
use serde::{Deserialize, Serialize};

use super::e_step::EStep;
use super::m_step::MStep;
use super::model::BinarySparseCoding;
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

/// A learned model, and how learning went.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Fit {
    /// The model.
    pub model: BinarySparseCoding,
    /// The mean bound for each example, in nats, of exactly these parameters.
    pub bound: f64,
    /// The mean bound in each iteration of the start that was kept. The iterations of annealing are
    /// not monotone; those after it are if the E-step is exact or finds the best of its kind.
    pub trace: Vec<f64>,
    /// Why that start ended.
    pub stop: Stop,
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
            m_step: MStep::ClosedForm,
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

    /// Learns a model from the rows of `data` with an E-step.
    ///
    /// # Errors
    /// NaN or infinities, fewer than two examples, a constant column, a parameter out of range, or
    /// what the E-step refuses.
    ///
    /// # Complexity
    /// For each iteration the E-step and `O(N D H + D H² + H³)`.
    ///
    /// # Example
    /// ```
    /// use forney_latent::binary_sparse_coding::{
    ///     BinarySparseCoding, BinarySparseCodingParams, Exact, Truncated,
    /// };
    /// let truth = BinarySparseCoding::bars(3, 10.0, 1.0);
    /// let data = truth.sample(300, 1)?;
    /// let fit = BinarySparseCodingParams::new(6).fit(data.view(), &Truncated::default())?;
    /// assert!(fit.model.score(data.view(), &Exact)? > truth.score(data.view(), &Exact)?);
    /// # Ok::<(), forney_latent::LatentError>(())
    /// ```
    pub fn fit(&self, data: ArrayView2<'_, f64>, e_step: &dyn EStep) -> Result<Fit, LatentError> {
        self.fit_within(data, e_step, &Budget::unlimited(), &mut |_, _, _| {})
    }

    /// As [`fit`](Self::fit), until the budget ends; `watch` sees the number of the start, the model
    /// and its bound in each iteration.
    ///
    /// # Errors
    /// As [`fit`](Self::fit).
    pub fn fit_within(
        &self,
        data: ArrayView2<'_, f64>,
        e_step: &dyn EStep,
        budget: &Budget,
        watch: &mut dyn FnMut(usize, &BinarySparseCoding, f64),
    ) -> Result<Fit, LatentError> {
        let mut learner = self.begin(data, e_step)?;
        watch(learner.start(), learner.model(), learner.bound());
        loop {
            let evaluations = learner.evaluations();
            let stop = self.step(&mut learner, data, e_step, budget)?;
            if learner.evaluations() > evaluations {
                watch(learner.start(), learner.model(), learner.bound());
            }
            if let Some(stop) = stop {
                return Ok(learner.finish(stop));
            }
        }
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
        let at_least_1 = "at least 1";
        check::within(
            "the number of units",
            at_least_1,
            self.units as f64,
            self.units > 0,
        )?;
        check::within(
            "the number of starts",
            at_least_1,
            self.starts as f64,
            self.starts > 0,
        )?;
        check::positive("the number of active units", self.active)?;
        let Annealing { temperature, .. } = self.annealing;
        let ok = temperature.is_finite() && temperature >= 1.0;
        check::within("the temperature", "finite and at least 1", temperature, ok)?;
        check::within(
            "the tolerance",
            "at least 0",
            self.tolerance,
            self.tolerance >= 0.0,
        )?;
        match self.m_step {
            MStep::ClosedForm => Ok(()),
            MStep::Gradient { rate } => check::positive("the rate", rate),
        }
    }
}

/// The scatter of the first components, in standard deviations of the data.
const SCATTER: f64 = 0.25;
