//! The history of learning in a file.

use std::fs::{self, OpenOptions};
use std::io;
use std::path::Path;

use forney_uai::write_atomic;
use serde::Serialize;
use serde_json::Value;

use crate::json;
use crate::trace::Trace;

/// The objective after an iteration.
#[derive(Serialize)]
pub(super) struct Line {
    pub(super) iteration: usize,
    pub(super) start: usize,
    #[serde(serialize_with = "json::number")]
    pub(super) objective: f64,
    /// Visited so far.
    pub(super) examples: usize,
    pub(super) elapsed_s: f64,
}

/// Goes on with a file after so many iterations.
pub(super) fn resume(path: &Path, iterations: usize) -> Trace {
    let options = || OpenOptions::new().create(true).append(true).open(path);
    Trace::new(path, forget(path, iterations).and_then(|()| options()))
}

/// Removes the lines that a run wrote after its last checkpoint.
fn forget(path: &Path, iterations: usize) -> io::Result<()> {
    let text = match fs::read_to_string(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        read => read?,
    };
    let is_kept = |line: &&str| {
        let line: Value = serde_json::from_str(line).unwrap_or_default();
        let iteration = line["iteration"].as_u64();
        iteration.is_some_and(|iteration| iteration <= iterations as u64)
    };
    let kept: String = text.split_inclusive('\n').filter(is_kept).collect();
    if kept.len() == text.len() {
        return Ok(());
    }
    write_atomic(path, kept.as_bytes()).map_err(io::Error::other)
}
