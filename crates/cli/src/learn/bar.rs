//! What a waiting user sees.

use std::time::Instant;

use super::training::Now;
use crate::progress::{self, Spinner};
use crate::text;

/// A line that shows how far learning has come, on a terminal.
pub(super) struct Bar {
    spinner: Spinner,
    began: Instant,
    first: Now,
    examples: usize,
}

/// Cells of the bar.
const CELLS: f64 = 20.0;

impl Bar {
    pub(super) fn new(first: Now, examples: usize) -> Self {
        Self {
            spinner: progress::spinner("learning".to_owned()),
            began: Instant::now(),
            first,
            examples,
        }
    }

    /// Iterations since the bar began.
    fn done(&self, now: &Now) -> f64 {
        now.iteration as f64 + now.share - self.first.iteration as f64 - self.first.share
    }

    /// Examples in each second.
    pub(super) fn rate(&self, now: &Now) -> f64 {
        let seconds = self.began.elapsed().as_secs_f64();
        self.done(now) * self.examples as f64 / seconds.max(1e-9)
    }

    pub(super) fn show(&self, now: &Now) {
        let share = ((now.iteration as f64 + now.share) / now.limit.max(1) as f64).min(1.0);
        let filled = (CELLS * share) as usize;
        let mut line = format!(
            "[{}{}] iteration {} of {}",
            "█".repeat(filled),
            " ".repeat(CELLS as usize - filled),
            now.iteration,
            now.limit
        );
        if now.starts > 1 {
            line += &format!("  start {} of {}", now.start + 1, now.starts);
        }
        if let Some(objective) = now.objective {
            line += &format!("  objective {objective:.6}");
        }
        let rate = self.rate(now);
        if rate > 0.0 {
            let left = (now.limit as f64 - now.iteration as f64 - now.share).max(0.0);
            let seconds = left * self.examples as f64 / rate;
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
