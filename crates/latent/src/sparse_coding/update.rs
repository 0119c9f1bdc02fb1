//! The dictionary that minimises the squared error for given codes.
//!
//! With `A = Σ h hᵀ` and `B = Σ h (v − b)ᵀ` (one row for each atom), the error is
//! `½ tr(Wᵀ A W) − tr(Wᵀ B)` plus a constant; here an atom is a *row* of `W`, so that it is contiguous.

use nalgebra::{Cholesky, DMatrix, DVector, Dyn};
use ndarray::{Array1, Array2, ArrayView2, Axis};
use serde::{Deserialize, Serialize};

use super::statistics::CodeSums;
use crate::simd::add_rows;

/// What keeps the dictionary from growing while the codes shrink.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum Penalty {
    /// `‖W_{:,k}‖₂ ≤ norm` for every atom.
    MaxNorm {
        /// The largest norm.
        norm: f64,
    },
    /// `J` gets the additional term `decay/2 ‖W‖²_F` for each example.
    WeightDecay {
        /// The weight.
        decay: f64,
    },
}

/// How the dictionary is found under a constraint on its norms; weight decay has a closed form and
/// takes neither.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Update {
    /// One atom after another, `sweeps` times (Mairal et al. 2010): cheap, and exact in the limit.
    BlockCoordinateDescent {
        /// Number of sweeps.
        sweeps: usize,
    },
    /// Newton's method on the Lagrange dual (Lee et al. 2007): exact, `O(K³)` for each iteration.
    LagrangeDual,
}

/// An atom whose coefficients' squares sum to less than this share of the mean over the atoms is
/// unused, and the data say nothing about it.
const UNUSED: f64 = 1e-12;

/// The most Newton steps; ten are usual.
const NEWTON_STEPS: usize = 50;

/// The bound on the violation of complementary slackness, as a share of the squared norm bound.
const DUAL_TOLERANCE: f64 = 1e-10;

/// `A`, `B` and the atoms in use.
struct Normal<'a> {
    a: &'a Array2<f64>,
    b: Array2<f64>,
    used: Vec<usize>,
}

impl<'a> Normal<'a> {
    fn new(statistics: &'a CodeSums, bias: &Array1<f64>) -> Self {
        let mut b = statistics.hv.clone();
        for (mut row, &h) in b.rows_mut().into_iter().zip(&statistics.h) {
            row.scaled_add(-h, bias);
        }
        let a = &statistics.hh;
        let limit = least_use(a);
        let used = (0..a.nrows()).filter(|&k| a[[k, k]] > limit).collect();
        Self { a, b, used }
    }
}

/// Atoms whose coefficients' squares sum to no more than this are unused.
fn least_use(a: &Array2<f64>) -> f64 {
    UNUSED * a.diag().sum() / a.nrows().max(1) as f64
}

/// The atoms that no code uses.
pub(super) fn unused(statistics: &CodeSums) -> Vec<usize> {
    let limit = least_use(&statistics.hh);
    let diagonal = statistics.hh.diag();
    let unused = diagonal.iter().enumerate().filter(|&(_, &a)| a <= limit);
    unused.map(|(k, _)| k).collect()
}

/// Moves `atoms` (one in each row) to, or for coordinate descent towards, the minimum. Atoms that no
/// code uses stay as they are.
pub(super) fn update(
    statistics: &CodeSums,
    bias: &Array1<f64>,
    penalty: Penalty,
    method: Update,
    atoms: &mut Array2<f64>,
) {
    let normal = Normal::new(statistics, bias);
    match (penalty, method) {
        (Penalty::WeightDecay { decay }, _) => {
            ridge(&normal, decay * statistics.weight, atoms);
        }
        (Penalty::MaxNorm { norm }, Update::BlockCoordinateDescent { sweeps }) => {
            for _ in 0..sweeps {
                if let (Some(a), Some(b), Some(w)) = (
                    normal.a.as_slice(),
                    normal.b.as_slice(),
                    atoms.as_slice_mut(),
                ) {
                    sweep(a, b, &normal.used, norm, w);
                }
            }
        }
        (Penalty::MaxNorm { norm }, Update::LagrangeDual) => {
            lagrange_dual(&normal, norm * norm, atoms);
        }
    }
}

/// `b ← (Σ v − Wᵀ Σ h) / Σ 1`, the bias that minimises the squared error.
pub(super) fn bias(statistics: &CodeSums, atoms: &Array2<f64>) -> Array1<f64> {
    (&statistics.v - &atoms.t().dot(&statistics.h)) / statistics.weight.max(f64::MIN_POSITIVE)
}

forney_exact::dispatch! {
    /// Minimises over each used atom in turn: `w_k ← w_k + (B_k − Σ_j A_kj w_j)/A_kk`, scaled back to
    /// the norm allowed.
    fn sweep(a: &[f64], b: &[f64], used: &[usize], norm: f64, atoms: &mut [f64]) {
        let count = a.len().isqrt();
        let dimension = b.len() / count.max(1);
        let (mut gradient, mut row) = (vec![0.0; dimension], Vec::with_capacity(used.len()));
        for &k in used {
            row.clear();
            row.extend(used.iter().map(|&j| -a[k * count + j]));
            gradient.copy_from_slice(&b[k * dimension..][..dimension]);
            add_rows(atoms, used, &row, &mut gradient);
            let atom = &mut atoms[k * dimension..][..dimension];
            let curvature = a[k * count + k];
            let mut squared = 0.0;
            for (w, g) in atom.iter_mut().zip(&gradient) {
                *w += g / curvature;
                squared += *w * *w;
            }
            if squared > norm * norm {
                let scale = norm / squared.sqrt();
                for w in atom {
                    *w *= scale;
                }
            }
        }
    }
}

