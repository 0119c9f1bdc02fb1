//! A history, one JSON object on each line of a file.

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::error::{Failure, complain};

/// A trace file; after an error nothing more is written to it, and the run goes on.
pub(crate) struct Trace {
    path: PathBuf,
    file: io::Result<File>,
}

impl Trace {
    /// Begins a new file. If that fails the user hears of it at once, not after the run.
    pub(crate) fn create(path: &Path) -> Self {
        Self::new(path, File::create(path))
    }

    /// Goes on in a file that was opened; as [`Trace::create`] if it was not.
    pub(crate) fn new(path: &Path, file: io::Result<File>) -> Self {
        if let Err(error) = &file {
            complain(format_args!(
                "warning: no trace in {}: {error}",
                path.display()
            ));
        }
        let path = path.to_owned();
        Self { path, file }
    }

    /// Adds a line.
    pub(crate) fn write(&mut self, line: &impl Serialize) {
        if let Ok(file) = &mut self.file
            && let Err(error) = write_line(file, line)
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

fn write_line(file: &mut File, line: &impl Serialize) -> io::Result<()> {
    let mut line = serde_json::to_vec(line)?;
    line.push(b'\n');
    // One call and no buffer: a reader of the growing file sees whole lines.
    file.write_all(&line)
}
