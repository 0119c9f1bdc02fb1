//! Discrete Bayes nets with hidden variables and missing values: `p(x) = Π_v p(x_v | x_parents(v))`.
//!
//! S. L. Lauritzen, "The EM algorithm for graphical association models with missing data" (1995).
//!
//! | symbol | name | shape |
//! |---|---|---|
//! | `p(x_v \| x_pa)` | a family, [`BayesNet::table`] | parents, then the child, which runs fastest |
//! | `n_v(x_pa, x_v)` | [`FamilyCounts`], expected counts | as the table |
//! | `α` | [`BayesNet::smoothing`], added to each expected count | |
//!
//! The structure is that of a factor graph in which the last variable of each factor is its child, as
//! in BAYES files of the UAI format. The E-step is exact elimination.

mod family;
mod fit;
mod learn;
mod model;
mod observations;

pub use fit::{BayesNetParams, Start};
pub use learn::{BayesNetPosterior, FamilyCounts};
pub use model::{BayesNet, MISSING};
pub use observations::Observations;
