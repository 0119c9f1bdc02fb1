//! Points at which functions of one variable are known.

use ndarray::Array1;
use serde::{Deserialize, Serialize};

use crate::{LatentError, check};

/// Equidistant points with the weights of the trapezoidal rule, which converges faster than any
/// power of the distance for smooth functions that vanish at both ends.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Unchecked")]
pub struct Grid {
    points: Array1<f64>,
    weights: Array1<f64>,
}

#[derive(Deserialize)]
struct Unchecked {
    points: Array1<f64>,
    weights: Array1<f64>,
}

impl TryFrom<Unchecked> for Grid {
    type Error = LatentError;

    fn try_from(read: Unchecked) -> Result<Self, LatentError> {
        let Unchecked { points, weights } = read;
        check::shape("the number of weights", points.len(), weights.len())?;
        let (first, last) = (points.first().copied(), points.last().copied());
        let range = (first.unwrap_or(f64::NAN), last.unwrap_or(f64::NAN));
        let grid = Self::new(range.0, range.1, points.len())?;
        // The bits that were written, if they are those of a grid.
        let close = |a: &Array1<f64>, b: &Array1<f64>| {
            let slack = 1e-9 * (1.0 + range.0.abs().max(range.1.abs()));
            a.iter().zip(b).all(|(a, b)| (a - b).abs() <= slack)
        };
        let even = close(&points, &grid.points) && close(&weights, &grid.weights);
        check::within("a grid", "of evenly spaced points", range.0, even)?;
        Ok(Self { points, weights })
    }
}

impl Grid {
    /// `points` points from `low` to `high`.
    ///
    /// # Errors
    /// Fewer than two points, or an interval that is empty or not finite.
    pub fn new(low: f64, high: f64, points: usize) -> Result<Self, LatentError> {
        check::within(
            "the number of points",
            "at least 2",
            points as f64,
            points >= 2,
        )?;
        let length = high - low;
        check::positive("the length of the interval", length)?;
        let step = length / (points - 1) as f64;
        let mut weights = Array1::from_elem(points, step);
        weights[0] *= 0.5;
        weights[points - 1] *= 0.5;
        Ok(Self {
            points: Array1::from_shape_fn(points, |i| low + step * i as f64),
            weights,
        })
    }

    /// The points `x`.
    #[must_use]
    pub fn points(&self) -> &Array1<f64> {
        &self.points
    }

    /// The weight of each point in an integral.
    #[must_use]
    pub fn weights(&self) -> &Array1<f64> {
        &self.weights
    }

    /// The values of `f` at the points.
    #[must_use]
    pub fn sample(&self, f: impl Fn(f64) -> f64) -> Array1<f64> {
        self.points.mapv(f)
    }

    /// `∫ f(x) dx`.
    ///
    /// # Errors
    /// A function with another number of points.
    pub fn integrate(&self, f: &Array1<f64>) -> Result<f64, LatentError> {
        check::shape("the number of values", self.points.len(), f.len())?;
        Ok(self.weights.dot(f))
    }
}
