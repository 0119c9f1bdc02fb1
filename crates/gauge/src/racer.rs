//! One candidate of the race: an order, a partition, and what improves the bound on them.
//!
//! A *plain* racer moves weights and shifts alone, by quasi-Newton steps, which is plain weighted
//! mini-buckets; where little is left to gain it hands over to the gauges, which go on from there. A
//! *gauged* racer moves everything from the start.

use std::sync::Arc;

use forney_bounds::BoundError;
use forney_bounds::wmbe::{BestMiniBuckets, WmbeObjective, pairs};
use forney_certify::{Bound, Budget, Certificate, Flaw, Lbfgs, Refine};
use forney_exact::{Engine, Order, Schedule};
use forney_model::FactorGraph;

use crate::climb::Climb;
use crate::orders::Candidate;
use crate::{GaugeObjective, GaugedWmbe, Gauges};

/// Plain steps that gain less than this in all, in nats, have gained what they can.
const LEAST_GAIN: f64 = 1e-4;

/// A verified bound and its witness.
pub(crate) type Proof<S> = (Bound<S>, GaugedWmbe<S>);

/// A candidate.
pub(crate) struct Racer<'g, C: Climb> {
    pub(crate) order: Order,
    graph: &'g FactorGraph,
    schedule: Arc<Schedule>,
    stage: Stage<C>,
    /// Weights and shifts that gauges took over from.
    plain: Option<Vec<f64>>,
    /// Evaluations of the stages before.
    spent: usize,
}

enum Stage<C: Climb> {
    Plain(Box<Lbfgs<WmbeObjective<C::Side>>>),
    Gauged(Box<C>),
}

impl<'g, C: Climb> Racer<'g, C> {
    pub(crate) fn new(
        candidate: Candidate,
        graph: &'g FactorGraph,
        plain: bool,
        gauges: Option<&Gauges>,
    ) -> Self {
        let schedule = candidate.schedule;
        let stage = if plain {
            let start = WmbeObjective::<C::Side>::start(&schedule);
            let objective = WmbeObjective::new(Arc::clone(&schedule), graph);
            Stage::Plain(Box::new(Lbfgs::new(objective, start, pairs(&schedule))))
        } else {
            let objective = GaugeObjective::new(Arc::clone(&schedule), graph, true);
            let start = match gauges {
                Some(gauges) => objective.start_at(gauges),
                None => objective.start(),
            };
            Stage::Gauged(Box::new(C::new(objective, start)))
        };
        Self {
            order: candidate.order,
            graph,
            schedule,
            stage,
            plain: None,
            spent: 0,
        }
    }

    /// Gauges on what shifts and weights alone have found, if there is a gauge and room for it.
    pub(crate) fn after(
        best: BestMiniBuckets<C::Side>,
        graph: &'g FactorGraph,
        memory: f64,
    ) -> Self {
        let BestMiniBuckets {
            order,
            schedule,
            point,
            ..
        } = best;
        let room = is_addressed(&schedule) && bytes(&schedule) <= memory;
        let climb = room
            .then(|| gauged::<C>(&schedule, graph, &point))
            .flatten();
        let stage = if let Some(climb) = climb {
            Stage::Gauged(Box::new(climb))
        } else {
            let objective = WmbeObjective::new(Arc::clone(&schedule), graph);
            Stage::Plain(Box::new(Lbfgs::new(objective, point.clone(), 0)))
        };
        Self {
            order,
            graph,
            schedule,
            stage,
            plain: Some(point),
            spent: 0,
        }
    }

    /// Improves the bound by about so many evaluations.
    pub(crate) fn cycle(&mut self, evaluations: usize, budget: &Budget) {
        let end = self.evaluations() + evaluations;
        if let Stage::Plain(climb) = &mut self.stage {
            let before = climb.value();
            let mut stuck = false;
            while !stuck && self.spent + climb.evaluations() < end && budget.stop().is_none() {
                let value = climb.value();
                // Written so that NaN, which a start at an infinity gives, is stuck as well.
                #[allow(clippy::neg_cmp_op_on_partial_ord)]
                let idle = !(climb.sweep() < value);
                stuck = idle;
            }
            let gained = before - climb.value();
            // Taking over costs an evaluation.
            if (stuck || gained < LEAST_GAIN) && budget.stop().is_none() {
                self.hand_over();
            }
        }
        let left = end.saturating_sub(self.evaluations());
        if let (Stage::Gauged(climb), true) = (&mut self.stage, left > 0) {
            climb.cycle(left, budget);
        }
    }

