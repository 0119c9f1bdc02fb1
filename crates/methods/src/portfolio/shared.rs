//! What the lanes of a bracket and the exact answer beside them share.

use std::sync::{Mutex, PoisonError};

use forney_bounds::Board;
use forney_certify::Budget;

use crate::{Inapplicable, Job};

/// What all lanes share.
#[derive(Clone, Copy)]
pub(super) struct Portfolio<'p, 'w> {
    pub(super) job: &'p Job<'p>,
    pub(super) board: &'p Board<'w>,
    pub(super) budget: &'p Budget,
    pub(super) refused: &'p Mutex<Vec<Inapplicable>>,
}

impl Portfolio<'_, '_> {
    /// Notes why the exact answer cannot be had.
    pub(super) fn refuse(&self, reason: Inapplicable) {
        let mut refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
        refused.push(reason);
    }

    /// All of that.
    pub(super) fn taken(&self) -> Vec<Inapplicable> {
        let mut refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut refused)
    }
}
