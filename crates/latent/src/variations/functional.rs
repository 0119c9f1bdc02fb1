//! Functionals and their derivatives.

use ndarray::{Array1, Zip};

use super::grid::Grid;
use crate::{LatentError, check};

/// A number that depends on a function.
pub trait Functional {
    /// `J[f]`.
    ///
    /// # Errors
    /// A function with another number of points than the grid.
    fn value(&self, grid: &Grid, f: &Array1<f64>) -> Result<f64, LatentError>;

    /// `δJ/δf(x)` at every point.
    ///
    /// # Errors
    /// As [`value`](Self::value).
    fn derivative(&self, grid: &Grid, f: &Array1<f64>) -> Result<Array1<f64>, LatentError>;
}

/// `J[f] = ∫ g(f(x), x) dx`, with `δJ/δf(x) = ∂g/∂y (f(x), x)` (19.46).
///
/// # Example
/// ```
/// use forney_latent::variations::{Functional, Grid, Integral, numerical_derivative};
/// let grid = Grid::new(0.0, 1.0, 101)?;
/// // J[f] = ∫ x f(x)² dx
/// let functional = Integral { g: |y: f64, x: f64| x * y * y, slope: |y, x| 2.0 * x * y };
/// let f = grid.sample(f64::exp);
/// let derivative = functional.derivative(&grid, &f)?;
/// let numerical = numerical_derivative(&functional, &grid, &f, 1e-4)?;
/// assert!((derivative - numerical).iter().all(|difference| difference.abs() < 1e-8));
/// # Ok::<(), forney_latent::LatentError>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Integral<G, S> {
    /// `g(y, x)`.
    pub g: G,
    /// `∂g/∂y (y, x)`.
    pub slope: S,
}

impl<G: Fn(f64, f64) -> f64, S: Fn(f64, f64) -> f64> Functional for Integral<G, S> {
    fn value(&self, grid: &Grid, f: &Array1<f64>) -> Result<f64, LatentError> {
        check::shape("the number of values", grid.points().len(), f.len())?;
        let values = Zip::from(f)
            .and(grid.points())
            .map_collect(|&y, &x| (self.g)(y, x));
        grid.integrate(&values)
    }

    fn derivative(&self, grid: &Grid, f: &Array1<f64>) -> Result<Array1<f64>, LatentError> {
        check::shape("the number of values", grid.points().len(), f.len())?;
        Ok(Zip::from(f)
            .and(grid.points())
            .map_collect(|&y, &x| (self.slope)(y, x)))
    }
}

/// The differential entropy `H[p] = −∫ p ln p dx` (19.49), in nats; where `p = 0` it adds nothing.
#[must_use]
pub fn entropy() -> Integral<impl Fn(f64, f64) -> f64, impl Fn(f64, f64) -> f64> {
    Integral {
        g: |p: f64, _| if p == 0.0 { 0.0 } else { -p * p.ln() },
        slope: |p: f64, _| -1.0 - p.ln(),
    }
}

/// `δJ/δf(x)` by central differences of relative size `step`, to check a derivative with.
///
/// # Errors
/// As [`Functional::value`].
///
/// # Complexity
/// Two values of the functional for each point.
pub fn numerical_derivative(
    functional: &impl Functional,
    grid: &Grid,
    f: &Array1<f64>,
    step: f64,
) -> Result<Array1<f64>, LatentError> {
    check::positive("the step", step)?;
    check::shape("the number of values", grid.points().len(), f.len())?;
    let mut moved = f.clone();
    let mut derivative = Array1::zeros(f.len());
    for i in 0..f.len() {
        let size = step * if f[i] == 0.0 { 1.0 } else { f[i].abs() };
        moved[i] = f[i] + size;
        let above = functional.value(grid, &moved)?;
        moved[i] = f[i] - size;
        let below = functional.value(grid, &moved)?;
        moved[i] = f[i];
        derivative[i] = (above - below) / (2.0 * size * grid.weights()[i]);
    }
    Ok(derivative)
}
