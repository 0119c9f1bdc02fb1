//! Limited-memory BFGS (Nocedal & Wright, *Numerical Optimization*, algorithms 7.4 and 7.5).
//!
//! | symbol | name | shape |
//! |---|---|---|
//! | `x`, `g` | point, gradient there | `n` |
//! | `d = −H g` | direction, `H` from the last `m` pairs `(s, y)` | `n` |
//! | `s`, `y` | change of `x` and of `g` in one iteration | `n` |
//! | `H₀ = γ D` | first guess, with an optional diagonal scaling `D` | `n` |

use std::mem::swap;

use crate::line_search::LineSearch;
use crate::{Budget, Refine};

/// A function to minimise, with its gradient.
///
/// Closures `FnMut(&[f64], &mut [f64]) -> f64` are objectives.
pub trait Objective {
    /// The value at `x`; writes every coordinate of the gradient there.
    ///
    /// NaN or an infinity, as value or in the gradient, says that `x` lies outside the domain.
    fn evaluate(&mut self, x: &[f64], gradient: &mut [f64]) -> f64;
}

impl<F: FnMut(&[f64], &mut [f64]) -> f64> Objective for F {
    fn evaluate(&mut self, x: &[f64], gradient: &mut [f64]) -> f64 {
        self(x, gradient)
    }
}

/// Limited-memory BFGS with a weak Wolfe line search; one [`sweep`](Refine::sweep) is one accepted
/// iteration.
///
/// The value falls strictly with every sweep until no shorter step falls any more, neither along
/// the quasi-Newton direction nor along the gradient; from then on sweeps return the same value.
/// A trial point that is not finite is answered by a shorter step. If the starting point is not
/// finite there is nothing to descend from, and sweeps return NaN.
///
/// # Complexity
/// `4 m n` multiply-adds and usually one evaluation for each sweep; `8 (2 m + 8) n` bytes in all,
/// none of them allocated by a sweep.
///
/// # Example
/// ```
/// use forney_certify::{drive, Budget, Lbfgs, Limits};
/// use std::ops::ControlFlow;
/// let bowl = |x: &[f64], gradient: &mut [f64]| {
///     gradient[0] = 2.0 * (x[0] - 3.0);
///     (x[0] - 3.0).powi(2)
/// };
/// let limits = Limits { sweeps: Some(50), tolerance: 1e-12 };
/// let descent = Lbfgs::new(bowl, vec![0.0], 5);
/// let run = drive(descent, &limits, &Budget::unlimited(), &mut |_| ControlFlow::Continue(()));
/// assert!((run.point[0] - 3.0).abs() < 1e-6);
/// ```
#[derive(Clone, Debug)]
pub struct Lbfgs<F> {
    objective: F,
    evaluations: usize,
    /// No evaluation begins after so many.
    most: usize,
    here: Probe,
    trial: Probe,
    /// The best trial of a line search; after an accepted step, the point before it.
    kept: Probe,
    direction: Vec<f64>,
    scaling: Vec<f64>,
    pairs: Pairs,
    /// No step descends from here.
    finished: bool,
}

/// The objective at one point.
#[derive(Clone, Debug)]
struct Probe {
    x: Vec<f64>,
    gradient: Vec<f64>,
    value: f64,
}

impl<F: Objective> Lbfgs<F> {
    /// Starts at `x0`, where it evaluates the objective once, and remembers `memory` pairs
    /// (5 to 20 are usual; 0 is gradient descent).
    pub fn new(mut objective: F, x0: Vec<f64>, memory: usize) -> Self {
        let n = x0.len();
        let mut here = Probe {
            x: x0,
            gradient: vec![0.0; n],
            value: 0.0,
        };
        here.value = objective.evaluate(&here.x, &mut here.gradient);
        if !(here.value.is_finite() && here.gradient.iter().all(|g| g.is_finite())) {
            here.value = f64::NAN;
        }
        Self {
            objective,
            evaluations: 1,
            most: usize::MAX,
            trial: here.clone(),
            kept: here.clone(),
            direction: vec![0.0; n],
            scaling: vec![1.0; n],
            pairs: Pairs::new(memory, n),
            finished: here.value.is_nan(),
            here,
        }
    }

