//! Covariances of several components.

use ndarray::{Array1, Array2, Array3, ArrayView1, ArrayView2, Axis};
use serde::{Deserialize, Serialize};

use crate::LatentError;
use crate::check::{finite, positive, shape, within};
use crate::dense::{cholesky, matrix};

/// What the covariances of the components share.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Covariance {
    /// Each component has a full covariance matrix.
    #[default]
    Full,
    /// Each component has a variance for each column.
    Diagonal,
    /// All components share one full covariance matrix.
    Tied,
    /// Each component has a single variance.
    Spherical,
}

/// The covariances of `K` components over `D` columns.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Covariances {
    /// `K × D × D`.
    Full(Array3<f64>),
    /// Variances, `K × D`.
    Diagonal(Array2<f64>),
    /// `D × D`.
    Tied(Array2<f64>),
    /// Variances, `K`.
    Spherical(Array1<f64>),
}

impl Covariances {
    /// Their kind.
    #[must_use]
    pub fn kind(&self) -> Covariance {
        match self {
            Self::Full(_) => Covariance::Full,
            Self::Diagonal(_) => Covariance::Diagonal,
            Self::Tied(_) => Covariance::Tied,
            Self::Spherical(_) => Covariance::Spherical,
        }
    }

    /// The covariance matrix of one component over `columns` columns.
    ///
    /// # Panics
    /// If there is no such component.
    #[must_use]
    pub fn matrix(&self, component: usize, columns: usize) -> Array2<f64> {
        match self {
            Self::Full(full) => full.index_axis(Axis(0), component).to_owned(),
            Self::Diagonal(diagonal) => Array2::from_diag(&diagonal.row(component)),
            Self::Tied(tied) => tied.clone(),
            Self::Spherical(spherical) => Array2::eye(columns) * spherical[component],
        }
    }

    /// Checks shapes, and that every covariance is symmetric and positive definite.
    pub(super) fn check(&self, components: usize, columns: usize) -> Result<(), LatentError> {
        let count = |found| shape("the number of covariances", components, found);
        let width = |found| shape("the columns of a covariance", columns, found);
        let above_0 = |variances: ArrayView1<'_, f64>| {
            let mut variances = variances.iter();
            variances.try_for_each(|&variance| positive("a variance", variance))
        };
        match self {
            Self::Full(full) => {
                count(full.len_of(Axis(0)))?;
                for covariance in full.outer_iter() {
                    check_matrix(covariance, columns)?;
                }
                Ok(())
            }
            Self::Diagonal(diagonal) => {
                count(diagonal.nrows())?;
                width(diagonal.ncols())?;
                diagonal.rows().into_iter().try_for_each(above_0)
            }
            Self::Tied(tied) => check_matrix(tied.view(), columns),
            Self::Spherical(spherical) => {
                count(spherical.len())?;
                above_0(spherical.view())
            }
        }
    }
}

fn check_matrix(covariance: ArrayView2<'_, f64>, columns: usize) -> Result<(), LatentError> {
    shape("the rows of a covariance", columns, covariance.nrows())?;
    shape("the columns of a covariance", columns, covariance.ncols())?;
    finite("a covariance", covariance)?;
    for ((i, j), &value) in covariance.indexed_iter() {
        let mirrored = covariance[[j, i]];
        let close = (value - mirrored).abs() <= 1e-9 * (value.abs() + mirrored.abs());
        within("a covariance", "symmetric", value, close)?;
    }
    cholesky(matrix(covariance))
        .map(|_| ())
        .ok_or(LatentError::Singular {
            what: "a covariance",
        })
}

/// Why factorising a covariance cannot fail.
pub(super) const CHECKED: &str =
    "covariances are positive definite, by construction and by every M-step";