/// `W = (A + ridge I)⁻¹ B`.
fn ridge(normal: &Normal<'_>, ridge: f64, atoms: &mut Array2<f64>) {
    let multipliers = DVector::from_element(normal.used.len(), ridge);
    if let Some(system) = System::new(normal, &multipliers) {
        system.store(normal, atoms);
    }
}

/// `A + Λ` over the used atoms, factored, with `W = (A + Λ)⁻¹ B`.
struct System {
    factor: Cholesky<f64, Dyn>,
    w: DMatrix<f64>,
}

impl System {
    fn new(normal: &Normal<'_>, multipliers: &DVector<f64>) -> Option<Self> {
        let used = &normal.used;
        let mut a = DMatrix::from_fn(used.len(), used.len(), |i, j| normal.a[[used[i], used[j]]]);
        for (i, multiplier) in multipliers.iter().enumerate() {
            a[(i, i)] += multiplier;
        }
        let factor = Cholesky::new(a)?;
        let dimension = normal.b.ncols();
        let b = DMatrix::from_fn(used.len(), dimension, |i, d| normal.b[[used[i], d]]);
        let w = factor.solve(&b);
        Some(Self { factor, w })
    }

    /// The dual function `−½ tr(Bᵀ(A + Λ)⁻¹B) − ½ bound Σ Λ_k`.
    fn dual(&self, normal: &Normal<'_>, multipliers: &DVector<f64>, bound: f64) -> f64 {
        let entries = self.w.row_iter().zip(&normal.used);
        let fit: f64 = entries
            .map(|(w, &k)| {
                w.iter()
                    .zip(normal.b.row(k))
                    .map(|(w, b)| w * b)
                    .sum::<f64>()
            })
            .sum();
        -0.5 * fit - 0.5 * bound * multipliers.sum()
    }

    fn store(&self, normal: &Normal<'_>, atoms: &mut Array2<f64>) {
        for (row, &k) in self.w.row_iter().zip(&normal.used) {
            for (atom, w) in atoms.row_mut(k).iter_mut().zip(row.iter()) {
                *atom = *w;
            }
        }
    }
}

/// Maximises the dual over `Λ ≥ 0` by projected Newton steps; its gradient is `½(‖w_k‖² − bound)`
/// and its Hessian `−(W Wᵀ) ∘ (A + Λ)⁻¹`.
fn lagrange_dual(normal: &Normal<'_>, bound: f64, atoms: &mut Array2<f64>) {
    let count = normal.used.len();
    let scale = normal.a.diag().sum() / count.max(1) as f64;
    // Below this, a multiplier only keeps the system from being singular.
    let floor = 1e-10 * scale;
    let mut multipliers = first_multipliers(normal, bound, atoms.view(), floor);
    let Some(mut system) = System::new(normal, &multipliers) else {
        return;
    };
    let mut value = system.dual(normal, &multipliers, bound);
    for _ in 0..NEWTON_STEPS {
        let gradient = DVector::from_iterator(
            count,
            system
                .w
                .row_iter()
                .map(|w| 0.5 * (w.norm_squared() - bound)),
        );
        let free: Vec<usize> = (0..count)
            .filter(|&k| multipliers[k] > floor || gradient[k] > 0.0)
            .collect();
        let worst = free.iter().map(|&k| gradient[k].abs()).fold(0.0, f64::max);
        if worst <= DUAL_TOLERANCE * bound {
            break;
        }
        let Some(direction) = newton_direction(&system, &gradient, &free) else {
            break;
        };
        let mut length = 1.0;
        let accepted = loop {
            let mut trial = multipliers.clone();
            for (&k, step) in free.iter().zip(direction.iter()) {
                trial[k] = (trial[k] + length * step).max(floor);
            }
            let promised = (&trial - &multipliers).dot(&gradient);
            if let Some(next) = System::new(normal, &trial) {
                let next_value = next.dual(normal, &trial, bound);
                let rounding = 1e-13 * value.abs();
                if next_value >= value + 1e-4 * promised - rounding {
                    break Some((trial, next, next_value));
                }
            }
            length *= 0.5;
            if length < 1e-10 {
                break None;
            }
        };
        let Some(accepted) = accepted else { break };
        (multipliers, system, value) = accepted;
    }
    system.store(normal, atoms);
    // The dual is solved to a tolerance; the constraint holds exactly.
    for &k in &normal.used {
        let mut atom = atoms.row_mut(k);
        let squared = atom.dot(&atom);
        if squared > bound {
            atom *= (bound / squared).sqrt();
        }
    }
}

/// The multipliers that the optimality conditions `Λ_k w_k = B_k − (A W)_k` suggest at present.
fn first_multipliers(
    normal: &Normal<'_>,
    bound: f64,
    atoms: ArrayView2<'_, f64>,
    floor: f64,
) -> DVector<f64> {
    let residual = &normal.b - &normal.a.dot(&atoms);
    let estimate = normal.used.iter().map(|&k| {
        let pull = atoms.index_axis(Axis(0), k).dot(&residual.row(k)) / bound;
        pull.max(floor)
    });
    DVector::from_iterator(normal.used.len(), estimate)
}

/// The Newton step of the free multipliers.
fn newton_direction(
    system: &System,
    gradient: &DVector<f64>,
    free: &[usize],
) -> Option<DVector<f64>> {
    let inverse = system.factor.inverse();
    let gram = &system.w * system.w.transpose();
    let curvature = DMatrix::from_fn(free.len(), free.len(), |i, j| {
        let (i, j) = (free[i], free[j]);
        inverse[(i, j)] * gram[(i, j)]
    });
    let right = DVector::from_iterator(free.len(), free.iter().map(|&k| gradient[k]));
    Some(Cholesky::new(curvature)?.solve(&right))
}
