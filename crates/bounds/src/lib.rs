//! Upper and lower bounds on `ln Z`.

mod error;
pub mod wmbe;

pub use error::BoundError;
