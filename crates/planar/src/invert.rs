//! Elements of the inverse, and what rounding has done, from the last pivot of a front to the first.
//!
//! With `A = L D Lᵀ`, `T` the rows after a pivot `P` and `B` the inverse of what was left before it,
//!
//! ```text
//! B_PT = −Lᵀ_PT B_TT ,   B_PP = D⁻¹ − Lᵀ_PT B_TP .
//! ```
//!
//! `B_ba` is `∂ ln Pf / ∂A_ab` at every step of the elimination, so that an error `ε_ab` made there moves the result by
//! `Σ_{a<b} |B_ab| |ε_ab|`, to first order; and a step makes errors of `|v_a u_b| + |u_a v_b|` over `d`, times the
//! relative error of a float.

use crate::dense::{PANEL, block, block_mut};
use crate::real::Real;

/// What [`invert`] works in.
#[derive(Default)]
pub(crate) struct Scratch<T> {
    factor: Vec<T>,
    within: Vec<T>,
    sizes: Vec<f64>,
    inverse: Vec<f64>,
    product: Vec<f64>,
}

/// Completes the inverse of a front, whose part after the pivots is known, from the rows that the elimination of
/// `pivots` rows has left; returns how far roundings of size 1 would have moved the result.
pub(crate) fn invert<T: Real>(
    rows: &[T],
    side: usize,
    pivots: usize,
    inverse: &mut [T],
    scratch: &mut Scratch<T>,
) -> f64 {
    let mut error = 0.0;
    let mut end = pivots;
    while end > 0 {
        let first = (end - 1) / PANEL * PANEL;
        let panel = Panel {
            rows,
            side,
            first,
            end,
        };
        panel.outside(inverse, scratch);
        panel.within(inverse, scratch);
        error += panel.error(inverse, scratch);
        end = first;
    }
    error
}

/// Pivots that are dealt with together.
struct Panel<'r, T> {
    rows: &'r [T],
    side: usize,
    first: usize,
    end: usize,
}

