//! The best bounds so far, shared by everything that runs.

use std::fmt;
use std::sync::{Mutex, PoisonError};

use forney_certify::{
    Above, Below, Both, Bound, Bracket, Budget, Crossed, Estimate, Lower, Side, Upper,
};
use forney_exact::Pace;

/// Entries of an elimination that take as long as one of a gradient evaluation, before its pace is measured.
const GRADIENT_ENTRIES: f64 = 10.0;

/// Called at every proved improvement, and when something else is going on.
pub type Watch<'w> = dyn FnMut(&Progress) + Send + 'w;

/// The name of exact elimination in reports.
pub const ELIMINATION: &str = "exact";

/// What a run is doing, for whoever waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Activity {
    /// Looking for an elimination order.
    Ordering,
    /// Eliminating exactly.
    Eliminating {
        /// Variables of the largest clique, minus 1.
        width: usize,
    },
    /// Mini-buckets, with gauges or without.
    MiniBuckets {
        /// Variables of the largest clique, minus 1.
        ibound: usize,
    },
    /// Another method.
    Method(&'static str),
}

impl fmt::Display for Activity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ordering => f.write_str("searching for an elimination order"),
            Self::Eliminating { width } => write!(f, "eliminating exactly at width {width}"),
            Self::MiniBuckets { ibound } => write!(f, "mini-buckets, ibound {ibound}"),
            Self::Method(name) => f.write_str(name),
        }
    }
}

/// How far a run has come.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Progress {
    /// What is proved so far, in nats.
    pub bracket: Bracket,
    /// What proved the lower bound, "none" before the first.
    pub lower_method: &'static str,
    /// What proved the upper bound, "none" before the first.
    pub upper_method: &'static str,
    /// The present estimate of a method that proves nothing.
    pub estimate: Option<Estimate>,
    /// Largest ibound tried so far; for exact elimination its width.
    pub ibound: usize,
    /// Iterations so far, of both sides together: gradient evaluations of what races.
    pub iterations: usize,
    /// Seconds since the budget began.
    pub elapsed_s: f64,
    /// Is it `ln Z` itself?
    pub exact: bool,
    /// Is a value better than in the report before, or is only the activity another?
    pub improved: bool,
    /// What it is doing.
    pub activity: Activity,
}

/// Collects verified bounds from all threads and reports each improvement.
pub struct Board<'w> {
    budget: Budget,
    inner: Mutex<Inner<'w>>,
}

struct Inner<'w> {
    bracket: Bracket,
    sides: Both<Held>,
    estimate: Option<Estimate>,
    /// Iterations of what has no side.
    estimated: usize,
    ibound: usize,
    exact: bool,
    peak_bytes: f64,
    crossed: Option<Crossed>,
    pace: f64,
    activity: Activity,
    watch: &'w mut Watch<'w>,
}

/// What is known of one side beside its bound.
struct Held {
    /// What proved it.
    method: &'static str,
    /// The best bound entered since someone asked.
    entered: f64,
    iterations: usize,
}

impl Held {
    fn new<S: Side>() -> Self {
        Self {
            method: "none",
            entered: S::TRIVIAL,
            iterations: 0,
        }
    }
}

