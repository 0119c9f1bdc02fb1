//! Why a file is refused.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

/// Why a file could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum UaiError {
    /// The file does not say what its format asks for.
    #[error(
        "{}: expected {expected}; found {found}{}",
        Place { file, line: *line, column: *column }, Hint(*hint)
    )]
    Malformed {
        /// The file, if the text came from one.
        file: Option<PathBuf>,
        /// Line, from 1.
        line: usize,
        /// Column in bytes, from 1.
        column: usize,
        /// What kind of mistake it is.
        fault: Fault,
        /// What the format asks for here.
        expected: String,
        /// What stands there.
        found: String,
        /// What may have been meant, or the way out.
        hint: Option<&'static str>,
    },
    /// The operating system refused.
    #[error("{}: {source}", file.display())]
    Io {
        /// The file.
        file: PathBuf,
        /// What it said.
        source: io::Error,
    },
}

/// What kind of mistake a malformed file makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// The file ends too early.
    Truncated,
    /// A token is not of the kind that belongs here: a word for a number, a fraction for a count.
    Token,
    /// The file begins as one of another format.
    Format,
    /// A number is outside of its range: a variable, a state, a cardinality, a table entry.
    Range,
    /// A table entry is negative, as the natural logarithms of a `.LG` file are.
    Negative,
    /// A count does not fit what it counts.
    Count,
    /// A variable stands twice where it may stand once.
    Duplicate,
    /// A variable is observed in two states.
    Conflict,
    /// Something follows the end.
    Trailing,
}

impl UaiError {
    /// The same error, said to be in `file`.
    #[must_use]
    pub fn in_file(mut self, file: &Path) -> Self {
        if let Self::Malformed { file: slot, .. } = &mut self {
            *slot = Some(file.to_owned());
        }
        self
    }

    pub(crate) fn io(file: &Path, source: io::Error) -> Self {
        Self::Io {
            file: file.to_owned(),
            source,
        }
    }
}

/// A remark behind a message.
struct Hint(Option<&'static str>);

impl fmt::Display for Hint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.map_or(Ok(()), |hint| write!(f, " ({hint})"))
    }
}

struct Place<'a> {
    file: &'a Option<PathBuf>,
    line: usize,
    column: usize,
}

impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(file) = self.file {
            write!(f, "{}, ", file.display())?;
        }
        write!(f, "line {}, column {}", self.line, self.column)
    }
}