impl<T: Real> Panel<'_, T> {
    fn count(&self) -> usize {
        self.end - self.first
    }

    /// The row of a pivot from `first` on.
    fn row(&self, at: usize) -> &[T] {
        &self.rows[(self.first + at) * self.side + self.first..][..self.side - self.first]
    }

    /// `Lᵀ` of the panel, and the inverse between the panel and what comes after it.
    fn outside(&self, inverse: &mut [T], scratch: &mut Scratch<T>) {
        let (count, width) = (self.count(), self.side - self.first);
        scratch.factor.clear();
        for at in (0..count).step_by(2) {
            let (u, v) = (self.row(at), self.row(at + 1));
            let scale = T::from(1.0) / u[at + 1];
            scratch.factor.extend(v.iter().map(|&x| -x * scale));
            scratch.factor.extend(u.iter().map(|&x| x * scale));
        }
        let factor = &scratch.factor[..];
        let after = self.side - self.end;
        if after == 0 {
            return;
        }
        let (above, below) = inverse.split_at_mut(self.end * self.side);
        T::product(
            -1.0,
            &block(&factor[count..], (count, after), width),
            &block(&below[self.end..], (after, after), self.side),
            0.0,
            &mut block_mut(
                &mut above[self.first * self.side + self.end..],
                (count, after),
                self.side,
            ),
        );
        let own = &mut above[self.first * self.side..];
        for pivot in (0..count).step_by(2).rev() {
            let (before, later) = own.split_at_mut((pivot + 2) * self.side);
            for row in [pivot, pivot + 1] {
                let target = &mut before[row * self.side + self.end..][..after];
                let by = &factor[row * width + pivot + 2..];
                for (by, pair) in by.chunks_exact(2).zip(later.chunks_exact(2 * self.side)) {
                    let (first, second) = pair.split_at(self.side);
                    let rows = [&first[self.end..], &second[self.end..]];
                    T::combine(target, [-by[0], -by[1]], rows);
                }
            }
        }
        for (at, row) in below.chunks_exact_mut(self.side).enumerate() {
            for pivot in 0..count {
                row[self.first + pivot] = -own[pivot * self.side + self.end + at];
            }
        }
    }

    /// The inverse among the pivots of the panel.
    fn within(&self, inverse: &mut [T], scratch: &mut Scratch<T>) {
        let (count, width, side) = (self.count(), self.side - self.first, self.side);
        let after = side - self.end;
        let Scratch { factor, within, .. } = scratch;
        within.clear();
        within.resize(count * count, T::default());
        if after > 0 {
            T::product(
                -1.0,
                &block(&factor[count..], (count, after), width),
                &block(
                    &inverse[self.end * side + self.first..],
                    (after, count),
                    side,
                ),
                0.0,
                &mut block_mut(within, (count, count), count),
            );
        }
        let place = |a: usize, b: usize| (self.first + a) * side + self.first + b;
        for pivot in (0..count).step_by(2).rev() {
            for row in [pivot, pivot + 1] {
                for column in pivot + 2..count {
                    let mut sum = within[row * count + column];
                    for x in pivot + 2..count {
                        sum = sum - factor[row * width + x] * inverse[place(x, column)];
                    }
                    inverse[place(row, column)] = sum;
                    inverse[place(column, row)] = -sum;
                }
            }
            let u = self.row(pivot);
            let own = &inverse[place(pivot, 0)..][..width];
            let terms = u[pivot + 2..].iter().zip(&own[pivot + 2..]);
            let sum = terms.fold(T::from(1.0), |sum, (&a, &b)| sum + a * b);
            let element = -sum / u[pivot + 1];
            inverse[place(pivot, pivot + 1)] = element;
            inverse[place(pivot + 1, pivot)] = -element;
        }
    }

    /// `Σ |B_ab| (|v_a u_b| + |u_a v_b|) / d` over the pivots of the panel.
    fn error(&self, inverse: &[T], scratch: &mut Scratch<T>) -> f64 {
        let (pairs, width) = (self.count() / 2, self.side - self.first);
        let Scratch {
            sizes,
            inverse: absolute,
            product,
            ..
        } = scratch;
        sizes.clear();
        for pair in 0..pairs {
            let u = self.row(2 * pair).iter().enumerate();
            sizes.extend(u.map(|(at, x)| {
                if at > 2 * pair + 1 {
                    x.value().abs()
                } else {
                    0.0
                }
            }));
        }
        absolute.clear();
        for row in inverse.chunks_exact(self.side).skip(self.first) {
            absolute.extend(row[self.first..].iter().map(|x| x.value().abs()));
        }
        for at in 0..width {
            absolute[at * width + at] = 0.0;
        }
        product.clear();
        product.resize(pairs * width, 0.0);
        f64::product(
            1.0,
            &block(sizes, (pairs, width), width),
            &block(absolute, (width, width), width),
            0.0,
            &mut block_mut(product, (pairs, width), width),
        );
        let each = product
            .chunks_exact(width)
            .enumerate()
            .map(|(pair, product)| {
                let (v, at) = (self.row(2 * pair + 1), 2 * pair + 2);
                let terms = v[at..].iter().zip(&product[at..]);
                let sum: f64 = terms.map(|(v, p)| v.value().abs() * p).sum();
                // What was added up to these rows was rounded, too.
                let rounded: f64 = [2 * pair, 2 * pair + 1]
                    .map(|row| {
                        let own =
                            &inverse[(self.first + row) * self.side + self.first..][at..width];
                        let terms = self.row(row)[at..].iter().zip(own);
                        terms
                            .map(|(x, b)| (x.value() * b.value()).abs())
                            .sum::<f64>()
                    })
                    .iter()
                    .sum();
                sum / self.row(2 * pair)[at - 1].value().abs() + rounded
            });
        each.sum()
    }
}
