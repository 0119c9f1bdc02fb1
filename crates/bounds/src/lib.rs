#![doc = include_str!("../README.md")]
//! ## Where to begin
//!
//! The methods are witnesses ([`Certificate`](forney_certify::Certificate)s) that can be built, improved and
//! verified by themselves: [`wmbe`], [`mean_field`], [`structured_mean_field`], [`Conditioning`],
//! [`tree_reweighted`]. What races ([`race`]) enters its bounds on a [`Board`]. The call that improves both sides
//! within time and memory, by all of them, is `forney_methods::bracket`.

mod allowed;
mod belief_propagation;
mod board;
mod bucket_renormalisation;
mod buckets;
mod conditioning;
mod course;
mod elbo;
mod error;
mod mean_field;
pub mod race;
mod spanning;
mod structured_mean_field;
mod tree_reweighted;
pub mod wmbe;

pub use allowed::{AllowedSearch, Configuration};
pub use belief_propagation::{BeliefPropagation, Beliefs, MessageSchedule, belief_propagation};
pub use board::{Activity, Board, ELIMINATION, Progress, Watch};
pub use bucket_renormalisation::{
    RenormalisationOptions, Renormalised, global_bucket_renormalisation,
    mini_bucket_renormalisation,
};
pub use conditioning::{Conditioned, Conditioning};
pub use course::{Courses, Start};
pub use elbo::Tractable;
pub use error::BoundError;
pub use mean_field::{CooledAscent, MeanField, MeanFieldAscent, MeanFieldStarts, mean_field};
pub use structured_mean_field::{
    BlockStarts, ForestAscent, StartError, StructuredAscent, structured_mean_field,
};
pub use tree_reweighted::{
    ForestError, ForestMixture, NegativeTreeReweighted, TreeReweighted, negative_tree_reweighted,
    tree_reweighted,
};
