//! What a waiting user sees.

use std::time::Instant;

use forney_latent::learn::{Learner, Learning};

use crate::progress::{self, Spinner};
use crate::text;

/// A line that shows how far learning has come, on a terminal.
pub(super) struct Bar {
    spinner: Spinner,
    began: Instant,
    /// Iterations done before.
    first: f64,
    /// The most iterations there can be.
    limit: usize,
}

/// Cells of the bar.
const CELLS: f64 = 20.0;

/// Iterations done, with the share of the present one.
fn done<L: Learner>(learner: &L, learning: &Learning<L>) -> f64 {
    learning.iterations() as f64 + learner.share(learning.state())
}

impl Bar {
    pub(super) fn new<L: Learner>(learner: &L, learning: &Learning<L>) -> Self {
        let starts = learner.starts();
        let even = starts.div_ceil(2).saturating_mul(learner.limit(0));
        Self {
            spinner: progress::spinner("learning".to_owned()),
            began: Instant::now(),
            first: done(learner, learning),
            limit: even.saturating_add((starts / 2).saturating_mul(learner.limit(1))),
        }
    }

    /// Examples in each second.
    pub(super) fn rate<L: Learner>(&self, learner: &L, learning: &Learning<L>) -> f64 {
        let seconds = self.began.elapsed().as_secs_f64();
        let done = done(learner, learning) - self.first;
        done * learner.examples() as f64 / seconds.max(1e-9)
    }

    pub(super) fn show<L: Learner>(&self, learner: &L, learning: &Learning<L>) {
        let done = done(learner, learning);
        let share = (done / self.limit.max(1) as f64).min(1.0);
        let filled = (CELLS * share) as usize;
        let mut line = format!(
            "[{}{}] iteration {} of {}",
            "█".repeat(filled),
            " ".repeat(CELLS as usize - filled),
            learning.iterations(),
            self.limit
        );
        if learner.starts() > 1 {
            line += &format!("  start {} of {}", learning.start() + 1, learner.starts());
        }
        if let Some(objective) = learning.trace().last() {
            line += &format!("  objective {objective:.6}");
        }
        let rate = self.rate(learner, learning);
        if rate > 0.0 {
            let left = (self.limit as f64 - done).max(0.0);
            let seconds = left * learner.examples() as f64 / rate;
            line += &format!("  {} examples/s", short(rate));
            line += &format!("  at most {} left", text::rough_seconds(seconds));
        }
        self.spinner.say(line);
    }
}

/// Three digits and a unit.
pub(super) fn short(x: f64) -> String {
    match x {
        _ if x < 999.5 => format!("{x:.0}"),
        _ if x < 9_995.0 => format!("{:.1}k", x / 1e3),
        _ if x < 999_500.0 => format!("{:.0}k", x / 1e3),
        _ => format!("{:.1}M", x / 1e6),
    }
}
