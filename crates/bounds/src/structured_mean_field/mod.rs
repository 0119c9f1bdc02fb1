//! Structured mean field: the best product of distributions of *blocks* as a lower bound.
//!
//! ```text
//! ln Z ≥ ELBO(q),     q(x) = Π_B q_B(x_B)
//! ```
//!
//! | symbol | name | |
//! |---|---|---|
//! | `B` | block: variables that induce a graph of width ≤ ibound | together a partition |
//! | `q_B(x_B)` | any distribution of the block, [`Tractable`](crate::Tractable) | |
//!
//! Factors inside a block are in `q_B`; the others enter through their expectation. So the bound
//! loses only what the cut factors correlate, and the blocks are chosen to cut weak ones. Every
//! update is a global maximum over one block, found by exact elimination; an ibound of 0 is naive
//! mean field, one of the width of the model is exact.

mod ascent;
mod partition;

pub use ascent::{StartError, StructuredAscent};
