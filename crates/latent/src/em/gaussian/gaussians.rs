//! Means, covariances and their floor.

use ndarray::{Array1, Array2, Array3};
use rand::Rng;
use rand_distr::{Distribution, StandardNormal};
use serde::{Deserialize, Serialize};

use super::covariances::{CHECKED, Covariance, Covariances};
use crate::LatentError;
use crate::check::{finite, positive, shape, some};
use crate::dense::{array, cholesky, matrix};

/// Several Gaussians: means, covariances, and the least variances that learning may reach.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Gaussians {
    pub(in crate::em) means: Array2<f64>,
    pub(in crate::em) covariances: Covariances,
    /// By column: an M-step keeps `Σ_k ⪰ diag(floor)`.
    pub(in crate::em) floor: Array1<f64>,
}

impl Gaussians {
    /// Gaussians with given parameters; `variance_floor` is the least variance that learning may reach in
    /// each column.
    ///
    /// # Errors
    /// Shapes that do not fit, a covariance that is not symmetric and positive definite, a value that is
    /// not finite.
    pub fn new(
        means: Array2<f64>,
        covariances: Covariances,
        variance_floor: Array1<f64>,
    ) -> Result<Self, LatentError> {
        let gaussians = Self {
            means,
            covariances,
            floor: variance_floor,
        };
        gaussians.check()?;
        Ok(gaussians)
    }

    /// Checks what was read from a file or given by a user.
    pub(in crate::em) fn check(&self) -> Result<(), LatentError> {
        let (components, columns) = self.means.dim();
        some("the number of components", components)?;
        some("the number of columns", columns)?;
        finite("the means", self.means.view())?;
        self.covariances.check(components, columns)?;
        shape("the number of variance floors", columns, self.floor.len())?;
        let mut floors = self.floor.iter();
        floors.try_for_each(|&floor| positive("the variance floor", floor))
    }

    /// Components at `means`, each with the covariance `diag(variance)` as far as the kind allows.
    pub(in crate::em) fn at(
        means: Array2<f64>,
        kind: Covariance,
        variance: &Array1<f64>,
        floor: Array1<f64>,
    ) -> Self {
        let (components, columns) = means.dim();
        let covariances = match kind {
            Covariance::Full => {
                let mut full = Array3::zeros((components, columns, columns));
                for mut covariance in full.outer_iter_mut() {
                    covariance.diag_mut().assign(variance);
                }
                Covariances::Full(full)
            }
            Covariance::Diagonal => Covariances::Diagonal(
                variance
                    .broadcast((components, columns))
                    .expect("one variance for each column")
                    .to_owned(),
            ),
            Covariance::Tied => Covariances::Tied(Array2::from_diag(variance)),
            Covariance::Spherical => Covariances::Spherical(Array1::from_elem(
                components,
                variance.sum() / columns as f64,
            )),
        };
        Self {
            means,
            covariances,
            floor,
        }
    }

    /// `μ`, `K × D`.
    #[must_use]
    pub fn means(&self) -> &Array2<f64> {
        &self.means
    }

    /// `Σ`.
    #[must_use]
    pub fn covariances(&self) -> &Covariances {
        &self.covariances
    }

    pub(in crate::em) fn components(&self) -> usize {
        self.means.nrows()
    }

    pub(in crate::em) fn columns(&self) -> usize {
        self.means.ncols()
    }

    /// The mean of the means: the centre of the arithmetic.
    pub(super) fn centre(&self) -> Array1<f64> {
        let first = self.means.row(0).to_owned();
        let mut sum = Array1::zeros(self.columns());
        for mean in self.means.rows() {
            sum += &(&mean - &first);
        }
        first + sum / self.components() as f64
    }

    /// Draws examples, one from each of some components, which may be drawn with the same generator.
    pub(in crate::em) fn sample<R: Rng>(
        &self,
        rng: &mut R,
        count: usize,
        mut component: impl FnMut(&mut R, usize) -> usize,
    ) -> Array2<f64> {
        // One for each component, or one for all.
        let tied = self.covariances.kind() == Covariance::Tied;
        let matrices = if tied { 1 } else { self.components() };
        let factor = |k: usize| {
            let covariance = self.covariances.matrix(k, self.columns());
            array(&cholesky(matrix(covariance.view())).expect(CHECKED).l())
        };
        let factors: Vec<Array2<f64>> = (0..matrices).map(factor).collect();
        let mut data = Array2::zeros((count, self.columns()));
        for (at, mut row) in data.rows_mut().into_iter().enumerate() {
            let k = component(rng, at);
            let noise: Array1<f64> = row.iter().map(|_| StandardNormal.sample(rng)).collect();
            let factor = &factors[k.min(matrices - 1)];
            row.assign(&(&self.means.row(k) + &factor.dot(&noise)));
        }
        data
    }
}
