//! (in progress)

mod order;
pub use order::{Cost, Effort, Heuristic, Order, OrderError, greedy, search, sweep};
