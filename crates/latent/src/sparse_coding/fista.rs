//! FISTA: A. Beck, M. Teboulle, *A fast iterative shrinkage-thresholding algorithm* (2009), restarted
//! where the momentum points uphill: B. O'Donoghue, E. Candès, *Adaptive restart* (2015).

use super::dense::Dense;
use super::lasso::{Example, Lasso};

/// Steps between two looks at the duality gap.
const STEPS_PER_LOOK: usize = 10;

/// The extrapolated point, reused from example to example.
#[derive(Clone, Debug, Default)]
pub(super) struct Momentum {
    point: Vec<f64>,
    gradient: Vec<f64>,
    indices: Vec<usize>,
    values: Vec<f64>,
}

forney_exact::dispatch! {
    /// Accelerated proximal gradient steps of length `1/lipschitz` until the relative duality gap
    /// is at most `tolerance`; false if `max_steps` did not suffice.
    pub(super) fn solve(
        lasso: &Lasso,
        example: Example<'_>,
        lipschitz: f64,
        tolerance: f64,
        max_steps: usize,
        state: &mut Dense,
        momentum: &mut Momentum,
    ) -> bool {
        if state.gap(lasso, example).relative <= tolerance {
            return true;
        }
        momentum.point.clone_from(&state.x);
        let mut t = 1.0_f64;
        for step in 1..=max_steps {
            momentum.differentiate(lasso, example.c);
            let t_next = f64::midpoint(1.0, (1.0 + 4.0 * t * t).sqrt());
            let weight = (t - 1.0) / t_next;
            t = t_next;
            // (y − x⁺)·(x⁺ − x) > 0: the step goes against the momentum.
            let mut uphill = 0.0;
            let Momentum { point, gradient, .. } = &mut *momentum;
            for ((x, y), r) in state.x.iter_mut().zip(point).zip(gradient) {
                let new = lasso.shrink(*y + *r / lipschitz, lasso.lambda / lipschitz);
                uphill += (*y - new) * (new - *x);
                *y = new + weight * (new - *x);
                *x = new;
            }
            if uphill > 0.0 {
                t = 1.0;
                momentum.point.clone_from(&state.x);
            }
            if step % STEPS_PER_LOOK == 0 || step == max_steps {
                state.collect();
                state.correlate(lasso, example.c);
                if state.gap(lasso, example).relative <= tolerance {
                    return true;
                }
            }
        }
        false
    }
}

impl Momentum {
    /// The correlations `c − G y` of the residual at the extrapolated point.
    #[inline(always)]
    fn differentiate(&mut self, lasso: &Lasso, c: &[f64]) {
        self.indices.clear();
        self.values.clear();
        for (k, &y) in self.point.iter().enumerate() {
            if y != 0.0 {
                self.indices.push(k);
                self.values.push(-y);
            }
        }
        lasso.correlate(c, &self.indices, &self.values, &mut self.gradient);
    }
}
