//! Forward and backward recursions in scaled arithmetic.

use forney_certify::Budget;
use ndarray::linalg::general_mat_mul;
use ndarray::{Array1, Array2, ArrayView1, ArrayView2, ArrayViewMut2, Axis, s};

use super::log_domain::{self, is_over};

/// Below this, a transition is so rare that a state lost to underflow may have been the only way.
const RARE: f64 = 1e-100;

/// `π` and `A`, with what the recursions need of them.
pub(super) struct Chain {
    start: Array1<f64>,
    transitions: Array2<f64>,
    /// Is some start or transition below [`RARE`]?
    rare: bool,
}

/// The arrays of one sequence, kept for the next.
#[derive(Default)]
pub(super) struct Scratch {
    /// Normalised `α_t`, then `γ_t`; `T × K`.
    alpha: Array2<f64>,
    /// `b_t ∘ β_t`, scaled; `T × K`.
    arrive: Array2<f64>,
}

/// What the recursions find.
pub(super) struct Found<'s> {
    /// `ln p(v)`, in nats.
    pub(super) ln_p: f64,
    /// `γ_t(k)`, `T × K`.
    pub(super) states: ArrayView2<'s, f64>,
}

impl Chain {
    pub(super) fn new(start: &Array1<f64>, transitions: &Array2<f64>) -> Self {
        Self {
            start: start.clone(),
            transitions: transitions.clone(),
            rare: start.iter().chain(transitions).any(|&p| p < RARE),
        }
    }

    /// `ln p(v)` and the posterior of the states of one sequence with emissions `ln_b`, `T × K`, which
    /// are overwritten; adds the expected number of transitions to `transitions`. `None` if the model
    /// excludes the sequence, or the budget has ended.
    ///
    /// `α_t` is divided by its sum `c_t` and `b_t` by its largest reachable entry `e^{m_t}`, so that
    /// `ln p(v) = Σ_t (ln c_t + m_t)`. Where a state is lost to underflow though it may matter later,
    /// the recursions are repeated in the log domain.
    pub(super) fn infer<'s>(
        &self,
        mut ln_b: ArrayViewMut2<'_, f64>,
        budget: &Budget,
        scratch: &'s mut Scratch,
        transitions: &mut Array2<f64>,
    ) -> Option<Found<'s>> {
        let (steps, states) = ln_b.dim();
        if scratch.alpha.nrows() < steps || scratch.alpha.ncols() != states {
            scratch.alpha = Array2::zeros((steps, states));
            scratch.arrive = Array2::zeros((steps, states));
        }
        let mut alpha = scratch.alpha.slice_mut(s![..steps, ..]);
        let mut arrive = scratch.arrive.slice_mut(s![..steps, ..]);
        let forward = self.forward(ln_b.view(), budget, alpha.view_mut(), arrive.view_mut());
        let ln_p = match forward {
            _ if budget.stop().is_some() => return None,
            Some(ln_p) => {
                self.backward(budget, alpha, arrive, transitions);
                ln_p
            }
            None => {
                let parameters = (&self.start, &self.transitions);
                log_domain::infer(parameters, ln_b.view_mut(), budget, alpha, transitions)?
            }
        };
        Some(Found {
            ln_p,
            states: scratch.alpha.slice(s![..steps, ..]),
        })
    }

    /// Sets `α` and the scaled `b`; `None` if arithmetic without logarithms does not suffice.
    fn forward(
        &self,
        ln_b: ArrayView2<'_, f64>,
        budget: &Budget,
        mut alpha: ArrayViewMut2<'_, f64>,
        mut b: ArrayViewMut2<'_, f64>,
    ) -> Option<f64> {
        let mut ln_p = 0.0;
        let mut reach = self.start.clone();
        for (t, ln_b) in ln_b.rows().into_iter().enumerate() {
            if is_over(budget, t) {
                return None;
            }
            let largest = ln_b
                .iter()
                .zip(&reach)
                .filter(|(_, reach)| **reach > 0.0)
                .fold(f64::NEG_INFINITY, |largest, (x, _)| largest.max(*x));
            if largest == f64::NEG_INFINITY {
                return None;
            }
            let mut alpha_t = alpha.row_mut(t);
            let mut b = b.row_mut(t);
            let mut sum = 0.0;
            for k in 0..reach.len() {
                b[k] = if reach[k] > 0.0 {
                    (ln_b[k] - largest).exp()
                } else {
                    0.0
                };
                alpha_t[k] = reach[k] * b[k];
                sum += alpha_t[k];
                let lost = alpha_t[k] == 0.0 && reach[k] > 0.0 && ln_b[k] > f64::NEG_INFINITY;
                if lost && self.rare {
                    return None;
                }
            }
            alpha_t /= sum;
            b /= sum;
            ln_p += largest + sum.ln();
            reach.fill(0.0);
            for (alpha, row) in alpha_t.iter().zip(self.transitions.rows()) {
                reach.scaled_add(*alpha, &row);
            }
        }
        Some(ln_p)
    }

    /// Turns `α` into `γ` and `b` into `b ∘ β`, and adds the expected transitions.
    fn backward(
        &self,
        budget: &Budget,
        mut alpha: ArrayViewMut2<'_, f64>,
        mut arrive: ArrayViewMut2<'_, f64>,
        transitions: &mut Array2<f64>,
    ) {
        let (steps, states) = alpha.dim();
        let mut beta = Array1::<f64>::ones(states);
        for t in (0..steps).rev() {
            if is_over(budget, t) {
                return;
            }
            if t + 1 < steps {
                let next = arrive.row(t + 1);
                for (beta, row) in beta.iter_mut().zip(self.transitions.rows()) {
                    *beta = row.dot(&next);
                }
            }
            let mut arrive = arrive.row_mut(t);
            arrive *= &beta;
        }
        let mut pairs = Array2::zeros((states, states));
        let (before, after) = (alpha.slice(s![..steps - 1, ..]), arrive.slice(s![1.., ..]));
        general_mat_mul(1.0, &before.t(), &after, 0.0, &mut pairs);
        *transitions += &(&pairs * &self.transitions);
        for (t, mut gamma) in alpha.axis_iter_mut(Axis(0)).enumerate() {
            if t + 1 < steps {
                let next: ArrayView1<'_, f64> = arrive.row(t + 1);
                for (gamma, row) in gamma.iter_mut().zip(self.transitions.rows()) {
                    *gamma *= row.dot(&next);
                }
            }
            let sum = gamma.sum();
            gamma /= sum;
        }
    }
}
