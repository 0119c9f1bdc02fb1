//! The Gaussian mixture: `p(h = k) = π_k`, `p(v | h = k) = N(v; μ_k, Σ_k)`.
//!
//! | symbol | name | shape |
//! |---|---|---|
//! | `π` | [`GaussianMixture::weights`] | `K` |
//! | `μ` | [`GaussianMixture::means`] | `K × D` |
//! | `Σ` | [`GaussianMixture::covariances`] | by [`Covariance`] |
//! | `r_nk` | responsibilities `p(h = k \| v_n)` | `N × K` |

mod fit;
mod learn;
mod model;
mod softmax;

pub use fit::GaussianMixtureParams;
pub use learn::MixturePosterior;
pub use model::GaussianMixture;
