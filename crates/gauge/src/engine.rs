//! Weighted mini-bucket elimination of signed tables, with exact gradients.
//!
//! ```text
//! Z_w = Σ^{w_n}_{x̄_n} … Σ^{w_1}_{x̄_1} Π_a f_a(x̄_a) ≥ |Z| ,   Σ^w_x f = (Σ_x |f(x)|^{1/w})^w .
//! ```
//!
//! Hölder's inequality needs no signs, so the tables may be negative (Ahn et al. 2018, eq. 8).
//! While nothing below a step is split its sum is exact and keeps its sign; absolute values are
//! taken from the first split on, because `|Σ| ≤ Σ|·|`.
//!
//! All numbers lie in flat arrays in the order of the steps, which is a post-order: those of a
//! subtree are slices, so subtrees run in parallel on parts that they own.

use std::ops::Range;
use std::sync::Arc;

use forney_certify::DoubleDouble;
use forney_exact::{Schedule, Source};
use rayon::prelude::*;

use crate::node::{self, Node, Workspace};
use crate::tasks::{Task, is_shared};

/// Entries that one thread sets to zero at a time.
const FILL: usize = 1 << 16;

/// A compiled schedule with room for its numbers; the values of its bases may change between passes.
///
/// A message that is very large or small is divided by its largest entry and the logarithms of
/// these are added up, so nothing overflows; the gradient needs no correction because `ln Z_w` does
/// not depend on them.
///
/// Large schedules use all threads of the current pool: subtrees of the bucket forest side by side,
/// and parts of large cliques. They are cut by the schedule alone, so that the numbers are the same
/// for any number of threads.
///
/// # Complexity
/// A forward pass costs one multiply-add for each clique entry and input, a backward pass about as
/// many as there are pairs of inputs; one `ln` and `exp` for each clique entry of a mini-bucket.
/// Nothing is allocated after the first pass.
#[derive(Clone, Debug)]
pub struct SignedEngine {
    schedule: Arc<Schedule>,
    tasks: Vec<Task>,
    nodes: Vec<Node>,
    /// For each step its bases, the exponentials of its shifts, and its message.
    values: Vec<f64>,
    /// `∂ ln Z_w / ∂ values`.
    adjoints: Vec<f64>,
    /// What the backward pass needs beside them.
    kept: Vec<f64>,
    workspaces: Vec<Workspace>,
    /// Is anything in it shared among threads?
    shared: bool,
    bases: Vec<Range<usize>>,
    /// Where `exp(λ)` and `exp(−λ)` lie.
    shifts: Vec<[Range<usize>; 2]>,
}

impl SignedEngine {
    /// Lays out the tables of a schedule. With `keep_signs` a step below which nothing is split
    /// adds signed numbers; without it absolute values are taken everywhere, as published.
    ///
    /// # Panics
    /// If a table has more than 2^32 entries.
    #[must_use]
    pub fn new(schedule: Arc<Schedule>, keep_signs: bool) -> Self {
        let mut end = 0;
        let mut bases = vec![0..0; schedule.bases().len()];
        let mut shifts = vec![[0..0, 0..0]; schedule.shifts().len()];
        let mut nodes: Vec<Node> = Vec::with_capacity(schedule.steps().len());
        let mut kept = 0;
        for (number, step) in schedule.steps().iter().enumerate() {
            let start = end;
            let mut place = |len: usize| {
                end += len;
                end - len..end
            };
            let inputs = step.inputs.iter().map(|input| match input.source {
                Source::Message(child) => nodes[child].message.clone(),
                Source::Base(base) => {
                    bases[base] = place(input.len);
                    bases[base].clone()
                }
                Source::Shift(shift, added) => {
                    let range = &mut shifts[shift][usize::from(!added)];
                    *range = place(input.len);
                    range.clone()
                }
            });
            let inputs = inputs.collect();
            let message = place(step.cols);
            let signed = keep_signs
                && step.weight.is_none()
                && step.children().all(|child| nodes[child].signed);
            let node = Node::new(&schedule, number, signed, inputs, start, message, kept);
            kept = node.kept_end();
            nodes.push(node);
        }
        let tasks = Task::cut(&schedule);
        let shared = is_shared(&schedule);
        let ranges = Task::ranges(&tasks).into_iter();
        let workspaces = ranges.map(|range| Workspace::new(&schedule.steps()[range], shared));
        Self {
            workspaces: workspaces.collect(),
            shared: !matches!(tasks[..], [Task::Steps(..)]) || nodes.iter().any(Node::is_shared),
            tasks,
            nodes,
            values: vec![0.0; end],
            adjoints: vec![0.0; end],
            kept: vec![0.0; kept],
            bases,
            shifts,
            schedule,
        }
    }

