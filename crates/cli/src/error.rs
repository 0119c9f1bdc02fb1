//! What can go wrong, how it is told, and the exit code that says so.

use std::fmt::{self, Display};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use forney_bounds::BoundError;
use forney_certify::Stop;
use forney_exact::{OrderError, TooLarge, human};
use forney_latent::LatentError;
use forney_methods::Inapplicable;
use forney_model::ModelError;
use forney_planar::PlanarError;
use forney_uai::{Fault, UaiError};
use serde::Serialize;

use crate::json;
use crate::unfinished::{Refused, Stage};

/// Exit code of a fault of this program.
const INTERNAL: u8 = 70;

/// Exit code where an assignment was asked for, or a distribution of them, and none is allowed.
const IMPOSSIBLE: u8 = 4;

/// Exit code of a run that was interrupted, as shells know it: 128 + SIGINT.
pub(crate) const INTERRUPTED: u8 = 130;

/// A line on standard error. If that is closed nobody can be told, which is no reason to end.
pub(crate) fn complain(message: impl Display) {
    let _ = writeln!(io::stderr(), "forney: {message}");
}

/// Why a command did not do its job.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// The words of the command line make no sense.
    #[error("{0}")]
    Usage(String),
    /// A file is unreadable or malformed.
    #[error(transparent)]
    File(#[from] UaiError),
    /// The same for the file of a model that may be one of logarithms.
    #[error("{error}{}", hint_at_logarithms(error))]
    ModelFile { error: UaiError },
    /// The same for the file that `--order` names.
    #[error("{error}{}", hint_at_names(error))]
    OrderFile { error: UaiError },
    /// A model that no file can describe.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// An order that does not fit the model.
    #[error(transparent)]
    Order(#[from] OrderError),
    /// A result could not be written.
    #[error("cannot write {}: {source}", path.display())]
    Output { path: PathBuf, source: io::Error },
    /// The job does not fit in memory.
    #[error(transparent)]
    TooLarge(#[from] TooLarge),
    /// The same of a method of `bound`.
    #[error(
        "{what} needs {} at width {width}, more than the {} allowed; allow more memory, or {instead}",
        human(*bytes), human(*limit)
    )]
    Cliques {
        what: &'static str,
        width: usize,
        bytes: f64,
        limit: f64,
        instead: &'static str,
    },
    /// An elimination does not fit in memory.
    #[error("{0}")]
    NoFit(Refused),
    /// What was asked for by name, or anything at all, did not come in time.
    #[error("{what} within --time; allow more time")]
    NotInTime { what: &'static str },
    /// The job does not fit in the time allowed.
    #[error("{}", stage.unfinished())]
    OutOfTime { stage: Stage },
    /// The same for one of several samples of evidence.
    #[error("sample {sample} of {of}: {failure}")]
    Sample {
        sample: usize,
        of: usize,
        failure: Box<Failure>,
    },
    /// `Z = 0`, and what was asked for does not exist then.
    #[error("Z = 0{}: no assignment is allowed, so there {what}", Of(samples))]
    NoAssignment {
        what: &'static str,
        /// Numbers of the samples, if there are several.
        samples: Vec<usize>,
    },
    /// An answer is missing in a file that holds all of them.
    #[error("{} was not written: it holds answers only", path.display())]
    NoAnswer { path: PathBuf },
    /// A single number was asked for, and only a bracket was found.
    #[error(
        "{} was not written: it holds a single number, and the bracket did not close within the \
         limits",
        path.display()
    )]
    NotClosed { path: PathBuf },
    /// Mini-buckets do not fit in memory.
    #[error(
        "mini-buckets need {} of memory even with cliques as small as the factors, more than the {} \
         allowed; allow more memory{}",
        human(*bytes), human(*limit), instead.unwrap_or_default()
    )]
    MiniBucketsTooLarge {
        bytes: f64,
        limit: f64,
        /// What else proves a bound on a side that is asked for, if anything does.
        instead: Option<&'static str>,
    },
    /// A method that does not apply to the model.
    #[error("{0}; use --method auto")]
    Inapplicable(Inapplicable),
    /// A planar model that does not fit.
    #[error("{0}")]
    MatchingsTooLarge(PlanarError),
    /// A factor exceeds the ibound.
    #[error(
        "an ibound of {ibound} is too small: after evidence and hard zeros the largest factor \
         still joins {scope} variables, which takes an ibound of at least {least}"
    )]
    IboundTooSmall {
        ibound: usize,
        least: usize,
        scope: usize,
    },
    /// A file of data is malformed, or holds what cannot be learned from.
    #[error("{} {message}", file.display())]
    Data { file: PathBuf, message: String },
    /// The data do not fit in memory.
    #[error(
        "{} takes {} of memory, more than the {} allowed: learn from fewer rows, or raise --memory",
        file.display(), human(*bytes), human(*limit)
    )]
    DataTooLarge {
        file: PathBuf,
        bytes: f64,
        limit: f64,
    },
    /// The model that is to be learned does not fit in memory.
    #[error(
        "this model takes about {} of memory to learn, more than the {} allowed: make it smaller, or \
         raise --memory",
        human(*bytes), human(*limit)
    )]
    ModelTooLarge { bytes: f64, limit: f64 },
    /// Time was up before learning had begun.
    #[error(
        "time was up before there was anything to go on from; allow more time, or learn from fewer rows"
    )]
    NoStart,
    /// Data or options from which no model can be learned.
    #[error("{0}")]
    Latent(LatentError),
    /// A checkpoint that is damaged, or of another run.
    #[error("the checkpoint {} {message}", file.display())]
    Checkpoint { file: PathBuf, message: String },
    /// A fault of this program.
    #[error("{0}")]
    Internal(String),
    /// Ctrl-C before there was a result.
    #[error("interrupted before there was a result")]
    Interrupted,
}

