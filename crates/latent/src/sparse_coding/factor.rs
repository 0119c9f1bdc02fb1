//! The Cholesky factor of the Gram matrix of an active set, which grows and shrinks by one atom.

use crate::simd::{axpy, dot};

/// A pivot below this share of its atom's squared norm counts as linearly dependent.
const DEPENDENT: f64 = 1e-11;

/// The upper triangular `U` with `UᵀU = G_AA`, together with `z = U⁻ᵀ s` for a right-hand side `s`
/// that grows and shrinks with it: a solve then takes one back substitution.
#[derive(Clone, Debug, Default)]
pub(super) struct Factor {
    len: usize,
    stride: usize,
    /// Row `j` holds `U[j, j..len]` from column `j` on; entries below the diagonal are not read.
    rows: Vec<f64>,
    /// `1/U[j, j]`.
    reciprocal: Vec<f64>,
    z: Vec<f64>,
    column: Vec<f64>,
}

impl Factor {
    /// Forgets all atoms and keeps the memory.
    #[inline(always)]
    pub(super) fn clear(&mut self) {
        self.len = 0;
        self.reciprocal.clear();
        self.z.clear();
    }

    /// Makes room for one more atom.
    fn reserve(&mut self) {
        if self.len < self.stride {
            return;
        }
        let stride = (2 * self.stride).max(32);
        let mut rows = vec![0.0; stride * stride];
        for j in 0..self.len {
            let old = j * self.stride;
            rows[j * stride..j * stride + self.len]
                .copy_from_slice(&self.rows[old..old + self.len]);
        }
        (self.rows, self.stride) = (rows, stride);
    }

    /// Appends an atom with inner products `cross` with the present ones, squared norm `norm` and
    /// right-hand side `s`; false, and no change, if it depends linearly on them.
    #[inline(always)]
    pub(super) fn append(&mut self, cross: impl Iterator<Item = f64>, norm: f64, s: f64) -> bool {
        self.forward(cross);
        let pivot = norm - dot(&self.column, &self.column);
        // Written so that NaN counts as dependent.
        if !(pivot > DEPENDENT * norm) {
            return false;
        }
        self.reserve();
        let (n, stride) = (self.len, self.stride);
        for (j, &entry) in self.column.iter().enumerate() {
            self.rows[j * stride + n] = entry;
        }
        let diagonal = pivot.sqrt();
        self.rows[n * stride + n] = diagonal;
        self.reciprocal.push(1.0 / diagonal);
        self.z.push((s - dot(&self.column, &self.z)) / diagonal);
        self.len += 1;
        true
    }

    /// `column ← U⁻ᵀ right`.
    #[inline(always)]
    fn forward(&mut self, right: impl Iterator<Item = f64>) {
        let n = self.len;
        self.column.clear();
        self.column.extend(right);
        for j in 0..n {
            let (head, tail) = self.column.split_at_mut(j + 1);
            let y = head[j] * self.reciprocal[j];
            head[j] = y;
            let row = &self.rows[j * self.stride + j + 1..j * self.stride + n];
            axpy(-y, row, tail);
        }
    }

    /// Removes the atom at place `at`; those behind it move up by one.
    #[inline(always)]
    pub(super) fn remove(&mut self, at: usize) {
        let (n, stride) = (self.len, self.stride);
        for j in 0..at {
            self.rows
                .copy_within(j * stride + at + 1..j * stride + n, j * stride + at);
        }
        // Without its column, the rows from `at` on are upper Hessenberg: rotate them back. Row i
        // of the new factor starts at column i, which was column i + 1.
        for i in at..n - 1 {
            let (upper, lower) = self.rows.split_at_mut((i + 1) * stride);
            let upper = &mut upper[i * stride..];
            let (a, b) = (upper[i + 1], lower[i + 1]);
            let norm = a.hypot(b);
            let (cos, sin) = (a / norm, b / norm);
            for k in i + 1..n {
                let (u, l) = (upper[k], lower[k]);
                upper[k - 1] = cos * u + sin * l;
                lower[k] = cos * l - sin * u;
            }
            self.reciprocal[i] = 1.0 / norm;
            let (u, l) = (self.z[i], self.z[i + 1]);
            self.z[i] = cos * u + sin * l;
            self.z[i + 1] = cos * l - sin * u;
        }
        self.len = n - 1;
        self.reciprocal.pop();
        self.z.pop();
    }

    /// `x ← G_AA⁻¹ s`.
    #[inline(always)]
    pub(super) fn solve(&self, x: &mut Vec<f64>) {
        x.clear();
        x.extend_from_slice(&self.z);
        self.backward(x);
    }

    /// `x ← G_AA⁻¹ right` for another right-hand side.
    #[inline(always)]
    pub(super) fn solve_for(&mut self, right: impl Iterator<Item = f64>, x: &mut Vec<f64>) {
        self.forward(right);
        x.clear();
        x.extend_from_slice(&self.column);
        self.backward(x);
    }

    /// `x ← U⁻¹ x`.
    #[inline(always)]
    fn backward(&self, x: &mut [f64]) {
        let n = self.len;
        for i in (0..n).rev() {
            let row = &self.rows[i * self.stride + i + 1..i * self.stride + n];
            x[i] = (x[i] - dot(row, &x[i + 1..])) * self.reciprocal[i];
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A positive definite matrix with a condition number far from 1.
    fn gram(i: usize, j: usize) -> f64 {
        let (a, b) = (i as f64, j as f64);
        (-(a - b).abs() / 3.0).exp() + if i == j { 0.1 } else { 0.0 }
    }

    #[test]
    fn solves_after_every_append_and_removal() {
        let s = |i: usize| (i as f64).sin();
        let mut factor = Factor::default();
        let mut active: Vec<usize> = Vec::new();
        let mut x = Vec::new();
        for step in 0_usize..200 {
            if step % 5 == 3 || step % 7 == 6 {
                let at = (step * 31) % active.len();
                active.remove(at);
                factor.remove(at);
            } else {
                assert!(factor.append(active.iter().map(|&j| gram(step, j)), 1.1, s(step)));
                active.push(step);
            }
            factor.solve(&mut x);
            for &i in &active {
                let product: f64 = active.iter().zip(&x).map(|(&j, x)| gram(i, j) * x).sum();
                assert!((product - s(i)).abs() < 1e-11, "step {step}");
            }
            factor.solve_for(active.iter().map(|_| 1.0), &mut x);
            for &i in &active {
                let product: f64 = active.iter().zip(&x).map(|(&j, x)| gram(i, j) * x).sum();
                assert!((product - 1.0).abs() < 1e-11, "step {step}");
            }
        }
    }

    #[test]
    fn refuses_a_dependent_atom() {
        let mut factor = Factor::default();
        assert!(!factor.append(std::iter::empty(), 0.0, 1.0));
        assert!(factor.append(std::iter::empty(), 4.0, 1.0));
        assert!(!factor.append(std::iter::once(2.0), 1.0, 1.0));
        assert!(!factor.append(std::iter::once(f64::NAN), 1.0, 1.0));
        assert!(factor.append(std::iter::once(1.9), 1.0, 1.0));
    }
}
