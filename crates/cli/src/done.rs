//! The end of a command: its report on standard output, its files, its exit code.

use std::fmt::{self, Display};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::slice;

use forney_uai::{Solution, UaiError, write_atomic, write_solutions};
use serde::Serialize;

use crate::error::{Failure, INTERRUPTED, complain};

/// What a command has done: reports that print themselves as text and as JSON.
pub(crate) struct Done<R> {
    /// One, or one for each sample of evidence.
    pub(crate) reports: Vec<R>,
    /// A file that the user asked for.
    pub(crate) file: Option<Output>,
    /// What else went wrong on the way.
    pub(crate) trouble: Vec<Failure>,
    /// Was the run cut short by Ctrl-C?
    pub(crate) interrupted: bool,
}

/// A file to be written.
pub(crate) struct Output {
    pub(crate) path: PathBuf,
    pub(crate) bytes: Vec<u8>,
}

impl Output {
    /// A result file of the competitions, if one is asked for.
    pub(crate) fn solution(
        path: Option<&Path>,
        solution: &Solution,
    ) -> Result<Option<Self>, Failure> {
        Self::solutions(path, slice::from_ref(solution))
    }

    /// The same for several samples of evidence.
    pub(crate) fn solutions(
        path: Option<&Path>,
        solutions: &[Solution],
    ) -> Result<Option<Self>, Failure> {
        let Some(path) = path.map(Path::to_owned) else {
            return Ok(None);
        };
        let mut bytes = Vec::new();
        match write_solutions(&mut bytes, solutions) {
            Ok(()) => Ok(Some(Self { path, bytes })),
            Err(source) => Err(Failure::Output { path, source }),
        }
    }

    pub(crate) fn write(&self) -> Result<(), Failure> {
        write_atomic(&self.path, &self.bytes).map_err(|error| match error {
            UaiError::Io { file, source } => Failure::Output { path: file, source },
            error => Failure::File(error),
        })
    }
}

impl<R> Done<R> {
    /// A run that ended as it should.
    pub(crate) fn new(report: R) -> Self {
        Self {
            reports: vec![report],
            file: None,
            trouble: Vec::new(),
            interrupted: false,
        }
    }
}

/// Prints the reports, writes the file, complains on standard error; returns the exit code.
///
/// The reports are printed whatever becomes of the file, and the file is written whatever becomes of
/// standard output.
pub(crate) fn finish<R: Display + Serialize>(done: Result<Done<R>, Failure>, json: bool) -> u8 {
    let done = match done {
        Ok(done) => done,
        Err(failure) => return fail(&failure, json),
    };
    let printed = if json {
        done.reports.iter().try_for_each(print_json)
    } else {
        print(&Paragraphs(&done.reports))
    };
    let written = done.file.map_or(Ok(()), |file| file.write());
    let failures = [printed.err(), written.err()].into_iter().flatten();
    let failures: Vec<Failure> = failures.chain(done.trouble).collect();
    failures.iter().for_each(complain);
    match (done.interrupted, failures.first()) {
        (true, _) => INTERRUPTED,
        (false, Some(failure)) => failure.exit_code(),
        (false, None) => 0,
    }
}

/// Reports with an empty line between them.
struct Paragraphs<'r, R>(&'r [R]);

impl<R: Display> Display for Paragraphs<'_, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, report) in self.0.iter().enumerate() {
            if at > 0 {
                writeln!(f)?;
            }
            report.fmt(f)?;
        }
        Ok(())
    }
}

/// Tells why there is no result; returns the exit code.
pub(crate) fn fail(failure: &Failure, json: bool) -> u8 {
    let printed = json && print_json(&failure.to_json()).is_ok();
    if !printed {
        complain(failure);
    }
    failure.exit_code()
}

fn print_json(value: &impl Serialize) -> Result<(), Failure> {
    let text = serde_json::to_string(value).map_err(io::Error::from);
    to_stdout(|out| writeln!(out, "{}", text?))
}

fn print(value: &impl Display) -> Result<(), Failure> {
    to_stdout(|out| write!(out, "{value}"))
}

fn to_stdout(write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<(), Failure> {
    let mut out = io::BufWriter::new(io::stdout().lock());
    match write(&mut out).and_then(|()| out.flush()) {
        // A reader that has seen enough (`| head`) is no error.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        Err(source) => Err(Failure::Output {
            path: "standard output".into(),
            source,
        }),
        Ok(()) => Ok(()),
    }
}
