//! The Cholesky factor of the Gram matrix of an active set, which grows and shrinks by one atom.

use crate::simd::{LANES, add_four, axpy, dot};

/// A pivot below this share of its atom's squared norm counts as linearly dependent.
const DEPENDENT: f64 = 1e-11;

/// The inverse `V = U⁻¹` of the Cholesky factor, `UᵀU = G_AA`, so that `G_AA⁻¹ = V Vᵀ`, together with
/// `z = Vᵀs` for a right-hand side `s` that grows and shrinks with it.
///
/// The inverse rather than the factor: its products are independent sums, where a substitution
/// waits for each unknown in turn, and for the few dozen atoms of an active set that is what counts.
/// All vectors are padded with zeros to whole vector registers.
#[derive(Clone, Debug, Default)]
pub(super) struct Factor {
    len: usize,
    /// Column `i` of `V` begins at `i * stride`; it is zero below the diagonal.
    stride: usize,
    columns: Vec<f64>,
    z: Vec<f64>,
    /// The inner products of an atom with the active ones.
    cross: Vec<f64>,
    /// `Vᵀ cross`.
    projection: Vec<f64>,
    /// The result of the last solve.
    solution: Vec<f64>,
}

/// The length of a vector of `len` numbers with its padding.
#[inline(always)]
fn padded(len: usize) -> usize {
    len.next_multiple_of(LANES)
}

impl Factor {
    /// Forgets all atoms and keeps the memory.
    #[inline(always)]
    pub(super) fn clear(&mut self) {
        self.len = 0;
    }

    /// Makes room for one more atom, with its padding.
    #[inline(always)]
    fn reserve(&mut self) {
        let n = self.len;
        if n == self.stride {
            self.grow();
        }
        if n.is_multiple_of(LANES) {
            for i in 0..n {
                self.columns[i * self.stride + n..][..LANES].fill(0.0);
            }
            self.z[n..n + LANES].fill(0.0);
        }
    }

    #[cold]
    fn grow(&mut self) {
        let stride = (2 * self.stride).max(4 * LANES);
        let mut columns = vec![0.0; stride * stride];
        for i in 0..self.len {
            let old = &self.columns[i * self.stride..][..self.len];
            columns[i * stride..][..self.len].copy_from_slice(old);
        }
        self.columns = columns;
        self.stride = stride;
        for vector in [
            &mut self.z,
            &mut self.cross,
            &mut self.projection,
            &mut self.solution,
        ] {
            vector.resize(stride, 0.0);
        }
    }

    /// Appends an atom with inner products `cross` with the present ones, squared norm `norm` and
    /// right-hand side `s`, if its coefficient in the solution has the sign that `sign` has; false,
    /// and no change, if it has not, or if the atom depends linearly on the others.
    #[inline(always)]
    pub(super) fn append(
        &mut self,
        cross: impl Iterator<Item = f64>,
        norm: f64,
        s: f64,
        sign: Option<f64>,
    ) -> bool {
        self.project(cross);
        let n = self.len;
        let y = &self.projection[..padded(n)];
        let pivot = norm - dot(y, y);
        let numerator = s - dot(y, &self.z);
        // NaN counts as dependent.
        let independent = pivot > DEPENDENT * norm;
        if !independent || sign.is_some_and(|sign| numerator * sign <= 0.0) {
            return false;
        }
        self.reserve();
        let reciprocal = 1.0 / pivot.sqrt();
        self.z[n] = numerator * reciprocal;
        for y in &mut self.projection[..n] {
            *y *= -reciprocal;
        }
        let (present, new) = self.columns.split_at_mut(n * self.stride);
        let new = &mut new[..padded(n + 1)];
        new.fill(0.0);
        combine(present, self.stride, &self.projection[..n], new);
        new[n] = reciprocal;
        self.len += 1;
        true
    }

    /// `projection ← Vᵀ right`.
    #[inline(always)]
    fn project(&mut self, right: impl Iterator<Item = f64>) {
        let n = self.len;
        for (cross, right) in self.cross.iter_mut().zip(right) {
            *cross = right;
        }
        self.cross[n..padded(n)].fill(0.0);
        for i in 0..n {
            let column = &self.columns[i * self.stride..][..padded(i + 1)];
            self.projection[i] = dot(column, &self.cross);
        }
        self.projection[n..padded(n)].fill(0.0);
    }