/// The samples that are meant, if there are several.
struct Of<'s>(&'s [usize]);

impl Display for Of<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let numbers: Vec<String> = self.0.iter().map(usize::to_string).collect();
        match self.0.len() {
            0 => Ok(()),
            1 => write!(f, " for sample {}", numbers[0]),
            _ => write!(f, " for samples {}", numbers.join(", ")),
        }
    }
}

/// Negative entries may be logarithms.
fn hint_at_logarithms(error: &UaiError) -> &'static str {
    match error {
        UaiError::Malformed {
            fault: Fault::Negative,
            ..
        } => {
            " (if the tables hold natural logarithms, let the name of the file end in .LG, or say \
             --log-tables)"
        }
        _ => "",
    }
}

/// A name that is neither a heuristic nor a file may be a misspelt heuristic.
fn hint_at_names(error: &UaiError) -> &'static str {
    match error {
        UaiError::Io { source, .. } if source.kind() == io::ErrorKind::NotFound => {
            " (--order takes minfill, wminfill, minsize, search, or a file)"
        }
        _ => "",
    }
}

/// What a program that reads the error may want to know beside the message.
#[derive(Serialize)]
#[serde(untagged)]
enum Details<'a> {
    None {},
    Place {
        #[serde(skip_serializing_if = "Option::is_none")]
        file: Option<&'a Path>,
        line: usize,
        column: usize,
        expected: &'a str,
        found: &'a str,
    },
    File {
        file: &'a Path,
    },
    Size {
        width: usize,
        #[serde(serialize_with = "json::whole")]
        bytes: f64,
        #[serde(serialize_with = "json::whole")]
        limit: f64,
    },
    Bytes {
        #[serde(serialize_with = "json::whole")]
        bytes: f64,
        #[serde(serialize_with = "json::whole")]
        limit: f64,
    },
    Ibound {
        ibound: usize,
        least: usize,
    },
}

#[derive(Serialize)]
struct Told<'a> {
    kind: &'static str,
    message: String,
    #[serde(flatten)]
    details: Details<'a>,
}

/// The error as `--json` prints it: `{"error": {"kind", "message", …}}`.
#[derive(Serialize)]
pub(crate) struct JsonError<'a> {
    error: Told<'a>,
}

impl From<LatentError> for Failure {
    fn from(error: LatentError) -> Self {
        match error {
            LatentError::TooLarge(too_large) => Self::TooLarge(too_large),
            LatentError::Model(error) => Self::Model(error),
            error => Self::Latent(error),
        }
    }
}

impl Failure {
    /// What a budget that ended in some stage means to the user.
    pub(crate) fn out_of(stop: Stop, stage: Stage) -> Self {
        match stop {
            Stop::Interrupted => Self::Interrupted,
            _ => Self::OutOfTime { stage },
        }
    }

    /// Why there is no bound within the `memory` asked for, from exact elimination if that was asked for alone;
    /// `instead` is what else might prove one.
    pub(crate) fn of_bound(
        error: BoundError,
        exact: bool,
        memory: Option<f64>,
        instead: Option<&'static str>,
    ) -> Self {
        match error {
            // The number of the factor is that in the reduced model, which no user knows.
            BoundError::IboundTooSmall {
                ibound,
                least,
                scope,
                ..
            } => Self::IboundTooSmall {
                ibound,
                least,
                scope,
            },
            BoundError::TooLarge(TooLarge {
                width,
                bytes,
                limit,
            }) => {
                let (what, instead) = match exact {
                    true => (
                        "exact elimination",
                        "search longer for an order, or use --method auto",
                    ),
                    false => ("a pass of mini-buckets", "take a smaller --ibound"),
                };
                // One side has a share of what was allowed; of the whole as large a part is needed.
                let memory = memory.unwrap_or(limit);
                let share = limit / memory;
                let share = if share > 0.0 && share < 1.0 {
                    share
                } else {
                    1.0
                };
                Self::Cliques {
                    what,
                    width,
                    bytes: bytes / share,
                    limit: memory,
                    instead,
                }
            }
            BoundError::MiniBucketsTooLarge { bytes, limit } => Self::MiniBucketsTooLarge {
                bytes,
                limit,
                instead,
            },
            error => Self::Internal(error.to_string()),
        }
    }

