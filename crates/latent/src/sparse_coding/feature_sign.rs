//! Feature-sign search: H. Lee, A. Battle, R. Raina, A. Y. Ng, *Efficient sparse coding algorithms*
//! (2007), with a Cholesky factor of the active set and several activations in each step.

use super::factor::Factor;
use super::lasso::{Lasso, Sign};

/// An atom enters the active set if `|r_k|` exceeds `λ` by more than this share, and a solution is
/// refined if an active `r_k` misses `±λ` by more.
const TOLERANCE: f64 = 1e-13;

/// The state of the search, reused from example to example.
#[derive(Clone, Debug, Default)]
pub(super) struct FeatureSign {
    /// The active atoms in the order of the factor.
    pub(super) active: Vec<usize>,
    /// Their coefficients.
    pub(super) x: Vec<f64>,
    /// `r = c − G h`, for all atoms.
    pub(super) r: Vec<f64>,
    signs: Vec<f64>,
    factor: Factor,
    /// The coefficients to move to.
    target: Vec<f64>,
    is_active: Vec<bool>,
    /// Atoms that are to enter, and how far they are pulled.
    candidates: Vec<(f64, usize)>,
}

forney_exact::dispatch! {
    /// Minimises `½ hᵀG h − cᵀh + λ‖h‖₁`, at most `activations` atoms entering at a time; false if
    /// `max_steps` did not suffice. `state` holds the code to start from and the result.
    ///
    /// Given the signs of the active atoms the problem is quadratic. The search moves to its
    /// minimum, or as far as the first coefficient that would change its sign, and drops that one.
    /// Where several atoms have just entered, some may be pushed the wrong way; they leave again
    /// at once, and at least one of those that entered stays, so the objective falls at each step.
    pub(super) fn solve(
        lasso: &Lasso,
        c: &[f64],
        activations: usize,
        max_steps: usize,
        state: &mut FeatureSign,
    ) -> bool {
        state.begin(lasso, c);
        for _ in 0..max_steps {
            state.settle();
            state.correlate(lasso, c);
            if !state.activate(lasso, c, activations) {
                state.refine(lasso, c);
                return true;
            }
        }
        state.settle();
        state.correlate(lasso, c);
        false
    }
}

/// The share of the way from `x` to `target`, on the other side of zero, that leads to zero.
#[inline(always)]
fn crossing(x: f64, target: f64) -> f64 {
    if x == 0.0 { 0.0 } else { x / (x - target) }
}

impl FeatureSign {
    /// Sets the code to start from.
    pub(super) fn start_from(&mut self, (indices, values): (&[usize], &[f64])) {
        self.active.clear();
        self.active.extend_from_slice(indices);
        self.x.clear();
        self.x.extend_from_slice(values);
    }

    /// Factors the atoms of the code to start from.
    #[inline(always)]
    fn begin(&mut self, lasso: &Lasso, c: &[f64]) {
        self.is_active.clear();
        self.is_active.resize(lasso.atoms, false);
        self.factor.clear();
        self.signs.clear();
        let starts = self.active.len();
        for start in 0..starts {
            let (k, x) = (self.active[start], self.x[start]);
            if x != 0.0 && lasso.pull(x) > 0.0 && !self.is_active[k] {
                self.insert(lasso, c, starts, k, x, None);
            }
        }
        self.active.drain(..starts);
        self.x.drain(..starts);
    }

    /// Appends atom `k`, with the sign of `x`, to the active set, which begins at place `from`;
    /// false if it depends linearly on those in it, or if the others push it away from `sign`.
    #[inline(always)]
    fn insert(
        &mut self,
        lasso: &Lasso,
        c: &[f64],
        from: usize,
        k: usize,
        x: f64,
        sign: Option<f64>,
    ) -> bool {
        let row = lasso.row(k);
        let cross = self.active[from..].iter().map(|&j| row[j]);
        let right = c[k] - lasso.lambda.copysign(x);
        let independent = self.factor.append(cross, lasso.diagonal[k], right, sign);
        if independent {
            self.active.push(k);
            self.signs.push(x.signum());
            self.x.push(x);
            self.is_active[k] = true;
        }
        independent
    }

    /// Takes the atom at place `at` out of the active set.
    #[inline(always)]
    fn remove(&mut self, at: usize) {
        self.factor.remove(at);
        self.is_active[self.active.remove(at)] = false;
        self.signs.remove(at);
        self.x.remove(at);
    }

    /// Moves to the minimum that is consistent with the signs of the atoms that stay active.
    #[inline(always)]
    fn settle(&mut self) {
        loop {
            self.target.clear();
            self.target.extend_from_slice(self.factor.solve());
            let mut first = 1.0;
            let mut consistent = true;
            for ((&x, &target), &sign) in self.x.iter().zip(&self.target).zip(&self.signs) {
                if target * sign <= 0.0 {
                    consistent = false;
                    first = f64::min(first, crossing(x, target));
                }
            }
            if consistent {
                std::mem::swap(&mut self.x, &mut self.target);
                return;
            }
            self.advance(first);
        }
    }

