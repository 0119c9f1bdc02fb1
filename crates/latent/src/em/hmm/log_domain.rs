//! Forward and backward recursions in the log domain: slower, and without underflow.

use forney_certify::Budget;
use ndarray::{Array1, Array2, ArrayViewMut2};

/// Whether the budget is found to have ended, at a step at which one looks.
pub(super) fn is_over(budget: &Budget, step: usize) -> bool {
    step.is_multiple_of(256) && budget.stop().is_some()
}

/// `ln p(v)`, from `π`, `A` and the emissions of one sequence; `γ` goes to `gamma`, and the expected
/// transitions are added. `None` if the model excludes the sequence.
pub(super) fn infer(
    (start, a): (&Array1<f64>, &Array2<f64>),
    ln_b: ArrayViewMut2<'_, f64>,
    budget: &Budget,
    mut gamma: ArrayViewMut2<'_, f64>,
    transitions: &mut Array2<f64>,
) -> Option<f64> {
    let (steps, states) = ln_b.dim();
    let ln_a = a.mapv(f64::ln);
    let mut alpha = Array2::zeros((steps, states));
    let mut beta = Array2::<f64>::zeros((steps, states));
    for t in 0..steps {
        if is_over(budget, t) {
            return None;
        }
        for k in 0..states {
            let reach = match t {
                0 => start[k].ln(),
                _ => ln_sum(states, |j| alpha[[t - 1, j]] + ln_a[[j, k]]),
            };
            alpha[[t, k]] = reach + ln_b[[t, k]];
        }
    }
    let ln_p = ln_sum(states, |k| alpha[[steps - 1, k]]);
    if ln_p == f64::NEG_INFINITY {
        return None;
    }
    for t in (0..steps - 1).rev() {
        if is_over(budget, t) {
            return None;
        }
        for j in 0..states {
            beta[[t, j]] = ln_sum(states, |k| {
                ln_a[[j, k]] + ln_b[[t + 1, k]] + beta[[t + 1, k]]
            });
        }
    }
    for t in 0..steps {
        if is_over(budget, t) {
            return None;
        }
        for j in 0..states {
            gamma[[t, j]] = (alpha[[t, j]] + beta[[t, j]] - ln_p).exp();
            for k in (0..states).filter(|_| t + 1 < steps) {
                let ln_pair = alpha[[t, j]] + ln_a[[j, k]] + ln_b[[t + 1, k]] + beta[[t + 1, k]];
                transitions[[j, k]] += (ln_pair - ln_p).exp();
            }
        }
    }
    Some(ln_p)
}

/// `ln Σ_k exp(x(k))`.
fn ln_sum(states: usize, x: impl Fn(usize) -> f64) -> f64 {
    let largest = (0..states).map(&x).fold(f64::NEG_INFINITY, f64::max);
    if largest == f64::NEG_INFINITY {
        return largest;
    }
    largest
        + (0..states)
            .map(|k| (x(k) - largest).exp())
            .sum::<f64>()
            .ln()
}
