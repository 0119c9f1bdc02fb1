//! Gaussians as an unconstrained vector, and its gradient.
//!
//! The vector holds the means, then by kind: `ln` of the precisions, or the lower triangular `P` of
//! `Σ⁻¹ = P Pᵀ` by rows, with `ln` of its diagonal.

use ndarray::{Array1, Array2, Axis, s};

use super::covariances::{CHECKED, Covariances};
use super::gaussians::Gaussians;
use super::moments::GaussianMoments;
use super::update::{inverse, outer, raised, symmetric};
use crate::dense::{array, cholesky, matrix};

impl Gaussians {
    /// The vector.
    pub(in crate::em) fn parameters(&self) -> Vec<f64> {
        let mut all: Vec<f64> = self.means.iter().copied().collect();
        match &self.covariances {
            Covariances::Full(full) => {
                for covariance in full.outer_iter() {
                    all.extend(triangle(&precision_factor(&covariance.to_owned())));
                }
            }
            Covariances::Tied(tied) => all.extend(triangle(&precision_factor(tied))),
            Covariances::Diagonal(diagonal) => all.extend(diagonal.iter().map(|v| -v.ln())),
            Covariances::Spherical(spherical) => all.extend(spherical.iter().map(|v| -v.ln())),
        }
        all
    }

    /// The Gaussians of another vector, with their variances above the floor; `None` if it overflows.
    pub(in crate::em) fn with_parameters(&self, parameters: &[f64]) -> Option<Self> {
        let (components, columns) = self.means.dim();
        let (means, shapes) = parameters.split_at(components * columns);
        let mut new = self.clone();
        new.means = Array2::from_shape_vec((components, columns), means.to_vec()).ok()?;
        let length = columns * (columns + 1) / 2;
        let covariance = |shape: &[f64]| {
            let factor = from_triangle(shape, columns);
            raised(inverse(&factor.dot(&factor.t()))?, &self.floor)
        };
        match &mut new.covariances {
            Covariances::Full(full) => {
                for (mut to, shape) in full.outer_iter_mut().zip(shapes.chunks_exact(length)) {
                    to.assign(&covariance(shape)?);
                }
            }
            Covariances::Tied(tied) => *tied = covariance(shapes)?,
            Covariances::Diagonal(diagonal) => {
                for ((index, to), shape) in diagonal.indexed_iter_mut().zip(shapes) {
                    *to = (-shape).exp().max(self.floor[index.1]);
                }
            }
            Covariances::Spherical(spherical) => {
                let floor = self.floor.sum() / columns as f64;
                for (to, shape) in spherical.iter_mut().zip(shapes) {
                    *to = (-shape).exp().max(floor);
                }
            }
        }
        new.check().is_ok().then_some(new)
    }

    /// The gradient of [`expected_ln_density`](Gaussians::expected_ln_density).
    pub(in crate::em) fn gradient(&self, moments: &GaussianMoments) -> Vec<f64> {
        let (components, columns) = self.means.dim();
        let deltas = &self.means - &moments.origin;
        let mut means = Array2::zeros((components, columns));
        let mut shapes = Vec::new();
        let mut within = moments.total.clone();
        let mut precision = Array2::zeros((0, 0));
        if let Covariances::Tied(tied) = &self.covariances {
            precision = inverse(tied).expect(CHECKED);
        }
        for k in 0..components {
            let n = moments.counts[k];
            let delta = deltas.row(k).to_owned();
            let first = moments.first(k).to_owned();
            let residual = &first - &(&delta * n);
            // `Σ_n r_nk (v − μ)(v − μ)ᵀ` is what was collected about the origin, less this.
            let excess = || {
                let cross = column(&first).dot(&column(&delta).t());
                &cross + &cross.t() - outer(&delta) * n
            };
            let gradient = match &self.covariances {
                Covariances::Full(full) => {
                    let covariance = full.index_axis(Axis(0), k).to_owned();
                    let scatter = symmetric(moments.second(k), columns) - excess();
                    shapes.extend(factor_gradient(&covariance, &scatter, n));
                    inverse(&covariance).expect(CHECKED).dot(&residual)
                }
                Covariances::Tied(_) => {
                    within -= &excess();
                    precision.dot(&residual)
                }
                Covariances::Diagonal(diagonal) => {
                    let scatter = &moments.second(k) - &excess().diag();
                    let variances = diagonal.row(k);
                    shapes.extend((&scatter / &variances).mapv(|x| 0.5 * (n - x)));
                    residual / variances
                }
                Covariances::Spherical(spherical) => {
                    let scatter = moments.second(k)[0] - excess().diag().sum();
                    shapes.push(0.5 * (n * columns as f64 - scatter / spherical[k]));
                    residual / spherical[k]
                }
            };
            means.row_mut(k).assign(&gradient);
        }
        if let Covariances::Tied(tied) = &self.covariances {
            shapes = factor_gradient(tied, &within, moments.counts.sum());
        }
        let mut all: Vec<f64> = means.into_iter().collect();
        all.extend(shapes);
        all
    }
}

fn column(x: &Array1<f64>) -> ndarray::ArrayView2<'_, f64> {
    x.view().insert_axis(Axis(1))
}

/// The lower triangular `P` of `Σ⁻¹ = P Pᵀ`.
fn precision_factor(covariance: &Array2<f64>) -> Array2<f64> {
    let precision = inverse(covariance).expect(CHECKED);
    array(&cholesky(matrix(precision.view())).expect(CHECKED).l())
}

/// The gradient of `n Σ_i ln P_ii − ½ tr(Pᵀ M P)` by the entries of the triangle.
fn factor_gradient(covariance: &Array2<f64>, scatter: &Array2<f64>, n: f64) -> Vec<f64> {
    let factor = precision_factor(covariance);
    let mut gradient = -scatter.dot(&factor);
    for (i, entry) in gradient.diag_mut().iter_mut().enumerate() {
        *entry = n + *entry * factor[[i, i]];
    }
    lower(&gradient)
}

/// The lower triangle by rows.
fn lower(a: &Array2<f64>) -> Vec<f64> {
    (0..a.nrows())
        .flat_map(|i| a.slice(s![i, ..=i]).to_vec())
        .collect()
}

/// The lower triangle by rows, with `ln` of the diagonal.
fn triangle(factor: &Array2<f64>) -> Vec<f64> {
    let mut factor = factor.clone();
    factor.diag_mut().mapv_inplace(f64::ln);
    lower(&factor)
}

fn from_triangle(entries: &[f64], columns: usize) -> Array2<f64> {
    let mut factor = Array2::zeros((columns, columns));
    let places = (0..columns).flat_map(|i| (0..=i).map(move |j| (i, j)));
    for ((i, j), &entry) in places.zip(entries) {
        factor[[i, j]] = if i == j { entry.exp() } else { entry };
    }
    factor
}
