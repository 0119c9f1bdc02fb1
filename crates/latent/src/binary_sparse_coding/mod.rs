//! Binary sparse coding (chapter 19.4.1, after Henniges et al. 2010).
//!
//! Hidden units switch on components that add up: `p(h_i = 1) = σ(b_i)` (19.19),
//! `p(v | h) = N(v; W h, diag β⁻¹)` (19.20). With `G = Wᵀ β W`,
//!
//! `ln p(h, v) = a(v) + Σ_i c_i(v) h_i − Σ_{i<j} G_ij h_i h_j`, `c = b + Wᵀ β v − ½ diag G`,
//! `a = Σ_i ln σ(−b_i) + ½ Σ_d ln β_d/2π − ½ vᵀ β v`,
//!
//! so the posterior is a Boltzmann machine on the complete graph, [`BinarySparseCoding::posterior`].
//!
//! | symbol | name | shape |
//! |---|---|---|
//! | `v` | data, examples in rows | `N × D` |
//! | `W` | [`BinarySparseCoding::weights`] | `D × H` |
//! | `b` | [`BinarySparseCoding::bias`] | `H` |
//! | `β` | [`BinarySparseCoding::precision`] | `D` |
//! | `ĥ = σ(z)` | means of `q`, with the logits `z` | `N × H` |
//!
//! An [`EStep`] finds `q`: [`MeanField`] by the fixed point (19.44), [`StructuredMeanField`] over
//! blocks of units, [`Truncated`] over few states, [`Exact`] over all. [`BinarySparseCodingParams`] learns with any of them; [`compare`] measures
//! what each does to the model that is learned (chapter 19.4.4), and
//! [`BinarySparseCoding::ln_likelihood_bracket`] bounds `ln p(v)` from above as well.

mod comparison;
mod e_step;
mod exact;
mod learner;
mod likelihood;
mod m_step;
mod mean_field;
mod model;
mod params;
mod structured_mean_field;
mod truncated;

pub use crate::m_step::MStep;
pub use comparison::{Comparison, Shape, compare};
pub use e_step::{EStep, Posteriors, Problem};
pub use exact::{Exact, MAX_UNITS};
pub use learner::{BinarySparseCodingLearner, BinarySparseCodingState};
pub use m_step::{Gradient, Moments};
pub use mean_field::{Criterion, MeanField, Scheme};
pub use model::BinarySparseCoding;
pub use params::{Annealing, BinarySparseCodingParams};
pub use structured_mean_field::StructuredMeanField;
pub use truncated::Truncated;
