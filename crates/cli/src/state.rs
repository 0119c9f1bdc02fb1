//! A bracket at some moment, as reports and traces tell it.

use forney_bounds::Progress;
use serde::Serialize;

use crate::json;

/// A bracket at some moment.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct State {
    #[serde(serialize_with = "json::number")]
    pub(crate) lower: f64,
    #[serde(serialize_with = "json::number")]
    pub(crate) upper: f64,
    #[serde(serialize_with = "json::number")]
    pub(crate) gap: f64,
    pub(crate) lower_method: &'static str,
    pub(crate) upper_method: &'static str,
    pub(crate) ibound: usize,
    pub(crate) iterations: usize,
}

impl State {
    /// Nothing is proved.
    pub(crate) const TRIVIAL: Self = Self {
        lower: f64::NEG_INFINITY,
        upper: f64::INFINITY,
        gap: f64::INFINITY,
        lower_method: "none",
        upper_method: "none",
        ibound: 0,
        iterations: 0,
    };

    pub(crate) fn of(progress: &Progress) -> Self {
        Self {
            lower: progress.bracket.lower().ln(),
            upper: progress.bracket.upper().ln(),
            gap: progress.bracket.gap(),
            lower_method: progress.lower_method,
            upper_method: progress.upper_method,
            ibound: progress.ibound,
            iterations: progress.iterations,
        }
    }
}
