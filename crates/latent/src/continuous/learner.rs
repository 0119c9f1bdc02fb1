//! Factor analysis with the mean-field E-step.

use forney_certify::Budget;
use ndarray::{Array1, Array2, ArrayView2, Axis};
use rand::{RngExt, SeedableRng};
use rand_distr::StandardNormal;
use rand_pcg::Pcg64;
use serde::{Deserialize, Serialize};

use super::linear_gaussian::{LinearGaussian, solve_right};
use crate::learn::{At, Fit, Learner};
use crate::{LatentError, check};

/// Factor analysis, `p(h) = N(h; 0, I)`, `p(v | h) = N(v; W h + b, diag β⁻¹)`, learned with a factorial
/// `q`.
///
/// The bound is tight where the posterior factorises, that is where the columns of `W` are
/// orthogonal under `β`. The likelihood does not know one rotation of `W` from another, but the
/// bound does: learning turns the factors until mean field is exact (chapter 19.4.4), and nothing
/// of the likelihood is lost.
///
/// # Example
/// ```
/// use forney_latent::continuous::{LinearGaussian, LinearGaussianParams};
/// use ndarray::array;
/// let data = array![[1.0, 2.1, 0.2], [-0.9, -2.0, 0.1], [0.5, 0.8, -0.3], [-0.4, -1.1, 0.2]];
/// let fit = LinearGaussianParams::new(1).fit(data.view())?;
/// let exact = fit.model.posterior(data.view())?.ln_likelihood.mean();
/// // One factor alone always has a factorial posterior.
/// assert!((fit.objective - exact.unwrap_or(0.0)).abs() < 1e-6);
/// # Ok::<(), forney_latent::LatentError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LinearGaussianParams {
    /// Number of factors `K`.
    pub factors: usize,
    /// The most iterations; default 1000.
    pub iterations: usize,
    /// An iteration that raises the mean bound by at most so many nats ends learning; default `1e-8`.
    pub tolerance: f64,
    /// The least noise variance, as a share of the variance of the column; default `1e-6`.
    pub least_noise: f64,
    /// The seed of the first weights.
    pub seed: u64,
}

/// Cycles of coordinate updates in an E-step: enough to converge where that is quick, and where it is
/// slow the bound holds all the same.
const CYCLES: usize = 200;

/// The change of a mean at which an E-step has converged.
const E_STEP_TOLERANCE: f64 = 1e-10;

impl LinearGaussianParams {
    /// The defaults, for a number of factors.
    #[must_use]
    pub fn new(factors: usize) -> Self {
        Self {
            factors,
            iterations: 1000,
            tolerance: 1e-8,
            least_noise: 1e-6,
            seed: 0,
        }
    }

    /// Learns a model from the rows of `data`.
    ///
    /// # Errors
    /// NaN or infinities, fewer than two examples, a constant column, or a parameter out of range.
    ///
    /// # Complexity
    /// `O(N K (D + K))` for each iteration, times the cycles of the E-step for the part in `K²`.
    pub fn fit(&self, data: ArrayView2<'_, f64>) -> Result<Fit<LinearGaussian>, LatentError> {
        self.learner(data)?.fit()
    }

    /// What learns: to be run within a budget, watched, saved and resumed.
    ///
    /// # Errors
    /// As [`fit`](Self::fit).
    pub fn learner<'d>(
        &self,
        data: ArrayView2<'d, f64>,
    ) -> Result<LinearGaussianLearner<'d>, LatentError> {
        check::enough(data.nrows(), 2)?;
        check::finite("the data", data)?;
        check::varying(data)?;
        check::tolerance(self.tolerance)?;
        check::positive("the least noise", self.least_noise)?;
        let mean = data.mean_axis(Axis(0));
        let mean = mean.unwrap_or_else(|| Array1::zeros(data.ncols()));
        Ok(LinearGaussianLearner {
            params: self.clone(),
            data,
            centred: &data - &mean,
            variance: data.var_axis(Axis(0), 0.0),
            mean,
        })
    }

    /// Random weights that explain half of the variance.
    fn first_model(
        &self,
        mean: Array1<f64>,
        variance: &Array1<f64>,
    ) -> Result<LinearGaussian, LatentError> {
        let mut rng = Pcg64::seed_from_u64(self.seed);
        let share = 1.0 / (2.0 * self.factors.max(1) as f64).sqrt();
        let weights = Array2::from_shape_fn((mean.len(), self.factors), |(d, _)| {
            let normal: f64 = rng.sample(StandardNormal);
            normal * share * variance[d].sqrt()
        });
        let mut model = LinearGaussian::standard(weights, variance.mapv(|v| 2.0 / v))?;
        model.bias = mean;
        Ok(model)
    }
}

