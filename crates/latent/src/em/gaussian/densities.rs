//! Densities of blocks of examples, by one matrix product.

use std::f64::consts::PI;

use nalgebra::DMatrix;
use ndarray::linalg::general_mat_mul;
use ndarray::{Array1, Array2, ArrayView1, ArrayView2, s};

use super::covariances::{CHECKED, Covariance, Covariances};
use super::gaussians::Gaussians;
use crate::dense::{array, cholesky, ln_det, matrix};

/// The pairs `(i, j)` of columns whose products are features, in their order; a spherical covariance has
/// one feature for the sum of all squares.
pub(super) fn products(kind: Covariance, columns: usize) -> impl Iterator<Item = (usize, usize)> {
    let end = move |i| match kind {
        Covariance::Full => columns,
        Covariance::Diagonal => i + 1,
        Covariance::Tied | Covariance::Spherical => i,
    };
    (0..columns).flat_map(move |i| (i..end(i)).map(move |j| (i, j)))
}

/// Number of features of an example with `columns` columns.
pub(super) fn features(kind: Covariance, columns: usize) -> usize {
    match kind {
        Covariance::Full => columns + columns * (columns + 1) / 2,
        Covariance::Diagonal => 2 * columns,
        Covariance::Tied => columns,
        Covariance::Spherical => columns + 1,
    }
}

/// Numbers in the statistics and in the parameters of so many components.
pub(in crate::em) fn sizes(kind: Covariance, components: usize, columns: usize) -> (f64, f64) {
    let (k, d) = (components as f64, columns as f64);
    let (covariances, total) = match kind {
        Covariance::Full => (k * d * d, 0.0),
        Covariance::Diagonal => (k * d, 0.0),
        Covariance::Tied => (d * d, d * d),
        Covariance::Spherical => (k, 0.0),
    };
    let features = features(kind, columns) as f64;
    (k * (1.0 + features) + total, k * (1.0 + d) + covariances)
}

/// A centred value beyond this is as unlikely as one at it, and its square does not overflow.
const FARTHEST: f64 = 1e100;

/// A block of examples, one column each, with its features and what is computed of them.
///
/// Examples run fastest, so that every loop over a block is a loop over contiguous memory.
pub(in crate::em) struct Block {
    len: usize,
    /// `φ`, `F × capacity`; the first `D` rows are `z`.
    features: Array2<f64>,
    /// `K × capacity`: log densities, later weights.
    values: Array2<f64>,
    /// A part of the log density that all components share.
    common: Array1<f64>,
    /// `D × capacity`, for tied covariances.
    whitened: Array2<f64>,
}

impl Block {
    /// Most examples it can hold.
    pub(in crate::em) fn capacity(&self) -> usize {
        self.values.ncols()
    }

    /// The values of one component, by example.
    pub(in crate::em) fn component(&mut self, k: usize) -> &mut [f64] {
        let len = self.len;
        let row = self
            .values
            .row_mut(k)
            .into_slice()
            .expect("a standard layout");
        &mut row[..len]
    }

    /// The part of the log density that all components share, by example.
    pub(in crate::em) fn common(&self) -> &[f64] {
        &self.common.as_slice().expect("a standard layout")[..self.len]
    }

    /// The values, `K × len`.
    pub(in crate::em) fn values(&self) -> ArrayView2<'_, f64> {
        self.values.slice(s![.., ..self.len])
    }

    pub(super) fn features(&self) -> ArrayView2<'_, f64> {
        self.features.slice(s![.., ..self.len])
    }
}

/// `ln N(v; μ_k, Σ_k) = a_k + η_k · φ(v − c)` for all components.
#[derive(Clone, Debug)]
pub struct Densities {
    kind: Covariance,
    pub(super) centre: Array1<f64>,
    pub(super) constants: Array1<f64>,
    pub(super) slopes: Array2<f64>,
    /// `L⁻¹` of a tied covariance `L Lᵀ`: its square form is the same for all components.
    pub(super) whitening: Option<Array2<f64>>,
}

