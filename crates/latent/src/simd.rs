//! Kernels over flat slices, to be inlined into the bodies of [`dispatch!`](forney_exact::dispatch!).

/// Independent partial sums of [`dot`]: their order is fixed, whatever the vector width. A length
/// that is a multiple leaves no remainder.
pub(crate) const LANES: usize = 8;

/// `x · y`.
#[inline(always)]
pub(crate) fn dot(x: &[f64], y: &[f64]) -> f64 {
    let len = x.len().min(y.len());
    let (x, x_rest) = x[..len].as_chunks::<LANES>();
    let (y, y_rest) = y[..len].as_chunks::<LANES>();
    let mut sums = [0.0; LANES];
    for (x, y) in x.iter().zip(y) {
        for ((sum, x), y) in sums.iter_mut().zip(x).zip(y) {
            *sum += x * y;
        }
    }
    let rest: f64 = x_rest.iter().zip(y_rest).map(|(x, y)| x * y).sum();
    sums.iter().sum::<f64>() + rest
}

/// `y ← y + a x`.
#[inline(always)]
pub(crate) fn axpy(a: f64, x: &[f64], y: &mut [f64]) {
    for (y, x) in y.iter_mut().zip(x) {
        *y += a * x;
    }
}

/// `y ← y + Σ_i a_i x_i`.
#[inline(always)]
pub(crate) fn add_four(x: [&[f64]; 4], a: [f64; 4], y: &mut [f64]) {
    let [x0, x1, x2, x3] = x;
    for ((((y, x0), x1), x2), x3) in y.iter_mut().zip(x0).zip(x1).zip(x2).zip(x3) {
        *y += (a[0] * x0 + a[1] * x1) + (a[2] * x2 + a[3] * x3);
    }
}

/// `y ← y + Σ_i a_i M[rows_i, :]` for a row-major matrix `M` with rows as long as `y`.
///
/// Four rows at a time, so that `y` is loaded and stored a quarter as often.
#[inline(always)]
pub(crate) fn add_rows(matrix: &[f64], rows: &[usize], a: &[f64], y: &mut [f64]) {
    let len = y.len();
    let row = |i: usize| &matrix[i * len..(i + 1) * len];
    let (quads, rest) = rows.as_chunks::<4>();
    let (factors, factors_rest) = a.as_chunks::<4>();
    for (i, a) in quads.iter().zip(factors) {
        add_four(i.map(row), *a, y);
    }
    for (&i, &a) in rest.iter().zip(factors_rest) {
        axpy(a, row(i), y);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kernels_agree_with_plain_sums_at_every_remainder() {
        for len in 0..40 {
            let x: Vec<f64> = (0..len).map(|i| f64::from(i).sin()).collect();
            let y: Vec<f64> = (0..len).map(|i| f64::from(i).cos()).collect();
            let plain: f64 = x.iter().zip(&y).map(|(x, y)| x * y).sum();
            assert!((dot(&x, &y) - plain).abs() < 1e-13);

            let matrix: Vec<f64> = (0..7 * len).map(|i| f64::from(i).sqrt()).collect();
            let (rows, a) = ([6, 0, 3, 1, 5], [1.0, -2.0, 0.5, 3.0, -1.0]);
            let mut sum = y.clone();
            add_rows(&matrix, &rows, &a, &mut sum);
            for (i, sum) in sum.iter().enumerate() {
                let terms = rows.iter().zip(a);
                let terms: f64 = terms.map(|(r, a)| a * matrix[r * len as usize + i]).sum();
                assert!((sum - y[i] - terms).abs() < 1e-12);
            }
        }
    }
}
