#![doc = include_str!("../README.md")]
//! ## Files
//!
//! | file | content | here |
//! |---|---|---|
//! | `.uai` | `MARKOV` or `BAYES`, cardinalities, scopes, tables | [`read_model`], [`write_model`] |
//! | `.LG` | the same with natural logarithms in the tables | [`read_log_model`] |
//! | `.evid` | observed variables and their states, one sample or more | [`read_evidences`], [`read_evidence`] |
//! | `.virt` | likelihoods of the states of some variables | [`read_virtual_evidence`] |
//! | order | an elimination order | [`read_order`] |
//! | `.PR` `.MAR` `.MAP` | results of a solver | [`read_solution`], [`write_solution`] |
//!
//! All of them are tokens between white space, so the readers do not care about lines. The last
//! variable of a scope runs fastest, variables and states count from 0; the format is described at
//! <https://uaicompetition.github.io/uci-2022/file-formats/>.
//!
//! The readers also take what other tools write around the tokens: a byte order mark, comments from
//! `#` or `//` to the end of a line, lines whose first word is `c`, a comma between a token and
//! white space, and NUL or Ctrl-Z at the end. A comma inside a number is refused, as it may be a
//! decimal point. What a reader passes over or doubts it tells as a [`Warning`].
//!
//! Readers take bytes; [`read_file`] gives them those of a file and names it in the error, and
//! [`model_reader`] tells the reader of a model by the name of its file. Writers
//! take any [`std::io::Write`]; [`write_atomic`] puts what they wrote in the place of a file.

mod atomic;
mod error;
mod evidence;
mod file;
mod format;
mod likelihood;
mod model;
mod number;
mod order;
mod parse;
mod reader;
mod rows;
mod solution;
mod warning;

pub use atomic::write_atomic;
pub use error::{Fault, UaiError};
pub use evidence::{EvidenceFile, read_evidence, read_evidences};
pub use file::read_file;
pub use likelihood::{VirtualEvidence, read_likelihood, read_virtual_evidence};
pub use model::{Entries, ModelKind, UaiFactor, UaiModel, write_model};
pub use order::read_order;
pub use parse::{ModelReader, model_reader, read_log_model, read_model};
pub use solution::{Solution, read_solution, write_solution, write_solutions};
pub use warning::{Meant, Warning};
