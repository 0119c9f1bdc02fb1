//! What an answer may cost.

use std::time::Duration;

use forney_certify::Budget;
use forney_methods::Options;

/// The limits of one question.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Time, and a flag that interrupts.
    pub budget: Budget,
    /// Bytes of tables, checked before they are allocated.
    pub memory: f64,
    /// Of everything random; the same seed gives the same order where time does not decide.
    pub seed: u64,
}

impl Default for Limits {
    /// No end of time, and the memory of [`Options`].
    fn default() -> Self {
        let Options { memory, seed, .. } = Options::default();
        Self {
            budget: Budget::unlimited(),
            memory,
            seed,
        }
    }
}

impl Limits {
    /// So many seconds from now on; a time that is no duration is no limit.
    ///
    /// # Example
    /// ```
    /// assert!(forney::Limits::seconds(5.0).budget.remaining().is_some());
    /// assert!(forney::Limits::seconds(f64::INFINITY).budget.remaining().is_none());
    /// ```
    #[must_use]
    pub fn seconds(seconds: f64) -> Self {
        let budget = match Duration::try_from_secs_f64(seconds) {
            Ok(time) => Budget::unlimited().capped(time),
            Err(_) => Budget::unlimited(),
        };
        Self {
            budget,
            ..Self::default()
        }
    }
}
