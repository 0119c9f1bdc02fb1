//! The best bounds so far, shared by everything that runs.

use std::sync::{Mutex, PoisonError};

use forney_certify::{Above, Below, Bound, Bracket, Budget, Crossed, Lower, Side, Stop, Upper};

use crate::BoundError;
use crate::options::{Activity, BoundReport, Progress};

/// The pace to assume before any was measured, in seconds for each clique entry.
const FIRST_PACE: f64 = 1e-8;

/// Called at every proved improvement.
pub type Watch<'w> = dyn FnMut(&Progress) + Send + 'w;

/// Collects verified bounds from all threads and reports each improvement.
pub struct Board<'w> {
    budget: Budget,
    inner: Mutex<Inner<'w>>,
}

pub struct Inner<'w> {
    lower: Held<Below>,
    upper: Held<Above>,
    ibound: usize,
    exact: bool,
    peak_bytes: f64,
    crossed: Option<Crossed>,
    pace: f64,
    activity: Activity,
    refused: Option<BoundError>,
    watch: &'w mut Watch<'w>,
}

impl<'w> Board<'w> {
    /// Nothing is proved yet.
    pub fn new(budget: &Budget, watch: &'w mut Watch<'w>) -> Self {
        let inner = Inner {
            lower: Held::default(),
            upper: Held::default(),
            ibound: 0,
            exact: false,
            peak_bytes: 0.0,
            crossed: None,
            pace: FIRST_PACE,
            activity: Activity::Ordering,
            refused: None,
            watch,
        };
        Self {
            budget: budget.clone(),
            inner: Mutex::new(inner),
        }
    }

