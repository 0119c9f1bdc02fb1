//! Adam with a decaying step (Kingma & Ba 2015; Loshchilov & Hutter 2017).
//!
//! Steps have a size that does not depend on the size of the gradient, so kinks do not stop it.

use forney_certify::{Budget, Lbfgs, Objective, Refine};

/// Decay of the mean gradient, the usual one.
const BETA_1: f64 = 0.9;
/// Decay of the mean squared gradient; short, because kinks make old gradients misleading: 0.99 and 0.999 were
/// worse (docs/gauges.md).
const BETA_2: f64 = 0.9;

/// Adam with cosine decay of the step over a planned number of evaluations, and the best point seen.
///
/// One [`sweep`](Refine::sweep) is one evaluation. The value of the witness never rises: a step
/// that makes it worse is taken, but not kept.
#[derive(Clone, Debug)]
pub struct Adam<F> {
    objective: F,
    x: Vec<f64>,
    gradient: Vec<f64>,
    mean: Vec<f64>,
    square: Vec<f64>,
    best: Vec<f64>,
    best_value: f64,
    step: f64,
    planned: usize,
    evaluations: usize,
    /// Evaluations since the last restart.
    clock: usize,
}

impl<F: Objective> Adam<F> {
    /// Starts at `x0` with steps that fall from `step` to 0 over `planned` evaluations.
    pub fn new(objective: F, x0: Vec<f64>, step: f64, planned: usize) -> Self {
        let n = x0.len();
        Self {
            objective,
            gradient: vec![0.0; n],
            mean: vec![0.0; n],
            square: vec![0.0; n],
            best: x0.clone(),
            x: x0,
            best_value: f64::INFINITY,
            step,
            planned,
            evaluations: 0,
            clock: 0,
        }
    }

    /// Starts again from the best point, with another first step and plan.
    pub fn restart(&mut self, step: f64, planned: usize) {
        self.x.copy_from_slice(&self.best);
        self.mean.fill(0.0);
        self.square.fill(0.0);
        self.clock = 0;
        self.step = step;
        self.planned = planned;
    }

    /// Quasi-Newton steps from the best point, by so many evaluations at most.
    pub(crate) fn polish(&mut self, evaluations: usize, pairs: usize, budget: &Budget)
    where
        F: Clone,
    {
        if evaluations == 0 {
            return;
        }
        let mut descent = Lbfgs::new(self.objective.clone(), self.best.clone(), pairs);
        descent.descend_by(evaluations - 1, 0.0, budget);
        self.evaluations += descent.evaluations();
        if descent.value() < self.best_value {
            self.best_value = descent.value();
            self.best = descent.point();
        }
    }

    /// The lowest value seen.
    #[must_use]
    pub fn value(&self) -> f64 {
        self.best_value
    }

    /// How often the objective was evaluated.
    #[must_use]
    pub fn evaluations(&self) -> usize {
        self.evaluations
    }

    /// The objective.
    #[must_use]
    pub fn objective(&self) -> &F {
        &self.objective
    }
}

impl<F: Objective> Refine for Adam<F> {
    type Point = Vec<f64>;

    fn sweep(&mut self) -> f64 {
        let value = self.objective.evaluate(&self.x, &mut self.gradient);
        self.evaluations += 1;
        self.clock += 1;
        if value < self.best_value {
            self.best_value = value;
            self.best.copy_from_slice(&self.x);
        }
        if !(value.is_finite() && self.gradient.iter().all(|g| g.is_finite())) {
            // Out of the domain: back to the best point, with smaller steps.
            let (step, planned) = (self.step / 2.0, self.planned);
            self.restart(step, planned);
            return self.best_value;
        }
        let phase = (self.clock as f64 / self.planned as f64).min(1.0);
        let step = self.step * 0.5 * (1.0 + (std::f64::consts::PI * phase).cos());
        let time = self.clock as i32;
        let (bias_1, bias_2) = (1.0 - BETA_1.powi(time), 1.0 - BETA_2.powi(time));
        let step = step / bias_1;
        let moments = (&mut *self.mean, &mut *self.square);
        update(&mut self.x, &self.gradient, moments, step, bias_2);
        self.best_value
    }

    fn point(&self) -> Vec<f64> {
        self.best.clone()
    }
}

forney_exact::dispatch! {
    /// Moves a point by its moments, after they have seen the gradient.
    fn update(
        x: &mut [f64],
        gradient: &[f64],
        moments: (&mut [f64], &mut [f64]),
        step: f64,
        bias_2: f64,
    ) {
        let moments = moments.0.iter_mut().zip(moments.1);
        for ((x, g), (mean, square)) in x.iter_mut().zip(gradient).zip(moments) {
            *mean = BETA_1 * *mean + (1.0 - BETA_1) * g;
            *square = BETA_2 * *square + (1.0 - BETA_2) * g * g;
            *x -= step * *mean / ((*square / bias_2).sqrt() + 1e-12);
        }
    }
}
