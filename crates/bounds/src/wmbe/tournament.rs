//! Orders and partitions chosen by the bound they give.
//!
//! Width predicts a mini-bucket bound badly, so candidates race: each is optimised for a few
//! evaluations, the better half goes on with more of them, until one is left.

use std::sync::Arc;

use forney_certify::{Budget, Certificate, Lbfgs, Refine};
use forney_exact::{Heuristic, Order, Schedule, frontier, greedy};
use forney_model::FactorGraph;
use rand::SeedableRng;
use rand_pcg::Pcg64;
use rayon::prelude::*;

use super::{CliqueLimit, MiniBuckets, WeightMap, Wmbe, WmbeObjective};
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

/// Elimination orders worth trying for mini-buckets, the deterministic ones first; `number` picks one.
#[must_use]
pub fn candidate_order(graph: &FactorGraph, number: usize, seed: u64) -> Order {
    let mut ties = Pcg64::seed_from_u64(seed.wrapping_add(number as u64));
    match number {
        0 => greedy(graph, Heuristic::MinFill, None),
        1 => greedy(graph, Heuristic::MinSize, None),
        2 => frontier(graph, None),
        3 => greedy(graph, Heuristic::WeightedMinFill, None),
        n if n % 8 == 7 => frontier(graph, Some(&mut ties)),
        n if n % 3 == 0 => greedy(graph, Heuristic::MinSize, Some(&mut ties)),
        n if n % 3 == 1 => greedy(graph, Heuristic::WeightedMinFill, Some(&mut ties)),
        _ => greedy(graph, Heuristic::MinFill, Some(&mut ties)),
    }
}

/// A schedule with its optimiser.
pub(crate) struct Racer<S: WeightMap> {
    climb: Lbfgs<WmbeObjective<S>>,
    /// Entries of all cliques.
    entries: f64,
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
        let objective = WmbeObjective::new(schedule, graph);
        Self {
            climb: Lbfgs::new(objective, start, memory),
            entries,
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
pub(crate) fn race<S>(
    graph: &FactorGraph,
    limit: CliqueLimit,
    orders: &Orders<'_>,
    memory: f64,
    budget: &Budget,
    board: &Board<'_>,
) -> Race<S>
where
    S: WeightMap + Post,
    Wmbe<S>: Certificate<FactorGraph, Side = S>,
{
    let mut compiled: Vec<Schedule> = (0..orders.count)
        .into_par_iter()
        .filter_map(|number| {
            if number > 0 && budget.stop().is_some() {
                return None;
            }
            let order = orders.get(graph, number);
            let noise = (number >= orders.plain()).then(|| orders.seed.wrapping_add(number as u64));
            let mut rule = MiniBuckets::new(limit, noise);
            Schedule::compile(graph, &order, &mut rule).ok()
        })
        .collect();
    if let Some(at) = compiled.iter().position(Schedule::is_exact) {
        return Race::Exact(Box::new(compiled.swap_remove(at)));
    }
    let mut spare = memory;
    let admitted = compiled.into_iter().filter(|schedule| {
        let bytes = bytes(schedule);
        let fits = bytes <= spare;
        spare -= if fits { bytes } else { 0.0 };
        fits
    });
    let admitted: Vec<Arc<Schedule>> = admitted.map(Arc::new).collect();
    let peak = memory - spare;
    let mut racers: Vec<Racer<S>> = admitted
        .into_par_iter()
        .map(|schedule| Racer::new(schedule, graph))
        .collect();
    board.count::<S>(racers.len());
    board.begin(limit.ibound, peak);
    let mut evaluations = FIRST_ROUND;
    while racers.len() > 1 {
        racers.par_iter_mut().for_each(|racer| {
            racer.run(evaluations, budget, board);
        });
        // NaN sorts last: a start at −∞ loses to everything.
        racers.sort_by(|a, b| a.value().total_cmp(&b.value()));
        racers.truncate(racers.len().div_ceil(3));
        evaluations *= 2;
        if let Some(best) = racers.first() {
            best.prove(graph, board);
        }
        if budget.stop().is_some() {
            racers.truncate(1);
        }
    }
    racers
        .pop()
        .map_or(Race::Nobody, |winner| Race::Winner(Box::new(winner)))
}

/// Which orders race.
pub(crate) struct Orders<'o> {
    /// The caller's order, if it fixed one; then only partitions vary.
    pub(crate) fixed: Option<&'o Order>,
    /// Number of candidates.
    pub(crate) count: usize,
    /// Seed of ties and partitions.
    pub(crate) seed: u64,
}

impl Orders<'_> {
    fn get(&self, graph: &FactorGraph, number: usize) -> Order {
        self.fixed
            .cloned()
            .unwrap_or_else(|| candidate_order(graph, number, self.seed))
    }

    /// The first candidates take the plain greedy partition, the others a random one near it.
    fn plain(&self) -> usize {
        if self.fixed.is_some() {
            1
        } else {
            self.count.div_ceil(2).max(4)
        }
    }
}