/// Factor analysis by mean field from a matrix; the objective is the mean bound for each example, in nats,
/// and never falls.
#[derive(Clone, Debug)]
pub struct LinearGaussianLearner<'d> {
    params: LinearGaussianParams,
    data: ArrayView2<'d, f64>,
    centred: Array2<f64>,
    mean: Array1<f64>,
    variance: Array1<f64>,
}

/// A model, the moments of its mean-field posteriors, and its bound.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LinearGaussianState {
    model: LinearGaussian,
    /// `Σ E[h hᵀ]`.
    second: Array2<f64>,
    /// `Σ (v − b) E[h]ᵀ`.
    cross: Array2<f64>,
    bound: f64,
}

impl LinearGaussianLearner<'_> {
    fn evaluated(&self, model: LinearGaussian) -> Result<LinearGaussianState, LatentError> {
        let q = model.mean_field(self.data, E_STEP_TOLERANCE, CYCLES)?;
        let mut second = q.means.t().dot(&q.means);
        let mut diagonal = second.diag_mut();
        let count = self.data.nrows() as f64;
        diagonal += &q.precision.mapv(|p| count / p);
        Ok(LinearGaussianState {
            model,
            second,
            cross: self.centred.t().dot(&q.means),
            bound: q.elbo.mean().unwrap_or(0.0),
        })
    }
}

impl Learner for LinearGaussianLearner<'_> {
    type State = LinearGaussianState;
    type Model = LinearGaussian;

    const START_COUNTS: bool = true;

    fn examples(&self) -> usize {
        self.data.nrows()
    }

    fn limit(&self, _: usize) -> usize {
        self.params.iterations.saturating_add(1)
    }

    fn begin(&self, _: usize, _: &Budget) -> Result<Option<LinearGaussianState>, LatentError> {
        let first = self.params.first_model(self.mean.clone(), &self.variance)?;
        self.evaluated(first).map(Some)
    }

    fn check(&self, state: &LinearGaussianState) -> Result<(), LatentError> {
        state.model.check(self.data)?;
        let (columns, factors) = state.model.weights.dim();
        let what = "the number of factors";
        check::shape(what, self.params.factors, factors)?;
        let fits =
            state.second.dim() == (factors, factors) && state.cross.dim() == (columns, factors);
        check::within("the sizes of the moments", "those of the model", 0.0, fits)
    }

    fn step(
        &self,
        state: &LinearGaussianState,
        _: At,
        _: &Budget,
    ) -> Result<Option<LinearGaussianState>, LatentError> {
        let LinearGaussianState { second, cross, .. } = state;
        let mut model = state.model.clone();
        model.weights = solve_right(second, cross, "the second moment of the factors")?;
        let count = self.data.nrows() as f64;
        let explained = (&model.weights * cross).sum_axis(Axis(1)) / count;
        let mut noise = &self.variance - &explained;
        let floor = &self.variance * self.params.least_noise;
        noise.zip_mut_with(&floor, |v, f| *v = v.max(*f));
        model.noise_precision = 1.0 / noise;
        self.evaluated(model).map(Some)
    }

    fn objective(&self, state: &LinearGaussianState) -> f64 {
        state.bound
    }

    fn converged(&self, _: At, before: f64, now: f64) -> bool {
        now - before <= self.params.tolerance
    }

    fn model(&self, state: LinearGaussianState) -> LinearGaussian {
        state.model
    }
}
