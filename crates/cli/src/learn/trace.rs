//! The history of learning in a file.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use forney_uai::write_atomic;
use serde::Serialize;
use serde_json::Value;

use crate::error::{Failure, complain};
use crate::json;

/// The objective after every iteration, one JSON object on each line of a file; after an error nothing
/// more is written, and the run goes on.
pub(super) struct Trace {
    path: PathBuf,
    file: io::Result<File>,
}

#[derive(Serialize)]
struct Line {
    iteration: usize,
    start: usize,
    #[serde(serialize_with = "json::number")]
    objective: f64,
    /// Visited so far.
    examples: usize,
    elapsed_s: f64,
}

impl Trace {
    /// Begins a file, or goes on with it after so many iterations. If that fails the user hears of it
    /// at once.
    pub(super) fn open(path: &Path, iterations: Option<usize>) -> Self {
        let mut options = OpenOptions::new();
        let options = options.create(true).write(true);
        let file = match iterations {
            None => options.truncate(true).open(path),
            Some(iterations) => {
                forget(path, iterations).and_then(|()| options.append(true).open(path))
            }
        };
        if let Err(error) = &file {
            complain(format_args!(
                "warning: no trace in {}: {error}",
                path.display()
            ));
        }
        let path = path.to_owned();
        Self { path, file }
    }

    /// What went wrong, if anything did.
    pub(super) fn trouble(self) -> Option<Failure> {
        let Self { path, file } = self;
        file.err().map(|source| Failure::Output { path, source })
    }

    pub(super) fn write(
        &mut self,
        (iteration, start): (usize, usize),
        objective: f64,
        elapsed_s: f64,
        examples: usize,
    ) {
        let line = Line {
            iteration,
            start,
            objective,
            examples: iteration.saturating_mul(examples),
            elapsed_s,
        };
        if let Ok(file) = &mut self.file
            && let Err(error) = line.write(file)
        {
            self.file = Err(error);
        }
    }
}

impl Line {
    fn write(&self, file: &mut File) -> io::Result<()> {
        let mut line = serde_json::to_vec(self)?;
        line.push(b'\n');
        // One call and no buffer: a reader of the growing file sees whole lines.
        file.write_all(&line)
    }
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
