//! One structure with the optimiser of its weights and shifts.

use std::sync::Arc;

use forney_certify::{Budget, Certificate, Lbfgs, Refine};
use forney_exact::Schedule;
use forney_model::FactorGraph;

use super::{Candidate, Structure, WeightMap, Wmbe, WmbeObjective};
use crate::board::{Board, Post};

/// Pairs that quasi-Newton steps on shifts and weights remember: many while they cost less than a
/// pass, few where shifts over large shared scopes make every vector as long as the tables.
#[must_use]
pub fn pairs(schedule: &Schedule) -> usize {
    if schedule.num_shifts() < 50_000 {
        12
    } else {
        5
    }
}

/// Bytes of the structure and the many short vectors of one step, measured on cliques of a few
/// variables, where they outweigh the tables.
const STEP_BYTES: f64 = 2500.0;

/// Bytes of an optimiser: the tables of both passes, the vectors of the quasi-Newton method, and the
/// pass beside them that proves its bound.
pub(crate) fn bytes(schedule: &Schedule) -> f64 {
    let vectors = 2 * pairs(schedule) + 8;
    let parameters = schedule.num_shifts() + schedule.num_weights();
    let demand = schedule.demand();
    let steps = STEP_BYTES * schedule.steps().len() as f64;
    demand.kept_bytes + demand.live_bytes + steps + (8 * vectors * parameters) as f64
}

/// A schedule with its optimiser.
pub(crate) struct Racer<S: WeightMap> {
    pub(super) structure: Structure,
    climb: Lbfgs<WmbeObjective<S>>,
    /// Entries of all cliques.
    entries: f64,
    /// Bytes that it holds.
    pub(crate) bytes: f64,
    stuck: bool,
    first: f64,
}

impl<S: WeightMap + Post> Racer<S> {
    /// Starts without shifts, at neutral weights.
    pub(super) fn new(candidate: Candidate, graph: &FactorGraph) -> Self {
        let start = WmbeObjective::<S>::start(&candidate.schedule);
        Self::at(candidate, graph, start)
    }

    /// Starts at these parameters.
    pub(super) fn at(candidate: Candidate, graph: &FactorGraph, start: Vec<f64>) -> Self {
        let schedule = candidate.schedule;
        let pairs = pairs(&schedule);
        let entries = schedule.demand().total_entries;
        let bytes = bytes(&schedule);
        let objective = WmbeObjective::new(schedule, graph);
        let climb = Lbfgs::new(objective, start, pairs);
        Self {
            structure: candidate.structure,
            first: climb.value(),
            climb,
            entries,
            bytes,
            stuck: false,
        }
    }

    pub(super) fn schedule(&self) -> &Arc<Schedule> {
        self.climb.objective().schedule()
    }

    /// The parameters at the best point.
    pub(super) fn point(&self) -> Vec<f64> {
        self.climb.point()
    }

    /// The value at the start.
    pub(super) fn first_value(&self) -> f64 {
        self.first
    }

    pub(super) fn evaluations(&self) -> usize {
        self.climb.evaluations()
    }

    /// Optimises until `evaluations` more are spent; true if it can still improve.
    pub(crate) fn run(&mut self, evaluations: usize, budget: &Budget, board: &Board<'_>) -> bool {
        let before = self.climb.evaluations();
        let began = budget.elapsed();
        while self.climb.evaluations() < before + evaluations
            && !self.stuck
            && budget.stop().is_none()
        {
            let value = self.climb.value();
            let next = self.climb.sweep();
            // A start at −∞ gives NaN, which is no improvement either.
            let improved = next < value;
            self.stuck = !improved;
        }
        let evaluations = self.climb.evaluations() - before;
        let seconds = (budget.elapsed() - began).as_secs_f64();
        board.count::<S>(evaluations);
        board.note_pace(seconds / (evaluations as f64 * self.entries));
        !self.stuck
    }

    /// `±ln Z_w`, lower is tighter; NaN if the start was infinite.
    pub(super) fn value(&self) -> f64 {
        self.climb.value()
    }

    /// The witness at the best point.
    pub(super) fn witness(&self) -> Wmbe<S> {
        self.climb.objective().witness(&self.climb.point())
    }

    /// Recomputes the bound from the witness alone and enters it.
    ///
    /// A witness that proves nothing, because an optimiser went astray, enters nothing.
    pub(crate) fn prove(&self, graph: &FactorGraph, board: &Board<'_>) {
        if let Ok(bound) = self.witness().verify(graph) {
            board.post(bound, "wmbe");
        }
    }

    /// Optimises until an evaluation gains almost nothing or something ends it.
    ///
    /// Proves its bound every few sweeps, so that an interruption loses little.
    pub(crate) fn finish(
        &mut self,
        graph: &FactorGraph,
        mut evaluations: usize,
        least_gain: f64,
        budget: &Budget,
        board: &Board<'_>,
    ) {
        const SLICE: usize = 20;
        let mut proving = 4;
        while evaluations > 0 && budget.stop().is_none() {
            let (value, before) = (self.value(), self.evaluations());
            let slice = evaluations.min(proving);
            proving = (2 * proving).min(SLICE);
            let alive = self.run(slice, budget, board);
            evaluations -= slice;
            if self.evaluations() == before {
                break;
            }
            self.prove(graph, board);
            let gain = value - self.value();
            // The first few tell little of what the next ones gain.
            if !alive || slice == SLICE && gain <= least_gain * slice as f64 {
                break;
            }
        }
    }
}
