#![doc = include_str!("../README.md")]
//! ## Symbols
//!
//! A gauge changes the tables of a model and leaves `Z` as it is. A mini-bucket bound does change,
//! so it can be minimised over gauges; cost shifts are the diagonal gauges `diag(e^θ)`.
//!
//! | symbol | name | where |
//! |---|---|---|
//! | `G_va`, `G_vaᵀ G_vb = I` | gauge of variable `v` at factor `a` | [`Gauges`] |
//! | `f_{a,G}` | transformed factor, possibly negative | [`SignedTable`] |
//! | `ln Z_w(G, λ, w)` | the bound, in nats | [`GaugeObjective`] |
//! | `E = ∂ ln Z_w / ∂G` at `G = I` | tangent, equation (36) | [`Published`] |
//!
//! [`gauged_wmbe`] and [`gauged_wmbe_below`] are the calls that most users need; they want a model in
//! Forney form ([`forney_model::Forney`]). What they return is a verified [`GaugedWmbe`].
//!
//! [`gauged_mean_field`] and [`gauged_belief_propagation`] bound `ln Z` from below without an elimination
//! order, in the best gauge without negative entries; [`gauged_structured_mean_field`] goes on from
//! there. Their witness is [`Gauged`].

mod adam;
mod axis;
mod field;
mod gauged_lower;
mod gauges;
mod moving;
mod objective;
mod optimiser;
mod orders;
mod published;
mod racer;
mod search;
mod witness;

pub use adam::Adam;
pub use gauged_lower::{
    Gauged, GaugedLowerError, GaugedLowerOptions, GaugedLowerReport, GaugedMeanField, LowerWatch,
    gauged_belief_propagation, gauged_mean_field, gauged_structured_mean_field,
};
pub use gauges::{GaugeError, Gauges, MAX_CONDITION, SignedTable};
pub use objective::GaugeObjective;
pub use published::{Published, PublishedVariant, UnknownVariant};
pub use racer::bytes as candidate_bytes;
pub use search::{
    GaugeOptions, GaugeReport, gauged_wmbe, gauged_wmbe_below, gauged_wmbe_below_within,
    gauged_wmbe_within,
};
pub use witness::GaugedWmbe;

/// The name of gauged mini-buckets in reports.
pub const NAME: &str = "wmbe-g";
