//! Factor analysis and probabilistic PCA: `h ~ N(0, I)`, `v | h ~ N(W h + μ, Ψ)`.
//!
//! D. B. Rubin and D. T. Thayer, "EM algorithms for ML factor analysis" (1982); M. E. Tipping and
//! C. M. Bishop, "Probabilistic principal component analysis" (1999).
//!
//! | symbol | name | shape |
//! |---|---|---|
//! | `W` | [`FactorAnalysis::loadings`] | `D × H` |
//! | `μ` | [`FactorAnalysis::mean`], that of the data | `D` |
//! | `Ψ` | [`FactorAnalysis::noise`]: diagonal, or `σ² I` for probabilistic PCA | `D` |
//! | `C = W Wᵀ + Ψ` | [`FactorAnalysis::covariance`] of `v` | `D × D` |
//! | `V = (I + Wᵀ Ψ⁻¹ W)⁻¹` | covariance of `h` given `v` | `H × H` |
//! | `β = V Wᵀ Ψ⁻¹` | `E[h \| v] = β (v − μ)` | `H × D` |
//!
//! The posterior is linear in `v`, so an E-step needs the second moments of the data alone: they are
//! summed once, and a sweep costs the same for any number of examples.

mod fit;
mod learn;
mod model;
mod posterior;
mod scatter;

pub use fit::FactorAnalysisParams;
pub use learn::FactorMoments;
pub use model::{FactorAnalysis, Noise};
pub use posterior::FactorPosterior;
pub use scatter::Scatter;
