//! What a waiting user sees: on standard error, and only if that is a terminal.

use std::time::Duration;

use forney_bounds::Progress;
use indicatif::{ProgressBar, ProgressStyle};

use crate::text;

/// Cells of the picture of a bracket.
const CELLS: usize = 24;

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

impl Spinner {
    /// Says something else.
    pub(crate) fn say(&self, what: String) {
        self.0.set_message(what);
    }
}

impl Drop for Spinner {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}

/// A bracket that closes.
pub(crate) struct BracketBar {
    spinner: Spinner,
    /// The first bracket with two finite sides.
    first: Option<(f64, f64)>,
}

impl BracketBar {
    pub(crate) fn new() -> Self {
        Self {
            spinner: spinner("looking for a first bracket".to_owned()),
            first: None,
        }
    }

    /// Shows the bracket as it stands.
    pub(crate) fn show(&mut self, now: &Progress) {
        let (lower, upper) = (now.bracket.lower().ln(), now.bracket.upper().ln());
        if self.first.is_none() && (upper - lower).is_finite() {
            self.first = Some((lower, upper));
        }
        let picture = self
            .first
            .map_or_else(String::new, |first| picture(first, (lower, upper)));
        self.spinner.say(format!(
            "{picture}{lower:.4} ≤ ln Z ≤ {upper:.4}  gap {}  {}",
            text::gap(upper - lower),
            now.activity,
        ));
    }
}

/// Two walls that approach each other, each as far as its side has come.
///
/// The opening shows the square root of the gap: a linear one would look closed too soon.
fn picture(first: (f64, f64), now: (f64, f64)) -> String {
    let cells = CELLS as f64;
    let open = ((now.1 - now.0) / (first.1 - first.0))
        .max(0.0)
        .sqrt()
        .min(1.0);
    let filled = (cells * (1.0 - open)).floor();
    let (left, right) = (now.0 - first.0, first.1 - now.1);
    let share = if left + right > 0.0 {
        left / (left + right)
    } else {
        0.5
    };
    // A float that is cast stays within the range of the integer, and NaN is 0.
    let left = ((filled * share).round() as usize).min(CELLS);
    let right = (filled as usize).saturating_sub(left);
    format!(
        "[{}{}{}] ",
        "█".repeat(left),
        " ".repeat(CELLS - left - right),
        "█".repeat(right)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_walls_approach_as_the_bracket_closes() {
        let first = (-10.0, 10.0);
        let walls = |now| {
            let picture = picture(first, now);
            assert_eq!(picture.chars().count(), CELLS + 3);
            let open = picture.split('█').collect::<String>().matches(' ').count() - 1;
            let left = picture.chars().skip(1).take_while(|&c| c == '█').count();
            (left, CELLS - left - open)
        };
        assert_eq!(walls(first), (0, 0));
        assert_eq!(walls((-10.0, -5.0)), (0, CELLS / 2));
        assert_eq!(walls((-2.5, 2.5)), (CELLS / 4, CELLS / 4));
        for closed in [(1.0, 1.0), (1.0, 1.0 - 1e-12)] {
            assert_eq!(walls(closed).0, CELLS);
        }
    }
}
