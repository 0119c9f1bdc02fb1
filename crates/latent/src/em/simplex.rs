//! Discrete distributions: checks, draws, and their logits.

use ndarray::{Array2, ArrayView1};
use rand::{Rng, RngExt};

use crate::LatentError;
use crate::check::{finite_vector, within};

/// A sum may differ from 1 by this much.
const SLACK: f64 = 1e-6;

/// Refuses what is not a distribution.
pub(super) fn check_distribution(
    what: &'static str,
    p: ArrayView1<'_, f64>,
) -> Result<(), LatentError> {
    finite_vector(what, p)?;
    for &x in p {
        within(what, "probabilities", x, x >= 0.0)?;
    }
    let sum = p.sum();
    within(
        what,
        "probabilities that sum to 1",
        sum,
        (sum - 1.0).abs() <= SLACK,
    )
}

/// Draws a state.
pub(super) fn draw(p: ArrayView1<'_, f64>, rng: &mut impl Rng) -> usize {
    let mut left = rng.random::<f64>() * p.sum();
    let drawn = p.iter().position(|p| {
        left -= p;
        left < 0.0
    });
    // Rounding may leave a rest; it goes to the last state that is possible.
    drawn
        .or_else(|| p.iter().rposition(|&p| p > 0.0))
        .unwrap_or(0)
}

/// A distribution drawn uniformly from the simplex.
pub(super) fn draw_distribution(states: usize, rng: &mut impl Rng) -> Vec<f64> {
    let draws: Vec<f64> = (0..states)
        .map(|_| -(1.0 - rng.random::<f64>()).ln() + 1e-3)
        .collect();
    let sum: f64 = draws.iter().sum();
    draws.into_iter().map(|x| x / sum).collect()
}

/// `Σ_i n_i ln p_i` with `0 ln 0 = 0`, in nats.
pub(super) fn ln_expectation(counts: ArrayView1<'_, f64>, p: ArrayView1<'_, f64>) -> f64 {
    counts
        .iter()
        .zip(p)
        .map(|(&n, &p)| if n == 0.0 { 0.0 } else { n * p.ln() })
        .sum()
}

/// Counts and probabilities, row by row.
fn pairs<'a>(
    counts: &'a Array2<f64>,
    p: &'a Array2<f64>,
) -> impl Iterator<Item = (ArrayView1<'a, f64>, ArrayView1<'a, f64>)> {
    counts.rows().into_iter().zip(p.rows())
}

/// [`ln_expectation`] of distributions in rows.
pub(super) fn ln_expectations(counts: &Array2<f64>, p: &Array2<f64>) -> f64 {
    pairs(counts, p).map(|(n, p)| ln_expectation(n, p)).sum()
}

/// `p_i ∝ exp(x_i)`; `None` if no logit is finite or one is NaN or `+∞`.
pub(super) fn softmax(logits: &[f64]) -> Option<Vec<f64>> {
    let largest = logits.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let sum: f64 = logits.iter().map(|x| (x - largest).exp()).sum();
    // NaN compares as false.
    (sum >= 1.0).then(|| logits.iter().map(|x| (x - largest).exp() / sum).collect())
}

/// `∂/∂x_i Σ_j n_j ln softmax(x)_j = n_i − p_i Σ_j n_j`.
pub(super) fn logit_gradient(counts: ArrayView1<'_, f64>, p: ArrayView1<'_, f64>) -> Vec<f64> {
    let total = counts.sum();
    counts.iter().zip(p).map(|(n, p)| n - p * total).collect()
}

/// [`logit_gradient`] of distributions in rows.
pub(super) fn logit_gradients(counts: &Array2<f64>, p: &Array2<f64>) -> Vec<f64> {
    pairs(counts, p)
        .flat_map(|(n, p)| logit_gradient(n, p))
        .collect()
}

/// Each row of counts as a distribution; that of `before`, where nothing was counted.
pub(super) fn normalised_rows(counts: &Array2<f64>, before: &Array2<f64>) -> Array2<f64> {
    let mut rows = before.clone();
    for (mut row, counts) in rows.rows_mut().into_iter().zip(counts.rows()) {
        let sum = counts.sum();
        if sum > 0.0 {
            // Counts that were replaced may leave a rounding error below 0.
            row.assign(&counts.mapv(|n| n.max(0.0)));
            row /= row.sum();
        }
    }
    rows
}

/// A distribution of each row of logits.
pub(super) fn softmax_rows(logits: &[f64], dim: (usize, usize)) -> Option<Array2<f64>> {
    let rows: Option<Vec<Vec<f64>>> = logits.chunks_exact(dim.1).map(softmax).collect();
    Array2::from_shape_vec(dim, rows?.concat()).ok()
}
