//! What the dictionary update needs to know of the codes.

use ndarray::{Array1, Array2, ArrayView2, s};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::codes::Codes;
use crate::simd::axpy;

/// Examples that are added at a time, so that they stay in the cache while each atom visits them.
const BLOCK: usize = 512;

/// Atoms that a thread takes at a time.
const MIN_ATOMS: usize = 16;

/// Weighted sums over examples, of codes `h` and data `v`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct CodeSums {
    /// `Σ 1`.
    pub(super) weight: f64,
    /// `Σ h`.
    pub(super) h: Array1<f64>,
    /// `Σ v`.
    pub(super) v: Array1<f64>,
    /// `Σ h hᵀ`.
    pub(super) hh: Array2<f64>,
    /// `Σ h vᵀ`, one row for each atom.
    pub(super) hv: Array2<f64>,
}

/// The examples that use an atom, and its coefficients there.
type Users = Vec<(usize, f64)>;

impl CodeSums {
    /// No examples yet.
    pub(super) fn new(dimension: usize, atoms: usize) -> Self {
        Self {
            weight: 0.0,
            h: Array1::zeros(atoms),
            v: Array1::zeros(dimension),
            hh: Array2::zeros((atoms, atoms)),
            hv: Array2::zeros((atoms, dimension)),
        }
    }

    /// Multiplies all sums, to forget old examples.
    pub(super) fn scale(&mut self, factor: f64) {
        self.weight *= factor;
        self.h *= factor;
        self.v *= factor;
        self.hh *= factor;
        self.hv *= factor;
    }

    /// Adds the rows of `data` with their codes.
    pub(super) fn add(&mut self, data: ArrayView2<'_, f64>, codes: &Codes) {
        self.weight += data.nrows() as f64;
        for v in data.rows() {
            self.v += &v;
        }
        self.visit(data, codes, 1.0);
    }

    /// Exchanges the codes of the rows of `data`.
    pub(super) fn replace(&mut self, data: ArrayView2<'_, f64>, old: &Codes, new: &Codes) {
        self.visit(data, old, -1.0);
        self.visit(data, new, 1.0);
    }

    /// Adds the sums that contain codes, times `sign`.
    ///
    /// Threads share the work by atom, so that each sum has its terms in the order of the examples
    /// whatever the number of threads.
    fn visit(&mut self, data: ArrayView2<'_, f64>, codes: &Codes, sign: f64) {
        for start in (0..data.nrows()).step_by(BLOCK) {
            let rows = start..data.nrows().min(start + BLOCK);
            let mut users: Vec<Users> = vec![Users::new(); codes.atoms()];
            for n in rows.clone() {
                let (indices, values) = codes.row(n);
                for (&k, &h) in indices.iter().zip(values) {
                    users[k].push((n, h));
                }
            }
            let block = data.slice(s![rows, ..]);
            let block = block.as_standard_layout();
            let block = block.as_slice().unwrap_or_default();
            let (atoms, dimension) = (self.hh.ncols().max(1), self.hv.ncols().max(1));
            let hh = self.hh.as_slice_mut().unwrap_or_default();
            let hv = self.hv.as_slice_mut().unwrap_or_default();
            let h = self.h.as_slice_mut().unwrap_or_default();
            let sums = hh
                .par_chunks_mut(atoms)
                .zip(hv.par_chunks_mut(dimension))
                .zip(h);
            let work = users.par_iter().zip(sums).with_min_len(MIN_ATOMS);
            work.for_each(|(users, ((hh, hv), h))| {
                *h += users.iter().map(|(_, h)| sign * h).sum::<f64>();
                add_users(users, sign, codes, start, block, hh, hv);
            });
        }
    }
}

forney_exact::dispatch! {
    /// Adds, for one atom, the products with the other atoms and with the data; `block` holds the
    /// data from example `start` on.
    fn add_users(
        users: &[(usize, f64)],
        sign: f64,
        codes: &Codes,
        start: usize,
        block: &[f64],
        hh: &mut [f64],
        hv: &mut [f64],
    ) {
        let dimension = hv.len();
        for &(n, h) in users {
            let h = sign * h;
            let (indices, values) = codes.row(n);
            for (&j, &other) in indices.iter().zip(values) {
                hh[j] += h * other;
            }
            axpy(h, &block[(n - start) * dimension..][..dimension], hv);
        }
    }
}
