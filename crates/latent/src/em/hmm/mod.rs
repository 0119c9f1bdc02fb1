//! The hidden Markov model: `p(h_1 = i) = π_i`, `p(h_t = j | h_{t−1} = i) = A_ij`, `v_t | h_t ~` emission.
//!
//! L. R. Rabiner, "A tutorial on hidden Markov models" (1989).
//!
//! | symbol | name | shape |
//! |---|---|---|
//! | `π` | [`Hmm::start`] | `K` |
//! | `A` | [`Hmm::transitions`], rows sum to 1 | `K × K` |
//! | `b_t(k) = p(v_t \| h_t = k)` | [`Emission`] | `T × K` |
//! | `γ_t(k) = p(h_t = k \| v)` | [`Hmm::transform`] | `T × K` |
//!
//! An example is a whole sequence: scores and free energies are nats per sequence.

mod categorical;
mod emission;
mod fit;
mod gaussian;
mod infer;
mod learn;
mod log_domain;
mod model;
mod scaled;
mod sequences;

pub use categorical::Categorical;
pub use emission::Emission;
pub use fit::{CategoricalHmmParams, GaussianHmmParams};
pub use gaussian::GaussianEmission;
pub use learn::{HmmMoments, HmmPosterior};
pub use model::Hmm;
pub use sequences::Sequences;
