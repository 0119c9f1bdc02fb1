//! Time and interruption, handed down by the caller.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::Stop;

/// The clock and the interrupt flag that a caller hands to a long computation.
///
/// Libraries of this workspace read no clock of their own: they ask the budget.
/// Clones share the interrupt flag.
///
/// # Example
/// ```
/// use forney_certify::Budget;
/// use std::sync::{Arc, atomic::{AtomicBool, Ordering}};
/// use std::time::Duration;
/// let budget = Budget::unlimited();
/// assert!(budget.stop().is_none());
/// let share = budget.capped(Duration::ZERO);
/// assert!(share.stop().is_some());
/// let needed = Arc::new(AtomicBool::new(false));
/// let beside = budget.cancelled_by(Arc::clone(&needed));
/// needed.store(true, Ordering::Relaxed);
/// assert!(beside.stop().is_some() && budget.stop().is_none());
/// ```
#[derive(Clone, Debug)]
pub struct Budget {
    started: Instant,
    deadline: Option<Instant>,
    /// Does it tell how much time is left?
    told: bool,
    interrupted: Arc<AtomicBool>,
    /// Raised by whoever made this share of the budget, see [`Budget::cancelled_by`].
    cancelled: Option<Arc<AtomicBool>>,
}

impl Budget {
    /// A budget that starts now, ends after `time` (never, if `None`) or when the flag is raised.
    #[must_use]
    pub fn new(time: Option<Duration>, interrupted: Arc<AtomicBool>) -> Self {
        let started = Instant::now();
        Self {
            started,
            deadline: time.and_then(|t| started.checked_add(t)),
            told: true,
            interrupted,
            cancelled: None,
        }
    }

    /// A budget without an end.
    #[must_use]
    pub fn unlimited() -> Self {
        Self::new(None, Arc::new(AtomicBool::new(false)))
    }

    /// The same budget ending at most `time` from now.
    #[must_use]
    pub fn capped(&self, time: Duration) -> Self {
        let cap = Instant::now().checked_add(time);
        let deadline = match (self.deadline, cap) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        };
        Self {
            deadline,
            ..self.clone()
        }
    }

    /// The same budget, which ends as this one does and does not tell when: for work whose amount must not depend
    /// on the clock.
    #[must_use]
    pub fn untold(&self) -> Self {
        Self {
            told: false,
            ..self.clone()
        }
    }

    /// The same budget, ended by this flag as well: for work that runs beside other work and is no
    /// longer needed once the other is done. It takes the place of an earlier flag of this kind.
    #[must_use]
    pub fn cancelled_by(&self, flag: Arc<AtomicBool>) -> Self {
        Self {
            cancelled: Some(flag),
            ..self.clone()
        }
    }

    /// Time since the budget was made.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }

    /// Time that is left; `None` if there is no end, or it is [untold](Self::untold).
    #[must_use]
    pub fn remaining(&self) -> Option<Duration> {
        self.deadline
            .filter(|_| self.told)
            .map(|d| d.saturating_duration_since(Instant::now()))
    }

    /// Why to stop now, if at all.
    #[must_use]
    pub fn stop(&self) -> Option<Stop> {
        let raised = |flag: &Arc<AtomicBool>| flag.load(Ordering::Relaxed);
        if raised(&self.interrupted) || self.cancelled.as_ref().is_some_and(raised) {
            return Some(Stop::Interrupted);
        }
        match self.deadline {
            Some(d) if Instant::now() >= d => Some(Stop::TimeLimit),
            _ => None,
        }
    }
}
