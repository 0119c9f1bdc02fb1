#![doc = include_str!("../README.md")]

mod darts;
mod dense;
mod embedding;
mod error;
mod fronts;
mod invert;
mod ising;
mod map;
mod pairing;
mod pfaffian;
mod real;
mod solve;
mod terms;
mod ties;

pub use error::PlanarError;
pub use solve::{Demand, Planar, Solution, spared_entries};
