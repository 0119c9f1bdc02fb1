#![doc = include_str!("../README.md")]
//! ## Symbols
//!
//! | symbol | name | shape |
//! |---|---|---|
//! | `v` | [`VarId`] | `0..n` |
//! | `\|X_v\|` | cardinality, [`FactorGraph::card`] | ≥ 1 |
//! | `a` | [`FactorId`] | `0..m` |
//! | `x_a` | scope of a factor, [`Table::scope`] | any number of variables, also none |
//! | `ln (f_a / max f_a)` | [`Table::relative`] | product of the scope's cardinalities, last variable fastest |
//! | `ln max f_a` | [`Table::ln_scale`] | nats; their sum is [`FactorGraph::ln_scale`] |
//!
//! Tables live in the log domain (nats); a hard zero is `−∞`.

mod axes;
mod barren;
mod bits;
mod conflict;
mod consistency;
mod domains;
pub mod enumerate;
mod error;
mod evidence;
mod forney;
pub mod generate;
mod graph;
mod id;
mod propagation;
mod simplify;
mod table;
pub mod walk;

pub use barren::{simplify_sum, without_barren};
pub use conflict::{Conflict, conflict};
pub use domains::{Domains, Restriction};
pub use error::ModelError;
pub use evidence::Evidence;
pub use forney::{Forney, ForneyError, check_forney};
pub use graph::{FactorGraph, Node};
pub use id::{FactorId, MAX_CARD, VarId};
pub use propagation::{Contradiction, Mark, Propagation};
pub use simplify::simplify;
pub use table::{Table, table_len};
