//! Weighted mini-bucket elimination (Liu & Ihler 2011).
//!
//! A bucket whose clique is too large is split into mini-buckets `r`, each with its own Hölder
//! weight, and cost shifts `λ` move factors' mass between them. With `Σ_r w_r = 1`
//!
//! ```text
//! w_r > 0:                      Z ≤ Z_w   (Hölder)
//! one w_r > 0, the others < 0:  Z ≥ Z_w   (reverse Hölder)
//! ```
//!
//! | symbol | name | shape |
//! |---|---|---|
//! | `w_r` | weight of mini-bucket `r` | one for each mini-bucket of each split |
//! | `λ_{rs}(x_S)` | cost shift over the whole scope `S` that `r` and `s` share | entries of `S` |
//! | ibound | cliques hold at most ibound + 1 variables | |
//! | `ln Z_w` | the bound | nats |

mod candidates;
mod carry;
mod climb;
mod content;
mod messages;
mod mini_buckets;
mod objective;
mod plain;
mod published;
mod search;
mod structure;
mod variants;
mod witness;

pub use candidates::{Candidates, RACE_EVALUATIONS, candidate_order};
pub use climb::{Climbed, Field, climb};
pub use content::ContentMiniBuckets;
pub use mini_buckets::{CliqueLimit, MiniBuckets};
pub use objective::{WeightMap, WmbeObjective, all_pulled_back, all_weights};
pub use plain::{PlainRacer, bytes, pairs};
pub use search::{LocalSearch, Mover};
pub use structure::{Candidate, Setting, Structure};
pub use variants::{Partition, Steps, Variant, VariantOptions, VariantReport, mini_buckets};
pub use witness::{Wmbe, check_parameters};

/// The name of the method in reports.
pub const NAME: &str = "wmbe";
