#![doc = include_str!("../README.md")]
//! ## How it works
//!
//! A model is *compiled* once: [`Schedule::compile`] turns its scopes, an elimination [`Order`] and
//! a [`SplitRule`] into a flat list of steps whose cost is known before anything is allocated. An
//! [`Engine`] then runs it many times. There is one forward loop and one backward loop in the
//! workspace: exact elimination, maxima, and weighted mini-buckets on both sides all use them.

mod alone;
mod assignment;
mod backward;
mod block;
mod buffers;
mod check;
mod compile;
// For the other crates of the workspace; no promise is made about it.
#[doc(hidden)]
pub mod dispatch;
mod engine;
mod error;
mod kernel;
mod layout;
mod live;
mod load;
mod marginals;
mod order;
mod pace;
mod partition_function;
mod pass;
mod post_order;
mod prepare;
mod schedule;
mod signed;
mod step;
mod table;
mod tasks;
mod varying;
pub mod vmath;
mod watch;

pub use alone::Message;
pub use assignment::{Assignment, most_probable};
pub use compile::{Bucket, SplitRule, Whole};
pub use engine::{Engine, Keep};
pub use error::{TooLarge, human};
pub use marginals::{Marginals, marginals};
pub use order::{
    Cost, Effort, Heuristic, Order, OrderError, dissection, frontier, frontier_within, greedy,
    greedy_within, quick, search,
};
pub use pace::Pace;
pub use partition_function::{ln_z, ln_z_along};
pub use schedule::{Base, Demand, Input, Schedule, Shift, Source, Split, Step};
