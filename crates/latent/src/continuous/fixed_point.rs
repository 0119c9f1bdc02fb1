//! The mean-field fixed point (19.56) for any density, on grids.

use std::fmt;

use ndarray::Array1;

use crate::variations::Grid;
use crate::{LatentError, check};

/// A function of the variables of a scope, in nats.
type LogTerm<'a> = dyn Fn(&[f64]) -> f64 + Sync + 'a;

/// A term `φ(h_scope)` of `ln p̃(v, h) = Σ_a φ_a(h_a)`.
pub struct Term<'a> {
    scope: Vec<usize>,
    ln: Box<LogTerm<'a>>,
}

impl fmt::Debug for Term<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Term")
            .field("scope", &self.scope)
            .finish_non_exhaustive()
    }
}

impl<'a> Term<'a> {
    /// A function of the variables of `scope`, in nats, that sees them in this order.
    pub fn new(scope: &[usize], ln: impl Fn(&[f64]) -> f64 + Sync + 'a) -> Self {
        Self {
            scope: scope.to_vec(),
            ln: Box::new(ln),
        }
    }
}

/// Mean field over `h` with one grid for each variable.
///
/// # Example
/// The chapter's model `h ∈ R²`, `p(h) = N(0, I)`, `p(v | h) = N(v; wᵀh, 1)`. In (19.60) and on the
/// brackets are missing: the exponent is `−½ (h_1² + h_2² + (v − h_1 w_1 − h_2 w_2)²)`.
/// ```
/// use forney_latent::continuous::{FixedPoint, LinearGaussian, Term};
/// use forney_latent::variations::Grid;
/// use ndarray::array;
/// let (v, w) = (1.5, [1.0, 0.5]);
/// let terms = [
///     Term::new(&[0], |h| -0.5 * h[0] * h[0]),
///     Term::new(&[1], |h| -0.5 * h[0] * h[0]),
///     Term::new(&[0, 1], move |h| -0.5 * (v - h[0] * w[0] - h[1] * w[1]).powi(2)),
/// ];
/// let grid = Grid::new(-8.0, 8.0, 161)?;
/// let run = FixedPoint::new(vec![grid.clone(), grid], terms.into())?.run(1e-12, 500)?;
///
/// // It lands on the Gaussians that the closed form of the same model gives.
/// let model = LinearGaussian::standard(array![[1.0, 0.5]], array![1.0])?;
/// let exact = model.mean_field(array![[v]].view(), 1e-12, 500)?;
/// for i in 0..2 {
///     assert!((run.mean(i) - exact.means[[0, i]]).abs() < 1e-9);
///     assert!((run.variance(i) - 1.0 / exact.precision[i]).abs() < 1e-9);
/// }
/// # Ok::<(), forney_latent::LatentError>(())
/// ```
#[derive(Debug)]
pub struct FixedPoint<'a> {
    grids: Vec<Grid>,
    terms: Vec<Term<'a>>,
}

/// The densities `q(h_i)` after some cycles.
#[derive(Clone, Debug, PartialEq)]
pub struct Factors {
    grids: Vec<Grid>,
    /// `q(h_i)` at the points of each grid.
    pub densities: Vec<Array1<f64>>,
    /// `L = E_q ln p̃(v, h) + H(q)` after each cycle, in nats; it never falls.
    pub trace: Vec<f64>,
    /// Whether the last cycle changed every density by no more than the tolerance.
    pub converged: bool,
}

impl Factors {
    /// `E h_i`.
    ///
    /// # Panics
    /// If there is no such variable.
    #[must_use]
    pub fn mean(&self, i: usize) -> f64 {
        let grid = &self.grids[i];
        (&self.densities[i] * grid.weights()).dot(grid.points())
    }

    /// `Var h_i`.
    ///
    /// # Panics
    /// If there is no such variable.
    #[must_use]
    pub fn variance(&self, i: usize) -> f64 {
        let grid = &self.grids[i];
        let mean = self.mean(i);
        let squares = grid.points().mapv(|x| (x - mean).powi(2));
        (&self.densities[i] * grid.weights()).dot(&squares)
    }
}

