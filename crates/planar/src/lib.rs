#![doc = include_str!("../README.md")]

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

pub use error::{Failure, NotPlanar};
pub use solve::{Demand, Planar, Solution};
