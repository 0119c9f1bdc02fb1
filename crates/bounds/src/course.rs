//! Refinements that go on where the clock interrupted them, and the best of many.

use forney_certify::{Budget, Limits, Refine, Run, Stop, Sweep};
use rayon::prelude::*;

/// A refinement whose objective is known before the first sweep.
pub trait Start: Refine + Send {
    /// What comes before the first sweep, such as cooling; true once that is done.
    fn prepare(&mut self, _: &Budget) -> bool {
        true
    }

    /// The objective of [`point`](Refine::point), in nats.
    fn value(&mut self) -> f64;
}

/// As [`drive`](forney_certify::drive), in slices of time, and without a copy of the witness at every
/// sweep: one that a NaN objective belongs to proves nothing.
struct Course<R> {
    refine: R,
    trace: Vec<Sweep>,
    /// Why it is over, if it is.
    over: Option<Stop>,
}

impl<R: Start> Course<R> {
    /// Sweeps until converged or out of budget, so many times at most.
    fn go_on(&mut self, limits: &Limits, most: usize, budget: &Budget) {
        if !self.refine.prepare(budget) {
            return;
        }
        let most = self.trace.len().saturating_add(most);
        while self.over.is_none() && self.trace.len() < most && budget.stop().is_none() {
            if limits.sweeps.is_some_and(|most| self.trace.len() >= most) {
                self.over = Some(Stop::SweepLimit);
                break;
            }
            let value = self.refine.sweep();
            if value.is_nan() {
                self.over = Some(Stop::Diverged);
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

    /// The objective now, `−∞` if it was NaN.
    fn value(&mut self) -> f64 {
        match self.trace.last() {
            _ if self.over == Some(Stop::Diverged) => f64::NEG_INFINITY,
            Some(sweep) => sweep.value,
            None => self.refine.value(),
        }
    }
}

/// Starts side by side, and the best of those that are over.
pub struct Courses<R: Refine> {
    limits: Limits,
    open: Vec<Course<R>>,
    /// With its objective.
    best: Option<(f64, Run<R::Point>)>,
    /// Did the number of sweeps end any, which may have become better?
    cut_short: bool,
    sweeps: usize,
    /// No sweep begins after so many.
    most: usize,
}

impl<R: Start> Courses<R> {
    /// Nothing is begun; each course ends by these limits.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        Self {
            limits,
            open: Vec::new(),
            best: None,
            cut_short: false,
            sweeps: 0,
            most: usize::MAX,
        }
    }

    /// Ends after so many sweeps in all, whatever is under way.
    pub fn limit(&mut self, sweeps: usize) {
        self.most = sweeps;
    }

    /// Begins one more.
    pub fn begin(&mut self, refine: R) {
        self.open.push(Course {
            refine,
            trace: Vec::new(),
            over: None,
        });
    }

    /// Goes on with those that are under way until they are over, or the budget is; true if all are.
    pub fn go_on(&mut self, budget: &Budget) -> bool {
        let (limits, left) = (self.limits, self.most.saturating_sub(self.sweeps));
        let sweeps = self.open.par_iter_mut().map(|course| {
            let before = course.trace.len();
            course.go_on(&limits, left, budget);
            course.trace.len() - before
        });
        self.sweeps += sweeps.max().unwrap_or(0);
        let (over, open) = (self.open.drain(..)).partition(|course| course.over.is_some());
        self.open = open;
        self.close(over, budget);
        self.open.is_empty()
    }

    /// Keeps the best of these, the earlier one of equals.
    fn close(&mut self, courses: Vec<Course<R>>, budget: &Budget) {
        for mut course in courses {
            self.cut_short |= course.over == Some(Stop::SweepLimit);
            let value = course.value();
            if self.best.as_ref().is_none_or(|&(best, _)| value > best) {
                let run = Run {
                    point: course.refine.point(),
                    trace: course.trace,
                    stop: (course.over.or(budget.stop())).unwrap_or(Stop::Interrupted),
                };
                self.best = Some((value, run));
            }
        }
    }

    /// Sweeps so far; those of starts side by side count once.
    #[must_use]
    pub fn sweeps(&self) -> usize {
        self.sweeps
    }

    /// The best point of all, over or under way, with its objective in nats, if that is above what is known.
    pub fn better_than(&mut self, known: f64) -> Option<(f64, R::Point)> {
        let over = self.best.as_ref().filter(|&&(value, _)| value > known);
        let mut best = over.map_or(known, |&(value, _)| value);
        let mut ahead = None;
        for course in &mut self.open {
            let value = course.value();
            if value > best {
                best = value;
                ahead = Some(&*course);
            }
        }
        match ahead {
            Some(course) => Some((best, course.refine.point())),
            None => over.map(|(value, run)| (*value, run.point.clone())),
        }
    }

    /// The best of all as it stands; `None` if there was none.
    #[must_use]
    pub fn finish(mut self, budget: &Budget) -> Option<Run<R::Point>> {
        let open = std::mem::take(&mut self.open);
        self.close(open, budget);
        let (_, mut run) = self.best?;
        if self.cut_short && run.stop == Stop::Converged {
            run.stop = Stop::SweepLimit;
        }
        Some(run)
    }
}
