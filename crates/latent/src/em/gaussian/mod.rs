//! Several Gaussians with free or shared covariances, as an exponential family.
//!
//! | symbol | name | shape |
//! |---|---|---|
//! | `μ_k` | means | `K × D` |
//! | `Σ_k` | [`Covariances`] | by [`Covariance`] |
//! | `c` | a centre, from which all arithmetic starts | `D` |
//! | `z = v − c` | centred example | `D` |
//! | `φ(z)` | features: `z` and the products that the covariances need | `F` |
//! | `η_k` | slopes: `ln N(v; μ_k, Σ_k) = a_k + η_k · φ(z)` | `K × F` |
//! | `r_nk` | weight of example `n` in component `k` | |
//!
//! Both steps are then one matrix product for each block of examples: `η φ` gives the densities and
//! `Σ_n r_n φ_nᵀ` the statistics. Squares about a centre lose digits where a component is narrow
//! against its distance `Δ` from the centre: relative errors are of order `ε Δ²/σ²`, which the floor of
//! the variances keeps small.

mod ascent;
mod densities;
mod moments;
mod update;

use ndarray::{Array1, Array2, Array3, ArrayView1, ArrayView2, Axis};
use serde::{Deserialize, Serialize};

use super::Rows;
use super::dense::{array, cholesky, matrix};
use crate::LatentError;
use crate::check::{finite, finite_vector, shape, within};

pub(super) use densities::{Block, Densities, sizes};
pub use moments::Moments;

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
    fn check(&self, components: usize, columns: usize) -> Result<(), LatentError> {
        let count = |found| shape("the number of covariances", components, found);
        let width = |found| shape("the columns of a covariance", columns, found);
        let positive = |variances: ArrayView1<'_, f64>| {
            for &variance in variances {
                let admissible = variance.is_finite() && variance > 0.0;
                within("a variance", "finite and above 0", variance, admissible)?;
            }
            Ok(())
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
                diagonal.rows().into_iter().try_for_each(positive)
            }
            Self::Tied(tied) => check_matrix(tied.view(), columns),
            Self::Spherical(spherical) => {
                count(spherical.len())?;
                positive(spherical.view())
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

/// Means, covariances, and the least variances that learning may reach.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Gaussians {
    pub(super) means: Array2<f64>,
    pub(super) covariances: Covariances,
    /// By column: an M-step keeps `Σ_k ⪰ diag(floor)`.
    pub(super) floor: Array1<f64>,
}

impl Gaussians {
    /// Joins checked parts.
    pub(super) fn new(
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
    pub(super) fn check(&self) -> Result<(), LatentError> {
        let (components, columns) = self.means.dim();
        within(
            "the number of components",
            "at least 1",
            0.0,
            components > 0,
        )?;
        within("the number of columns", "at least 1", 0.0, columns > 0)?;
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
    pub(super) fn at(
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

    pub(super) fn components(&self) -> usize {
        self.means.nrows()
    }

    pub(super) fn columns(&self) -> usize {
        self.means.ncols()
    }

    /// The mean of the means: the centre of the arithmetic.
    fn centre(&self) -> Array1<f64> {
        let first = self.means.row(0).to_owned();
        let mut sum = Array1::zeros(self.columns());
        for mean in self.means.rows() {
            sum += &(&mean - &first);
        }
        first + sum / self.components() as f64
    }

    /// The moments of no examples.
    pub(super) fn no_moments(&self) -> Moments {
        Moments::new(self.covariances.kind(), self.centre(), self.components())
    }

    /// The moments of rows that belong to one component each.
    pub(super) fn labelled(&self, rows: &Rows<'_>, labels: &[usize]) -> Moments {
        let densities = Densities::new(self);
        let mut block = densities.block();
        let mut moments = self.no_moments();
        for start in (0..labels.len()).step_by(block.capacity()) {
            let end = (start + block.capacity()).min(labels.len());
            densities.load(rows.at(start..end), &mut block);
            for k in 0..self.components() {
                for (weight, &label) in block.component(k).iter_mut().zip(&labels[start..end]) {
                    *weight = if label == k { 1.0 } else { 0.0 };
                }
            }
            moments.collect(&block);
        }
        moments
    }

    /// The Cholesky factors `L_k` of the covariances, for sampling: one for each component, or one.
    pub(super) fn factors(&self) -> Vec<Array2<f64>> {
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

/// Why factorising a covariance cannot fail.
const CHECKED: &str = "covariances are positive definite, by construction and by every M-step";
