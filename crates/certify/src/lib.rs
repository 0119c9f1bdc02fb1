#![doc = include_str!("../README.md")]
//! ## Symbols
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
mod stop;

pub use bound::{Above, Below, Both, Bound, Estimate, Flaw, Lower, Side, Upper};
pub use bracket::{Bracket, Crossed, slack};
pub use budget::Budget;
pub use certificate::Certificate;
pub use double_double::DoubleDouble;
pub use drive::{Limits, Refine, Run, Sweep, drive};
pub use lbfgs::{Lbfgs, Objective};
pub use stop::Stop;
