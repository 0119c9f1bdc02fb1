#![doc = include_str!("../README.md")]
//! ## Where to begin
//!
//! [`bracket`] is the one call that most users need: it improves both sides within time and memory.
//! The methods behind it are witnesses ([`Certificate`](forney_certify::Certificate)s) that can be
//! built and verified by themselves.

mod allowed;
mod belief_propagation;
mod board;
mod bracket;
mod bucket_renormalisation;
mod buckets;
mod conditioning;
mod contender;
mod course;
mod elbo;
mod error;
mod mean_field;
mod options;
pub mod race;
mod spanning;
mod structured_mean_field;
mod tree_reweighted;
pub mod wmbe;

pub use allowed::{AllowedSearch, Configuration};
pub use belief_propagation::{BeliefPropagation, Beliefs, MessageSchedule, belief_propagation};
pub use board::{Board, Post, Watch};
pub use bracket::{bracket, bracket_with};
pub use bucket_renormalisation::{
    RenormalisationOptions, Renormalised, global_bucket_renormalisation,
    mini_bucket_renormalisation,
};
pub use conditioning::{Conditioned, Conditioning};
pub use contender::{Allowance, Contender, Prospect, Turn};
pub use elbo::Tractable;
pub use error::BoundError;
pub use mean_field::{MeanField, MeanFieldAscent, mean_field};
pub use options::{Activity, BoundOptions, BoundReport, Method, Progress, Sides, UnknownMethod};
pub use structured_mean_field::{
    ForestAscent, StartError, StructuredAscent, structured_mean_field,
};
pub use tree_reweighted::{
    ForestMixture, Inapplicable, NegativeTreeReweighted, TreeReweighted, negative_tree_reweighted,
    tree_reweighted,
};
