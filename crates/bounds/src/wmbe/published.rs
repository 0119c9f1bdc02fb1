//! The published method: plain gradient steps of fixed size (Ahn et al. 2018), on any model.

use forney_certify::{Objective, Refine};
use forney_exact::Schedule;

use super::{WeightMap, WmbeObjective};

/// Step of the logarithms of the weights, as published.
const WEIGHT_STEP: f64 = 0.1;
/// Step of the reparameterisation, as published.
const SHIFT_STEP: f64 = 0.1;

/// The published descent; one [`sweep`](Refine::sweep) is one of its iterations.
///
/// ```text
/// θ(x_v) ← θ(x_v) − 0.1 (b_r(x_v) − b_s(x_v))          v the eliminated variable of r and s
/// u_r ← u_r − 0.1 |w_r|⁻¹ ∂/∂u_r                        u_r = ln |w_r|
/// ```
///
/// Above, the second line is `w_r ← w_r exp(−0.1 (H_r − H̄)) / Σ`. Below, both lines ascend.
pub(super) struct PublishedSteps<S: WeightMap> {
    objective: WmbeObjective<S>,
    x: Vec<f64>,
    gradient: Vec<f64>,
    /// Where the value was least, and that.
    best: Vec<f64>,
    least: f64,
    evaluations: usize,
    /// For each entry of each shift its state of the eliminated variable, numbered through.
    state: Vec<usize>,
    /// `∂/∂θ`, by those numbers.
    tangent: Vec<f64>,
}

impl<S: WeightMap> PublishedSteps<S> {
    /// Starts at no shifts and uniform weights; what is not free has no gradient, and stays.
    pub(super) fn new(mut objective: WmbeObjective<S>) -> Self {
        let (state, states) = eliminated_states(objective.schedule());
        let x = WmbeObjective::<S>::start(objective.schedule());
        let mut gradient = vec![0.0; x.len()];
        objective.evaluate(&x, &mut gradient);
        Self {
            objective,
            best: x.clone(),
            least: f64::INFINITY,
            evaluations: 1,
            x,
            gradient,
            state,
            tangent: vec![0.0; states],
        }
    }

    /// Evaluations so far, the one at the start included.
    pub(super) fn evaluations(&self) -> usize {
        self.evaluations
    }
}

impl<S: WeightMap> Refine for PublishedSteps<S> {
    type Point = Vec<f64>;

    /// One step; the least value so far.
    fn sweep(&mut self) -> f64 {
        let (shifts, logits) = self.x.split_at_mut(self.state.len());
        let (d_shifts, d_logits) = self.gradient.split_at(shifts.len());
        self.tangent.fill(0.0);
        for (&state, d) in self.state.iter().zip(d_shifts) {
            self.tangent[state] += d;
        }
        for (shift, &state) in shifts.iter_mut().zip(&self.state) {
            *shift -= SHIFT_STEP * self.tangent[state];
        }
        let weights = self.objective.weights();
        for ((u, d), w) in logits.iter_mut().zip(d_logits).zip(weights) {
            *u -= WEIGHT_STEP * d / w.abs();
        }
        let value = self.objective.evaluate(&self.x, &mut self.gradient);
        self.evaluations += 1;
        if value < self.least {
            self.least = value;
            self.best.copy_from_slice(&self.x);
        }
        self.least
    }

    fn point(&self) -> Vec<f64> {
        self.best.clone()
    }
}

/// For each entry of each shift the state of the variable that its split eliminates, and how many
/// such states there are, those of different shifts counted apart.
fn eliminated_states(schedule: &Schedule) -> (Vec<usize>, usize) {
    let mut state = Vec::with_capacity(schedule.num_shifts());
    let mut first = 0;
    for shift in schedule.shifts() {
        // The eliminated variable is the first of the scope, so its states are blocks of entries.
        let card = schedule.cards()[shift.scope[0].index()];
        let block = shift.len / card;
        state.extend((0..shift.len).map(|entry| first + entry / block));
        first += card;
    }
    (state, first)
}
