//! What a waiting user sees: on standard error, and only if that is a terminal.

use std::time::Duration;

use forney_bounds::Progress;
use indicatif::{ProgressBar, ProgressStyle};

/// Cells of the picture of a bracket.
const CELLS: usize = 24;

/// A gap at which a bracket looks closed, however small the gap asked for.
const LEAST_GAP: f64 = 1e-9;

/// A line that is removed when it goes out of scope.
pub(crate) struct Spinner(ProgressBar);

/// Says what is going on, and since when.
pub(crate) fn spinner(what: String) -> Spinner {
    let style = ProgressStyle::with_template("{spinner} {elapsed:>4} {wide_msg}")
        .unwrap_or_else(|_| ProgressStyle::default_spinner());
    // Drawn to standard error; hidden if that is no terminal.
    let bar = ProgressBar::new_spinner()
        .with_style(style)
        .with_message(what);
    bar.enable_steady_tick(Duration::from_millis(100));
    Spinner(bar)
}

impl Drop for Spinner {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}

/// A bracket that closes.
pub(crate) struct BracketBar {
    spinner: Spinner,
    target: f64,
    first_gap: f64,
}

impl BracketBar {
    /// A bracket that is to close to `target` nats.
    pub(crate) fn new(target: f64) -> Self {
        Self {
            spinner: spinner("looking for a first bracket".to_owned()),
            target: target.max(LEAST_GAP),
            first_gap: f64::INFINITY,
        }
    }

    /// Shows the bracket as it stands.
    pub(crate) fn show(&mut self, now: &Progress) {
        let gap = now.upper - now.lower;
        if self.first_gap == f64::INFINITY {
            self.first_gap = gap;
        }
        self.spinner.0.set_message(format!(
            "{} {:.4} ≤ ln Z ≤ {:.4}  gap {:.2e}  ibound {}  {} iterations",
            picture(closed(gap, self.first_gap, self.target)),
            now.lower,
            now.upper,
            gap,
            now.ibound,
            now.iterations,
        ));
    }
}

/// How far the gap has come from the first one to the target, from 0 to 1, on a logarithmic scale.
fn closed(gap: f64, first: f64, target: f64) -> f64 {
    let share = (first / gap).ln() / (first / target).ln();
    // Infinite gaps and a first gap below the target give NaN.
    if gap <= target {
        1.0
    } else if share > 0.0 {
        share.min(1.0)
    } else {
        0.0
    }
}

/// Two walls that approach each other.
fn picture(closed: f64) -> String {
    let filled = (closed * CELLS as f64) as usize;
    let (left, right) = (filled / 2, filled - filled / 2);
    format!(
        "[{}{}{}]",
        "█".repeat(left),
        " ".repeat(CELLS - filled),
        "█".repeat(right)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_walls_approach_as_the_gap_closes() {
        let (first, target) = (10.0, 1e-5);
        let gaps = [f64::INFINITY, 10.0, 1e-2, 1e-5, 0.0];
        let filled = gaps.map(|gap| picture(closed(gap, first, target)).matches('█').count());
        assert_eq!(filled, [0, 0, CELLS / 2, CELLS, CELLS]);
        assert_eq!(closed(1.0, f64::INFINITY, target), 0.0);
        assert!(picture(0.3).chars().count() == CELLS + 2);
    }
}
