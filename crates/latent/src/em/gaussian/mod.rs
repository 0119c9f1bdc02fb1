//! Several Gaussians with free or shared covariances, as an exponential family.
//!
//! | symbol | name | shape |
//! |---|---|---|
//! | `μ_k` | means | `K × D` |
//! | `Σ_k` | [`Covariances`] | by [`Covariance`] |
//! | `c` | a centre, from which all arithmetic starts | `D` |
//! | `z = v − c` | centred example | `D` |
//! | `φ(z)` | features: `z` and the products that the covariances need | `F` |
//! | `η_k` | slopes: `ln N(v; μ_k, Σ_k) = a_k + η_k · φ(z)` | `K × F` |
//! | `r_nk` | weight of example `n` in component `k` | |
//!
//! Both steps are then one matrix product for each block of examples: `η φ` gives the densities and
//! `Σ_n r_n φ_nᵀ` the statistics. Squares about a centre lose digits where a component is narrow
//! against its distance `Δ` from the centre: relative errors are of order `ε Δ²/σ²`, which the floor of
//! the variances keeps small.

mod ascent;
mod covariances;
mod densities;
mod gaussians;
mod moments;
mod update;

pub use covariances::{Covariance, Covariances};
pub(super) use densities::{Block, Densities, sizes};
pub use gaussians::Gaussians;
pub use moments::GaussianMoments;
