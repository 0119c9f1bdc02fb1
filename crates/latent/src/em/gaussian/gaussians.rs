//! Means, covariances and their floor.

use ndarray::{Array1, Array2, Array3};
use serde::{Deserialize, Serialize};

use super::covariances::{CHECKED, Covariance, Covariances};
use crate::LatentError;
use crate::check::{finite, finite_vector, shape, some, within};
use crate::em::dense::{array, cholesky, matrix};

/// Means, covariances, and the least variances that learning may reach.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(in crate::em) struct Gaussians {
    pub(in crate::em) means: Array2<f64>,
    pub(in crate::em) covariances: Covariances,
    /// By column: an M-step keeps `Σ_k ⪰ diag(floor)`.
    pub(in crate::em) floor: Array1<f64>,
}

impl Gaussians {
    /// Joins checked parts.
    pub(in crate::em) fn new(
        means: Array2<f64>,
        covariances: Covariances,
        floor: Array1<f64>,
    ) -> Result<Self, LatentError> {
        let gaussians = Self {
            means,
            covariances,
            floor,
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
        finite_vector("the variance floor", self.floor.view())?;
        for &floor in &self.floor {
            within("the variance floor", "above 0", floor, floor > 0.0)?;
        }
        Ok(())
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

    /// The Cholesky factors `L_k` of the covariances, for sampling: one for each component, or one.
    pub(in crate::em) fn factors(&self) -> Vec<Array2<f64>> {
        let matrices = if let Covariances::Tied(_) = self.covariances {
            1
        } else {
            self.components()
        };
        (0..matrices)
            .map(|k| {
                let covariance = self.covariances.matrix(k, self.columns());
                let factor = cholesky(matrix(covariance.view())).expect(CHECKED);
                array(&factor.l())
            })
            .collect()
    }
}
