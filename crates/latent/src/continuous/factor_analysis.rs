//! Factor analysis with the mean-field E-step.

use ndarray::{Array1, Array2, ArrayView2, Axis};
use rand::{RngExt, SeedableRng};
use rand_distr::StandardNormal;
use rand_pcg::Pcg64;
use serde::{Deserialize, Serialize};

use super::linear_gaussian::{LinearGaussian, solve_right};
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
/// use forney_latent::continuous::{FactorAnalysis, LinearGaussian};
/// use ndarray::array;
/// let data = array![[1.0, 2.1, 0.2], [-0.9, -2.0, 0.1], [0.5, 0.8, -0.3], [-0.4, -1.1, 0.2]];
/// let fit = FactorAnalysis::new(1).fit(data.view())?;
/// let exact = fit.model.posterior(data.view())?.ln_likelihood.mean();
/// // One factor alone always has a factorial posterior.
/// assert!((fit.trace[fit.trace.len() - 1] - exact.unwrap_or(0.0)).abs() < 1e-6);
/// # Ok::<(), forney_latent::LatentError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FactorAnalysis {
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

/// A learned model, and how learning went.
#[derive(Clone, Debug, PartialEq)]
pub struct FactorAnalysisFit {
    /// The model.
    pub model: LinearGaussian,
    /// The mean bound for each example before each iteration, and last that of the model returned;
    /// it never falls.
    pub trace: Vec<f64>,
    /// Whether the tolerance ended learning.
    pub converged: bool,
}

/// Cycles of coordinate updates in an E-step: enough to converge where that is quick, and where it is
/// slow the bound holds all the same.
const CYCLES: usize = 200;

/// The change of a mean at which an E-step has converged.
const E_STEP_TOLERANCE: f64 = 1e-10;

impl FactorAnalysis {
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
    pub fn fit(&self, data: ArrayView2<'_, f64>) -> Result<FactorAnalysisFit, LatentError> {
        check::enough(data.nrows(), 2)?;
        check::finite("the data", data)?;
        check::varying(data)?;
        check::within(
            "the tolerance",
            "at least 0",
            self.tolerance,
            self.tolerance >= 0.0,
        )?;
        check::positive("the least noise", self.least_noise)?;
        let variance = data.var_axis(Axis(0), 0.0);
        let mean = data
            .mean_axis(Axis(0))
            .unwrap_or_else(|| Array1::zeros(data.ncols()));
        let centred = &data - &mean;
        let mut model = self.first_model(mean, &variance)?;
        let mut trace: Vec<f64> = Vec::new();
        let mut converged = false;
        loop {
            let q = model.mean_field(data, E_STEP_TOLERANCE, CYCLES)?;
            let bound = q.elbo.mean().unwrap_or(0.0);
            converged |= trace
                .last()
                .is_some_and(|last| bound - last <= self.tolerance);
            trace.push(bound);
            if converged || trace.len() > self.iterations {
                break;
            }
            let count = data.nrows() as f64;
            let mut second = q.means.t().dot(&q.means);
            let mut diagonal = second.diag_mut();
            diagonal += &q.precision.mapv(|p| count / p);
            let cross = centred.t().dot(&q.means);
            model.weights = solve_right(&second, &cross, "the second moment of the factors")?;
            let explained = (&model.weights * &cross).sum_axis(Axis(1)) / count;
            let floor = &variance * self.least_noise;
            let noise = (&variance - &explained)
                .iter()
                .zip(&floor)
                .map(|(v, f)| v.max(*f))
                .collect();
            let noise: Array1<f64> = noise;
            model.noise_precision = 1.0 / noise;
        }
        Ok(FactorAnalysisFit {
            model,
            trace,
            converged,
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
