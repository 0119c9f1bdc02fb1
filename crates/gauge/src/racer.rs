//! One structure, and what improves the bound on it: first weights and shifts alone, by quasi-Newton
//! steps, which is plain weighted mini-buckets, then gauges with them; or gauges from the start.

use std::sync::Arc;

use forney_bounds::Method;
use forney_bounds::race::{Proof, Racer};
use forney_bounds::wmbe::{Candidate, Mover, PlainRacer, Structure, WmbeObjective, pairs};
use forney_certify::{Budget, Certificate, Flaw};
use forney_exact::{Order, Schedule};
use forney_model::FactorGraph;

use crate::bracket::NAME;
use crate::optimiser::Optimiser;
use crate::{GaugeObjective, GaugedWmbe, Gauges, SignedEngine};

/// A witness, and the order of its schedule.
pub(crate) type Ordered<S> = (GaugedWmbe<S>, Order);

/// A racer whose gauges move, sooner or later.
pub(crate) struct GaugedRacer<C: Optimiser> {
    graph: FactorGraph,
    stage: Stage<C>,
    /// Evaluations of the stage before.
    spent: usize,
    /// Seconds of an evaluation, as last measured; 0 if none was.
    pace: f64,
    /// Evaluations of the next cycle of gauges.
    next: usize,
}

enum Stage<C: Optimiser> {
    Plain(Box<PlainRacer<C::Side>>),
    Gauged(Box<Gauged<C>>),
}

struct Gauged<C> {
    structure: Structure,
    optimiser: C,
    /// The value at its start.
    first: f64,
    /// Shifts and logits of the weights that gauges took over from, if there were any.
    plain: Option<Vec<f64>>,
}

impl<C: Optimiser> Gauged<C> {
    fn new(
        structure: Structure,
        objective: GaugeObjective<C::Side>,
        start: Vec<f64>,
        plain: Option<Vec<f64>>,
    ) -> Self {
        let optimiser = C::new(objective, start);
        Self {
            structure,
            first: optimiser.value(),
            optimiser,
            plain,
        }
    }
}

impl<C: Optimiser> GaugedRacer<C> {
    /// Gauges move from the start, from these if any were found before; `cycle` is the length of their first
    /// cycle.
    pub(crate) fn gauged(
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
        let gauged = Gauged::new(candidate.structure, objective, start, None);
        Self::of(graph, Stage::Gauged(Box::new(gauged)), cycle)
    }

    /// Gauges wait until they are told to take over.
    pub(crate) fn plain(plain: PlainRacer<C::Side>, graph: &FactorGraph, cycle: usize) -> Self {
        Self::of(graph, Stage::Plain(Box::new(plain)), cycle)
    }

    fn of(graph: &FactorGraph, stage: Stage<C>, next: usize) -> Self {
        Self {
            graph: graph.clone(),
            stage,
            spent: 0,
            pace: 0.0,
            next,
        }
    }

    /// Gauges take over from what shifts and weights have reached, if there is a gauge at all, and room for
    /// it within so many bytes; that takes one evaluation.
    pub(crate) fn take_over(&mut self, memory: f64) {
        let Stage::Plain(plain) = &self.stage else {
            return;
        };
        let schedule = plain.schedule();
        let in_two = |v| self.graph.factors_of(v).count() == 2;
        let room = held_bytes(schedule) <= memory;
        if !room || !self.graph.variables().any(in_two) {
            return;
        }
        let objective = GaugeObjective::new(Arc::clone(schedule), &self.graph, true);
        // From below zeros may forbid every gauge.
        if objective.num_gauge_entries() == 0 {
            return;
        }
        let point = plain.point();
        let mut start = objective.start();
        start.truncate(objective.num_gauge_entries());
        start.extend_from_slice(&point);
        self.spent = plain.evaluations();
        let structure = plain.structure().clone();
        let gauged = Gauged::new(structure, objective, start, Some(point));
        self.stage = Stage::Gauged(Box::new(gauged));
    }

    pub(crate) fn schedule(&self) -> &Arc<Schedule> {
        match &self.stage {
            Stage::Plain(plain) => plain.schedule(),
            Stage::Gauged(gauged) => gauged.optimiser.objective().schedule(),
        }
    }

    fn structure(&self) -> &Structure {
        match &self.stage {
            Stage::Plain(plain) => plain.structure(),
            Stage::Gauged(gauged) => &gauged.structure,
        }
    }

