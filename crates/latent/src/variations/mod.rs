//! Calculus of variations on a grid (chapter 19.4.2).
//!
//! A function is the vector of its values at the points of a [`Grid`], a functional a number that
//! depends on it, and the functional derivative at a point is the derivative by the value there,
//! divided by the weight of the point. [`Integral`] knows its derivative by (19.46);
//! [`MaximumEntropy`] finds the density of greatest entropy with given moments.

mod functional;
mod grid;
mod maximum_entropy;

pub use functional::{Functional, Integral, entropy, numerical_derivative};
pub use grid::Grid;
pub use maximum_entropy::{MaximumEntropy, Solution};
