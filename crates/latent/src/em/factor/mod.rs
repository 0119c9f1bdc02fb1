//! Factor analysis and probabilistic PCA: `h ~ N(0, I)`, `v | h ~ N(W h + μ, Ψ)`.
//!
//! D. B. Rubin and D. T. Thayer, "EM algorithms for ML factor analysis" (1982); M. E. Tipping and
//! C. M. Bishop, "Probabilistic principal component analysis" (1999).
//!
//! | symbol | name | shape |
//! |---|---|---|
//! | `W` | [`FactorAnalysis::loadings`] | `D × H` |
//! | `μ` | [`FactorAnalysis::mean`], that of the data | `D` |
//! | `Ψ` | [`FactorAnalysis::noise`]: diagonal, or `σ² I` for probabilistic PCA | `D` |
//! | `C = W Wᵀ + Ψ` | [`FactorAnalysis::covariance`] of `v` | `D × D` |
//! | `V = (I + Wᵀ Ψ⁻¹ W)⁻¹` | covariance of `h` given `v` | `H × H` |
//! | `β = V Wᵀ Ψ⁻¹` | `E[h \| v] = β (v − μ)` | `H × D` |
//!
//! The posterior is linear in `v`, so an E-step needs the second moments of the data alone: they are
//! summed once, and a sweep costs the same for any number of examples.

mod fit;
mod learn;
mod scatter;

use std::f64::consts::PI;

use ndarray::{Array1, Array2, ArrayView2, Axis};
use rand::SeedableRng;
use rand_distr::{Distribution, StandardNormal};
use rand_pcg::Pcg64;
use serde::{Deserialize, Serialize};

use super::{Rows, e_step};
use crate::LatentError;
use crate::check::{finite, finite_vector, shape, within};

pub use fit::{FactorAnalysisParams, Noise};
pub use learn::{FactorMoments, FactorPosterior};
pub use scatter::Scatter;

/// A factor analyser, or probabilistic PCA if its noise is isotropic.
///
/// # Example
/// ```
/// use forney_latent::em::FactorAnalysisParams;
/// use ndarray::array;
/// let data = array![[1.0, 2.1], [2.0, 3.9], [3.0, 6.2], [4.0, 7.8], [5.0, 10.1]];
/// let fit = FactorAnalysisParams { factors: 1, ..Default::default() }.fit(data.view())?;
/// let means = fit.model.transform(data.view())?;
/// assert_eq!(means.dim(), (5, 1));
/// assert!((means[[0, 0]] - means[[4, 0]]).abs() > 2.0);
/// # Ok::<(), forney_latent::LatentError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Unchecked")]
pub struct FactorAnalysis {
    mean: Array1<f64>,
    loadings: Array2<f64>,
    noise: Array1<f64>,
    kind: Noise,
    /// The least noise that learning may reach.
    floor: Array1<f64>,
}

/// A model as it was read.
#[derive(Deserialize)]
struct Unchecked {
    mean: Array1<f64>,
    loadings: Array2<f64>,
    noise: Array1<f64>,
    kind: Noise,
    floor: Array1<f64>,
}

impl TryFrom<Unchecked> for FactorAnalysis {
    type Error = LatentError;

    fn try_from(read: Unchecked) -> Result<Self, LatentError> {
        Self::new(read.mean, read.loadings, read.noise, read.kind, read.floor)
    }
}

