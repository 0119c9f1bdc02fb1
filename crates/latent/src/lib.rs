//! Learning with latent variables: everything maximises the evidence lower bound
//! `L(v, θ, q) = E_q[ln p(h, v; θ)] + H(q) ≤ ln p(v; θ)`.

pub mod binary_sparse_coding;
mod check;
pub mod continuous;
pub mod em;
mod error;
pub mod learn;
mod m_step;
mod simd;
pub mod sparse_coding;
pub mod variations;

pub use error::LatentError;
