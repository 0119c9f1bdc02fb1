//! The exact posterior, by enumeration of all states.

use forney_exact::vmath::exp_scaled;
use ndarray::{Array2, ArrayView2};

use super::e_step::{EStep, Posteriors, Problem};
use crate::LatentError;

/// The most units that are enumerated: `2^20` states.
pub const MAX_UNITS: usize = 20;

/// `q = p(h | v)` exactly, over all `2^H` states; the bound is `ln p(v)`.
///
/// # Complexity
/// `O(2^H)` for each example and `O(H 2^H)` for each block of them; memory `O(2^H)`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Exact;

impl EStep for Exact {
    fn name(&self) -> &'static str {
        "exact"
    }

    fn infer(&self, problem: &Problem<'_>) -> Result<Posteriors, LatentError> {
        let (examples, units) = problem.fields.dim();
        let pairs = pair_terms(problem.couplings)?;
        let mut means = Array2::zeros((examples, units));
        let mut total = vec![0.0; pairs.len()];
        let (mut ln, mut p) = (vec![0.0; pairs.len()], vec![0.0; pairs.len()]);
        let mut entropy = 0.0;
        for (field, mut mean) in problem.fields.rows().into_iter().zip(means.rows_mut()) {
            if problem.is_over() {
                break;
            }
            entropy += normalise(field.iter().copied(), &pairs, &mut ln, &mut p);
            for (total, p) in total.iter_mut().zip(&p) {
                *total += p;
            }
            marginals(&mut p, mean.iter_mut());
        }
        Ok(Posteriors {
            means,
            second: pair_marginals(total, units),
            entropy,
        })
    }
}

/// `−Σ_{i<j} G_ij h_i h_j` of every state; bit `i` of the index is `h_i`.
pub(super) fn pair_terms(couplings: ArrayView2<'_, f64>) -> Result<Vec<f64>, LatentError> {
    let units = couplings.nrows();
    if units > MAX_UNITS {
        return Err(LatentError::TooManyUnits {
            method: "the enumeration of all states",
            units,
            limit: MAX_UNITS,
        });
    }
    let mut terms = vec![0.0; 1 << units];
    // Unit i joins each state of the units before it; `join[s] = Σ_{j in s} G_ij`.
    let mut join = vec![0.0; 1 << units.saturating_sub(1)];
    for i in 0..units {
        for j in 0..i {
            for s in 0..1 << j {
                join[(1 << j) + s] = join[s] + couplings[[i, j]];
            }
        }
        let (before, with) = terms.split_at_mut(1 << i);
        for ((with, before), join) in with.iter_mut().zip(before).zip(&join) {
            *with = *before - join;
        }
    }
    Ok(terms)
}

/// Fills `p` with the posterior probabilities of all states; returns their entropy, in nats.
pub(super) fn normalise(
    field: impl Iterator<Item = f64>,
    pairs: &[f64],
    ln: &mut [f64],
    p: &mut [f64],
) -> f64 {
    ln[0] = 0.0;
    for (i, field) in field.enumerate() {
        let (before, with) = ln.split_at_mut(1 << i);
        for (with, before) in with.iter_mut().zip(before) {
            *with = *before + field;
        }
    }
    for (ln, pair) in ln.iter_mut().zip(pairs) {
        *ln += pair;
    }
    let most = ln.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    exp_scaled(ln, 1.0, most, p);
    let sum: f64 = p.iter().sum();
    for p in &mut *p {
        *p /= sum;
    }
    // Relative to the most probable state, so that nothing large cancels.
    let energy: f64 = ln.iter().zip(&*p).map(|(ln, p)| (ln - most) * p).sum();
    sum.ln() - energy
}

/// `P(h_i = 1)` of every unit, folding the table in half once for each; `p` is lost.
pub(super) fn marginals<'a>(
    p: &mut [f64],
    means: impl DoubleEndedIterator<Item = &'a mut f64> + ExactSizeIterator,
) {
    for (i, mean) in means.enumerate().rev() {
        let (without, with) = p[..2 << i].split_at_mut(1 << i);
        *mean = with.iter().sum();
        for (without, with) in without.iter_mut().zip(with) {
            *without += *with;
        }
    }
}

/// `P(h_i = h_j = 1)` of all pairs: entry `s` of `p` becomes the sum over all states that contain `s`.
pub(super) fn pair_marginals(mut p: Vec<f64>, units: usize) -> Array2<f64> {
    for i in 0..units {
        for pair in p.chunks_exact_mut(2 << i) {
            let (without, with) = pair.split_at_mut(1 << i);
            for (without, with) in without.iter_mut().zip(with) {
                *without += *with;
            }
        }
    }
    Array2::from_shape_fn((units, units), |(i, j)| p[(1 << i) | (1 << j)])
}
