//! Gauge transformations and gauged weighted mini-bucket elimination.

mod adam;
mod axis;
mod climb;
mod engine;
mod gauges;
mod objective;
mod published;
mod search;
mod sum;
mod walk;
mod witness;

pub use adam::Adam;
pub use engine::SignedEngine;
pub use gauges::{GaugeError, Gauges, MAX_CONDITION, SignedTable};
pub use objective::GaugeObjective;
pub use published::{Published, UnknownVariant, Variant};
pub use search::{GaugeOptions, GaugeReport, gauged_wmbe, gauged_wmbe_below};
pub use witness::GaugedWmbe;