    /// The bound at the best point, recomputed from its witness, under the name of plain mini-buckets where no
    /// gauge has moved.
    ///
    /// Gauges that went astray, or tables that span more than plain numbers hold, must not cost the
    /// bound that weights and shifts alone have reached.
    pub(crate) fn proof(&self) -> Result<Proof<C::Side, Ordered<C::Side>>, Flaw> {
        let gauged = match &self.stage {
            Stage::Plain(plain) => return self.without_gauges(&plain.point()),
            Stage::Gauged(gauged) => gauged,
        };
        let (objective, point) = (gauged.optimiser.objective(), gauged.optimiser.point());
        let witness = objective.witness(&point, &self.graph);
        let witness = witness.map_err(|error| Flaw::Invalid(error.to_string()));
        if let Ok((bound, witness)) =
            witness.and_then(|found| Ok((found.verify(&self.graph)?, found)))
        {
            let gauges = ..objective.num_gauge_entries();
            let still = point[gauges] == objective.start()[gauges];
            return Ok(Proof {
                bound,
                witness: (witness, self.structure().order.clone()),
                method: if still { Method::Wmbe.name() } else { NAME },
            });
        }
        match &gauged.plain {
            Some(point) => self.without_gauges(point),
            None => self.without_gauges(&WmbeObjective::<C::Side>::start(self.schedule())),
        }
    }

    fn without_gauges(&self, x: &[f64]) -> Result<Proof<C::Side, Ordered<C::Side>>, Flaw> {
        let plain = WmbeObjective::<C::Side>::witness_at(self.schedule(), x);
        let gauges = Gauges::identity(&self.graph);
        let witness = GaugedWmbe::new(plain.schedule, gauges, plain.weights, plain.shifts);
        Ok(Proof {
            bound: witness.verify(&self.graph)?,
            witness: (witness, self.structure().order.clone()),
            method: Method::Wmbe.name(),
        })
    }
}

impl<C: Optimiser> Racer for GaugedRacer<C> {
    type Side = C::Side;
    type Witness = Ordered<C::Side>;

    fn cycle(&mut self, evaluations: usize, budget: &Budget) -> bool {
        let gauged = match &mut self.stage {
            Stage::Plain(plain) => return plain.cycle(evaluations, budget),
            Stage::Gauged(gauged) => gauged,
        };
        let (began, optimiser) = (budget.elapsed(), &mut gauged.optimiser);
        let before = optimiser.evaluations();
        optimiser.cycle(evaluations, budget);
        let seconds = (budget.elapsed() - began).as_secs_f64();
        let spent = optimiser.evaluations() - before;
        if spent > 0 {
            self.pace = seconds / spent as f64;
        }
        if evaluations >= self.next {
            self.next *= 2;
        }
        true
    }

    fn value(&self) -> f64 {
        match &self.stage {
            Stage::Plain(plain) => plain.value(),
            Stage::Gauged(gauged) => gauged.optimiser.value(),
        }
    }

    fn evaluations(&self) -> usize {
        self.spent
            + match &self.stage {
                Stage::Plain(plain) => plain.evaluations(),
                Stage::Gauged(gauged) => gauged.optimiser.evaluations(),
            }
    }

    fn bytes(&self) -> f64 {
        self.bytes_on(self.schedule())
    }

    /// Cycles of gauges are each twice as long as the one before: steps of a cycle that is cut short are too
    /// large to end with.
    fn slice(&self) -> usize {
        match &self.stage {
            Stage::Plain(plain) => plain.slice(),
            Stage::Gauged(_) => self.next,
        }
    }

    fn pace(&self) -> f64 {
        self.pace
    }

    fn prove(&self) -> Option<Proof<C::Side, Ordered<C::Side>>> {
        self.proof().ok()
    }
}

impl<C: Optimiser> Mover for GaugedRacer<C> {
    fn place(&self) -> (&Structure, &Schedule, Vec<f64>) {
        let point = match &self.stage {
            Stage::Plain(plain) => plain.point(),
            Stage::Gauged(gauged) => {
                let gauges = gauged.optimiser.objective().num_gauge_entries();
                gauged.optimiser.point().split_off(gauges)
            }
        };
        (self.structure(), self.schedule(), point)
    }

    fn gained(&self) -> f64 {
        match &self.stage {
            Stage::Plain(plain) => plain.gained(),
            Stage::Gauged(gauged) => gauged.first - self.value(),
        }
    }

    fn bytes_on(&self, schedule: &Schedule) -> f64 {
        match &self.stage {
            Stage::Plain(plain) => plain.bytes_on(schedule),
            Stage::Gauged(_) => held_bytes(schedule),
        }
    }

    /// Gauges belong to variables, so they go along.
    fn on(&self, candidate: Candidate, point: Vec<f64>) -> Self {
        let stage = match &self.stage {
            Stage::Plain(plain) => Stage::Plain(Box::new(plain.on(candidate, point))),
            Stage::Gauged(gauged) => {
                let objective = GaugeObjective::new(candidate.schedule, &self.graph, true);
                let mut start = gauged.optimiser.point();
                start.truncate(objective.num_gauge_entries());
                start.extend(point);
                Stage::Gauged(Box::new(Gauged::new(
                    candidate.structure,
                    objective,
                    start,
                    None,
                )))
            }
        };
        Self::of(&self.graph, stage, self.next)
    }
}

/// Bytes of a racer with gauges; none hold it whose tables the walks cannot address by 32 bits.
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
        + SignedEngine::bytes(schedule)
        + 16.0 * (demand.message_entries + demand.max_entries)
        + (8 * (bases + vectors * parameters)) as f64
}
