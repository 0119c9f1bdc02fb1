//! The lasso path by LARS: B. Efron, T. Hastie, I. Johnstone, R. Tibshirani, *Least angle regression*
//! (2004), the variant whose path is that of the lasso.

use ndarray::{ArrayView1, ArrayView2};

use super::factor::Factor;
use super::lasso::{Lasso, Sign};
use crate::simd::add_rows;
use crate::{LatentError, check};

/// Where the set of non-zeros changes on the path of solutions; between two knots the code is
/// linear in `λ`.
#[derive(Clone, Debug, PartialEq)]
pub struct Knot {
    /// The penalty `λ`.
    pub lambda: f64,
    /// The atoms in use.
    pub indices: Vec<usize>,
    /// Their coefficients.
    pub values: Vec<f64>,
}

/// All solutions of `min_h ½‖v − W h‖² + λ‖h‖₁` from the `λ` above which the code is zero down to
/// `smallest`, at the knots of the path.
///
/// # Errors
/// A `smallest` that is not above 0, NaN or an infinity, or a `v` without one entry per row of `W`.
///
/// # Complexity
/// `O(K A + A²)` for each knot with `A` non-zeros, after `O(D K²)` for the Gram matrix.
///
/// # Example
/// ```
/// use forney_latent::sparse_coding::{Sign, lasso_path};
/// use ndarray::array;
/// let identity = ndarray::Array2::eye(2);
/// let path = lasso_path(identity.view(), array![3.0, -1.0].view(), 0.5, Sign::Any)?;
/// let lambdas: Vec<f64> = path.iter().map(|knot| knot.lambda).collect();
/// assert_eq!(lambdas, [3.0, 1.0, 0.5]);
/// assert_eq!(path[2].values, [2.5, -0.5]);
/// # Ok::<(), forney_latent::LatentError>(())
/// ```
pub fn lasso_path(
    dictionary: ArrayView2<'_, f64>,
    v: ArrayView1<'_, f64>,
    smallest: f64,
    sign: Sign,
) -> Result<Vec<Knot>, LatentError> {
    let lasso = Lasso::new(dictionary, smallest, sign)?;
    check::shape("the length of v", dictionary.nrows(), v.len())?;
    check::finite_vector("v", v)?;
    let c = dictionary.t().dot(&v).to_vec();
    let mut knots = Vec::new();
    let mut lars = Lars::default();
    follow(&lasso, &c, usize::MAX, &mut lars, &mut |lars| {
        knots.push(Knot {
            lambda: lars.lambda,
            indices: lars.active.clone(),
            values: lars.x.clone(),
        });
    });
    Ok(knots)
}

/// The state of the path, reused from example to example.
#[derive(Clone, Debug, Default)]
pub(super) struct Lars {
    /// The active atoms.
    pub(super) active: Vec<usize>,
    /// Their coefficients.
    pub(super) x: Vec<f64>,
    lambda: f64,
    signs: Vec<f64>,
    factor: Factor,
    /// `dx/d(−λ)` of the active atoms.
    direction: Vec<f64>,
    r: Vec<f64>,
    /// `dr/dλ` of all atoms.
    slope: Vec<f64>,
    status: Vec<Status>,
}

/// What the path knows of an atom.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Status {
    /// Zero.
    Inactive,
    /// Not zero.
    Active,
    /// Zero, and linearly dependent on the active atoms: it does not enter before they change.
    Barred,
}

forney_exact::dispatch! {
    /// Follows the path down to the penalty of `lasso`, at most `max_steps` knots, and shows each.
    pub(super) fn follow(
        lasso: &Lasso,
        c: &[f64],
        max_steps: usize,
        state: &mut Lars,
        show: &mut dyn FnMut(&Lars),
    ) {
        if state.begin(lasso, c) {
            show(state);
        }
        let mut steps = 0;
        while state.lambda > lasso.lambda && steps < max_steps {
            state.advance(lasso, c);
            show(state);
            steps += 1;
        }
    }
}

