//! Why a run ended.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Why a run ended. None of them is an error: every stop leaves a valid witness.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stop {
    /// The objective stopped changing.
    Converged,
    /// The number of sweeps or iterations was reached.
    SweepLimit,
    /// The time was over.
    TimeLimit,
    /// The memory allows no larger attempt.
    MemoryLimit,
    /// The caller raised its interrupt flag, or the watcher asked to stop.
    Interrupted,
    /// The objective is no longer a number; what is returned is from before.
    Diverged,
}

impl fmt::Display for Stop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Stop::Converged => "converged",
            Stop::SweepLimit => "iteration limit",
            Stop::TimeLimit => "time limit",
            Stop::MemoryLimit => "memory limit",
            Stop::Interrupted => "interrupted",
            Stop::Diverged => "diverged",
        })
    }
}
