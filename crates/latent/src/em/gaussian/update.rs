//! The M-step of Gaussians, with a floor under the variances.

use nalgebra::DMatrix;
use ndarray::{Array1, Array2, ArrayView1, Axis};

use super::covariances::{Covariance, Covariances};
use super::densities::{Densities, products};
use super::gaussians::Gaussians;
use super::moments::GaussianMoments;
use crate::dense::{array, cholesky, matrix};
use crate::em::rows::Rows;

/// A component of less weight than this has no statistics to speak of.
const LEAST_COUNT: f64 = 1e-200;

impl Gaussians {
    /// The moments of no examples.
    pub(in crate::em) fn no_moments(&self) -> GaussianMoments {
        GaussianMoments::new(self.covariances.kind(), self.centre(), self.components())
    }

    /// The moments of rows that belong to one component each.
    pub(in crate::em) fn labelled(&self, rows: &Rows<'_>, labels: &[usize]) -> GaussianMoments {
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

    /// `Σ_nk r_nk ln N(v_n; μ_k, Σ_k)`, in nats.
    pub(in crate::em) fn expected_ln_density(&self, moments: &GaussianMoments) -> f64 {
        let densities = Densities::new(self);
        let moments = moments.about(&densities.centre);
        let mut sum =
            densities.constants.dot(&moments.counts) + (&densities.slopes * &moments.sums).sum();
        if let Some(whitening) = &densities.whitening {
            let precision = whitening.t().dot(whitening);
            sum -= 0.5 * (&precision * &moments.total).sum();
        }
        sum
    }

    /// The means and covariances that maximise [`expected_ln_density`](Self::expected_ln_density)
    /// among those with `Σ_k ⪰ diag(floor)`; a component without weight stays as it is.
    pub(in crate::em) fn maximised(&self, moments: &GaussianMoments) -> Self {
        let mut new = self.clone();
        let columns = self.columns();
        let mut within = moments.total.clone();
        for (k, &n) in moments.counts.iter().enumerate() {
            if n <= LEAST_COUNT || n.is_nan() {
                continue;
            }
            let offset = &moments.first(k) / n;
            let mean = &offset + &moments.origin;
            if mean.iter().all(|x| x.is_finite()) {
                new.means.row_mut(k).assign(&mean);
            }
            match &mut new.covariances {
                Covariances::Full(full) => {
                    let second = symmetric(moments.second(k), columns) / n;
                    if let Some(above) = raised(second - outer(&offset), &self.floor) {
                        full.index_axis_mut(Axis(0), k).assign(&above);
                    }
                }
                Covariances::Diagonal(diagonal) => {
                    for d in 0..columns {
                        let variance = moments.second(k)[d] / n - offset[d] * offset[d];
                        // A maximum with NaN is the floor.
                        diagonal[[k, d]] = variance.max(self.floor[d]);
                    }
                }
                Covariances::Tied(_) => within.scaled_add(-n, &outer(&offset)),
                Covariances::Spherical(spherical) => {
                    let square = moments.second(k)[0] / n - offset.dot(&offset);
                    let floor = self.floor.sum() / columns as f64;
                    spherical[k] = (square / columns as f64).max(floor);
                }
            }
        }
        let weight = moments.counts.sum();
        if let Covariances::Tied(tied) = &mut new.covariances
            && weight > LEAST_COUNT
            && let Some(above) = raised(within / weight, &self.floor)
        {
            *tied = above;
        }
        new
    }
}

/// `x xᵀ`.
pub(super) fn outer(x: &Array1<f64>) -> Array2<f64> {
    let column = x.view().insert_axis(Axis(1));
    column.dot(&column.t())
}

/// The symmetric matrix whose upper triangle is listed by rows.
pub(super) fn symmetric(upper: ArrayView1<'_, f64>, columns: usize) -> Array2<f64> {
    let mut full = Array2::zeros((columns, columns));
    for ((i, j), &value) in products(Covariance::Full, columns).zip(upper) {
        full[[i, j]] = value;
        full[[j, i]] = value;
    }
    full
}

/// The maximiser of `−ln|Σ| − tr(Σ⁻¹ S)` among `Σ ⪰ diag(floor)`: in columns scaled by the square roots
/// of their floors, `S` with its eigenvalues raised to at least 1.
///
/// `None` if `S` is not finite, or too wide for a Cholesky factor.
pub(super) fn raised(s: Array2<f64>, floor: &Array1<f64>) -> Option<Array2<f64>> {
    let scale = floor.mapv(f64::sqrt);
    let scaled = DMatrix::from_fn(s.nrows(), s.ncols(), |i, j| {
        s[[i, j]] / (scale[i] * scale[j])
    });
    if scaled.iter().any(|x| !x.is_finite()) {
        return None;
    }
    let identity = DMatrix::identity(s.nrows(), s.ncols());
    if cholesky(&scaled - identity).is_some() {
        return cholesky(matrix(s.view())).map(|_| s);
    }
    let mut eigen = scaled.symmetric_eigen();
    eigen.eigenvalues.apply(|x| *x = x.max(1.0));
    let above = eigen.recompose();
    let above = Array2::from_shape_fn(s.dim(), |(i, j)| {
        0.5 * (above[(i, j)] + above[(j, i)]) * scale[i] * scale[j]
    });
    cholesky(matrix(above.view())).map(|_| above)
}

/// The inverse of a positive definite matrix.
pub(super) fn inverse(a: &Array2<f64>) -> Option<Array2<f64>> {
    cholesky(matrix(a.view())).map(|factor| array(&factor.inverse()))
}
