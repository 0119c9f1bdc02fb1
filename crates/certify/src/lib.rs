//! Bounds with a side, brackets, certificates, budgets and the loop that improves witnesses.
//!
//! This crate knows no model. It holds the one idea of the workspace: *a bound is a value with a
//! side, recomputed from its witness, never read off an optimiser*. All values are natural
//! logarithms (nats).
//!
//! | symbol | name | unit |
//! |---|---|---|
//! | `ln Z` | log partition function | nats |
//! | `L ≤ ln Z` | [`Lower`] = [`Bound<Below>`] | nats |
//! | `U ≥ ln Z` | [`Upper`] = [`Bound<Above>`] | nats |
//! | `[L, U]` | [`Bracket`] | nats |

mod bound;
mod bracket;
mod budget;
mod certificate;
mod double_double;
mod drive;
mod lbfgs;
mod line_search;

pub use bound::{Above, Below, Bound, Estimate, Flaw, Lower, Side, Upper};
pub use bracket::{Bracket, Crossed, slack};
pub use budget::Budget;
pub use certificate::Certificate;
pub use double_double::DoubleDouble;
pub use drive::{Limits, Refine, Run, Stop, Sweep, drive};
pub use lbfgs::{Lbfgs, Objective};
