//! Orders and partitions chosen by the bound they give.
//!
//! Width predicts a mini-bucket bound badly, so candidates race: each is optimised for a few
//! evaluations, the better half goes on with more of them, until one is left.

use std::sync::Arc;
use std::time::Duration;

use forney_certify::{Budget, Certificate, Lbfgs, Refine};
use forney_exact::Schedule;
use forney_model::FactorGraph;
use rayon::prelude::*;

use super::{Candidates, CliqueLimit, WeightMap, Wmbe, WmbeObjective};
use crate::board::{Board, Post};

/// Pairs that the quasi-Newton steps remember: many while they cost less than a pass, few where
/// shifts over large shared scopes make every vector as long as the tables.
fn memory(schedule: &Schedule) -> usize {
    if schedule.num_shifts() < 50_000 {
        12
    } else {
        5
    }
}

/// Bytes of an optimiser: the tables of both passes and the vectors of the quasi-Newton method.
pub(crate) fn bytes(schedule: &Schedule) -> f64 {
    let vectors = 2 * memory(schedule) + 8;
    let parameters = schedule.num_shifts() + schedule.num_weights();
    schedule.demand().kept_bytes + (8 * vectors * parameters) as f64
}

/// Gradient evaluations of every candidate in the first round; each later round doubles them for
/// a third of the candidates.
const FIRST_ROUND: usize = 8;

/// Gradient evaluations that a race takes for each of its candidates: `8 (1 + 2/3 + 4/9 + …)`.
pub(crate) const RACE_EVALUATIONS: f64 = 24.0;

/// The share of a race's time in which the candidates of a heat are compiled.
const COMPILING: f64 = 0.2;

/// A schedule with its optimiser.
pub(crate) struct Racer<S: WeightMap> {
    climb: Lbfgs<WmbeObjective<S>>,
    /// Entries of all cliques.
    entries: f64,
    bytes: f64,
    stuck: bool,
}

impl<S: WeightMap + Post> Racer<S>
where
    Wmbe<S>: Certificate<FactorGraph, Side = S>,
{
    pub(crate) fn new(schedule: Arc<Schedule>, graph: &FactorGraph) -> Self {
        let start = WmbeObjective::<S>::start(&schedule);
        let memory = memory(&schedule);
        let entries = schedule.demand().total_entries;
        let bytes = bytes(&schedule);
        let objective = WmbeObjective::new(schedule, graph);
        Self {
            climb: Lbfgs::new(objective, start, memory),
            entries,
            bytes,
            stuck: false,
        }
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
    fn value(&self) -> f64 {
        self.climb.value()
    }

    /// Recomputes the bound from the witness alone and enters it.
    ///
    /// A witness that proves nothing, because an optimiser went astray, enters nothing.
    pub(crate) fn prove(&self, graph: &FactorGraph, board: &Board<'_>) {
        let witness = self.climb.objective().witness(&self.climb.point());
        if let Ok(bound) = witness.verify(graph) {
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
        while evaluations > 0 && budget.stop().is_none() {
            let value = self.value();
            let slice = evaluations.min(SLICE);
            let alive = self.run(slice, budget, board);
            evaluations -= slice;
            self.prove(graph, board);
            let gain = value - self.value();
            if !alive || gain <= least_gain * slice as f64 {
                break;
            }
        }
    }
}

/// How a race ended.
pub(crate) enum Race<S: WeightMap> {
    /// A candidate that has to split nothing: its value is `ln Z`.
    Exact(Box<Schedule>),
    /// The candidate with the tightest bound.
    Winner(Box<Racer<S>>),
    /// Not even one candidate fits in the memory.
    Nobody,
}

/// The race at one ibound: compiles the candidates, and returns the winner.
///
/// Partitions by content take longer to compile, so theirs is a heat of its own: when it begins, the
/// best of the partitions by scope has proved its bound.
pub(crate) fn race<S>(
    graph: &FactorGraph,
    limit: CliqueLimit,
    candidates: &Candidates<'_>,
    memory: f64,
    budget: &Budget,
    board: &Board<'_>,
) -> Race<S>
where
    S: WeightMap + Post,
    Wmbe<S>: Certificate<FactorGraph, Side = S>,
{
    let time = budget.remaining().unwrap_or(Duration::MAX);
    let mut racers: Vec<Racer<S>> = Vec::new();
    let (by_content, by_scope): (Vec<_>, Vec<_>) =
        (0..candidates.count).partition(|&number| candidates.by_content(number));
    for numbers in [by_scope, by_content] {
        let compiling = budget.capped(time.mul_f64(COMPILING));
        let mut spare = memory - racers.iter().map(|racer| racer.bytes).sum::<f64>();
        let mut compiled: Vec<Schedule> = numbers
            .into_par_iter()
            .filter_map(|number| {
                if number > 0 && compiling.stop().is_some() {
                    return None;
                }
                let candidate = candidates.compile::<S>(graph, limit, number, spare, &compiling);
                candidate.ok().map(|candidate| candidate.schedule)
            })
            .collect();
        if let Some(at) = compiled.iter().position(Schedule::is_exact) {
            return Race::Exact(Box::new(compiled.swap_remove(at)));
        }
        compiled.retain(|schedule| {
            let bytes = bytes(schedule);
            let fits = bytes <= spare;
            spare -= if fits { bytes } else { 0.0 };
            fits
        });
        let mut heat: Vec<Racer<S>> = compiled
            .into_par_iter()
            .map(|schedule| Racer::new(Arc::new(schedule), graph))
            .collect();
        board.count::<S>(heat.len());
        board.begin(limit.ibound, memory - spare);
        if candidates.count > 1 {
            round(&mut heat, FIRST_ROUND, graph, budget, board);
        }
        racers.append(&mut heat);
    }
    let mut evaluations = 2 * FIRST_ROUND;
    while racers.len() > 1 {
        round(&mut racers, evaluations, graph, budget, board);
        evaluations *= 2;
        if budget.stop().is_some() {
            racers.truncate(1);
        }
    }
    racers
        .pop()
        .map_or(Race::Nobody, |winner| Race::Winner(Box::new(winner)))
}

/// Optimises every racer for so many evaluations; the best third stays and its first proves its bound.
fn round<S>(
    racers: &mut Vec<Racer<S>>,
    evaluations: usize,
    graph: &FactorGraph,
    budget: &Budget,
    board: &Board<'_>,
) where
    S: WeightMap + Post,
    Wmbe<S>: Certificate<FactorGraph, Side = S>,
{
    racers.par_iter_mut().for_each(|racer| {
        racer.run(evaluations, budget, board);
    });
    // NaN sorts last: a start at −∞ loses to everything.
    racers.sort_by(|a, b| a.value().total_cmp(&b.value()));
    racers.truncate(racers.len().div_ceil(3));
    if let Some(best) = racers.first() {
        best.prove(graph, board);
    }
}