    /// Goes on with gauges from what shifts and weights have reached, if there is a gauge at all.
    pub(crate) fn hand_over(&mut self) {
        let Stage::Plain(plain) = &self.stage else {
            return;
        };
        let point = plain.point();
        if let Some(climb) = gauged::<C>(&self.schedule, self.graph, &point) {
            self.spent += plain.evaluations();
            self.plain = Some(point);
            self.stage = Stage::Gauged(Box::new(climb));
        }
    }

    /// Do its gauges move?
    pub(crate) fn is_gauged(&self) -> bool {
        matches!(self.stage, Stage::Gauged(_))
    }

    /// `±ln Z_w` at the best point, lower is tighter.
    pub(crate) fn value(&self) -> f64 {
        match &self.stage {
            Stage::Plain(climb) => climb.value(),
            Stage::Gauged(climb) => climb.value(),
        }
    }

    pub(crate) fn evaluations(&self) -> usize {
        self.spent
            + match &self.stage {
                Stage::Plain(climb) => climb.evaluations(),
                Stage::Gauged(climb) => climb.evaluations(),
            }
    }

    /// What its tables take.
    pub(crate) fn bytes(&self) -> f64 {
        bytes(&self.schedule)
    }

    pub(crate) fn schedule(&self) -> &Schedule {
        &self.schedule
    }

    /// The bound at the best point, recomputed from its witness.
    ///
    /// Gauges that went astray, or tables that span more than plain numbers hold, must not cost the
    /// bound that weights and shifts alone have reached.
    pub(crate) fn prove(&self) -> Result<Proof<C::Side>, BoundError> {
        let witness = match &self.stage {
            Stage::Plain(climb) => Ok(self.without_gauges(climb.objective(), &climb.point())),
            Stage::Gauged(climb) => {
                let witness = climb.objective().witness(&climb.point(), self.graph);
                witness.map_err(|error| Flaw::Invalid(error.to_string()))
            }
        };
        let gauged = witness.and_then(|witness| Ok((witness.verify(self.graph)?, witness)));
        gauged.or_else(|_| {
            let objective = WmbeObjective::new(Arc::clone(&self.schedule), self.graph);
            let start = || WmbeObjective::<C::Side>::start(&self.schedule);
            let point = self.plain.clone().unwrap_or_else(start);
            let witness = self.without_gauges(&objective, &point);
            Ok((witness.verify(self.graph)?, witness))
        })
    }

    fn without_gauges(&self, objective: &WmbeObjective<C::Side>, x: &[f64]) -> GaugedWmbe<C::Side> {
        let plain = objective.witness(x);
        let gauges = Gauges::identity(self.graph);
        GaugedWmbe::new(plain.schedule, gauges, plain.weights, plain.shifts)
    }
}

/// Gauges that start as identities at these shifts and weights; `None` if nothing can be gauged.
fn gauged<C: Climb>(schedule: &Arc<Schedule>, graph: &FactorGraph, point: &[f64]) -> Option<C> {
    let in_two = |v| graph.factors_of(v).count() == 2;
    if !graph.variables().any(in_two) {
        return None;
    }
    let objective = GaugeObjective::new(Arc::clone(schedule), graph, true);
    // From below zeros may forbid every gauge.
    if objective.num_gauge_entries() == 0 {
        return None;
    }
    let mut start = objective.start();
    start.truncate(objective.num_gauge_entries());
    start.extend_from_slice(point);
    Some(C::new(objective, start))
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
        + Engine::signed_bytes(schedule)
        + 16.0 * (demand.message_entries + demand.max_entries)
        + (8 * (3 * bases + vectors * parameters)) as f64
}
