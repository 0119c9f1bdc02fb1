//! The parameters of a factor analyser.

use ndarray::{Array1, Array2};
use rand::SeedableRng;
use rand_distr::{Distribution, StandardNormal};
use rand_pcg::Pcg64;
use serde::{Deserialize, Serialize};

use crate::LatentError;
use crate::check::{finite, finite_vector, positive, shapes, some, within};

/// What the noise of the columns shares.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Noise {
    /// Each column has its own: factor analysis.
    #[default]
    Diagonal,
    /// All columns have the same: probabilistic PCA.
    Isotropic,
}

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
    pub(super) mean: Array1<f64>,
    pub(super) loadings: Array2<f64>,
    pub(super) noise: Array1<f64>,
    pub(super) kind: Noise,
    /// The least noise that learning may reach.
    pub(super) floor: Array1<f64>,
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
        some("the number of columns", columns)?;
        some("the number of factors", loadings.ncols())?;
        shapes([
            ("the rows of the loadings", columns, loadings.nrows()),
            ("the number of noise variances", columns, noise.len()),
            ("the number of noise floors", columns, noise_floor.len()),
        ])?;
        finite_vector("the mean", mean.view())?;
        finite("the loadings", loadings.view())?;
        for (&noise, &floor) in noise.iter().zip(&noise_floor) {
            positive("the noise", noise)?;
            positive("the noise floor", floor)?;
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
