#![doc = include_str!("../README.md")]
//! ## The registry
//!
//! A [`Method`] improves a [`Value`] of one [`Side`] within a budget. [`METHODS`] lists them all: the
//! program, the law suite and the measured tables read it, so that a new method is one file here and
//! one line there.

mod belief_propagation;
mod bracketed;
mod bucket_renormalisation;
mod climb;
mod compare;
mod gauged_lower;
mod inapplicable;
mod mean_field;
mod method;
mod mini_buckets;
mod negative_tree_reweighted;
mod restarts;
mod structured_mean_field;
mod tree_reweighted;

pub use compare::{Event, Job, best, compare, exact, jobs};
pub use forney_bounds::wmbe::Steps;
pub use inapplicable::Inapplicable;
pub use method::{ExactOn, Method, Options, Outcome, Point, Side, Value, Watch};

use bracketed::Bracketed;
use bucket_renormalisation::BucketRenormalisation;
use forney_bounds::wmbe::Variant;
use gauged_lower::GaugedLower;
use mini_buckets::MiniBuckets;

/// All methods, in the order of tables.
pub static METHODS: &[&dyn Method] = &[
    &mean_field::NaiveMeanField,
    &structured_mean_field::StructuredMeanField,
    &negative_tree_reweighted::NegativeTrees,
    &tree_reweighted::TreeReweightedPropagation,
    &MiniBuckets {
        name: "mbe",
        variant: Variant::Mbe,
    },
    &MiniBuckets {
        name: "wmbe-uniform",
        variant: Variant::Wmbe,
    },
    &MiniBuckets {
        name: "wmbe-w",
        variant: Variant::W,
    },
    &MiniBuckets {
        name: "wmbe-theta",
        variant: Variant::Theta,
    },
    &MiniBuckets {
        name: "wmbe-theta-w",
        variant: Variant::ThetaW,
    },
    &Bracketed::MiniBuckets,
    &Bracketed::Gauged,
    &GaugedLower::MeanField,
    &GaugedLower::BeliefPropagation,
    &GaugedLower::StructuredMeanField,
    &belief_propagation::BeliefPropagation,
    &BucketRenormalisation {
        name: "mbr",
        calibrates: false,
    },
    &BucketRenormalisation {
        name: "gbr",
        calibrates: true,
    },
];

/// The method of that name.
#[must_use]
pub fn method(name: &str) -> Option<&'static dyn Method> {
    METHODS.iter().copied().find(|method| method.name() == name)
}
