//! Orders and partitions chosen by the bound they give.
//!
//! Width predicts a mini-bucket bound badly, so candidates race: each is optimised for a few
//! evaluations, the best third goes on with more of them, until one is left.

use std::time::Duration;

use forney_certify::Budget;
use forney_model::FactorGraph;
use rayon::prelude::*;

use super::racer::{Racer, bytes};
use super::{Candidate, Candidates, CliqueLimit, WeightMap};
use crate::board::{Board, Post};

/// Gradient evaluations of every candidate in the first round; each later round doubles them for
/// a third of the candidates.
const FIRST_ROUND: usize = 8;

/// Gradient evaluations that a race takes for each of its candidates: `8 (1 + 2/3 + 4/9 + …)`.
pub(crate) const RACE_EVALUATIONS: f64 = 24.0;

/// The share of a race's time in which the candidates of a heat are compiled.
const COMPILING: f64 = 0.2;

/// How a race ended.
pub(crate) enum Race<S: WeightMap> {
    /// A candidate that has to split nothing: its value is `ln Z`.
    Exact(Box<Candidate>),
    /// The candidate with the tightest bound.
    Winner(Box<Racer<S>>),
    /// Not even one candidate fits in the memory.
    Nobody,
}

/// The race at one ibound: compiles the candidates, but for the first where it is known, and returns the
/// winner.
///
/// Partitions by content take longer to compile, so theirs is a heat of its own: when it begins, the
/// best of the partitions by scope has proved its bound.
pub(crate) fn race<S>(
    graph: &FactorGraph,
    limit: CliqueLimit,
    candidates: &Candidates<'_>,
    first: Option<&Candidate>,
    memory: f64,
    budget: &Budget,
    board: &Board<'_>,
) -> Race<S>
where
    S: WeightMap + Post,
{
    let time = budget.remaining().unwrap_or(Duration::MAX);
    let mut racers: Vec<Racer<S>> = Vec::new();
    let (by_content, by_scope): (Vec<_>, Vec<_>) =
        (0..candidates.count).partition(|&number| candidates.by_content(number));
    for numbers in [by_scope, by_content] {
        let compiling = budget.capped(time.mul_f64(COMPILING));
        let mut spare = memory - racers.iter().map(|racer| racer.bytes).sum::<f64>();
        let mut compiled: Vec<Candidate> = numbers
            .into_par_iter()
            .filter_map(|number| {
                if let (0, Some(first)) = (number, first) {
                    return Some(first.clone());
                }
                if number > 0 && compiling.stop().is_some() {
                    return None;
                }
                let candidate = candidates.compile::<S>(graph, limit, number, spare, &compiling);
                candidate.ok()
            })
            .collect();
        let exact = |candidate: &Candidate| candidate.schedule.is_exact();
        if let Some(at) = compiled.iter().position(exact) {
            return Race::Exact(Box::new(compiled.swap_remove(at)));
        }
        compiled.retain(|candidate| {
            let bytes = bytes(&candidate.schedule);
            let fits = bytes <= spare;
            spare -= if fits { bytes } else { 0.0 };
            fits
        });
        let mut heat: Vec<Racer<S>> = compiled
            .into_par_iter()
            .map(|candidate| Racer::new(candidate, graph))
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
