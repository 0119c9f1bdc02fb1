//! Gauge transformations and gauged weighted mini-bucket elimination.

mod adam;
mod axis;
mod engine;
mod objective;
mod sum;
mod walk;

pub use adam::Adam;
pub use engine::SignedEngine;
pub use objective::GaugeObjective;