impl<'a> FixedPoint<'a> {
    /// The density `exp Σ_a φ_a` of as many variables as there are grids.
    ///
    /// # Errors
    /// A term with a variable that has no grid, or with the same variable twice.
    pub fn new(grids: Vec<Grid>, terms: Vec<Term<'a>>) -> Result<Self, LatentError> {
        for term in &terms {
            for (place, &i) in term.scope.iter().enumerate() {
                let known = i < grids.len() && !term.scope[..place].contains(&i);
                let range = "one of those with a grid, and only once in a term";
                check::within("a variable", range, i as f64, known)?;
            }
        }
        Ok(Self { grids, terms })
    }

    /// Cycles of updates from uniform densities, until no density changes by more than `tolerance`
    /// times its largest value, or `cycles` have been made.
    ///
    /// # Errors
    /// A term that is NaN or `+∞`, or `−∞` where `q` has mass (19.56 holds only where `p` gives no
    /// state the probability 0).
    ///
    /// # Complexity
    /// For each cycle, the product of the grid sizes of its scope for each variable of each term.
    pub fn run(&self, tolerance: f64, cycles: usize) -> Result<Factors, LatentError> {
        check::tolerance(tolerance)?;
        let uniform = |grid: &Grid| grid.sample(|_| 1.0 / grid.weights().sum());
        let mut run = Factors {
            densities: self.grids.iter().map(uniform).collect(),
            grids: self.grids.clone(),
            trace: Vec::new(),
            converged: false,
        };
        for _ in 0..cycles {
            run.converged = true;
            for i in 0..self.grids.len() {
                let new = self.update(i, &run.densities)?;
                let old = &run.densities[i];
                let largest = new.iter().copied().fold(0.0, f64::max);
                if (&new - old).iter().any(|d| d.abs() > tolerance * largest) {
                    run.converged = false;
                }
                run.densities[i] = new;
            }
            run.trace.push(self.bound(&run.densities)?);
            if run.converged {
                break;
            }
        }
        Ok(run)
    }

    /// The optimal `q(h_i)` for the other densities (19.56).
    fn update(&self, i: usize, densities: &[Array1<f64>]) -> Result<Array1<f64>, LatentError> {
        let grid = &self.grids[i];
        let mut ln = grid.sample(|_| 0.0);
        for term in self.terms.iter().filter(|term| term.scope.contains(&i)) {
            self.expect(term, densities, Some(i), &mut ln)?;
        }
        let most = ln.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let density = ln.mapv(|ln| (ln - most).exp());
        let mass = grid.integrate(&density)?;
        Ok(density / mass)
    }

    /// `L = Σ_a E φ_a + Σ_i H(q_i)`.
    fn bound(&self, densities: &[Array1<f64>]) -> Result<f64, LatentError> {
        let mut bound = Array1::zeros(1);
        for term in &self.terms {
            self.expect(term, densities, None, &mut bound)?;
        }
        for (grid, q) in self.grids.iter().zip(densities) {
            let ln = q.mapv(|q| if q > 0.0 { q.ln() } else { 0.0 });
            bound[0] -= (q * grid.weights()).dot(&ln);
        }
        check::computed("the bound", &bound)?;
        Ok(bound[0])
    }

    /// Adds to `out` the expectation of a term over all its variables but `free`, for each point of
    /// that one.
    fn expect(
        &self,
        term: &Term<'_>,
        densities: &[Array1<f64>],
        free: Option<usize>,
        out: &mut Array1<f64>,
    ) -> Result<(), LatentError> {
        let sizes: Vec<usize> = term
            .scope
            .iter()
            .map(|&i| self.grids[i].points().len())
            .collect();
        let mut at = vec![0; sizes.len()];
        let mut h: Vec<f64> = term
            .scope
            .iter()
            .map(|&i| self.grids[i].points()[0])
            .collect();
        loop {
            let (mut mass, mut place) = (1.0, 0);
            for (&i, &point) in term.scope.iter().zip(&at) {
                if free == Some(i) {
                    place = point;
                } else {
                    mass *= densities[i][point] * self.grids[i].weights()[point];
                }
            }
            if mass > 0.0 {
                let value = (term.ln)(&h);
                check::within("a term of ln p", "finite", value, value.is_finite())?;
                out[place] += mass * value;
            }
            // The next point of the product of the grids, the last variable fastest.
            let Some(turn) = (0..at.len()).rev().find(|&d| at[d] + 1 < sizes[d]) else {
                return Ok(());
            };
            at[turn] += 1;
            at[turn + 1..].fill(0);
            for d in turn..at.len() {
                h[d] = self.grids[term.scope[d]].points()[at[d]];
            }
        }
    }
}