impl FactorAnalysis {
    /// A model with given parameters; `noise_floor` is the least noise that learning may reach in each
    /// column.
    ///
    /// # Errors
    /// Shapes that do not fit, a value that is not finite, noise that is not positive, or that differs
    /// between columns though its kind is isotropic.
    pub fn new(
        mean: Array1<f64>,
        loadings: Array2<f64>,
        noise: Array1<f64>,
        kind: Noise,
        noise_floor: Array1<f64>,
    ) -> Result<Self, LatentError> {
        let columns = mean.len();
        within("the number of columns", "at least 1", 0.0, columns > 0)?;
        within(
            "the number of factors",
            "at least 1",
            0.0,
            loadings.ncols() > 0,
        )?;
        shape("the rows of the loadings", columns, loadings.nrows())?;
        shape("the number of noise variances", columns, noise.len())?;
        shape("the number of noise floors", columns, noise_floor.len())?;
        finite_vector("the mean", mean.view())?;
        finite("the loadings", loadings.view())?;
        finite_vector("the noise", noise.view())?;
        finite_vector("the noise floor", noise_floor.view())?;
        for (&noise, &floor) in noise.iter().zip(&noise_floor) {
            within("the noise", "above 0", noise, noise > 0.0)?;
            within("the noise floor", "above 0", floor, floor > 0.0)?;
        }
        for &value in noise.iter().filter(|_| kind == Noise::Isotropic) {
            let same = value.total_cmp(&noise[0]).is_eq();
            within("isotropic noise", "the same in all columns", value, same)?;
        }
        Ok(Self {
            mean,
            loadings,
            noise,
            kind,
            floor: noise_floor,
        })
    }

    /// `μ`, `D`.
    #[must_use]
    pub fn mean(&self) -> &Array1<f64> {
        &self.mean
    }

    /// `W`, `D × H`; any rotation `W R` of the factors gives the same model.
    #[must_use]
    pub fn loadings(&self) -> &Array2<f64> {
        &self.loadings
    }

    /// The diagonal of `Ψ`, `D`.
    #[must_use]
    pub fn noise(&self) -> &Array1<f64> {
        &self.noise
    }

    /// `C = W Wᵀ + Ψ`, the covariance of `v`, `D × D`.
    #[must_use]
    pub fn covariance(&self) -> Array2<f64> {
        self.loadings.dot(&self.loadings.t()) + Array2::from_diag(&self.noise)
    }

    fn rows<'d>(&self, data: ArrayView2<'d, f64>) -> Result<Rows<'d>, LatentError> {
        shape("the columns of the data", self.mean.len(), data.ncols())?;
        Rows::new(data, None, 0)
    }

    /// The mean of `ln p(v) = ln N(v; μ, C)` over the rows, in nats.
    ///
    /// # Errors
    /// No rows, another number of columns than the model's, or a value that is not finite.
    pub fn score(&self, data: ArrayView2<'_, f64>) -> Result<f64, LatentError> {
        let scatter = Scatter::about(&self.mean, &self.rows(data)?)?;
        e_step::score(self, &scatter)
    }

    /// `ln p(v)` of each row, in nats.
    ///
    /// # Errors
    /// As [`score`](Self::score).
    pub fn score_examples(&self, data: ArrayView2<'_, f64>) -> Result<Array1<f64>, LatentError> {
        self.rows(data)?;
        let posterior = FactorPosterior::new(self);
        let z = &data - &self.mean;
        let scaled = &z / &self.noise;
        let explained = z.dot(&posterior.beta.t()) * scaled.dot(&self.loadings);
        let square = (&z * &scaled).sum_axis(Axis(1)) - explained.sum_axis(Axis(1));
        let constant = self.mean.len() as f64 * (2.0 * PI).ln() + posterior.ln_det;
        Ok(square.mapv(|square| -0.5 * (constant + square)))
    }

    /// The latent means `E[h | v_n] = β (v_n − μ)`, `N × H`.
    ///
    /// # Errors
    /// As [`score`](Self::score).
    pub fn transform(&self, data: ArrayView2<'_, f64>) -> Result<Array2<f64>, LatentError> {
        self.rows(data)?;
        let posterior = FactorPosterior::new(self);
        Ok((&data - &self.mean).dot(&posterior.beta.t()))
    }

    /// Draws examples, `count × D`, and the factors of each, `count × H`.
    #[must_use]
    pub fn sample(&self, count: usize, seed: u64) -> (Array2<f64>, Array2<f64>) {
        let mut rng = Pcg64::seed_from_u64(seed);
        let mut normal =
            |dim| Array2::from_shape_simple_fn(dim, || StandardNormal.sample(&mut rng));
        let factors: Array2<f64> = normal((count, self.loadings.ncols()));
        let noise: Array2<f64> = normal((count, self.mean.len()));
        let data =
            factors.dot(&self.loadings.t()) + noise * self.noise.mapv(f64::sqrt) + &self.mean;
        (data, factors)
    }
}
