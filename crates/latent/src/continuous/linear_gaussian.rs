//! Linear-Gaussian models: `p(h) = N(h; m, P⁻¹)`, `p(v | h) = N(v; W h + b, diag β⁻¹)`.

use std::f64::consts::PI;

use nalgebra::Cholesky;
use ndarray::{Array1, Array2, ArrayView2, Axis};
use serde::{Deserialize, Serialize};

use crate::{LatentError, check, dense};

/// A linear-Gaussian model of any size.
///
/// # Example
/// The chapter's example, `h ∈ R²` and one visible variable: the posterior does not factorise, mean
/// field finds its mean and underestimates its variances.
/// ```
/// use forney_latent::continuous::LinearGaussian;
/// use ndarray::array;
/// let model = LinearGaussian::standard(array![[1.0, 0.5]], array![1.0])?;
/// let data = array![[1.5]];
/// let q = model.mean_field(data.view(), 1e-12, 500)?;
/// let exact = model.posterior(data.view())?;
/// // The precision of the posterior is I + w wᵀ; q has its diagonal.
/// assert_eq!(q.precision, array![2.0, 1.25]);
/// for i in 0..2 {
///     assert!((q.means[[0, i]] - exact.means[[0, i]]).abs() < 1e-10);
///     assert!(1.0 / q.precision[i] < exact.covariance[[i, i]]);
/// }
/// assert!(q.elbo[0] < exact.ln_likelihood[0]);
/// # Ok::<(), forney_latent::LatentError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LinearGaussian {
    /// `m`, of length `K`.
    pub prior_mean: Array1<f64>,
    /// `P`, `K × K`, symmetric and positive definite.
    pub prior_precision: Array2<f64>,
    /// `W`, `D × K`.
    pub weights: Array2<f64>,
    /// `b`, of length `D`.
    pub bias: Array1<f64>,
    /// `β`, of length `D`.
    pub noise_precision: Array1<f64>,
}

/// The mean-field posteriors `q(h) = N(h; μ, diag β⁻¹)` of some examples.
#[derive(Clone, Debug, PartialEq)]
pub struct MeanFieldGaussian {
    /// `μ`, one row for each example.
    pub means: Array2<f64>,
    /// The diagonal of `β`, which all examples share.
    pub precision: Array1<f64>,
    /// `L(v, θ, q)` of each example, in nats.
    pub elbo: Array1<f64>,
}

/// The exact posteriors `p(h | v)` of some examples.
#[derive(Clone, Debug, PartialEq)]
pub struct Posterior {
    /// The means, one row for each example.
    pub means: Array2<f64>,
    /// The covariance, which all examples share.
    pub covariance: Array2<f64>,
    /// `ln p(v)` of each example, in nats.
    pub ln_likelihood: Array1<f64>,
}

/// What both posteriors are made of: `ln p(h, v) = constant + ηᵀh − ½ hᵀΛh`.
struct Quadratic {
    /// `Λ = P + Wᵀ β W`.
    precision: Array2<f64>,
    /// `η = P m + Wᵀ β (v − b)`, one row for each example.
    linear: Array2<f64>,
    constants: Array1<f64>,
}

impl LinearGaussian {
    /// The model with `p(h) = N(h; 0, I)` and no bias.
    ///
    /// # Errors
    /// NaN or infinities, a precision not above 0, or sizes that do not fit.
    pub fn standard(
        weights: Array2<f64>,
        noise_precision: Array1<f64>,
    ) -> Result<Self, LatentError> {
        let (dimension, units) = weights.dim();
        let model = Self {
            prior_mean: Array1::zeros(units),
            prior_precision: Array2::eye(units),
            weights,
            bias: Array1::zeros(dimension),
            noise_precision,
        };
        model.check(Array2::zeros((0, dimension)).view())?;
        Ok(model)
    }

    /// Mean field for the rows of `data`, by coordinate updates of the means until a cycle changes
    /// none by more than `tolerance`, or after `cycles` of them.
    ///
    /// The precision of each factor is that of `p(h_i | h_{−i}, v)`, the diagonal of `P + WᵀβW`; the
    /// means solve the linear equations of the exact posterior mean by Gauss and Seidel.
    ///
    /// # Errors
    /// NaN or infinities, sizes that do not fit, or a prior precision that is not positive definite.
    ///
    /// # Complexity
    /// `O(K²)` for each example and cycle, after `O(D K² + K³)`.
    pub fn mean_field(
        &self,
        data: ArrayView2<'_, f64>,
        tolerance: f64,
        cycles: usize,
    ) -> Result<MeanFieldGaussian, LatentError> {
        check::tolerance(tolerance)?;
        let Quadratic {
            precision: coupling,
            linear,
            constants,
        } = self.quadratic(data)?;
        let precision = coupling.diag().to_owned();
        let mut means = Array2::zeros(linear.dim());
        for (mut mean, eta) in means.rows_mut().into_iter().zip(linear.rows()) {
            for _ in 0..cycles {
                let mut largest = 0.0_f64;
                for i in 0..mean.len() {
                    let step = (eta[i] - coupling.row(i).dot(&mean)) / precision[i];
                    mean[i] += step;
                    largest = largest.max(step.abs());
                }
                if largest <= tolerance {
                    break;
                }
            }
        }
        // E ηᵀh − ½ E hᵀΛh + H(q); the variances add −½ Σ Λ_ii/Λ_ii.
        let units = precision.len() as f64;
        let entropy = 0.5 * (units * (2.0 * PI).ln() - precision.mapv(f64::ln).sum());
        let quadratic = (&means * &means.dot(&coupling)).sum_axis(Axis(1));
        let elbo = constants + (&linear * &means).sum_axis(Axis(1)) - quadratic * 0.5 + entropy;
        check::computed("the bound", &elbo)?;
        Ok(MeanFieldGaussian {
            means,
            precision,
            elbo,
        })
    }

