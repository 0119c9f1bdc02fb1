//! Whether a pass should give up.

use std::sync::atomic::{AtomicBool, Ordering};

use forney_certify::Budget;

/// Steps below this many entries take less time than it is worth to read the clock.
const LEAST_ENTRIES: usize = 256;

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

    /// As [`Watch::stop`] before a step of so many entries.
    pub(crate) fn stop_before(&self, entries: usize) -> bool {
        if entries < LEAST_ENTRIES {
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
