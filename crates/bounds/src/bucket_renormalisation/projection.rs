//! Leading vectors of tables without negative entries, which have none either (Perron & Frobenius).

/// Power iterations at most, and the change that ends them. Set by hand, not tuned.
const ITERATIONS: usize = 500;
const TOLERANCE: f64 = 1e-12;

/// Eigenvectors closer to orthogonal than this span no projection that numbers could hold.
const LEAST_OVERLAP: f64 = 1e-12;

/// `ln u`, where `u` is the leading left singular vector of `exp ln`, seen as a matrix with so many
/// rows: the unit vector whose projection `u uᵀ` keeps most of it (Eckart & Young 1936).
///
/// A matrix of zeros gives the uniform vector.
///
/// # Complexity
/// A few hundred multiply-adds for each entry at most.
pub(super) fn singular(ln: &[f64], rows: usize) -> Vec<f64> {
    let Some(matrix) = scaled(ln) else {
        return vec![-0.5 * (rows as f64).ln(); rows];
    };
    let mut right = vec![0.0; ln.len() / rows];
    let u = iterate(vec![1.0; rows], |u, next| {
        times_left(&matrix, u, &mut right);
        times_right(&matrix, &right, next);
    });
    u.into_iter().map(f64::ln).collect()
}

/// `[ln l, ln r]`, where `l` and `r` are the leading left and right eigenvectors of a square matrix
/// `exp ln`, with `l·r = 1`: `r lᵀ` projects on its leading eigenspace.
///
/// `None` if there is no such projection, as for a matrix of zeros.
///
/// # Complexity
/// As [`singular`].
pub(super) fn eigen(ln: &[f64], rows: usize) -> Option<[Vec<f64>; 2]> {
    let matrix = scaled(ln)?;
    // Adding the identity leaves the eigenvectors alone and keeps the iteration from oscillating.
    let left = iterate(vec![1.0; rows], |l, next| {
        times_left(&matrix, l, next);
        add(next, l);
    });
    let right = iterate(vec![1.0; rows], |r, next| {
        times_right(&matrix, r, next);
        add(next, r);
    });
    let overlap: f64 = left.iter().zip(&right).map(|(l, r)| l * r).sum();
    let length = 0.5 * overlap.ln();
    let own = |vector: Vec<f64>| vector.into_iter().map(|x| x.ln() - length).collect();
    (overlap > LEAST_OVERLAP).then(|| [left, right].map(own))
}

/// The matrix with a largest entry of 1; `None` if it is zero.
fn scaled(ln: &[f64]) -> Option<Vec<f64>> {
    let most = ln.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    (most > f64::NEG_INFINITY).then(|| ln.iter().map(|ln| (ln - most).exp()).collect())
}

/// Power iteration: a vector of length 1 that `step` maps to a multiple of itself.
fn iterate(mut vector: Vec<f64>, mut step: impl FnMut(&[f64], &mut [f64])) -> Vec<f64> {
    let mut next = vec![0.0; vector.len()];
    normalise(&mut vector);
    for _ in 0..ITERATIONS {
        step(&vector, &mut next);
        normalise(&mut next);
        let change = vector.iter().zip(&next).map(|(a, b)| (a - b).abs());
        let change = change.fold(0.0, f64::max);
        std::mem::swap(&mut vector, &mut next);
        if change <= TOLERANCE {
            break;
        }
    }
    vector
}

/// Brings a vector to length 1; one of zeros, to which nothing positive is mapped, stays.
fn normalise(vector: &mut [f64]) {
    let most = vector.iter().copied().fold(0.0, f64::max);
    if most > 0.0 {
        let square: f64 = vector.iter().map(|x| (x / most).powi(2)).sum();
        let length = most * square.sqrt();
        for x in vector {
            *x /= length;
        }
    }
}

fn times_right(matrix: &[f64], right: &[f64], out: &mut [f64]) {
    for (out, row) in out.iter_mut().zip(matrix.chunks_exact(right.len())) {
        *out = row.iter().zip(right).map(|(a, b)| a * b).sum();
    }
}

fn times_left(matrix: &[f64], left: &[f64], out: &mut [f64]) {
    out.fill(0.0);
    for (row, u) in matrix.chunks_exact(out.len()).zip(left) {
        for (out, a) in out.iter_mut().zip(row) {
            *out += a * u;
        }
    }
}

fn add(sum: &mut [f64], other: &[f64]) {
    for (sum, x) in sum.iter_mut().zip(other) {
        *sum += x;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn assert_close(ln: &[f64], expected: &[f64]) {
        for (ln, x) in ln.iter().zip(expected) {
            assert!((ln.exp() - x).abs() < 1e-9, "{ln} for {x}");
        }
    }

    #[test]
    fn singular_vectors_keep_a_matrix_of_rank_one_and_most_of_another() {
        let (u, v) = ([0.6f64, 0.0, 0.8], [1.0f64, 3.0]);
        let product: Vec<f64> = u.iter().flat_map(|u| v.map(|v| (u * v).ln())).collect();
        assert_close(&singular(&product, 3), &u);
        // The Gram matrix [[5, 4], [4, 5]] has the leading eigenvector (1, 1).
        let ln = [1.0f64, 2.0, 2.0, 1.0].map(f64::ln);
        assert_close(&singular(&ln, 2), &[0.5f64.sqrt(); 2]);
        assert_close(
            &singular(&[f64::NEG_INFINITY; 6], 3),
            &[3f64.sqrt().recip(); 3],
        );
    }

    #[test]
    fn eigenvectors_are_found_even_of_a_matrix_that_swaps_states() {
        // Eigenvalues 4 and −1; left (1, 1), right (2, 3).
        let [left, right] = eigen(&[1.0, 2.0, 3.0, 2.0].map(f64::ln), 2).unwrap();
        let scale = (left[0] + right[0] - 0.4f64.ln()).abs();
        assert!(scale < 1e-9 && (left[0] - left[1]).abs() < 1e-9);
        assert!((right[1] - right[0] - 1.5f64.ln()).abs() < 1e-9);
        let swap = eigen(&[0.0, 1.0, 1.0, 0.0].map(f64::ln), 2).unwrap();
        assert_close(&swap[0], &[0.5f64.sqrt(); 2]);
        // Nilpotent: left (1, 0) and right (0, 1) are orthogonal, or nearly so when found.
        assert_eq!(eigen(&[f64::NEG_INFINITY; 4], 2), None);
    }
}