    /// Bytes that the engine of a schedule takes at most, known before anything is allocated.
    #[must_use]
    pub fn bytes(schedule: &Schedule) -> f64 {
        let steps = schedule.steps();
        let shared = is_shared(schedule);
        let ranges = Task::ranges(&Task::cut(schedule)).into_iter();
        let workspaces = ranges.map(|range| Workspace::entries(&steps[range], shared) as f64);
        steps.iter().map(node::bytes).sum::<f64>() + 8.0 * workspaces.sum::<f64>()
    }

    /// The schedule.
    #[must_use]
    pub fn schedule(&self) -> &Arc<Schedule> {
        &self.schedule
    }

    /// The values of a base, for the caller to set: last variable fastest, in the order of its
    /// scope. They should be of order 1.
    pub fn base_mut(&mut self, base: usize) -> &mut [f64] {
        &mut self.values[self.bases[base].clone()]
    }

    /// The values of a base.
    #[must_use]
    pub fn base(&self, base: usize) -> &[f64] {
        &self.values[self.bases[base].clone()]
    }

    /// `∂ ln Z_w / ∂ values` of a base after a backward pass.
    #[must_use]
    pub fn base_adjoint(&self, base: usize) -> &[f64] {
        &self.adjoints[self.bases[base].clone()]
    }

    /// `ln Z_w` of the tables as they are, in nats; constants of the model are the caller's.
    ///
    /// # Panics
    /// If there is not one weight for each split step and one number for each shift entry.
    pub fn forward(&mut self, weights: &[f64], shifts: &[f64]) -> f64 {
        assert_eq!(weights.len(), self.schedule.num_weights(), "weights");
        assert_eq!(shifts.len(), self.schedule.num_shifts(), "shifts");
        let mut ln_z = self.exponentiate(shifts);
        let (schedule, tasks) = (Arc::clone(&self.schedule), std::mem::take(&mut self.tasks));
        self.enter(|mut part| part.forward(&tasks, &schedule, weights));
        self.tasks = tasks;
        for node in &self.nodes {
            ln_z += node.ln_scale;
            if node.root {
                ln_z += self.values[node.message.start].abs().ln();
            }
        }
        ln_z.value()
    }

    /// Writes `exp(±λ)` and returns what they were scaled by.
    fn exponentiate(&mut self, shifts: &[f64]) -> DoubleDouble {
        let mut ln_scale = DoubleDouble::ZERO;
        for (shift, ranges) in self.schedule.shifts().iter().zip(&self.shifts) {
            let lambda = &shifts[shift.offset..shift.offset + shift.len];
            for (range, sign) in ranges.iter().zip([1.0, -1.0]) {
                let most = lambda
                    .iter()
                    .map(|x| sign * x)
                    .fold(f64::NEG_INFINITY, f64::max);
                let out = &mut self.values[range.clone()];
                forney_exact::vmath::exp_scaled(lambda, sign, most * sign, out);
                ln_scale += most;
            }
        }
        ln_scale
    }

    /// Back-propagates `ln Z_w` after [`SignedEngine::forward`] to every table entry
    /// ([`SignedEngine::base_adjoint`]), weight and shift.
    ///
    /// No table entry is divided by; where an absolute value has a kink the subgradient is 0.
    ///
    /// # Panics
    /// If the slices have other lengths than in the forward pass.
    pub fn backward(&mut self, d_weights: &mut [f64], d_shifts: &mut [f64]) {
        let (schedule, tasks) = (Arc::clone(&self.schedule), std::mem::take(&mut self.tasks));
        self.enter(|mut part| {
            if part.adjoints.len() <= FILL {
                part.adjoints.fill(0.0);
            } else {
                let parts = part.adjoints.par_chunks_mut(FILL);
                parts.for_each(|part| part.fill(0.0));
            }
            part.backward(&tasks, &schedule);
        });
        self.tasks = tasks;
        for (node, step) in self.nodes.iter().zip(schedule.steps()) {
            if let Some(weight) = step.weight {
                d_weights[weight] = node.d_weight;
            }
        }
        for (shift, ranges) in self.schedule.shifts().iter().zip(&self.shifts) {
            let out = &mut d_shifts[shift.offset..shift.offset + shift.len];
            let [plus, minus] = ranges.clone();
            let plus = self.values[plus.clone()].iter().zip(&self.adjoints[plus]);
            let minus = self.values[minus.clone()].iter().zip(&self.adjoints[minus]);
            for ((out, (x, a)), (y, b)) in out.iter_mut().zip(plus).zip(minus) {
                *out = x * a - y * b;
            }
        }
    }

