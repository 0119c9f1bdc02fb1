//! The history of a bracket, one JSON object on each line of a file.

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use forney_bounds::Progress;
use serde::Serialize;

use crate::error::{Failure, complain};
use crate::state::State;

/// A trace file; after an error nothing more is written to it, and the run goes on.
pub(crate) struct Trace {
    path: PathBuf,
    file: io::Result<File>,
}

#[derive(Serialize)]
struct Line {
    #[serde(flatten)]
    state: State,
    elapsed_s: f64,
}

impl Trace {
    /// Begins a new file. If that fails the user hears of it at once, not after the run.
    pub(crate) fn create(path: &Path) -> Self {
        let trace = Self {
            path: path.to_owned(),
            file: File::create(path),
        };
        if let Err(error) = &trace.file {
            complain(format_args!(
                "warning: no trace in {}: {error}",
                path.display()
            ));
        }
        trace
    }

    /// Adds a line.
    pub(crate) fn write(&mut self, progress: &Progress) {
        if let Ok(file) = &mut self.file
            && let Err(error) = write_line(file, progress)
        {
            self.file = Err(error);
        }
    }

    /// What went wrong, if anything did.
    pub(crate) fn finish(self) -> Option<Failure> {
        let path = self.path;
        self.file
            .err()
            .map(|source| Failure::Output { path, source })
    }
}

fn write_line(file: &mut File, progress: &Progress) -> io::Result<()> {
    let mut line = serde_json::to_vec(&Line {
        state: State::of(progress),
        elapsed_s: progress.elapsed_s,
    })?;
    line.push(b'\n');
    // One call and no buffer: a reader of the growing file sees whole lines.
    file.write_all(&line)
}