/// What ends a straight piece of the path.
enum Event {
    /// An atom enters.
    Enters(usize),
    /// The coefficient at a place gets to zero.
    Leaves(usize),
    /// The penalty asked for is reached.
    Arrives,
}

impl Lars {
    /// Goes to the first knot; false if the code is zero at the penalty asked for.
    #[inline(always)]
    fn begin(&mut self, lasso: &Lasso, c: &[f64]) -> bool {
        self.active.clear();
        self.x.clear();
        self.signs.clear();
        self.factor.clear();
        self.status.clear();
        self.status.resize(lasso.atoms, Status::Inactive);
        self.r.clear();
        self.r.extend_from_slice(c);
        let steepest =
            (0..lasso.atoms).max_by(|&a, &b| lasso.pull(c[a]).total_cmp(&lasso.pull(c[b])));
        self.lambda = lasso.lambda;
        let Some(k) = steepest.filter(|&k| lasso.pull(c[k]) > lasso.lambda) else {
            return false;
        };
        self.lambda = lasso.pull(c[k]);
        self.enter(lasso, k);
        true
    }

    /// Atom `k` becomes active, or barred if it depends linearly on the active ones.
    #[inline(always)]
    fn enter(&mut self, lasso: &Lasso, k: usize) {
        let row = lasso.row(k);
        let sign = self.r[k].signum();
        let cross = self.active.iter().map(|&j| row[j]);
        if self.factor.append(cross, lasso.diagonal[k], sign, None) {
            self.release();
            self.active.push(k);
            self.signs.push(sign);
            self.x.push(0.0);
            self.status[k] = Status::Active;
        } else {
            self.status[k] = Status::Barred;
        }
    }

    /// The active set has changed: every zero may become active.
    #[inline(always)]
    fn release(&mut self) {
        for status in &mut self.status {
            if *status == Status::Barred {
                *status = Status::Inactive;
            }
        }
    }

    /// Goes to the next knot.
    #[inline(always)]
    fn advance(&mut self, lasso: &Lasso, c: &[f64]) {
        self.direction.clear();
        self.direction.extend_from_slice(self.factor.solve());
        self.slope.clear();
        self.slope.resize(lasso.atoms, 0.0);
        add_rows(&lasso.gram, &self.active, &self.direction, &mut self.slope);
        let (step, event) = self.next_event(lasso);
        for (x, direction) in self.x.iter_mut().zip(&self.direction) {
            *x += step * direction;
        }
        self.lambda -= step;
        if let Event::Arrives = event {
            self.lambda = lasso.lambda;
        }
        let minus: Vec<f64> = self.x.iter().map(|x| -x).collect();
        lasso.correlate(c, &self.active, &minus, &mut self.r);
        match event {
            Event::Arrives => {}
            Event::Enters(k) => self.enter(lasso, k),
            Event::Leaves(at) => {
                self.release();
                self.factor.remove(at);
                self.x.remove(at);
                self.signs.remove(at);
                self.status[self.active.remove(at)] = Status::Inactive;
            }
        }
    }

    /// How far `λ` falls until something happens, and what.
    #[inline(always)]
    fn next_event(&self, lasso: &Lasso) -> (f64, Event) {
        let mut next = (self.lambda - lasso.lambda, Event::Arrives);
        for (at, (&x, &direction)) in self.x.iter().zip(&self.direction).enumerate() {
            let step = -x / direction;
            if x * direction < 0.0 && step < next.0 {
                next = (step, Event::Leaves(at));
            }
        }
        for (k, status) in self.status.iter().enumerate() {
            if *status != Status::Inactive {
                continue;
            }
            let (r, slope) = (self.r[k], self.slope[k]);
            // |r − slope·step| reaches λ − step from below, on either side.
            let upper = (self.lambda - r) / (1.0 - slope);
            if slope < 1.0 && upper < next.0 {
                next = (upper.max(0.0), Event::Enters(k));
            }
            let lower = (self.lambda + r) / (1.0 + slope);
            if lasso.sign == Sign::Any && slope > -1.0 && lower < next.0 {
                next = (lower.max(0.0), Event::Enters(k));
            }
        }
        next
    }
}
