//! What a reader passed over.

use std::fmt;

/// Something that a reader passed over or doubts. The file was read; a program should say so.
#[derive(Clone, Debug, PartialEq)]
pub enum Warning {
    /// Something follows the end of what the file should hold, and is ignored.
    Trailing {
        /// Line of the first word of it, from 1.
        line: usize,
        /// Column of that word in bytes, from 1.
        column: usize,
        /// How many words there are, numbers included.
        words: usize,
        /// What they follow.
        after: &'static str,
    },
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Trailing {
                line,
                column,
                words,
                after,
            } => {
                let s = if *words == 1 { "" } else { "s" };
                write!(
                    f,
                    "line {line}, column {column}: {words} word{s} after {after} ignored"
                )
            }
        }
    }
}