    /// The exact posteriors and likelihoods of the rows of `data`.
    ///
    /// # Errors
    /// As [`mean_field`](Self::mean_field).
    ///
    /// # Complexity
    /// `O(K² + D K)` for each example, after `O(D K² + K³)`.
    pub fn posterior(&self, data: ArrayView2<'_, f64>) -> Result<Posterior, LatentError> {
        let Quadratic {
            precision,
            linear,
            constants,
        } = self.quadratic(data)?;
        let factor = cholesky(&precision, "the precision of the posterior")?;
        let covariance = dense::array(&factor.inverse());
        let means = linear.dot(&covariance);
        let units = precision.nrows() as f64;
        let volume = 0.5 * (units * (2.0 * PI).ln() - factor.ln_determinant());
        let ln_likelihood = constants + (&linear * &means).sum_axis(Axis(1)) * 0.5 + volume;
        check::computed("ln p(v)", &ln_likelihood)?;
        Ok(Posterior {
            means,
            covariance,
            ln_likelihood,
        })
    }

    fn quadratic(&self, data: ArrayView2<'_, f64>) -> Result<Quadratic, LatentError> {
        self.check(data)?;
        let prior = cholesky(&self.prior_precision, "the precision of the prior")?;
        let scaled = &self.weights * &self.noise_precision.view().insert_axis(Axis(1));
        let centred = &data - &self.bias;
        let pull = self.prior_precision.dot(&self.prior_mean);
        let (dimension, units) = self.weights.dim();
        let two_pi = (2.0 * PI).ln();
        let constant = 0.5
            * (prior.ln_determinant() - (units + dimension) as f64 * two_pi
                + self.noise_precision.mapv(f64::ln).sum()
                - self.prior_mean.dot(&pull));
        let energy = (&centred * &centred).dot(&self.noise_precision);
        Ok(Quadratic {
            precision: &self.prior_precision + &self.weights.t().dot(&scaled),
            linear: centred.dot(&scaled) + &pull,
            constants: constant - energy * 0.5,
        })
    }

    pub(super) fn check(&self, data: ArrayView2<'_, f64>) -> Result<(), LatentError> {
        let (dimension, units) = self.weights.dim();
        check::finite("the weights", self.weights.view())?;
        check::finite_vector("the bias", self.bias.view())?;
        check::finite_vector("the mean of the prior", self.prior_mean.view())?;
        check::finite("the precision of the prior", self.prior_precision.view())?;
        let prior = &self.prior_precision;
        let noise = &self.noise_precision;
        check::shapes([
            ("the length of the bias", dimension, self.bias.len()),
            (
                "the length of the prior's mean",
                units,
                self.prior_mean.len(),
            ),
            ("the rows of the prior's precision", units, prior.nrows()),
            ("the columns of the prior's precision", units, prior.ncols()),
            ("the length of the noise precision", dimension, noise.len()),
            ("the number of columns", dimension, data.ncols()),
        ])?;
        for &beta in noise {
            check::positive("a noise precision", beta)?;
        }
        check::finite("the data", data)
    }
}

/// The Cholesky factor of a symmetric matrix.
fn cholesky(
    a: &Array2<f64>,
    what: &'static str,
) -> Result<Cholesky<f64, nalgebra::Dyn>, LatentError> {
    let asymmetric = |i, j| (a[[i, j]] - a[[j, i]]).abs() > 1e-9 * a[[i, i]].abs();
    if (0..a.nrows()).any(|i| (0..i).any(|j| asymmetric(i, j))) {
        return Err(LatentError::Singular { what });
    }
    dense::cholesky(dense::matrix(a.view())).ok_or(LatentError::Singular { what })
}

/// The solution of `X A = B`, with `A` symmetric and positive definite.
pub(super) fn solve_right(
    a: &Array2<f64>,
    b: &Array2<f64>,
    what: &'static str,
) -> Result<Array2<f64>, LatentError> {
    let solution = cholesky(a, what)?.solve(&dense::matrix(b.t()));
    Ok(Array2::from_shape_fn(b.dim(), |(i, j)| solution[(j, i)]))
}
