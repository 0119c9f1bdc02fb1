//! Weighted moments of examples: the statistics of Gaussians.

use ndarray::linalg::general_mat_mul;
use ndarray::{Array1, Array2, ArrayView1, Axis, s};
use serde::{Deserialize, Serialize};

use super::covariances::Covariance;
use super::densities::{Block, features, products};
use crate::em::model::Statistics;

/// `n_k = Σ_n r_nk` and `Σ_n r_nk φ(v_n − o)` about an origin `o`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct GaussianMoments {
    kind: Covariance,
    pub(super) origin: Array1<f64>,
    /// `n_k`.
    pub(in crate::em) counts: Array1<f64>,
    /// `K × F`.
    pub(super) sums: Array2<f64>,
    /// `Σ_nk r_nk z zᵀ`, for tied covariances only.
    pub(super) total: Array2<f64>,
}

impl GaussianMoments {
    pub(super) fn new(kind: Covariance, origin: Array1<f64>, components: usize) -> Self {
        let columns = origin.len();
        let total = if kind == Covariance::Tied { columns } else { 0 };
        Self {
            kind,
            counts: Array1::zeros(components),
            sums: Array2::zeros((components, features(kind, columns))),
            total: Array2::zeros((total, total)),
            origin,
        }
    }

    /// Adds a block whose values are the weights `r_nk`, which sum to 1 for each example.
    pub(in crate::em) fn collect(&mut self, block: &Block) {
        self.counts += &block.values().sum_axis(Axis(1));
        let features = block.features();
        general_mat_mul(1.0, &block.values(), &features.t(), 1.0, &mut self.sums);
        if self.kind == Covariance::Tied {
            general_mat_mul(1.0, &features, &features.t(), 1.0, &mut self.total);
        }
    }

    /// `Σ_n r_nk z`.
    pub(super) fn first(&self, k: usize) -> ArrayView1<'_, f64> {
        self.sums.slice(s![k, ..self.origin.len()])
    }

    /// The sums of products, in the order of the features.
    pub(super) fn second(&self, k: usize) -> ArrayView1<'_, f64> {
        self.sums.slice(s![k, self.origin.len()..])
    }

    /// The same moments about another origin.
    pub(super) fn about(&self, origin: &Array1<f64>) -> Self {
        let mut moved = self.clone();
        if *origin == self.origin {
            return moved;
        }
        let columns = origin.len();
        let shift = &self.origin - origin;
        for k in 0..self.counts.len() {
            let n = self.counts[k];
            let first = self.first(k);
            let cross = |i: usize, j: usize| {
                first[i] * shift[j] + first[j] * shift[i] + n * shift[i] * shift[j]
            };
            let mut to = moved.sums.row_mut(k);
            for d in 0..columns {
                to[d] += n * shift[d];
            }
            for (at, (i, j)) in products(self.kind, columns).enumerate() {
                to[columns + at] += cross(i, j);
            }
            if self.kind == Covariance::Spherical {
                to[columns] += (0..columns).map(|i| cross(i, i)).sum::<f64>();
            }
            // Empty unless the covariance is tied.
            for ((i, j), total) in moved.total.indexed_iter_mut() {
                *total += cross(i, j);
            }
        }
        moved.origin.assign(origin);
        moved
    }
}

impl Statistics for GaussianMoments {
    fn add(&mut self, other: &Self, factor: f64) {
        let other = other.about(&self.origin);
        self.counts.scaled_add(factor, &other.counts);
        self.sums.scaled_add(factor, &other.sums);
        self.total.scaled_add(factor, &other.total);
    }

    fn scale(&mut self, factor: f64) {
        self.counts *= factor;
        self.sums *= factor;
        self.total *= factor;
    }
}
