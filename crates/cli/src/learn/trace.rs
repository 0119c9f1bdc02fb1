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

/// Removes the lines that a run wrote after its last checkpoint, and half a line at the end; a pipe or a terminal
/// has none.
fn forget(path: &Path, iterations: usize) -> io::Result<()> {
    match fs::metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
        Ok(metadata) if !metadata.is_file() => return Ok(()),
        Ok(_) => {}
    }
    let text = fs::read_to_string(path)?;
    let iteration = |line: &str| {
        let line: Value = serde_json::from_str(line).unwrap_or_default();
        line["iteration"].as_u64()
    };
    if !text.is_empty() && text.lines().all(|line| iteration(line).is_none()) {
        return Err(io::Error::other("it is no trace, and stays as it is"));
    }
    let kept = |line: &&str| iteration(line).is_some_and(|at| at <= iterations as u64);
    let mut left: String = text.split_inclusive('\n').filter(kept).collect();
    if !(left.is_empty() || left.ends_with('\n')) {
        left.push('\n');
    }
    if left == text {
        return Ok(());
    }
    write_atomic(path, left.as_bytes()).map_err(io::Error::other)
}
