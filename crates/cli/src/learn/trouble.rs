//! What can be wrong with a file of data.

use std::io;

/// How much memory there may be.
pub(super) struct Allowance {
    pub(super) bytes: f64,
}

/// What can be wrong with a file.
#[derive(Debug)]
pub(super) enum Trouble {
    Io(io::Error),
    Malformed(String),
    /// It takes so many bytes.
    TooLarge(f64),
}

impl Allowance {
    /// Refuses more than there may be.
    pub(super) fn admit(&self, bytes: f64) -> Result<(), Trouble> {
        if bytes <= self.bytes {
            Ok(())
        } else {
            Err(Trouble::TooLarge(bytes))
        }
    }
}

pub(super) fn malformed(message: impl std::fmt::Display) -> Trouble {
    Trouble::Malformed(format!("is malformed: {message}"))
}