    /// Runs a pass, within the pool of threads if there is something to share: entering it once
    /// is cheaper than at every fork.
    fn enter(&mut self, pass: impl FnOnce(Part<'_>) + Send) {
        let part = Part {
            origin: Origin::default(),
            nodes: &mut self.nodes,
            values: &mut self.values,
            adjoints: &mut self.adjoints,
            kept: &mut self.kept,
            workspaces: &mut self.workspaces,
        };
        if self.shared {
            rayon::scope(|_| pass(part));
        } else {
            pass(part);
        }
    }
}

/// Where the slices of a part begin.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Origin {
    step: usize,
    pub(crate) values: usize,
    pub(crate) kept: usize,
    workspace: usize,
}

/// The numbers of consecutive steps.
struct Part<'p> {
    origin: Origin,
    nodes: &'p mut [Node],
    values: &'p mut [f64],
    adjoints: &'p mut [f64],
    kept: &'p mut [f64],
    workspaces: &'p mut [Workspace],
}

impl Part<'_> {
    /// The parts before a step and from it on, with the first workspace of the second.
    fn divide(&mut self, at: usize, workspace: usize) -> [Part<'_>; 2] {
        let from = self.origin;
        let node = &self.nodes[at - from.step];
        let to = Origin {
            step: at,
            values: node.start,
            kept: node.kept_start(),
            workspace,
        };
        let nodes = self.nodes.split_at_mut(to.step - from.step);
        let values = self.values.split_at_mut(to.values - from.values);
        let adjoints = self.adjoints.split_at_mut(to.values - from.values);
        let kept = self.kept.split_at_mut(to.kept - from.kept);
        let workspaces = self.workspaces.split_at_mut(to.workspace - from.workspace);
        let before = Part {
            origin: from,
            nodes: nodes.0,
            values: values.0,
            adjoints: adjoints.0,
            kept: kept.0,
            workspaces: workspaces.0,
        };
        let after = Part {
            origin: to,
            nodes: nodes.1,
            values: values.1,
            adjoints: adjoints.1,
            kept: kept.1,
            workspaces: workspaces.1,
        };
        [before, after]
    }

    fn forward(&mut self, tasks: &[Task], schedule: &Schedule, weights: &[f64]) {
        for task in tasks {
            match task {
                Task::Steps(steps, workspace) => {
                    let workspace = &mut self.workspaces[workspace - self.origin.workspace];
                    for at in steps.clone() {
                        let step = &schedule.steps()[at];
                        let weight = step.weight.map(|weight| weights[weight]);
                        self.nodes[at - self.origin.step].forward(
                            step,
                            weight,
                            self.origin,
                            self.values,
                            self.kept,
                            workspace,
                        );
                    }
                }
                Task::Fork(at, [one, two]) => {
                    let [mut before, mut after] = self.divide(*at, Task::first(two));
                    rayon::join(
                        || before.forward(one, schedule, weights),
                        || after.forward(two, schedule, weights),
                    );
                }
            }
        }
    }

    fn backward(&mut self, tasks: &[Task], schedule: &Schedule) {
        for task in tasks.iter().rev() {
            match task {
                Task::Steps(steps, workspace) => {
                    let workspace = &mut self.workspaces[workspace - self.origin.workspace];
                    for at in steps.clone().rev() {
                        self.nodes[at - self.origin.step].backward(
                            &schedule.steps()[at],
                            self.origin,
                            self.values,
                            self.adjoints,
                            self.kept,
                            workspace,
                        );
                    }
                }
                Task::Fork(at, [one, two]) => {
                    let [mut before, mut after] = self.divide(*at, Task::first(two));
                    rayon::join(
                        || before.backward(one, schedule),
                        || after.backward(two, schedule),
                    );
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use forney_bounds::wmbe::{CliqueLimit, MiniBuckets};
    use forney_exact::{Heuristic, greedy};
    use forney_model::generate::ising_grid;
    use rand::SeedableRng;

    use super::*;

    #[test]
    fn an_engine_takes_the_bytes_that_were_predicted() {
        let graph = ising_grid(20, 1.0, 0.1, &mut rand_pcg::Pcg64::seed_from_u64(1));
        let order = greedy(&graph, Heuristic::MinFill, None);
        for ibound in [4, 8, 12, 16] {
            let limit = CliqueLimit {
                ibound,
                entries: f64::INFINITY,
            };
            let mut rule = MiniBuckets::new(limit, None);
            let schedule = Arc::new(Schedule::compile(&graph, &order, &mut rule).unwrap());
            let predicted = SignedEngine::bytes(&schedule);
            let engine = SignedEngine::new(schedule, false);
            let tables = engine.values.len() + engine.adjoints.len() + engine.kept.len();
            let workspaces = engine.workspaces.iter().map(Workspace::len).sum::<usize>();
            let walks: usize = engine.nodes.iter().map(Node::walk_heads).sum();
            let taken = (8 * (tables + workspaces) + 4 * walks) as f64;
            assert!(taken <= predicted, "{taken} of {predicted}");
            let most = if ibound < 12 { 1.5 } else { 1.1 };
            assert!(predicted <= most * taken, "{taken} of {predicted}");
        }
    }
}
