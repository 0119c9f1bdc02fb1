//! Elimination within one front: a dense skew-symmetric matrix, of which the part above the diagonal is kept.
//!
//! A pivot is a pair of neighbouring rows `u, v` with `d = A_uv`; without them `A_ab` becomes
//! `A_ab + (v_a u_b − u_a v_b) / d`, and the Pfaffian is the product of all `d`.

use ndarray::{ArrayView2, ArrayViewMut2, ShapeBuilder};
use rayon::prelude::*;

use crate::real::Real;

/// Rows that are eliminated before the rest of the matrix hears of them.
pub(crate) const PANEL: usize = 64;
/// Rows of the rest that are brought up to date at once.
const TILE: usize = 128;
/// Matrices with fewer rows than this are brought up to date pivot by pivot.
const SMALL: usize = 96;
/// Rests with more entries than this are shared among threads.
const PARALLEL: usize = 1 << 18;

/// Eliminates the first `pivots` rows, an even number, of a matrix of `side` rows; pivot `k` is left at
/// `(2k, 2k + 1)`.
pub(crate) fn eliminate<T: Real>(
    matrix: &mut [T],
    side: usize,
    pivots: usize,
    scratch: &mut Vec<T>,
) {
    if side < SMALL {
        return eliminate_panel(matrix, side, 0, pivots, side);
    }
    let mut first = 0;
    while first < pivots {
        let end = (first + PANEL).min(pivots);
        eliminate_panel(matrix, side, first, end, end);
        update(matrix, side, first, end, scratch);
        first = end;
    }
}

/// Eliminates rows `first..end`, and tells rows up to `last` of it.
fn eliminate_panel<T: Real>(matrix: &mut [T], side: usize, first: usize, end: usize, last: usize) {
    for pivot in (first..end).step_by(2) {
        let (above, below) = matrix.split_at_mut((pivot + 2) * side);
        let (u, v) = above[pivot * side..].split_at(side);
        let inverse = T::from(1.0) / u[pivot + 1];
        let rows = below.chunks_exact_mut(side).take(last - pivot - 2);
        for (a, row) in (pivot + 2..).zip(rows) {
            let by = [v[a] * inverse, -u[a] * inverse];
            T::combine(&mut row[a + 1..], by, [&u[a + 1..], &v[a + 1..]]);
        }
    }
}

/// Brings rows from `end` up to date with pivots `first..end`.
fn update<T: Real>(matrix: &mut [T], side: usize, first: usize, end: usize, scratch: &mut Vec<T>) {
    let (count, rest) = (end - first, side - end);
    if rest == 0 {
        return;
    }
    let (done, below) = matrix.split_at_mut(end * side);
    let panel = &done[first * side..];
    scratch.clear();
    for at in (0..count).step_by(2) {
        let (u, v) = panel[at * side..].split_at(side);
        let inverse = T::from(1.0) / u[first + at + 1];
        scratch.extend(v[end..side].iter().map(|&x| x * inverse));
        scratch.extend(u[end..].iter().map(|&x| -x * inverse));
    }
    let scaled = &scratch[..];
    let tile = |(at, rows): (usize, &mut [T])| {
        let from = at * TILE;
        let height = rows.len() / side;
        let width = rest - from;
        let scaled = block(&scaled[from..], (count, height), rest);
        let panel = block(&panel[end + from..], (count, width), side);
        let mut rows = block_mut(&mut rows[end + from..], (height, width), side);
        T::product(1.0, &scaled.t(), &panel, 1.0, &mut rows);
    };
    if rest * rest > PARALLEL {
        below.par_chunks_mut(TILE * side).enumerate().for_each(tile);
    } else {
        below.chunks_mut(TILE * side).enumerate().for_each(tile);
    }
}

/// A block of a matrix with rows of `side` entries, from its first entry on.
///
/// # Panics
/// If it reaches beyond the end.
pub(crate) fn block<T>(from: &[T], shape: (usize, usize), side: usize) -> ArrayView2<'_, T> {
    ArrayView2::from_shape(shape.strides((side, 1)), from).expect("a block within its matrix")
}

/// As [`block`].
pub(crate) fn block_mut<T>(
    from: &mut [T],
    shape: (usize, usize),
    side: usize,
) -> ArrayViewMut2<'_, T> {
    ArrayViewMut2::from_shape(shape.strides((side, 1)), from).expect("a block within its matrix")
}
