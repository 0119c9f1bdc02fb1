//! Lower bounds of gauged models that have no negative entry (Ahn, Chertkov & Shin 2017): gauged
//! mean field and gauged belief propagation.
//!
//! | symbol | name | where |
//! |---|---|---|
//! | `G`, `f_{a,G}` | gauges, transformed factors | [`Gauges`](crate::Gauges) |
//! | `q(x) = Π_v q_v(x_v)` | product distribution | [`GaugedMeanField`] |
//! | `x⁰` | an assignment, `q` with all probability on it | [`gauged_belief_propagation`] |
//! | `μ` | weight of the logarithmic barrier, falling | |
//!
//! Gauges and distribution move together, by quasi-Newton steps along the central path of a barrier
//! that falls. The problem has many local maxima; several starts race.

mod assignment;
mod belief_propagation;
mod bethe_gauge;
mod demand;
mod family;
mod mean_field;
mod objective;
mod product;
mod race;
mod report;
mod start;
mod structured;
mod witness;

pub use belief_propagation::gauged_belief_propagation;
pub use mean_field::gauged_mean_field;
pub use report::{GaugedLowerError, GaugedLowerOptions, GaugedLowerReport, LowerWatch};
pub use structured::gauged_structured_mean_field;
pub use witness::{Gauged, GaugedMeanField};
