//! MAP inference and sparse coding (chapter 19.3): `V ≈ H Wᵀ` with few non-zeros in `H`.
//!
//! The model has a factorial Laplace prior `p(h_k) = λ/2 e^{−λ|h_k|}` (19.14) and Gaussian noise,
//! `p(v | h) = N(v; W h + b, β⁻¹ I)` (19.15). The most probable codes and the dictionary minimise
//! `J(H, W) = λ Σ|H| + β/2 Σ(V − b − H Wᵀ)²`, (19.16) with its constants.
//!
//! | symbol | name | shape |
//! |---|---|---|
//! | `V` | data, examples in rows | `N × D` |
//! | `W` | [`SparseCoding::dictionary`], one atom in each column | `D × K` |
//! | `H` | [`Codes`], sparse rows | `N × K` |
//! | `b` | [`SparseCoding::bias`] | `D` |
//! | `λ` | rate of the prior | |
//! | `β` | precision of the noise | |
//!
//! * [`Encoder`] infers `H` for a given `W`, by one of several [`Solver`]s; each code comes with its
//!   duality gap, the proof of how close to the best it is. [`lasso_path`] follows the solutions over
//!   all penalties.
//! * [`SparseCoding::elbo`] is a lower bound on `ln p(v)` with noise around the most probable code.
//! * [`SparseCodingParams`] finds `W` from a matrix, [`SparseCodingState`] from blocks of one.
//! * [`Gabor::fit`] says how close an atom is to a receptive field of primary visual cortex.

mod codes;
mod coordinate_descent;
mod dense;
mod factor;
mod feature_sign;
mod fista;
mod gabor;
mod inference;
mod lars;
mod lasso;
mod learner;
mod model;
mod noise;
mod params;
mod state;
mod statistics;
mod update;

pub use codes::Codes;
pub use gabor::{Gabor, GaborFit};
pub use inference::{Encoder, Encoding, Inference, Solver};
pub use lars::{Knot, lasso_path};
pub use lasso::Sign;
pub use learner::SparseCodingLearner;
pub use model::SparseCoding;
pub use noise::CodeNoise;
pub use params::{SparseCodingParams, Turns};
pub use state::SparseCodingState;
pub use update::{Penalty, Update};
