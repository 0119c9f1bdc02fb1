//! The density of greatest entropy under constraints on its moments.

use nalgebra::{Cholesky, DMatrix, DVector};
use ndarray::Array1;

use super::grid::Grid;
use crate::{LatentError, check};

/// The problem: maximise `H[p]` subject to `∫ p = 1` and `∫ p f_k = m_k`.
///
/// Where the functional derivative of the Lagrangian (19.50) is zero, `p = exp(λ_1 − 1 + Σ_k λ_k f_k)`
/// (19.53). The multipliers minimise the convex dual `∫ p dx − λ_1 − Σ_k λ_k m_k`; Newton's method
/// finds them, and nothing about the form of the moments is assumed.
///
/// # Example
/// With the mean and the variance given, it is the Gaussian (19.54), with the multipliers of the text.
/// ```
/// use forney_latent::variations::{Grid, MaximumEntropy};
/// use std::f64::consts::PI;
/// let (mu, sigma) = (0.5, 1.5_f64);
/// let grid = Grid::new(mu - 15.0, mu + 15.0, 401)?;
/// let solution = MaximumEntropy::new(grid.clone())
///     .moment(|x| x, mu)
///     .moment(|x| (x - mu).powi(2), sigma * sigma)
///     .solve()?;
/// let [l1, l2, l3] = solution.multipliers[..] else { unreachable!() };
/// assert!((l1 - (1.0 - (sigma * (2.0 * PI).sqrt()).ln())).abs() < 1e-9);
/// assert!(l2.abs() < 1e-9);
/// assert!((l3 + 0.5 / (sigma * sigma)).abs() < 1e-9);
/// let gaussian = grid.sample(|x| {
///     (-0.5 * ((x - mu) / sigma).powi(2)).exp() / (sigma * (2.0 * PI).sqrt())
/// });
/// assert!((&solution.density - &gaussian).iter().all(|d| d.abs() < 1e-10));
/// # Ok::<(), forney_latent::LatentError>(())
/// ```
#[derive(Clone, Debug)]
pub struct MaximumEntropy {
    grid: Grid,
    /// The values of `1, f_1, f_2, …` on the grid.
    functions: Vec<Array1<f64>>,
    moments: Vec<f64>,
}

/// The density and its multipliers.
#[derive(Clone, Debug, PartialEq)]
pub struct Solution {
    /// `p` at the points of the grid.
    pub density: Array1<f64>,
    /// `λ_1` of the normalisation, then one for each moment in the order they were given.
    pub multipliers: Vec<f64>,
    /// `H[p]`, in nats.
    pub entropy: f64,
}

/// The most Newton steps.
const MAX_STEPS: usize = 500;

/// The largest error of a moment, relative to `1 + |m|`.
const TOLERANCE: f64 = 1e-12;

impl MaximumEntropy {
    /// The problem without moments; its solution is the uniform density.
    #[must_use]
    pub fn new(grid: Grid) -> Self {
        let one = grid.sample(|_| 1.0);
        Self {
            grid,
            functions: vec![one],
            moments: vec![1.0],
        }
    }

    /// Adds the constraint `E f(x) = value`.
    #[must_use]
    pub fn moment(mut self, f: impl Fn(f64) -> f64, value: f64) -> Self {
        self.functions.push(self.grid.sample(f));
        self.moments.push(value);
        self
    }

    /// Finds the density.
    ///
    /// # Errors
    /// A moment that is not finite, constraints that depend on each other, or moments that no density
    /// on the grid has: then the multipliers grow without limit.
    ///
    /// # Complexity
    /// `O(n k²)` for each step, with `n` points and `k` constraints.
    pub fn solve(&self) -> Result<Solution, LatentError> {
        for (f, &moment) in self.functions.iter().zip(&self.moments) {
            check::finite_vector("a constrained function", f.view())?;
            check::within("a moment", "finite", moment, moment.is_finite())?;
        }
        let count = self.functions.len();
        let mut multipliers = DVector::zeros(count);
        // The uniform density is a start from which every moment is finite.
        multipliers[0] = 1.0 - self.grid.weights().sum().ln();
        for _ in 0..MAX_STEPS {
            let density = self.density(&multipliers);
            let (excess, curvature) = self.newton_system(&density);
            let met = excess
                .iter()
                .zip(&self.moments)
                .all(|(e, m)| e.abs() <= TOLERANCE * (1.0 + m.abs()));
            if met {
                return Ok(self.solution(density, &multipliers));
            }
            let factor = Cholesky::new(curvature).ok_or(LatentError::Singular {
                what: "the covariance of the constrained functions",
            })?;
            let direction = -factor.solve(&excess);
            multipliers = self.search(&multipliers, &direction, excess.dot(&direction));
        }
        Err(LatentError::OutOfRange {
            what: "a moment",
            range: "one that a density on the grid has",
            value: self.moments.last().copied().unwrap_or(f64::NAN),
        })
    }

    /// `exp(λ_1 − 1 + Σ_k λ_k f_k)`.
    fn density(&self, multipliers: &DVector<f64>) -> Array1<f64> {
        let mut exponent = Array1::from_elem(self.functions[0].len(), -1.0);
        for (f, &multiplier) in self.functions.iter().zip(multipliers) {
            exponent.scaled_add(multiplier, f);
        }
        exponent.mapv_into(f64::exp)
    }

    /// The gradient `E f_k − m_k` of the dual and its Hessian `E f_k f_l`.
    fn newton_system(&self, density: &Array1<f64>) -> (DVector<f64>, DMatrix<f64>) {
        let count = self.functions.len();
        let mass = density * self.grid.weights();
        let moment = |k: usize| mass.dot(&self.functions[k]);
        let product = |k: usize, l: usize| (&self.functions[k] * &self.functions[l]).dot(&mass);
        (
            DVector::from_fn(count, |k, _| moment(k) - self.moments[k]),
            DMatrix::from_fn(count, count, product),
        )
    }

    /// `∫ p dx − Σ_k λ_k m_k`.
    fn dual(&self, multipliers: &DVector<f64>) -> f64 {
        let mass = self.density(multipliers).dot(self.grid.weights());
        let prices = multipliers.iter().zip(&self.moments);
        mass - prices.map(|(l, m)| l * m).sum::<f64>()
    }

    /// The longest of the steps 1, ½, ¼, … that lowers the dual by its share.
    fn search(&self, from: &DVector<f64>, direction: &DVector<f64>, slope: f64) -> DVector<f64> {
        let start = self.dual(from);
        let rounding = 1e-14 * (1.0 + start.abs());
        let mut length = 1.0;
        loop {
            let trial = from + direction * length;
            if self.dual(&trial) <= start + 1e-4 * length * slope + rounding || length < 1e-12 {
                return trial;
            }
            length *= 0.5;
        }
    }

    fn solution(&self, density: Array1<f64>, multipliers: &DVector<f64>) -> Solution {
        let ln = density.mapv(|p| if p > 0.0 { p.ln() } else { 0.0 });
        Solution {
            entropy: -(&density * &ln).dot(self.grid.weights()),
            density,
            multipliers: multipliers.iter().copied().collect(),
        }
    }
}