    /// Moves the share `first` of the way to the target and drops the coefficients that get to zero.
    #[inline(always)]
    fn advance(&mut self, first: f64) {
        for at in (0..self.x.len()).rev() {
            let (x, target) = (self.x[at], self.target[at]);
            if target * self.signs[at] <= 0.0 && crossing(x, target) <= first {
                self.remove(at);
            } else {
                self.x[at] = x + first * (target - x);
            }
        }
    }

    /// `r ← c − G h`.
    #[inline(always)]
    fn correlate(&mut self, lasso: &Lasso, c: &[f64]) {
        self.target.clear();
        self.target.extend(self.x.iter().map(|x| -x));
        lasso.correlate(c, &self.active, &self.target, &mut self.r);
    }

    /// Lets the atoms enter that violate `|r_k| ≤ λ` most; false if none does.
    #[inline(always)]
    fn activate(&mut self, lasso: &Lasso, c: &[f64], activations: usize) -> bool {
        let limit = lasso.lambda * (1.0 + TOLERANCE);
        self.rank(lasso, limit, activations);
        let Some(&(_, first)) = self.candidates.first() else {
            return false;
        };
        let mut entered = false;
        for place in 0..self.candidates.len() {
            let (_, k) = self.candidates[place];
            let zero = 0.0_f64.copysign(self.r[k]);
            entered |= self.insert(lasso, c, 0, k, zero, Some(zero.signum()));
        }
        if !entered {
            self.exchange(lasso, c, first);
        }
        true
    }

    /// Lists the zeros that violate the limit most, at most `activations`, the worst first.
    #[inline(always)]
    fn rank(&mut self, lasso: &Lasso, limit: f64, activations: usize) {
        self.candidates.clear();
        let mut bar = limit;
        let lowest = if lasso.sign == Sign::Any { 1.0 } else { 0.0 };
        for (k, &r) in self.r.iter().enumerate() {
            let pull = r.max(-lowest * r);
            if pull > bar && !self.is_active[k] {
                let place = self.candidates.partition_point(|&(other, _)| other >= pull);
                self.candidates.insert(place, (pull, k));
                if self.candidates.len() > activations.max(1) {
                    self.candidates.pop();
                }
                if self.candidates.len() == activations.max(1)
                    && let Some(&(least, _)) = self.candidates.last()
                {
                    bar = least;
                }
            }
        }
    }

    /// Lets atom `k` enter that depends linearly on the active ones.
    ///
    /// Along the combination of atoms that leaves `W h` as it is, the objective falls linearly
    /// until a coefficient gets to zero; without that atom, `k` is independent.
    #[inline(always)]
    fn exchange(&mut self, lasso: &Lasso, c: &[f64], k: usize) {
        let sign = self.r[k].signum();
        let mut entering = 0.0;
        loop {
            let row = lasso.row(k);
            let cross = self.active.iter().map(|&j| row[j]);
            self.target.clear();
            self.target.extend_from_slice(self.factor.solve_for(cross));
            let (mut first, mut leaving) = (f64::INFINITY, None);
            for (at, (&x, &weight)) in self.x.iter().zip(&self.target).enumerate() {
                let step = x / (sign * weight);
                if step >= 0.0 && step < first {
                    (first, leaving) = (step, Some(at));
                }
            }
            let Some(leaving) = leaving else { return };
            for (x, weight) in self.x.iter_mut().zip(&self.target) {
                *x -= first * sign * weight;
            }
            entering += first * sign;
            self.remove(leaving);
            let start = if entering == 0.0 {
                0.0_f64.copysign(sign)
            } else {
                entering
            };
            if self.insert(lasso, c, 0, k, start, None) {
                return;
            }
        }
    }

    /// Removes the rounding errors of the solution, where they matter, by one step of refinement.
    #[inline(always)]
    fn refine(&mut self, lasso: &Lasso, c: &[f64]) {
        let miss = |(&k, &sign): (&usize, &f64)| self.r[k] - sign * lasso.lambda;
        let pairs = || self.active.iter().zip(&self.signs);
        let worst = pairs()
            .map(miss)
            .fold(0.0, |worst: f64, miss| worst.max(miss.abs()));
        if worst <= TOLERANCE * lasso.lambda {
            return;
        }
        let steps = self.factor.solve_for(pairs().map(miss));
        for ((x, step), sign) in self.x.iter_mut().zip(steps).zip(&self.signs) {
            if (*x + step) * sign > 0.0 {
                *x += step;
            }
        }
        self.correlate(lasso, c);
    }
}