impl<'w> Board<'w> {
    /// Nothing is proved yet.
    pub fn new(budget: &Budget, watch: &'w mut Watch<'w>) -> Self {
        let inner = Inner {
            bracket: Bracket::trivial(),
            sides: Both {
                upper: Held::new::<Above>(),
                lower: Held::new::<Below>(),
            },
            estimate: None,
            estimated: 0,
            ibound: 0,
            exact: false,
            peak_bytes: 0.0,
            crossed: None,
            pace: Pace::of(budget).seconds(GRADIENT_ENTRIES),
            activity: Activity::Ordering,
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
    pub fn post<S: Side>(&self, bound: Bound<S>, method: &'static str) {
        self.with(|inner| {
            // Beside the exact value another digit is rounding.
            if inner.exact {
                return;
            }
            let held = inner.sides.of_mut::<S>();
            if !S::at_least_as_tight(held.entered, bound.ln()) {
                held.entered = bound.ln();
            }
            match inner.bracket.tighten(bound) {
                Ok(false) => return,
                Ok(true) => held.method = method,
                Err(crossed) => inner.crossed = Some(crossed),
            }
            inner.tell(&self.budget, true);
        });
    }

    /// Enters `ln Z` itself, which `method` has found at this width.
    pub fn post_exact(&self, lower: Lower, upper: Upper, width: usize, method: &'static str) {
        self.with(|inner| {
            // The exact value replaces bounds that rounding has put on its other side.
            inner.exact = true;
            inner.ibound = inner.ibound.max(width);
            let outside = Bracket::new(inner.bracket.lower(), upper);
            let outside = outside.and(Bracket::new(lower, inner.bracket.upper()));
            match outside.and(Bracket::new(lower, upper)) {
                Ok(exact) => inner.bracket = exact,
                Err(crossed) => inner.crossed = Some(crossed),
            }
            inner.sides.upper.method = method;
            inner.sides.lower.method = method;
            inner.tell(&self.budget, true);
        });
    }

    /// Enters the present value of a method that proves nothing.
    pub fn estimate(&self, ln: f64) {
        self.with(|inner| {
            inner.estimate = Some(Estimate { ln });
            inner.tell(&self.budget, true);
        });
    }

    /// Tells the watcher what is going on now.
    pub fn say(&self, activity: Activity) {
        self.with(|inner| {
            if std::mem::replace(&mut inner.activity, activity) != activity {
                inner.tell(&self.budget, false);
            }
        });
    }

    /// Notes the bytes that tables take at once, by prediction.
    pub fn note_bytes(&self, bytes: f64) {
        self.with(|inner| inner.peak_bytes = inner.peak_bytes.max(bytes));
    }

    /// Notes the ibound that is tried, and the bytes that are held at once, by prediction.
    pub fn begin(&self, ibound: usize, bytes: f64) {
        self.with(|inner| {
            inner.ibound = inner.ibound.max(ibound);
            inner.peak_bytes = inner.peak_bytes.max(bytes);
        });
    }

    /// Counts iterations of one side.
    pub fn count<S: Side>(&self, iterations: usize) {
        self.with(|inner| inner.sides.of_mut::<S>().iterations += iterations);
    }

    /// Counts iterations of a method that proves nothing.
    pub fn count_estimates(&self, iterations: usize) {
        self.with(|inner| inner.estimated += iterations);
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
    #[must_use]
    pub fn pace(&self) -> f64 {
        self.with(|inner| inner.pace)
    }

    /// Iterations of one side so far.
    #[must_use]
    pub fn counted<S: Side>(&self) -> usize {
        self.with(|inner| inner.sides.of::<S>().iterations)
    }

    /// The best bound of one side that was entered since the last call, whether or not others are tighter;
    /// trivial if there was none.
    #[must_use]
    pub fn take_entered<S: Side>(&self) -> f64 {
        self.with(|inner| std::mem::replace(&mut inner.sides.of_mut::<S>().entered, S::TRIVIAL))
    }

    /// The state now.
    #[must_use]
    pub fn progress(&self) -> Progress {
        self.with(|inner| inner.progress(&self.budget, false))
    }

    /// Most bytes of tables that any one attempt took, by its own prediction.
    #[must_use]
    pub fn peak_bytes(&self) -> f64 {
        self.with(|inner| inner.peak_bytes)
    }

    /// The final state.
    ///
    /// # Errors
    /// [`Crossed`] if two proofs have contradicted each other.
    pub fn finish(self) -> Result<Progress, Crossed> {
        let crossed = self.with(|inner| inner.crossed);
        crossed.map_or_else(|| Ok(self.progress()), Err)
    }
}

impl Inner<'_> {
    fn tell(&mut self, budget: &Budget, improved: bool) {
        let progress = self.progress(budget, improved);
        (self.watch)(&progress);
    }

    fn progress(&self, budget: &Budget, improved: bool) -> Progress {
        // An upper bound of −∞ is exact: no assignment is allowed.
        let impossible = self.bracket.upper().ln() == f64::NEG_INFINITY;
        let Both { upper, lower } = &self.sides;
        Progress {
            bracket: self.bracket,
            lower_method: lower.method,
            upper_method: upper.method,
            estimate: self.estimate,
            ibound: self.ibound,
            iterations: lower.iterations + upper.iterations + self.estimated,
            elapsed_s: budget.elapsed().as_secs_f64(),
            exact: self.exact || impossible,
            improved,
            activity: self.activity,
        }
    }
}
