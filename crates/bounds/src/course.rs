//! A refinement that goes on where the clock interrupted it.

use forney_certify::{Budget, Limits, Refine, Run, Stop, Sweep};

/// As [`drive`](forney_certify::drive), in slices of time, and without a copy of the witness at every
/// sweep: one that a NaN objective belongs to proves nothing.
pub(crate) struct Course<R> {
    refine: R,
    trace: Vec<Sweep>,
    /// Why it is over, if it is.
    over: Option<Stop>,
    /// Was an objective NaN?
    void: bool,
}

impl<R: Refine> Course<R> {
    pub(crate) fn new(refine: R) -> Self {
        Self {
            refine,
            trace: Vec::new(),
            over: None,
            void: false,
        }
    }

    pub(crate) fn refine(&self) -> &R {
        &self.refine
    }

    pub(crate) fn refine_mut(&mut self) -> &mut R {
        &mut self.refine
    }

    /// Sweeps until converged or out of budget.
    pub(crate) fn go_on(&mut self, limits: &Limits, budget: &Budget) {
        while self.over.is_none() && budget.stop().is_none() {
            if limits.sweeps.is_some_and(|most| self.trace.len() >= most) {
                self.over = Some(Stop::SweepLimit);
                break;
            }
            let value = self.refine.sweep();
            if value.is_nan() {
                self.over = Some(Stop::Interrupted);
                self.void = true;
                break;
            }
            let before = self.trace.last().map(|sweep| sweep.value);
            self.trace.push(Sweep {
                number: self.trace.len() + 1,
                value,
                elapsed_s: budget.elapsed().as_secs_f64(),
            });
            // An objective that stays at −∞ has a NaN difference: it has not converged.
            if before.is_some_and(|before| (value - before).abs() <= limits.tolerance) {
                self.over = Some(Stop::Converged);
            }
        }
    }

    pub(crate) fn is_over(&self) -> bool {
        self.over.is_some()
    }

    /// Sweeps so far.
    pub(crate) fn sweeps(&self) -> usize {
        self.trace.len()
    }

    /// The objective after the last sweep, `−∞` if that was NaN; `None` before the first.
    pub(crate) fn value(&self) -> Option<f64> {
        match self.void {
            true => Some(f64::NEG_INFINITY),
            false => self.trace.last().map(|sweep| sweep.value),
        }
    }

    /// The witness as it stands now.
    pub(crate) fn point(&self) -> R::Point {
        self.refine.point()
    }

    /// What there is to report, where `budget` ended what is not over.
    pub(crate) fn report(self, budget: &Budget) -> Run<R::Point> {
        Run {
            point: self.refine.point(),
            trace: self.trace,
            stop: (self.over.or(budget.stop())).unwrap_or(Stop::Interrupted),
        }
    }
}
