//! Upper and lower bounds on `ln Z`.

mod allowed;
mod error;
mod mean_field;
pub mod wmbe;

pub use allowed::{AllowedSearch, Configuration};
pub use error::BoundError;
pub use mean_field::{MeanField, MeanFieldAscent, mean_field};
