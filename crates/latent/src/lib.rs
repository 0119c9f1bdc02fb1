#![doc = include_str!("../README.md")]

pub mod binary_sparse_coding;
mod check;
pub mod continuous;
mod dense;
pub mod em;
mod error;
pub mod learn;
mod m_step;
mod simd;
pub mod sparse_coding;
pub mod variations;

pub use error::LatentError;