    /// The class of the error, for programs.
    fn kind(&self) -> &'static str {
        match self {
            Self::Usage(_) => "usage",
            Self::File(error) | Self::ModelFile { error } | Self::OrderFile { error } => {
                match error {
                    UaiError::Malformed { .. } => "malformed",
                    UaiError::Io { .. } => "io",
                }
            }
            Self::Model(_) => "model",
            Self::Order(_) => "order",
            Self::Output { .. } => "output",
            Self::TooLarge(_)
            | Self::Cliques { .. }
            | Self::NoFit(_)
            | Self::MiniBucketsTooLarge { .. } => "too-large",
            Self::Sample { failure, .. } => failure.kind(),
            Self::NoAssignment { .. } => "no-assignment",
            Self::NoAnswer { .. } => "no-answer",
            Self::OutOfTime { .. } | Self::NotInTime { .. } => "out-of-time",
            Self::NotClosed { .. } => "not-closed",
            Self::IboundTooSmall { .. } => "ibound-too-small",
            Self::Inapplicable(_) => "inapplicable",
            Self::Data { .. } => "data",
            Self::DataTooLarge { .. } | Self::ModelTooLarge { .. } | Self::MatchingsTooLarge(_) => {
                "too-large"
            }
            Self::NoStart => "out-of-time",
            Self::Latent(_) => "learning",
            Self::Checkpoint { .. } => "checkpoint",
            Self::Internal(_) => "internal",
            Self::Interrupted => "interrupted",
        }
    }

    /// The exit code: 2 for bad input, 3 for what does not fit, 4 for what does not exist, 130 for an interruption, 70 for
    /// a fault of this program.
    pub(crate) fn exit_code(&self) -> u8 {
        match self {
            Self::Usage(_)
            | Self::File(_)
            | Self::ModelFile { .. }
            | Self::OrderFile { .. }
            | Self::Model(_)
            | Self::Order(_)
            | Self::Output { .. }
            | Self::IboundTooSmall { .. }
            | Self::Inapplicable(_)
            | Self::Data { .. }
            | Self::Latent(_)
            | Self::Checkpoint { .. } => 2,
            Self::TooLarge(_)
            | Self::Cliques { .. }
            | Self::NoFit(_)
            | Self::MiniBucketsTooLarge { .. }
            | Self::DataTooLarge { .. }
            | Self::MatchingsTooLarge(_)
            | Self::ModelTooLarge { .. }
            | Self::NoStart
            | Self::OutOfTime { .. }
            | Self::NotInTime { .. }
            | Self::NotClosed { .. }
            | Self::NoAnswer { .. } => 3,
            Self::NoAssignment { .. } => IMPOSSIBLE,
            Self::Sample { failure, .. } => failure.exit_code(),
            Self::Internal(_) => INTERNAL,
            Self::Interrupted => INTERRUPTED,
        }
    }

    /// The error for `--json`.
    pub(crate) fn to_json(&self) -> JsonError<'_> {
        JsonError {
            error: Told {
                kind: self.kind(),
                message: self.to_string(),
                details: self.details(),
            },
        }
    }

    fn details(&self) -> Details<'_> {
        match self {
            Self::File(error) | Self::ModelFile { error } | Self::OrderFile { error } => {
                match error {
                    UaiError::Malformed {
                        file,
                        line,
                        column,
                        expected,
                        found,
                        ..
                    } => Details::Place {
                        file: file.as_deref(),
                        line: *line,
                        column: *column,
                        expected,
                        found,
                    },
                    UaiError::Io { file, .. } => Details::File { file },
                }
            }
            Self::Output { path, .. } | Self::NotClosed { path } | Self::NoAnswer { path } => {
                Details::File { file: path }
            }
            Self::Data { file, .. }
            | Self::DataTooLarge { file, .. }
            | Self::Checkpoint { file, .. } => Details::File { file },
            Self::IboundTooSmall { ibound, least, .. } => Details::Ibound {
                ibound: *ibound,
                least: *least,
            },
            Self::TooLarge(too_large) => Details::Size {
                width: too_large.width,
                bytes: too_large.bytes,
                limit: too_large.limit,
            },
            Self::Cliques {
                width,
                bytes,
                limit,
                ..
            } => Details::Size {
                width: *width,
                bytes: *bytes,
                limit: *limit,
            },
            Self::NoFit(Refused { no_fit, .. }) => Details::Size {
                width: no_fit.width,
                bytes: no_fit.bytes,
                limit: no_fit.limit,
            },
            Self::MiniBucketsTooLarge { bytes, limit, .. } => Details::Bytes {
                bytes: *bytes,
                limit: *limit,
            },
            Self::Sample { failure, .. } => failure.details(),
            _ => Details::None {},
        }
    }
}
