#![doc = include_str!("../README.md")]
//! ## The registry
//!
//! A [`Method`] says what it proves and when it takes part, and is driven in slices: its [`Work`] enters what it
//! proves on a board. [`METHODS`] lists them all: [`bracket`], the comparison of many ([`compare()`]), the program, the
//! law suite and the measured tables read it, so that a new method is one file here and one line there.

mod compare;
mod inapplicable;
mod job;
mod method;
mod methods;
mod portfolio;
mod solo;
mod value;
mod work;

pub use compare::{Entrant, Event, best, compare, entrants, exact};
pub use inapplicable::Inapplicable;
pub use job::{Job, Options, Slice};
pub use method::{ExactOn, Method};
pub use methods::{EXACT, MEAN_FIELD, METHODS, WMBE, WMBE_G, method};
pub use portfolio::{BoundOptions, BoundReport, Sides, bracket};
pub use value::{Gives, Outcome, Point, Value};
pub use work::{Predicted, Turn, Work};
