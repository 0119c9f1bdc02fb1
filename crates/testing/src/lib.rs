//! What the test suites of the workspace share: random models of every awkward kind, comparisons that a
//! NaN cannot pass, and the bundled models with their exact values.
//!
//! Laws draw their models from a [`Family`], by seed. Whatever is drawn here has to stay as it is drawn:
//! suites count what they met, and snapshots hold numbers of these models.
//!
//! A development dependency of the other packages, by its path alone, so that those can be published
//! without it. It panics where its caller, a test, is wrong.

mod bundled;
mod compare;
mod family;
mod forney_form;
mod grids;
mod nets;
mod tables;
mod threads;
mod trees;

pub use bundled::{Reference, instances, references, restricted, root};
pub use compare::{assert_at_least, assert_at_most, assert_gradient, assert_near, near};
pub use family::{Family, mixed};
pub use forney_form::{paired, regular, ring};
pub use grids::{grid, grid_text, struck};
pub use nets::bayes_net;
pub use tables::{least_ibound, num_assignments, shuffled, table};
pub use threads::on_threads;
pub use trees::{cancelling_chain, factor_tree, forney_tree, without_cycles};

use rand::SeedableRng;
use rand_pcg::Pcg64;

/// The generator of a seed.
#[must_use]
pub fn rng(seed: u64) -> Pcg64 {
    Pcg64::seed_from_u64(seed)
}
