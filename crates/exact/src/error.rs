//! Predictable failure.

/// Tables that do not fit, found out before anything was allocated: those of exact elimination, or of
/// anything else that walks a schedule. Who asked for them says so beside this.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
#[error(
    "tables of width {width} need {}, more than the {} allowed; allow more memory, or take less \
     width: another order, or a smaller ibound",
    human(*bytes),
    human(*limit)
)]
pub struct TooLarge {
    /// Width of the order: variables of the largest clique, minus 1.
    pub width: usize,
    /// Bytes it would take.
    pub bytes: f64,
    /// Bytes allowed.
    pub limit: f64,
}

/// Bytes with a binary prefix.
#[must_use]
pub fn human(bytes: f64) -> String {
    const UNITS: [&str; 7] = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
    let mut value = bytes;
    let mut unit = 0;
    while value >= 1024.0 && unit + 1 < UNITS.len() {
        value /= 1024.0;
        unit += 1;
    }
    if value >= 1e6 {
        return format!("{value:.1e} {}", UNITS[unit]);
    }
    let digits = if unit == 0 || value >= 100.0 { 0 } else { 1 };
    format!("{value:.digits$} {}", UNITS[unit])
}
