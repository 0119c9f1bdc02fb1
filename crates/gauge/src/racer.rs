//! One structure with gauges, shifts and weights that move together.

use std::sync::Arc;

use forney_bounds::race::{Proof, Racer};
use forney_bounds::wmbe::{self, Candidate, Mover, PlainRacer, Structure, WeightMap, Wmbe, pairs};
use forney_certify::{Budget, Certificate, Flaw};
use forney_exact::{Engine, Order, Schedule};
use forney_model::FactorGraph;

use crate::NAME;
use crate::optimiser::Optimiser;
use crate::{GaugeObjective, GaugedWmbe, Gauges};

/// A witness, and the order of its schedule.
pub(crate) type Ordered<S> = (GaugedWmbe<S>, Order);

/// A structure whose gauges move.
pub(crate) struct GaugedRacer<C: Optimiser> {
    graph: FactorGraph,
    structure: Structure,
    optimiser: C,
    /// The value at its start.
    first: f64,
    /// Seconds of an evaluation, as last measured; 0 if none was.
    pace: f64,
    /// Evaluations of the next cycle.
    next: usize,
}

impl<C: Optimiser> GaugedRacer<C> {
    /// Starts at identity gauges, or at these if any were found before; `cycle` is the length of the first
    /// cycle.
    pub(crate) fn new(
        candidate: Candidate,
        graph: &FactorGraph,
        gauges: Option<&Gauges>,
        cycle: usize,
    ) -> Self {
        let objective = GaugeObjective::new(candidate.schedule, graph, true);
        let start = match gauges {
            Some(gauges) => objective.start_at(gauges),
            None => objective.start(),
        };
        Self::at(graph, candidate.structure, objective, start, cycle)
    }

    /// Goes on from what shifts and weights alone have reached, if there is a gauge at all, and room for it
    /// within so many bytes.
    pub(crate) fn after(
        plain: &PlainRacer<C::Side>,
        graph: &FactorGraph,
        memory: f64,
        cycle: usize,
    ) -> Option<Self> {
        let schedule = plain.schedule();
        let in_two = |v| graph.factors_of(v).count() == 2;
        let room = held_bytes(schedule) <= memory;
        if !room || !graph.variables().any(in_two) {
            return None;
        }
        let objective = GaugeObjective::new(Arc::clone(schedule), graph, true);
        let mut start = objective.start();
        start.truncate(objective.num_gauge_entries());
        // From below zeros may forbid every gauge.
        if start.is_empty() {
            return None;
        }
        start.extend(plain.point());
        let structure = plain.structure().clone();
        Some(Self::at(graph, structure, objective, start, cycle))
    }

    fn at(
        graph: &FactorGraph,
        structure: Structure,
        objective: GaugeObjective<C::Side>,
        start: Vec<f64>,
        next: usize,
    ) -> Self {
        let optimiser = C::new(objective, start);
        Self {
            graph: graph.clone(),
            structure,
            first: optimiser.value(),
            optimiser,
            pace: 0.0,
            next,
        }
    }

    pub(crate) fn structure(&self) -> &Structure {
        &self.structure
    }

    pub(crate) fn schedule(&self) -> &Arc<Schedule> {
        self.optimiser.objective().schedule()
    }
}

/// The proof of plain mini-buckets as one with identity gauges.
pub(crate) fn without_gauges<S: WeightMap>(
    plain: Proof<S, (Wmbe<S>, Order)>,
    graph: &FactorGraph,
) -> Result<Proof<S, Ordered<S>>, Flaw> {
    let (witness, order) = plain.witness;
    let witness = GaugedWmbe::in_gauges(witness, Gauges::identity(graph));
    Ok(Proof {
        bound: witness.verify(graph)?,
        witness: (witness, order),
        method: plain.method,
    })
}

impl<C: Optimiser> Racer for GaugedRacer<C> {
    type Side = C::Side;
    type Witness = Ordered<C::Side>;

    fn cycle(&mut self, evaluations: usize, budget: &Budget) -> bool {
        let (began, before) = (budget.elapsed(), self.evaluations());
        self.optimiser.cycle(evaluations, budget);
        let seconds = (budget.elapsed() - began).as_secs_f64();
        let spent = self.evaluations() - before;
        if spent > 0 {
            self.pace = seconds / spent as f64;
        }
        if evaluations >= self.next {
            self.next *= 2;
        }
        true
    }

    fn value(&self) -> f64 {
        self.optimiser.value()
    }

    fn evaluations(&self) -> usize {
        self.optimiser.evaluations()
    }

    fn bytes(&self) -> f64 {
        held_bytes(self.schedule())
    }

    /// Cycles are each twice as long as the one before: steps of a cycle that is cut short are too large to
    /// end with.
    fn slice(&self) -> usize {
        self.next
    }

    fn pace(&self) -> f64 {
        self.pace
    }

    /// The bound goes by the name of plain mini-buckets where no gauge has moved.
    fn prove(&self) -> Option<Proof<C::Side, Ordered<C::Side>>> {
        let (objective, point) = (self.optimiser.objective(), self.optimiser.point());
        let witness = objective.witness(&point, &self.graph).ok()?;
        let gauges = ..objective.num_gauge_entries();
        let moved = point[gauges] != objective.start()[gauges];
        Some(Proof {
            bound: witness.verify(&self.graph).ok()?,
            witness: (witness, self.structure.order.clone()),
            method: if moved { NAME } else { wmbe::NAME },
        })
    }
}

impl<C: Optimiser> Mover for GaugedRacer<C> {
    fn place(&self) -> (&Structure, &Schedule, Vec<f64>) {
        let gauges = self.optimiser.objective().num_gauge_entries();
        let point = self.optimiser.point().split_off(gauges);
        (&self.structure, self.schedule(), point)
    }

    fn gained(&self) -> f64 {
        self.first - self.value()
    }

    fn bytes_on(&self, schedule: &Schedule) -> f64 {
        held_bytes(schedule)
    }

    /// Gauges belong to variables, so they go along.
    fn on(&self, candidate: Candidate, point: Vec<f64>) -> Self {
        let objective = GaugeObjective::new(candidate.schedule, &self.graph, true);
        let mut start = self.optimiser.point();
        start.truncate(objective.num_gauge_entries());
        start.extend(point);
        Self::at(
            &self.graph,
            candidate.structure,
            objective,
            start,
            self.next,
        )
    }
}

/// Bytes of a racer; none hold it whose tables the walks cannot address by 32 bits.
pub(crate) fn held_bytes(schedule: &Schedule) -> f64 {
    let addressed = schedule.demand().max_entries < f64::from(u32::MAX);
    if addressed {
        bytes(schedule)
    } else {
        f64::INFINITY
    }
}

/// Bytes of one candidate of [`gauged_wmbe`](crate::gauged_wmbe), known from the schedule alone.
///
/// Where a candidate goes over from shifts and weights to gauges, the engine of factors, that of
/// signed tables and the vectors of the optimiser live at the same time. On the lower side there are
/// two engines of signed tables from then on, about as large together. A witness is verified on
/// tables of its own: every message and one clique, each with a bound on its rounding.
#[must_use]
pub fn bytes(schedule: &Schedule) -> f64 {
    let bases: usize = schedule.bases().iter().map(|base| base.len).sum();
    let vectors = 2 * pairs(schedule) + 8;
    let parameters = schedule.num_shifts() + schedule.num_weights();
    let demand = schedule.demand();
    demand.kept_bytes
        + Engine::signed_bytes(schedule)
        + 16.0 * (demand.message_entries + demand.max_entries)
        + (8 * (3 * bases + vectors * parameters)) as f64
}