    /// Removes the atom at place `at`; those behind it move up by one.
    #[inline(always)]
    pub(super) fn remove(&mut self, at: usize) {
        let (last, stride) = (self.len - 1, self.stride);
        // Rotations collect row `at` in the last column, which then leaves together with the row.
        for i in at..last {
            let (left, right) = self.columns.split_at_mut((i + 1) * stride);
            let left = &mut left[i * stride..][..padded(i + 2)];
            let right = &mut right[..padded(i + 2)];
            let (a, b) = (left[at], right[at]);
            let reciprocal = 1.0 / (a * a + b * b).sqrt();
            let (sin, cos) = (a * reciprocal, b * reciprocal);
            for (l, r) in left.iter_mut().zip(right) {
                (*l, *r) = (cos * *l - sin * *r, sin * *l + cos * *r);
            }
            left.copy_within(at + 1..i + 2, at);
            left[i + 1] = 0.0;
            let (l, r) = (self.z[i], self.z[i + 1]);
            self.z[i] = cos * l - sin * r;
            self.z[i + 1] = sin * l + cos * r;
        }
        self.z[last] = 0.0;
        self.len = last;
    }

    /// `G_AA⁻¹ s`.
    #[inline(always)]
    pub(super) fn solve(&mut self) -> &[f64] {
        combined(
            &self.columns,
            self.stride,
            &self.z[..self.len],
            &mut self.solution,
        )
    }

    /// `G_AA⁻¹ right` for another right-hand side.
    #[inline(always)]
    pub(super) fn solve_for(&mut self, right: impl Iterator<Item = f64>) -> &[f64] {
        self.project(right);
        let a = &self.projection[..self.len];
        combined(&self.columns, self.stride, a, &mut self.solution)
    }
}

/// `y ← Σ_i a_i V[:, i]`, as far as it is not padding.
#[inline(always)]
fn combined<'y>(columns: &[f64], stride: usize, a: &[f64], y: &'y mut [f64]) -> &'y [f64] {
    y[..padded(a.len())].fill(0.0);
    combine(columns, stride, a, y);
    &y[..a.len()]
}

/// `y ← y + Σ_i a_i V[:, i]`.
#[inline(always)]
fn combine(columns: &[f64], stride: usize, a: &[f64], y: &mut [f64]) {
    let (quads, rest) = a.as_chunks::<4>();
    for (q, a) in quads.iter().enumerate() {
        let height = padded(4 * q + 4);
        let column = |i: usize| &columns[(4 * q + i) * stride..][..height];
        add_four(
            [column(0), column(1), column(2), column(3)],
            *a,
            &mut y[..height],
        );
    }
    for (i, &a) in (4 * quads.len()..).zip(rest) {
        let height = padded(i + 1);
        axpy(a, &columns[i * stride..][..height], &mut y[..height]);
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
        let mut x;
        for step in 0_usize..200 {
            if step % 5 == 3 || step % 7 == 6 {
                let at = (step * 31) % active.len();
                active.remove(at);
                factor.remove(at);
            } else {
                assert!(factor.append(active.iter().map(|&j| gram(step, j)), 1.1, s(step), None));
                active.push(step);
            }
            x = factor.solve().to_vec();
            for &i in &active {
                let product: f64 = active.iter().zip(&x).map(|(&j, x)| gram(i, j) * x).sum();
                assert!((product - s(i)).abs() < 1e-11, "step {step}");
            }
            x = factor.solve_for(active.iter().map(|_| 1.0)).to_vec();
            for &i in &active {
                let product: f64 = active.iter().zip(&x).map(|(&j, x)| gram(i, j) * x).sum();
                assert!((product - 1.0).abs() < 1e-11, "step {step}");
            }
        }
    }

    #[test]
    fn refuses_a_dependent_atom_and_one_of_the_wrong_sign() {
        let mut factor = Factor::default();
        assert!(!factor.append(std::iter::empty(), 0.0, 1.0, None));
        assert!(factor.append(std::iter::empty(), 4.0, 1.0, None));
        assert!(!factor.append(std::iter::once(2.0), 1.0, 1.0, None));
        assert!(!factor.append(std::iter::once(f64::NAN), 1.0, 1.0, None));
        assert!(!factor.append(std::iter::once(1.9), 1.0, 1.0, Some(-1.0)));
        assert!(factor.append(std::iter::once(1.9), 1.0, 1.0, None));
    }
}
