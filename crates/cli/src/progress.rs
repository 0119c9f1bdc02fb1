//! What a waiting user sees: on standard error, and only if that is a terminal.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

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
