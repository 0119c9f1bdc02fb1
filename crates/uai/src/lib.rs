//! The files of the UAI inference competitions: models, evidence, orders and solutions.
//!
//! | file | content | here |
//! |---|---|---|
//! | `.uai` | `MARKOV` or `BAYES`, cardinalities, scopes, tables | [`read_model`], [`write_model`] |
//! | `.evid` | observed variables and their states | [`read_evidence`] |
//! | order | an elimination order | [`read_order`] |
//! | `.PR` `.MAR` `.MAP` | results of a solver | [`read_solution`], [`write_solution`] |
//!
//! All of them are tokens between white space, so the readers do not care about lines. Entries are
//! plain values, the last variable of a scope runs fastest, variables and states count from 0; the
//! format is described at <https://uaicompetition.github.io/uci-2022/file-formats/>.
//!
//! Readers take bytes; [`read_file`] gives them those of a file and names it in the error. Writers
//! take any [`std::io::Write`]; [`write_atomic`] puts what they wrote in the place of a file.
//!
//! # Example
//! ```
//! use forney_uai::{read_evidence, read_model, write_model};
//!
//! let model = read_model(b"MARKOV 2  2 3  1  2 0 1  6  1 2 3 4 5 6")?;
//! let evidence = read_evidence(b"1  1 2", &model.cards)?;
//! assert_eq!(evidence.len(), 1);
//!
//! let mut text = Vec::new();
//! write_model(&mut text, &model)?;
//! assert_eq!(read_model(&text)?, model);
//!
//! let error = read_model(b"MARKOV 2\n2 3\n1\n2 0 7").unwrap_err();
//! assert_eq!(error.to_string(), "line 4, column 5: expected a variable of factor 0, below 2; found `7`");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod error;
mod evidence;
mod file;
mod likelihood;
mod model;
mod number;
mod order;
mod parse;
mod reader;
mod solution;
mod warning;

pub use error::{Fault, UaiError};
pub use evidence::{EvidenceFile, read_evidence, read_evidences};
pub use file::{read_file, write_atomic};
pub use likelihood::{VirtualEvidence, read_virtual_evidence};
pub use model::{ModelKind, Trailing, UaiFactor, UaiModel, write_model};
pub use order::read_order;
pub use parse::read_model;
pub use solution::{Solution, read_solution, write_solution, write_solutions};
pub use warning::Warning;
