//! Matrices on one axis of a table.
//!
//! A table is `outer × card × inner` around an axis, `inner` being its stride.

/// `out(·, i, ·) = Σ_j matrix(i, j) table(·, j, ·)`.
pub(crate) fn apply(table: &[f64], card: usize, inner: usize, matrix: &[f64], out: &mut [f64]) {
    let block = card * inner;
    if let (2, &[a, b, c, d]) = (card, matrix) {
        for (table, out) in table.chunks_exact(block).zip(out.chunks_exact_mut(block)) {
            let (x, y) = table.split_at(inner);
            let (p, q) = out.split_at_mut(inner);
            for (((p, q), x), y) in p.iter_mut().zip(q).zip(x).zip(y) {
                (*p, *q) = (a * x + b * y, c * x + d * y);
            }
        }
        return;
    }
    for (table, out) in table.chunks_exact(block).zip(out.chunks_exact_mut(block)) {
        for (row, out) in matrix.chunks_exact(card).zip(out.chunks_exact_mut(inner)) {
            out.fill(0.0);
            for (factor, table) in row.iter().zip(table.chunks_exact(inner)) {
                for (out, x) in out.iter_mut().zip(table) {
                    *out += factor * x;
                }
            }
        }
    }
}

/// `out(i, j) += Σ_rest left(·, i, ·) right(·, j, ·)`.
pub(crate) fn contract(left: &[f64], right: &[f64], card: usize, inner: usize, out: &mut [f64]) {
    if let (2, Ok(out)) = (card, <&mut [f64; 4]>::try_from(&mut *out)) {
        return match inner {
            1 => contract_pair::<1>(left, right, inner, out),
            2 => contract_pair::<2>(left, right, inner, out),
            4 => contract_pair::<4>(left, right, inner, out),
            _ => contract_pair::<0>(left, right, inner, out),
        };
    }
    let block = card * inner;
    for (left, right) in left.chunks_exact(block).zip(right.chunks_exact(block)) {
        for (left, out) in left.chunks_exact(inner).zip(out.chunks_exact_mut(card)) {
            for (right, out) in right.chunks_exact(inner).zip(out) {
                *out += left.iter().zip(right).map(|(a, b)| a * b).sum::<f64>();
            }
        }
    }
}

/// [`contract`] for two states; `INNER` is the stride, or 0 where it is not small.
#[inline(always)]
fn contract_pair<const INNER: usize>(
    left: &[f64],
    right: &[f64],
    inner: usize,
    out: &mut [f64; 4],
) {
    let inner = if INNER == 0 { inner } else { INNER };
    let [mut aa, mut ab, mut ba, mut bb] = [0.0; 4];
    let blocks = left
        .chunks_exact(2 * inner)
        .zip(right.chunks_exact(2 * inner));
    for (left, right) in blocks {
        let (a, b) = left.split_at(inner);
        let (c, d) = right.split_at(inner);
        for (((a, b), c), d) in a.iter().zip(b).zip(c).zip(d) {
            aa += a * c;
            ab += a * d;
            ba += b * c;
            bb += b * d;
        }
    }
    for (out, sum) in out.iter_mut().zip([aa, ab, ba, bb]) {
        *out += sum;
    }
}

/// Inverts a `card × card` matrix and transposes it; false if it is singular or not finite.
///
/// Gauss–Jordan elimination with partial pivoting; `scratch` holds a copy of the matrix.
pub(crate) fn inverse_transpose(
    matrix: &[f64],
    card: usize,
    scratch: &mut [f64],
    out: &mut [f64],
) -> bool {
    if let (2, &[a, b, c, d]) = (card, matrix) {
        let scale = 1.0 / (a * d - b * c);
        out.copy_from_slice(&[d * scale, -c * scale, -b * scale, a * scale]);
        return out.iter().all(|x| x.is_finite());
    }
    let scratch = &mut scratch[..card * card];
    scratch.copy_from_slice(matrix);
    // Columns of `scratch` are eliminated; `out` collects the transposed inverse, so the row
    // operations on the inverse are column operations on it.
    out.fill(0.0);
    for i in 0..card {
        out[i * card + i] = 1.0;
    }
    for col in 0..card {
        let size = |row: usize, scratch: &[f64]| scratch[row * card + col].abs();
        let best = (col..card).max_by(|&a, &b| size(a, scratch).total_cmp(&size(b, scratch)));
        let pivot = best.unwrap_or(col);
        for k in 0..card {
            scratch.swap(col * card + k, pivot * card + k);
            out.swap(k * card + col, k * card + pivot);
        }
        let scale = 1.0 / scratch[col * card + col];
        for k in 0..card {
            scratch[col * card + k] *= scale;
            out[k * card + col] *= scale;
        }
        for row in (0..card).filter(|&row| row != col) {
            let factor = scratch[row * card + col];
            for k in 0..card {
                scratch[row * card + k] -= factor * scratch[col * card + k];
                out[k * card + row] -= factor * out[k * card + col];
            }
        }
    }
    out.iter().all(|x| x.is_finite())
}

/// `out = left · right` for `card × card` matrices.
pub(crate) fn product(left: &[f64], right: &[f64], card: usize, out: &mut [f64]) {
    if let (2, &[a, b, c, d], &[e, f, g, h]) = (card, left, right) {
        out.copy_from_slice(&[a * e + b * g, a * f + b * h, c * e + d * g, c * f + d * h]);
        return;
    }
    for (left, out) in left.chunks_exact(card).zip(out.chunks_exact_mut(card)) {
        out.fill(0.0);
        for (factor, right) in left.iter().zip(right.chunks_exact(card)) {
            for (out, x) in out.iter_mut().zip(right) {
                *out += factor * x;
            }
        }
    }
}

/// Scales the rows of a matrix, and those of its inverse transpose the other way, so that the two
/// are as long as each other.
pub(crate) fn balance(matrix: &mut [f64], inverse: &mut [f64], card: usize) {
    let rows = matrix.chunks_exact_mut(card);
    for (row, inverse) in rows.zip(inverse.chunks_exact_mut(card)) {
        let squared = |row: &[f64]| row.iter().map(|x| x * x).sum::<f64>();
        let scale = (squared(inverse) / squared(row)).sqrt().sqrt();
        if scale.is_finite() && scale > 0.0 {
            row.iter_mut().for_each(|x| *x *= scale);
            inverse.iter_mut().for_each(|x| *x /= scale);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_matrix_times_its_inverse_is_one() {
        for card in 1..6 {
            let entry = |at: usize| ((at * at * 31 + 7 * at + card) % 17) as f64 - 8.2;
            let matrix: Vec<f64> = (0..card * card).map(entry).collect();
            let (mut scratch, mut out) = (vec![0.0; 25], vec![0.0; card * card]);
            assert!(inverse_transpose(&matrix, card, &mut scratch, &mut out));
            for i in 0..card {
                for j in 0..card {
                    let terms = (0..card).map(|k| matrix[i * card + k] * out[j * card + k]);
                    let expected = f64::from(u8::from(i == j));
                    assert!((terms.sum::<f64>() - expected).abs() < 1e-9, "{card}");
                }
            }
            assert!(!inverse_transpose(
                &vec![0.0; card * card],
                card,
                &mut scratch,
                &mut out
            ));
        }
    }
}
