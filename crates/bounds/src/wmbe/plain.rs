//! One structure with the optimiser of its weights and shifts, gauges left out.

use std::sync::Arc;

use forney_certify::{Budget, Certificate, Lbfgs, Refine};
use forney_exact::{Order, Schedule};
use forney_model::FactorGraph;

use super::search::Mover;
use super::{Candidate, Structure, WeightMap, Wmbe, WmbeObjective};
use crate::race::{Proof, Racer};

/// Pairs that quasi-Newton steps on shifts and weights remember: many while they cost less than a
/// pass, few where shifts over large shared scopes make every vector as long as the tables. Both were
/// set by hand, and not tuned.
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
#[must_use]
pub fn bytes(schedule: &Schedule) -> f64 {
    let vectors = 2 * pairs(schedule) + 8;
    let parameters = schedule.num_shifts() + schedule.num_weights();
    let demand = schedule.demand();
    let steps = STEP_BYTES * schedule.steps().len() as f64;
    demand.kept_bytes + demand.live_bytes + steps + (8 * vectors * parameters) as f64
}

/// A structure whose shifts and weights quasi-Newton steps improve.
pub struct PlainRacer<S: WeightMap> {
    graph: FactorGraph,
    structure: Structure,
    descent: Lbfgs<WmbeObjective<S>>,
    first: f64,
    gains: bool,
}

impl<S: WeightMap> PlainRacer<S> {
    /// Starts without shifts, at neutral weights.
    #[must_use]
    pub fn new(candidate: Candidate, graph: &FactorGraph) -> Self {
        let start = WmbeObjective::<S>::start(&candidate.schedule);
        Self::at(candidate, graph, start)
    }

    /// Starts at these shifts and logits of the weights.
    #[must_use]
    pub fn at(candidate: Candidate, graph: &FactorGraph, start: Vec<f64>) -> Self {
        let pairs = pairs(&candidate.schedule);
        let objective = WmbeObjective::new(candidate.schedule, graph);
        let descent = Lbfgs::new(objective, start, pairs);
        Self {
            graph: graph.clone(),
            structure: candidate.structure,
            first: descent.value(),
            descent,
            gains: true,
        }
    }

    /// What is computed.
    #[must_use]
    pub fn schedule(&self) -> &Arc<Schedule> {
        self.descent.objective().schedule()
    }

    /// The order and the partitions.
    #[must_use]
    pub fn structure(&self) -> &Structure {
        &self.structure
    }

    /// Shifts and logits of the weights at the best point.
    #[must_use]
    pub fn point(&self) -> Vec<f64> {
        self.descent.point()
    }
}

impl<S: WeightMap> Racer for PlainRacer<S> {
    type Side = S;
    /// With its order.
    type Witness = (Wmbe<S>, Order);

    fn cycle(&mut self, evaluations: usize, budget: &Budget) -> bool {
        self.gains = self.gains && self.descent.descend_by(evaluations, 0.0, budget);
        self.gains
    }

    fn value(&self) -> f64 {
        self.descent.value()
    }

    fn evaluations(&self) -> usize {
        self.descent.evaluations()
    }

    fn bytes(&self) -> f64 {
        bytes(self.schedule())
    }

    /// It proves its bound every few sweeps, so that an interruption loses little.
    fn slice(&self) -> usize {
        (self.evaluations() / 2).clamp(4, 20)
    }

    fn entries(&self) -> f64 {
        self.schedule().demand().total_entries
    }

    fn prove(&self) -> Option<Proof<S, (Wmbe<S>, Order)>> {
        let witness = self.descent.objective().witness(&self.descent.point());
        Some(Proof {
            bound: witness.verify(&self.graph).ok()?,
            witness: (witness, self.structure.order.clone()),
            method: super::NAME,
        })
    }
}

impl<S: WeightMap> Mover for PlainRacer<S> {
    fn place(&self) -> (&Structure, &Schedule, Vec<f64>) {
        (&self.structure, self.schedule(), self.point())
    }

    fn gained(&self) -> f64 {
        self.first - self.value()
    }

    fn bytes_on(&self, schedule: &Schedule) -> f64 {
        bytes(schedule)
    }

    fn on(&self, candidate: Candidate, point: Vec<f64>) -> Self {
        Self::at(candidate, &self.graph, point)
    }
}
