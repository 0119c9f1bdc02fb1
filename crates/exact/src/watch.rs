//! Whether a pass should give up.

use std::sync::atomic::{AtomicBool, Ordering};

use forney_certify::Budget;

/// Steps below this many entries take less time than it is worth to read the clock.
const LEAST_ENTRIES: usize = 256;

/// Of pieces of work that small the clock is read before one in so many.
const SELDOM: usize = 64;

/// So many entries are worth a look at the clock within a piece of work.
pub(crate) const MANY_ENTRIES: usize = 1 << 16;

/// The budget of one pass, and whether it was found to be over.
///
/// Once it is over, all threads skip what is left of the pass: its numbers are void.
#[derive(Debug)]
pub(crate) struct Watch<'b> {
    budget: Option<&'b Budget>,
    over: AtomicBool,
}

impl<'b> Watch<'b> {
    /// A pass that runs to its end if there is no budget.
    pub(crate) fn new(budget: Option<&'b Budget>) -> Self {
        Self {
            budget,
            over: AtomicBool::new(false),
        }
    }

    /// Is the pass over? Asks the budget.
    pub(crate) fn stop(&self) -> bool {
        let Some(budget) = self.budget else {
            return false;
        };
        if !self.is_over() && budget.stop().is_some() {
            self.over.store(true, Ordering::Relaxed);
        }
        self.is_over()
    }

    /// As [`Watch::stop`] before step number `at`, of so many entries.
    pub(crate) fn stop_before(&self, at: usize, entries: usize) -> bool {
        if entries < LEAST_ENTRIES {
            self.stop_at(at)
        } else {
            self.stop()
        }
    }

    /// As [`Watch::stop`] before piece number `at` of many small ones; asks before one in a few only.
    pub(crate) fn stop_at(&self, at: usize) -> bool {
        if at.is_multiple_of(SELDOM) {
            self.stop()
        } else {
            self.is_over()
        }
    }

    /// As [`Watch::stop`] between the pieces of work on so many entries; does not ask about few.
    pub(crate) fn stop_within(&self, entries: usize) -> bool {
        if entries < MANY_ENTRIES {
            self.is_over()
        } else {
            self.stop()
        }
    }

    /// Was the pass found to be over?
    pub(crate) fn is_over(&self) -> bool {
        self.over.load(Ordering::Relaxed)
    }
}