    /// Uses `H₀ = γ D` with this diagonal `D`: up to a common factor, an estimate of the inverse
    /// curvature of each coordinate.
    ///
    /// # Panics
    /// If there is not one positive finite entry for each coordinate.
    #[must_use]
    pub fn with_scaling(mut self, diagonal: Vec<f64>) -> Self {
        assert_eq!(diagonal.len(), self.here.x.len(), "one for each coordinate");
        let positive = |&entry: &f64| entry > 0.0 && entry < f64::INFINITY;
        assert!(diagonal.iter().all(positive), "positive finite entries");
        self.scaling = diagonal;
        self
    }

    /// The value at [`point`](Refine::point); NaN if the start was not finite.
    #[must_use]
    pub fn value(&self) -> f64 {
        self.here.value
    }

    /// How often the objective was evaluated, the starting point included.
    #[must_use]
    pub fn evaluations(&self) -> usize {
        self.evaluations
    }

    /// Sweeps until `evaluations` more are spent, exactly; false once a sweep gains no more than `least_gain`,
    /// NaN included.
    ///
    /// A line search that the count cuts short keeps the best point it has seen.
    pub fn descend_by(&mut self, evaluations: usize, least_gain: f64, budget: &Budget) -> bool {
        self.limit(self.evaluations.saturating_add(evaluations));
        let mut gains = true;
        while gains && self.evaluations < self.most && budget.stop().is_none() {
            let before = self.value();
            gains = before - self.sweep() > least_gain || self.evaluations >= self.most;
        }
        self.limit(usize::MAX);
        gains
    }

    /// Sweeps end once the objective was evaluated so often in all, and change nothing from then on.
    pub fn limit(&mut self, evaluations: usize) {
        self.most = evaluations;
    }

    /// The objective.
    #[must_use]
    pub fn objective(&self) -> &F {
        &self.objective
    }

    /// Goes along the direction as far as the line search says; false if nowhere is lower.
    fn descend(&mut self) -> bool {
        let slope = dot(&self.direction, &self.here.gradient);
        if !(slope < 0.0 && slope.is_finite()) {
            return false;
        }
        // Without a curvature seen so far, no coordinate moves by more than 1.
        let first = if self.pairs.is_empty() {
            let longest = self.direction.iter().fold(0.0f64, |m, d| m.max(d.abs()));
            1.0 / longest.max(1.0)
        } else {
            1.0
        };
        let mut search = LineSearch::new(self.here.value, slope, first);
        while self.evaluations < self.most
            && let Some(step) = search.step()
        {
            let from = self.here.x.iter().zip(&self.direction);
            for (x, (x0, d)) in self.trial.x.iter_mut().zip(from) {
                *x = x0 + step * d;
            }
            self.trial.value = self
                .objective
                .evaluate(&self.trial.x, &mut self.trial.gradient);
            self.evaluations += 1;
            let slope = dot(&self.direction, &self.trial.gradient);
            if search.judge(self.trial.value, slope) {
                swap(&mut self.trial, &mut self.kept);
            }
        }
        if search.descended() {
            swap(&mut self.here, &mut self.kept);
        }
        search.descended()
    }
}

impl<F: Objective> Refine for Lbfgs<F> {
    type Point = Vec<f64>;

    fn sweep(&mut self) -> f64 {
        while !self.finished && self.evaluations < self.most {
            self.pairs
                .direct(&self.here.gradient, &self.scaling, &mut self.direction);
            if self.descend() {
                self.pairs.push(&self.here, &self.kept, &self.scaling);
                break;
            }
            if self.evaluations >= self.most {
                break;
            }
            // The remembered curvature may mislead: try once more along the gradient.
            self.finished = self.pairs.is_empty();
            self.pairs.clear();
        }
        self.here.value
    }

    fn point(&self) -> Vec<f64> {
        self.here.x.clone()
    }
}

/// The last pairs `(s, y)`, in a ring.
#[derive(Clone, Debug)]
struct Pairs {
    ring: Vec<Pair>,
    len: usize,
    next: usize,
    /// `γ = s·y / y·D y` of the youngest pair.
    gamma: f64,
}