    /// Runs `change` under the lock; a watcher that panicked elsewhere does not lose the bounds.
    fn with<T>(&self, change: impl FnOnce(&mut Inner<'w>) -> T) -> T {
        change(&mut self.inner.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Enters a bound that was just verified.
    pub fn post<S: Post>(&self, bound: Bound<S>, method: &'static str) {
        self.with(|inner| {
            // Beside the exact value another digit is rounding.
            if inner.exact {
                return;
            }
            let held = S::held(inner);
            held.entered.tighten(bound);
            if !held.bound.tighten(bound) {
                return;
            }
            held.method = method;
            if let Err(crossed) = Bracket::new(inner.lower.bound, inner.upper.bound) {
                inner.crossed = Some(crossed);
            }
            let progress = inner.progress(self.budget.elapsed().as_secs_f64(), true);
            (inner.watch)(&progress);
        });
    }

    /// Enters `ln Z` itself.
    pub(crate) fn post_exact(&self, lower: Lower, upper: Upper, width: usize) {
        self.with(|inner| {
            // The exact value replaces bounds that rounding has put on its other side.
            inner.exact = true;
            inner.ibound = inner.ibound.max(width);
            let outside = Bracket::new(inner.lower.bound, upper);
            let outside = outside.and(Bracket::new(lower, inner.upper.bound));
            inner.crossed = inner.crossed.or(outside.err());
            (inner.lower.bound, inner.upper.bound) = (lower, upper);
            (inner.lower.method, inner.upper.method) = ("exact", "exact");
            let progress = inner.progress(self.budget.elapsed().as_secs_f64(), true);
            (inner.watch)(&progress);
        });
    }

    /// Tells the watcher what is going on now.
    pub(crate) fn say(&self, activity: Activity) {
        self.with(|inner| {
            if std::mem::replace(&mut inner.activity, activity) != activity {
                let progress = inner.progress(self.budget.elapsed().as_secs_f64(), false);
                (inner.watch)(&progress);
            }
        });
    }

    /// Notes what could not run.
    pub(crate) fn refuse(&self, error: BoundError) {
        self.with(|inner| inner.refused = Some(error));
    }

    /// Notes the bytes that tables take at once, by prediction.
    pub(crate) fn note_bytes(&self, bytes: f64) {
        self.with(|inner| inner.peak_bytes = inner.peak_bytes.max(bytes));
    }

    pub(crate) fn begin(&self, ibound: usize, bytes: f64) {
        self.with(|inner| {
            inner.ibound = inner.ibound.max(ibound);
            inner.peak_bytes = inner.peak_bytes.max(bytes);
        });
    }

    /// Counts gradient evaluations on one side.
    pub fn count<S: Post>(&self, evaluations: usize) {
        self.with(|inner| S::held(inner).evaluations += evaluations);
    }

    /// Notes how long evaluations took, in seconds for each clique entry.
    pub(crate) fn note_pace(&self, seconds_per_entry: f64) {
        self.with(|inner| {
            if seconds_per_entry > 0.0 && seconds_per_entry.is_finite() {
                inner.pace += 0.3 * (seconds_per_entry - inner.pace);
            }
        });
    }

    /// Seconds for each clique entry of an evaluation, as lately measured.
    pub(crate) fn pace(&self) -> f64 {
        self.with(|inner| inner.pace)
    }

    /// Gradient evaluations on one side so far.
    #[must_use]
    pub fn counted<S: Post>(&self) -> usize {
        self.with(|inner| S::held(inner).evaluations)
    }

    /// The best bound of one side so far.
    pub(crate) fn best<S: Post>(&self) -> Bound<S> {
        self.with(|inner| S::held(inner).bound)
    }

    /// What proved the best bound of one side.
    pub(crate) fn method<S: Post>(&self) -> &'static str {
        self.with(|inner| S::held(inner).method)
    }

    /// The best lower bound that was entered since the last call, whether or not others are tighter; `−∞` if
    /// there was none.
    pub(crate) fn take_entered(&self) -> f64 {
        self.with(|inner| std::mem::replace(&mut inner.lower.entered, Lower::trivial()).ln())
    }

    /// Is `ln Z` itself known?
    pub(crate) fn is_exact(&self) -> bool {
        self.with(|inner| inner.exact)
    }

    /// `upper − lower` so far.
    pub(crate) fn gap(&self) -> f64 {
        self.with(|inner| {
            let (lower, upper) = (inner.lower.bound.ln(), inner.upper.bound.ln());
            if lower >= upper { 0.0 } else { upper - lower }
        })
    }

    pub(crate) fn report(self, stop: Stop) -> Result<BoundReport, Crossed> {
        let inner = self
            .inner
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(crossed) = inner.crossed {
            return Err(crossed);
        }
        let (lower, upper) = (inner.lower, inner.upper);
        let bracket = Bracket::new(lower.bound, upper.bound)?;
        // An upper bound of −∞ is exact: no assignment is allowed.
        let impossible = upper.bound.ln() == f64::NEG_INFINITY;
        Ok(BoundReport {
            bracket,
            lower_method: lower.method,
            upper_method: upper.method,
            ibound: inner.ibound,
            iterations: lower.evaluations + upper.evaluations,
            stop,
            exact: inner.exact || impossible,
            refused: inner.refused,
            peak_bytes: inner.peak_bytes,
        })
    }
}

impl Inner<'_> {
    fn progress(&self, elapsed_s: f64, improved: bool) -> Progress {
        let (lower, upper) = (self.lower.bound.ln(), self.upper.bound.ln());
        Progress {
            // Rounding alone may have crossed them.
            lower: lower.min(upper),
            upper: upper.max(lower),
            lower_method: self.lower.method,
            upper_method: self.upper.method,
            ibound: self.ibound,
            iterations: self.lower.evaluations + self.upper.evaluations,
            elapsed_s,
            exact: self.exact,
            improved,
            activity: self.activity,
        }
    }
}

/// What is known of one side.
pub struct Held<S: Side> {
    bound: Bound<S>,
    /// What proved it.
    method: &'static str,
    /// The best bound entered since someone asked.
    entered: Bound<S>,
    /// Gradient evaluations.
    evaluations: usize,
}

impl<S: Side> Default for Held<S> {
    fn default() -> Self {
        Self {
            bound: Bound::trivial(),
            method: "none",
            entered: Bound::trivial(),
            evaluations: 0,
        }
    }
}

/// A side that can be posted: both.
pub trait Post: Side {
    /// What is known of it.
    fn held<'i>(inner: &'i mut Inner<'_>) -> &'i mut Held<Self>;
    /// The best bound of this side in a report.
    fn of(progress: &Progress) -> f64;
}

impl Post for Above {
    fn held<'i>(inner: &'i mut Inner<'_>) -> &'i mut Held<Self> {
        &mut inner.upper
    }

    fn of(progress: &Progress) -> f64 {
        progress.upper
    }
}

impl Post for Below {
    fn held<'i>(inner: &'i mut Inner<'_>) -> &'i mut Held<Self> {
        &mut inner.lower
    }

    fn of(progress: &Progress) -> f64 {
        progress.lower
    }
}