impl Densities {
    pub(in crate::em) fn new(gaussians: &Gaussians) -> Self {
        let (components, columns) = gaussians.means.dim();
        let kind = gaussians.covariances.kind();
        let centre = gaussians.centre();
        let deltas = &gaussians.means - &centre;
        let mut constants = Array1::from_elem(components, -0.5 * columns as f64 * (2.0 * PI).ln());
        let mut slopes = Array2::zeros((components, features(kind, columns)));
        let mut whitening = None;
        let tied = match &gaussians.covariances {
            Covariances::Tied(tied) => {
                let factor = cholesky(matrix(tied.view())).expect(CHECKED);
                let identity = DMatrix::identity(columns, columns);
                let inverse = factor.l().solve_lower_triangular(&identity).expect(CHECKED);
                whitening = Some(array(&inverse));
                Some((array(&factor.inverse()), ln_det(&factor)))
            }
            _ => None,
        };
        for (k, delta) in deltas.rows().into_iter().enumerate() {
            let mut slope = slopes.row_mut(k);
            let (precise, ln_det) = match &gaussians.covariances {
                Covariances::Full(_) => {
                    let covariance = gaussians.covariances.matrix(k, columns);
                    let factor = cholesky(matrix(covariance.view())).expect(CHECKED);
                    let precision = array(&factor.inverse());
                    for (at, (i, j)) in products(kind, columns).enumerate() {
                        let share = if i == j { -0.5 } else { -1.0 };
                        slope[columns + at] = share * precision[[i, j]];
                    }
                    (precision.dot(&delta), ln_det(&factor))
                }
                Covariances::Diagonal(diagonal) => {
                    let variances = diagonal.row(k);
                    slope
                        .slice_mut(s![columns..])
                        .assign(&variances.mapv(|v| -0.5 / v));
                    (&delta / &variances, variances.iter().map(|v| v.ln()).sum())
                }
                Covariances::Tied(_) => {
                    let (precision, ln_det) = tied.as_ref().expect("factorised above");
                    (precision.dot(&delta), *ln_det)
                }
                Covariances::Spherical(spherical) => {
                    let variance = spherical[k];
                    slope[columns] = -0.5 / variance;
                    (&delta / variance, columns as f64 * variance.ln())
                }
            };
            constants[k] -= 0.5 * (ln_det + delta.dot(&precise));
            slope.slice_mut(s![..columns]).assign(&precise);
        }
        Self {
            kind,
            centre,
            constants,
            slopes,
            whitening,
        }
    }

    /// A block of a size that stays in the cache.
    pub(in crate::em) fn block(&self) -> Block {
        let (components, features) = self.slopes.dim();
        let mut capacity = 256;
        while capacity > 32 && capacity * (features + components) > 1 << 15 {
            capacity /= 2;
        }
        let whitened = self.whitening.as_ref().map_or(0, |w| w.nrows());
        Block {
            len: 0,
            features: Array2::zeros((features, capacity)),
            values: Array2::zeros((components, capacity)),
            common: Array1::zeros(capacity),
            whitened: Array2::zeros((whitened, capacity)),
        }
    }

    /// Fills a block with examples.
    pub(in crate::em) fn load<'r>(
        &self,
        rows: impl Iterator<Item = ArrayView1<'r, f64>>,
        block: &mut Block,
    ) {
        let columns = self.centre.len();
        let capacity = block.capacity();
        let features = block.features.as_slice_mut().expect("a standard layout");
        block.len = 0;
        for (n, row) in rows.enumerate() {
            for (d, (x, c)) in row.iter().zip(&self.centre).enumerate() {
                features[d * capacity + n] = (x - c).clamp(-FARTHEST, FARTHEST);
            }
            block.len = n + 1;
        }
        let len = block.len;
        let (z, rest) = features.split_at_mut(columns * capacity);
        let z = |d: usize| &z[d * capacity..][..len];
        let mut rest = rest.chunks_exact_mut(capacity);
        for ((i, j), product) in products(self.kind, columns).zip(&mut rest) {
            for ((product, a), b) in product.iter_mut().zip(z(i)).zip(z(j)) {
                *product = a * b;
            }
        }
        if self.kind == Covariance::Spherical {
            let norm = &mut rest.next().expect("one row")[..len];
            norm.fill(0.0);
            for i in 0..columns {
                for (norm, z) in norm.iter_mut().zip(z(i)) {
                    *norm += z * z;
                }
            }
        }
    }

    /// Sets the values of a loaded block to `ln w_k + ln N(v; μ_k, Σ_k)`, less what is common.
    pub(in crate::em) fn evaluate(&self, ln_weights: ArrayView1<'_, f64>, block: &mut Block) {
        let len = block.len;
        let mut values = block.values.slice_mut(s![.., ..len]);
        let features = block.features.slice(s![.., ..len]);
        for ((mut row, constant), ln_weight) in values
            .rows_mut()
            .into_iter()
            .zip(&self.constants)
            .zip(ln_weights)
        {
            row.fill(constant + ln_weight);
        }
        general_mat_mul(1.0, &self.slopes, &features, 1.0, &mut values);
        block.common.fill(0.0);
        if let Some(whitening) = &self.whitening {
            let mut whitened = block.whitened.slice_mut(s![.., ..len]);
            general_mat_mul(1.0, whitening, &features, 0.0, &mut whitened);
            for row in whitened.rows() {
                for (common, y) in block.common.iter_mut().zip(row) {
                    *common -= 0.5 * y * y;
                }
            }
        }
    }
}