#[derive(Clone, Debug)]
struct Pair {
    s: Vec<f64>,
    y: Vec<f64>,
    /// `s·y > 0`.
    curvature: f64,
    /// What the first loop of the recursion leaves for the second.
    alpha: f64,
}

impl Pairs {
    fn new(memory: usize, n: usize) -> Self {
        let pair = Pair {
            s: vec![0.0; n],
            y: vec![0.0; n],
            curvature: 1.0,
            alpha: 0.0,
        };
        Self {
            ring: vec![pair; memory],
            len: 0,
            next: 0,
            gamma: 1.0,
        }
    }

    fn is_empty(&self) -> bool {
        self.len == 0
    }

    fn clear(&mut self) {
        self.len = 0;
        self.gamma = 1.0;
    }

    /// Places in the ring, oldest first.
    fn slots(&self) -> impl DoubleEndedIterator<Item = usize> + use<> {
        let memory = self.ring.len();
        let oldest = self.next + memory - self.len;
        (oldest..oldest + self.len).map(move |slot| slot % memory)
    }

    /// `d = −H g` by the two-loop recursion.
    fn direct(&mut self, gradient: &[f64], scaling: &[f64], d: &mut [f64]) {
        for (d, g) in d.iter_mut().zip(gradient) {
            *d = -g;
        }
        for slot in self.slots().rev() {
            let pair = &mut self.ring[slot];
            pair.alpha = dot(&pair.s, d) / pair.curvature;
            add(d, -pair.alpha, &pair.y);
        }
        for (d, scale) in d.iter_mut().zip(scaling) {
            *d *= self.gamma * scale;
        }
        for slot in self.slots() {
            let pair = &self.ring[slot];
            let beta = dot(&pair.y, d) / pair.curvature;
            add(d, pair.alpha - beta, &pair.s);
        }
    }

    /// Remembers the step between two points, unless its curvature is not clearly positive.
    fn push(&mut self, here: &Probe, before: &Probe, scaling: &[f64]) {
        let Some(pair) = self.ring.get_mut(self.next) else {
            return;
        };
        difference(&here.x, &before.x, &mut pair.s);
        difference(&here.gradient, &before.gradient, &mut pair.y);
        let y_d_y: f64 = (pair.y.iter().zip(scaling)).map(|(y, d)| y * d * y).sum();
        pair.curvature = dot(&pair.s, &pair.y);
        let norms = (dot(&pair.s, &pair.s) * dot(&pair.y, &pair.y)).sqrt();
        let gamma = pair.curvature / y_d_y;
        if pair.curvature > 1e-12 * norms && gamma > 0.0 && gamma.is_finite() {
            self.gamma = gamma;
            self.next = (self.next + 1) % self.ring.len();
            self.len = (self.len + 1).min(self.ring.len());
        } else if self.len == self.ring.len() {
            // The slot just overwritten held the oldest pair.
            self.len -= 1;
        }
    }
}

/// `a·b`, in eight partial sums, so that it vectorises.
fn dot(a: &[f64], b: &[f64]) -> f64 {
    let (a_lanes, a_rest) = a.as_chunks::<8>();
    let (b_lanes, b_rest) = b.as_chunks::<8>();
    let mut sums = [0.0; 8];
    for (a, b) in a_lanes.iter().zip(b_lanes) {
        for lane in 0..8 {
            sums[lane] += a[lane] * b[lane];
        }
    }
    let rest: f64 = a_rest.iter().zip(b_rest).map(|(a, b)| a * b).sum();
    sums.iter().sum::<f64>() + rest
}

/// `d += factor · a`.
fn add(d: &mut [f64], factor: f64, a: &[f64]) {
    for (d, a) in d.iter_mut().zip(a) {
        *d += factor * a;
    }
}

/// `out = a − b`.
fn difference(a: &[f64], b: &[f64], out: &mut [f64]) {
    for (out, (a, b)) in out.iter_mut().zip(a.iter().zip(b)) {
        *out = a - b;
    }
}
