//! The methods, a file for each kind.

mod belief_propagation;
mod bucket_renormalisation;
mod climb;
mod conditioning;
mod exact;
mod gauged_lower;
mod maxima;
mod mean_field;
mod mini_buckets;
mod planar;
mod published;
mod restarts;
mod structured_mean_field;
mod tree_reweighted;
mod wmbe;
mod wmbe_g;

use forney_bounds::wmbe::{Steps, Variant};
use forney_gauge::PublishedVariant;

use crate::Method;
use bucket_renormalisation::BucketRenormalisation;
use gauged_lower::GaugedLower;
use mini_buckets::MiniBuckets;
use published::PublishedGauges;
use tree_reweighted::TreeReweighting;

/// Mini-buckets of one order and one partition.
const fn mini_buckets(name: &'static str, variant: Variant, steps: Steps) -> MiniBuckets {
    MiniBuckets {
        name,
        variant,
        steps,
    }
}

/// Exact elimination.
pub static EXACT: &dyn Method = &exact::Elimination;
/// Weighted mini-buckets, both sides.
pub static WMBE: &dyn Method = &wmbe::WeightedMiniBuckets;
/// Gauged mini-buckets, both sides.
pub static WMBE_G: &dyn Method = &wmbe_g::GaugedMiniBuckets;
/// Mean field, a lower bound.
pub static MEAN_FIELD: &dyn Method = &mean_field::NaiveMeanField;

/// The largest entries, an upper bound at once.
pub(crate) static MAXIMA: &dyn Method = &maxima::Maxima;

/// All methods, in the order of tables; of those that take part in a bracket the first one of each side begins.
pub static METHODS: &[&dyn Method] = &[
    &planar::Matchings,
    EXACT,
    WMBE,
    WMBE_G,
    MEAN_FIELD,
    &structured_mean_field::StructuredMeanField,
    &conditioning::CutsetConditioning,
    &GaugedLower::StructuredMeanField,
    &GaugedLower::MeanField,
    &GaugedLower::BeliefPropagation,
    &TreeReweighting::Below,
    &TreeReweighting::Above,
    MAXIMA,
    &mini_buckets("mbe", Variant::Mbe, Steps::Best),
    &mini_buckets("wmbe-uniform", Variant::Wmbe, Steps::Best),
    &mini_buckets("wmbe-w", Variant::W, Steps::Best),
    &mini_buckets("wmbe-theta", Variant::Theta, Steps::Best),
    &mini_buckets("wmbe-theta-w", Variant::ThetaW, Steps::Best),
    &belief_propagation::BeliefPropagation,
    &BucketRenormalisation {
        name: "mbr",
        calibrates: false,
    },
    &BucketRenormalisation {
        name: "gbr",
        calibrates: true,
    },
    &mini_buckets("published-wmbe", Variant::Wmbe, Steps::Published),
    &mini_buckets("published-wmbe-w", Variant::W, Steps::Published),
    &mini_buckets("published-wmbe-theta", Variant::Theta, Steps::Published),
    &mini_buckets("published-wmbe-theta-w", Variant::ThetaW, Steps::Published),
    &PublishedGauges {
        name: "published-wmbe-g",
        variant: PublishedVariant::G,
    },
    &PublishedGauges {
        name: "published-wmbe-gw",
        variant: PublishedVariant::Gw,
    },
];

/// The method of that name.
#[must_use]
pub fn method(name: &str) -> Option<&'static dyn Method> {
    METHODS.iter().copied().find(|method| method.name() == name)
}
