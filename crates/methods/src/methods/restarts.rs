//! A search that is repeated with other random numbers while time lasts.

use std::borrow::Cow;

use forney_certify::{Bound, Budget, Side, Stop};

use crate::{Inapplicable, Job, Slice, Turn, Work};

/// What one search came to.
pub(super) struct Round<S: Side> {
    pub(super) bound: Bound<S>,
    pub(super) iterations: usize,
    pub(super) stop: Stop,
    /// Is nothing left to gain?
    pub(super) exact: bool,
}

/// What one search works with.
pub(super) struct Limits<'r> {
    pub(super) number: u64,
    pub(super) iterations: Option<usize>,
    pub(super) budget: &'r Budget,
}

/// Tells of a bound that was proved within a search, and of the iterations spent on it there.
pub(super) type Tell<'t, S> = dyn FnMut(Bound<S>, usize) + Send + 't;

/// The search of a method.
type Search<'j, S> =
    dyn FnMut(&Limits<'_>, &mut Tell<'_, S>) -> Result<Round<S>, Inapplicable> + Send + 'j;

/// The best of searches 0, 1, …: one if iterations are limited or time is not, else searches until time ends or
/// several have brought nothing.
pub(super) struct Restarts<'j, S: Side> {
    name: &'static str,
    /// Searches without improvement that end it; with none there is one search.
    patience: usize,
    /// The ibound that reports name.
    ibound: usize,
    search: Box<Search<'j, S>>,
    number: u64,
    idle: usize,
    best: Bound<S>,
    exact: bool,
}

impl<'j, S: Side> Restarts<'j, S> {
    pub(super) fn boxed(
        name: &'static str,
        patience: usize,
        ibound: usize,
        search: impl FnMut(&Limits<'_>, &mut Tell<'_, S>) -> Result<Round<S>, Inapplicable> + Send + 'j,
    ) -> Box<dyn Work + 'j> {
        Box::new(Self {
            name,
            patience,
            ibound,
            search: Box::new(search),
            number: 0,
            idle: 0,
            best: Bound::trivial(),
            exact: false,
        })
    }
}

/// The seed of a search.
pub(super) fn seed(job: &Job<'_>, limits: &Limits<'_>) -> u64 {
    job.options.seed.wrapping_add(limits.number)
}

impl<S: Side> Work for Restarts<'_, S> {
    fn go_on(&mut self, slice: &Slice<'_, '_>) -> Result<Turn, Inapplicable> {
        slice.board.begin(self.ibound, 0.0);
        let budget = slice.budget();
        let limits = Limits {
            number: self.number,
            iterations: slice.iterations,
            budget: &budget,
        };
        let (best, mut improved, mut told) = (&mut self.best, false, 0);
        let mut tell = |bound: Bound<S>, spent: usize| {
            slice.board.count::<S>(spent.saturating_sub(told));
            told = told.max(spent);
            if best.tighten(bound) {
                improved = true;
                slice.board.post(bound, self.name);
            }
        };
        let found = match (self.search)(&limits, &mut tell) {
            Ok(found) => found,
            // What other random numbers proved stands.
            Err(_) if self.number > 0 => return Ok(Turn::Over(Stop::Converged)),
            Err(reason) => return Err(reason),
        };
        tell(found.bound, found.iterations);
        self.exact = found.exact;
        self.number += 1;
        self.idle = if improved { 0 } else { self.idle + 1 };
        let once = slice.iterations.is_some() || !slice.is_timed();
        Ok(
            if found.exact || self.patience == 0 || (once && !slice.shared) {
                Turn::Over(found.stop)
            } else if once {
                Turn::Again
            } else if self.idle >= self.patience {
                Turn::Over(slice.whole.stop().unwrap_or(Stop::Converged))
            } else {
                Turn::Open
            },
        )
    }

    fn note(&self) -> Cow<'static, str> {
        match self.number {
            _ if self.exact => Cow::Borrowed(crate::solo::EXACT),
            0 | 1 => Cow::Borrowed(""),
            _ => Cow::Owned(format!("best of {} searches", self.number)),
        }
    }
}
