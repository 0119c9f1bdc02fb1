//! The parameters of a Gaussian mixture, and what they say of given examples.

use ndarray::{Array1, Array2, ArrayView2};
use rand::SeedableRng;
use rand_pcg::Pcg64;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::softmax::Softmax;
use crate::LatentError;
use crate::check::shape;
use crate::em::e_step;
use crate::em::gaussian::{Covariances, Gaussians};
use crate::em::kmeans::largest;
use crate::em::model::LatentModel;
use crate::em::rows::Rows;
use crate::em::simplex::{check_distribution, draw};

/// A Gaussian mixture.
///
/// # Example
/// ```
/// use forney_latent::em::GaussianMixtureParams;
/// use ndarray::array;
/// let data = array![[0.1], [0.0], [-0.2], [5.0], [5.3], [4.9]];
/// let params = GaussianMixtureParams { components: 2, ..Default::default() };
/// let fit = params.fit(data.view())?;
/// let labels = fit.model.predict(data.view())?;
/// assert_eq!(labels[0], labels[2]);
/// assert_ne!(labels[0], labels[3]);
/// assert!((fit.model.score(data.view())? - fit.objective).abs() < 1e-12);
/// # Ok::<(), forney_latent::LatentError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Unchecked")]
pub struct GaussianMixture {
    pub(super) weights: Array1<f64>,
    pub(super) gaussians: Gaussians,
}

/// A mixture as it was read.
#[derive(Deserialize)]
struct Unchecked {
    weights: Array1<f64>,
    gaussians: Gaussians,
}

impl TryFrom<Unchecked> for GaussianMixture {
    type Error = LatentError;

    fn try_from(read: Unchecked) -> Result<Self, LatentError> {
        let Gaussians {
            means,
            covariances,
            floor,
        } = read.gaussians;
        Self::new(read.weights, means, covariances, floor)
    }
}

impl GaussianMixture {
    /// A mixture with given parameters; `variance_floor` is the least variance that learning may reach
    /// in each column.
    ///
    /// # Errors
    /// Shapes that do not fit, weights that are not a distribution, a covariance that is not symmetric
    /// and positive definite, a value that is not finite.
    pub fn new(
        weights: Array1<f64>,
        means: Array2<f64>,
        covariances: Covariances,
        variance_floor: Array1<f64>,
    ) -> Result<Self, LatentError> {
        shape("the number of weights", means.nrows(), weights.len())?;
        check_distribution("the weights", weights.view())?;
        let gaussians = Gaussians::new(means, covariances, variance_floor)?;
        Ok(Self { weights, gaussians })
    }

    /// `π`, `K`.
    #[must_use]
    pub fn weights(&self) -> &Array1<f64> {
        &self.weights
    }

    /// `μ`, `K × D`.
    #[must_use]
    pub fn means(&self) -> &Array2<f64> {
        &self.gaussians.means
    }

    /// `Σ`.
    #[must_use]
    pub fn covariances(&self) -> &Covariances {
        &self.gaussians.covariances
    }

    /// The least variance that learning may reach, by column.
    #[must_use]
    pub fn variance_floor(&self) -> &Array1<f64> {
        &self.gaussians.floor
    }

    /// The mean of `ln p(v)` over the rows, in nats.
    ///
    /// # Errors
    /// No rows, another number of columns than the model's, or a value that is not finite.
    pub fn score(&self, data: ArrayView2<'_, f64>) -> Result<f64, LatentError> {
        e_step::score(self, &Rows::new(data, None, 0)?)
    }

    /// `ln p(v)` of each row, in nats.
    ///
    /// # Errors
    /// As [`score`](Self::score).
    pub fn score_examples(&self, data: ArrayView2<'_, f64>) -> Result<Array1<f64>, LatentError> {
        Ok(self.inferred(data)?.1)
    }

    /// The responsibilities `p(h = k | v_n)`, `N × K`.
    ///
    /// # Errors
    /// As [`score`](Self::score).
    pub fn transform(&self, data: ArrayView2<'_, f64>) -> Result<Array2<f64>, LatentError> {
        Ok(self.inferred(data)?.0)
    }

    /// The most probable component of each row.
    ///
    /// # Errors
    /// As [`score`](Self::score).
    pub fn predict(&self, data: ArrayView2<'_, f64>) -> Result<Array1<usize>, LatentError> {
        let responsibilities = self.transform(data)?;
        Ok(responsibilities.rows().into_iter().map(largest).collect())
    }

    /// Responsibilities and `ln p(v)` of all rows.
    fn inferred(
        &self,
        data: ArrayView2<'_, f64>,
    ) -> Result<(Array2<f64>, Array1<f64>), LatentError> {
        let rows = Rows::new(data, None, 0)?;
        self.check_data(&rows)?;
        let posterior = self.posterior();
        let new_block = || posterior.densities.block();
        let capacity = new_block().capacity();
        let components = self.weights.len();
        let mut responsibilities = vec![0.0; data.nrows() * components];
        let mut ln_p = vec![0.0; data.nrows()];
        responsibilities
            .par_chunks_mut(capacity * components)
            .zip(ln_p.par_chunks_mut(capacity))
            .enumerate()
            .for_each_init(
                || (new_block(), Softmax::new(capacity)),
                |(block, softmax), (chunk, (responsibilities, ln_p))| {
                    let start = chunk * capacity;
                    posterior.weigh(rows.at(start..start + ln_p.len()), block, softmax);
                    for (k, values) in block.values().rows().into_iter().enumerate() {
                        for (n, value) in values.iter().enumerate() {
                            responsibilities[n * components + k] = *value;
                        }
                    }
                    ln_p.copy_from_slice(softmax.ln_p());
                },
            );
        let responsibilities = Array2::from_shape_vec((data.nrows(), components), responsibilities)
            .expect("one value for each row and component");
        Ok((responsibilities, ln_p.into()))
    }

    /// Draws examples, `count × D`, and the component of each.
    #[must_use]
    pub fn sample(&self, count: usize, seed: u64) -> (Array2<f64>, Array1<usize>) {
        let mut rng = Pcg64::seed_from_u64(seed);
        let mut components = Array1::zeros(count);
        let data = self.gaussians.sample(&mut rng, count, |rng, at| {
            components[at] = draw(self.weights.view(), rng);
            components[at]
        });
        (data, components)
    }
}
