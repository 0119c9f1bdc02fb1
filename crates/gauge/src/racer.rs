//! One structure, and what improves the bound on it: first weights and shifts alone, by quasi-Newton
//! steps, which is plain weighted mini-buckets, then gauges with them; or gauges from the start.

use std::sync::Arc;

use forney_bounds::Method;
use forney_bounds::race::{Proof, Racer};
use forney_bounds::wmbe::{Candidate, PlainRacer, Structure, WmbeObjective, pairs};
use forney_certify::{Budget, Certificate, Flaw};
use forney_exact::{Order, Schedule};
use forney_model::FactorGraph;

use crate::bracket::NAME;
use crate::optimiser::Optimiser;
use crate::{GaugeObjective, GaugedWmbe, Gauges, SignedEngine};

/// Plain steps that gain less than this in all, in nats, have gained what they can.
const LEAST_GAIN: f64 = 1e-4;

/// A witness, and the order of its schedule.
pub(crate) type Ordered<S> = (GaugedWmbe<S>, Order);

/// A racer whose gauges move, sooner or later.
pub(crate) struct GaugedRacer<'g, C: Optimiser> {
    graph: &'g FactorGraph,
    stage: Stage<'g, C>,
    /// Evaluations of the stage before.
    spent: usize,
    /// Seconds of an evaluation, as last measured; 0 if none was.
    pace: f64,
    /// Bytes that gauges may take.
    memory: f64,
}

enum Stage<'g, C: Optimiser> {
    Plain(Box<PlainRacer<'g, C::Side>>),
    Gauged(Box<Gauged<C>>),
}

struct Gauged<C> {
    structure: Structure,
    optimiser: C,
    /// Shifts and logits of the weights that gauges took over from, if there were any.
    plain: Option<Vec<f64>>,
}

impl<'g, C: Optimiser> GaugedRacer<'g, C> {
    /// Gauges move from the start, from these if any were found before.
    pub(crate) fn gauged(
        candidate: Candidate,
        graph: &'g FactorGraph,
        gauges: Option<&Gauges>,
    ) -> Self {
        let objective = GaugeObjective::new(candidate.schedule, graph, true);
        let start = match gauges {
            Some(gauges) => objective.start_at(gauges),
            None => objective.start(),
        };
        Self::of(
            graph,
            Stage::Gauged(Box::new(Gauged {
                structure: candidate.structure,
                optimiser: C::new(objective, start),
                plain: None,
            })),
        )
    }

    /// Gauges wait for shifts and weights, and take over if they have room in so many bytes.
    pub(crate) fn plain(
        plain: PlainRacer<'g, C::Side>,
        graph: &'g FactorGraph,
        memory: f64,
    ) -> Self {
        Self {
            memory,
            ..Self::of(graph, Stage::Plain(Box::new(plain)))
        }
    }

    fn of(graph: &'g FactorGraph, stage: Stage<'g, C>) -> Self {
        Self {
            graph,
            stage,
            spent: 0,
            pace: 0.0,
            memory: f64::INFINITY,
        }
    }

    /// Gauges take over from what shifts and weights have reached, if there is a gauge at all, and room for
    /// it; that takes one evaluation.
    pub(crate) fn take_over(&mut self) {
        let Stage::Plain(plain) = &self.stage else {
            return;
        };
        let schedule = plain.schedule();
        let in_two = |v| self.graph.factors_of(v).count() == 2;
        let room = is_addressed(schedule) && bytes(schedule) <= self.memory;
        if !room || !self.graph.variables().any(in_two) {
            return;
        }
        let objective = GaugeObjective::new(Arc::clone(schedule), self.graph, true);
        // From below zeros may forbid every gauge.
        if objective.num_gauge_entries() == 0 {
            return;
        }
        let point = plain.point();
        let mut start = objective.start();
        start.truncate(objective.num_gauge_entries());
        start.extend_from_slice(&point);
        self.spent = plain.evaluations();
        self.stage = Stage::Gauged(Box::new(Gauged {
            structure: plain.structure().clone(),
            optimiser: C::new(objective, start),
            plain: Some(point),
        }));
    }

    /// Seconds of an evaluation, as last measured; 0 if none was.
    pub(crate) fn pace(&self) -> f64 {
        self.pace
    }

    pub(crate) fn schedule(&self) -> &Arc<Schedule> {
        match &self.stage {
            Stage::Plain(plain) => plain.schedule(),
            Stage::Gauged(gauged) => gauged.optimiser.objective().schedule(),
        }
    }

    fn order(&self) -> &Order {
        match &self.stage {
            Stage::Plain(plain) => &plain.structure().order,
            Stage::Gauged(gauged) => &gauged.structure.order,
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
        let witness = objective.witness(&point, self.graph);
        let witness = witness.map_err(|error| Flaw::Invalid(error.to_string()));
        if let Ok((bound, witness)) =
            witness.and_then(|found| Ok((found.verify(self.graph)?, found)))
        {
            let gauges = ..objective.num_gauge_entries();
            let still = point[gauges] == objective.start()[gauges];
            return Ok(Proof {
                bound,
                witness: (witness, self.order().clone()),
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
        let gauges = Gauges::identity(self.graph);
        let witness = GaugedWmbe::new(plain.schedule, gauges, plain.weights, plain.shifts);
        Ok(Proof {
            bound: witness.verify(self.graph)?,
            witness: (witness, self.order().clone()),
            method: Method::Wmbe.name(),
        })
    }
}

impl<C: Optimiser> Racer for GaugedRacer<'_, C> {
    type Side = C::Side;
    type Witness = Ordered<C::Side>;

    fn cycle(&mut self, evaluations: usize, budget: &Budget) -> bool {
        let (began, before, value) = (budget.elapsed(), self.evaluations(), self.value());
        if let Stage::Plain(plain) = &mut self.stage {
            let start = plain.value();
            let gains = plain.cycle(evaluations, budget);
            let gained = start - plain.value() >= LEAST_GAIN;
            let idle = !(gains && gained) && budget.stop().is_none();
            if idle && self.evaluations() - before < evaluations {
                self.take_over();
            }
        }
        let left = evaluations - (self.evaluations() - before);
        if let (Stage::Gauged(gauged), true) = (&mut self.stage, left > 0) {
            gauged.optimiser.cycle(left, budget);
        }
        let seconds = (budget.elapsed() - began).as_secs_f64();
        let spent = self.evaluations() - before;
        if spent > 0 {
            self.pace = seconds / spent as f64;
        }
        self.value() < value
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
        bytes(self.schedule())
    }

    fn prove(&self) -> Option<Proof<C::Side, Ordered<C::Side>>> {
        self.proof().ok()
    }
}

/// Walks address tables by 32 bits.
pub(crate) fn is_addressed(schedule: &Schedule) -> bool {
    schedule.demand().max_entries < f64::from(u32::MAX)
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
