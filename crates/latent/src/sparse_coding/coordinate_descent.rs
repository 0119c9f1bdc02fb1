//! Cyclic coordinate descent on the Gram matrix, with an active set: J. Friedman, T. Hastie,
//! R. Tibshirani, *Regularization paths for generalized linear models via coordinate descent* (2010).

use super::dense::Dense;
use super::lasso::{Example, Lasso};
use crate::simd::axpy;

/// Passes over the non-zeros between two passes over all coefficients.
const INNER_PASSES: usize = 20;

forney_exact::dispatch! {
    /// Minimises coefficient after coefficient until the relative duality gap is at most
    /// `tolerance`; false if `max_steps` passes over all coefficients did not suffice.
    pub(super) fn solve(
        lasso: &Lasso,
        example: Example<'_>,
        tolerance: f64,
        max_steps: usize,
        state: &mut Dense,
    ) -> bool {
        for _ in 0..max_steps {
            for k in 0..lasso.atoms {
                update(lasso, k, state);
            }
            state.collect();
            for _ in 0..INNER_PASSES {
                let mut largest = 0.0_f64;
                for place in 0..state.indices.len() {
                    largest = largest.max(update(lasso, state.indices[place], state));
                }
                if largest <= tolerance * lasso.lambda {
                    break;
                }
            }
            // Fresh correlations: those kept up to date gather rounding errors.
            state.collect();
            state.correlate(lasso, example.c);
            if state.gap(lasso, example).relative <= tolerance {
                return true;
            }
        }
        false
    }
}

/// Minimises over coefficient `k` and returns how far its correlation moved.
#[inline(always)]
fn update(lasso: &Lasso, k: usize, state: &mut Dense) -> f64 {
    let curvature = lasso.diagonal[k];
    if curvature == 0.0 {
        return 0.0;
    }
    let old = state.x[k];
    let new = lasso.shrink(state.r[k] + curvature * old, lasso.lambda) / curvature;
    let step = new - old;
    if step != 0.0 {
        state.x[k] = new;
        axpy(-step, lasso.row(k), &mut state.r);
    }
    step.abs() * curvature
}
