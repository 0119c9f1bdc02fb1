//! The search for a cheap order: reduce, try the quick heuristics, then anneal the best.

use forney_certify::Budget;
use forney_model::FactorGraph;
use rand::SeedableRng;
use rand_pcg::Pcg64;
use rayon::prelude::*;

use super::anneal::Chain;
use super::frontier::frontier_order;
use super::greedy::{Heuristic, greedy_order};
use super::reduce::{Part, reduce};
use super::tree::{Layout, Tree};
use super::{Cost, Order};

/// How long [`search`] searches.
#[derive(Clone, Debug)]
pub struct Effort {
    /// So many rounds for each connected part; `None`: as many as pay.
    pub rounds: Option<usize>,
    /// The clock and the interrupt flag.
    pub budget: Budget,
}

/// Tasks of a round; independent of the number of threads, so that results are, too.
const TASKS: usize = 8;
/// Annealing sweeps of round `r` are `FIRST_SWEEPS · 2^r`.
const FIRST_SWEEPS: usize = 50;
/// No search ever gets so far.
const LAST_ROUND: usize = 32;
/// A search of this fraction of the elimination is always worth while.
const CHEAP: f64 = 1.0 / 16.0;
/// Nobody eliminates more entries than this, so nobody searches for longer.
const HOPELESS: f64 = (1u64 << 40) as f64;
/// Inverse temperatures at the beginning of annealing: the first forgets where it starts, the last keeps
/// most of it.
const HOT: [f64; 3] = [1.0, 3.0, 6.0];
/// Inverse temperature at the end.
const COLD: f64 = 15.0;
/// Parts whose sets of variables take more words than this are not annealed.
const MOST_WORDS: usize = 1 << 20;

/// The cheapest order found, by [`Cost::total_entries`].
///
/// Variables whose elimination is known to be free are taken first. Each connected part of what is left
/// is ordered by the greedy heuristics and frontier sweeps, with random ties, and the best orders are
/// improved by annealing contraction trees, in rounds that take twice as long each. Without
/// [`Effort::rounds`] the search of a part ends when, with the next round, it would take longer than
/// elimination, or a good part of that while the last two rounds have saved less than the next one costs.
/// Work is counted, not timed: the same seed gives the same
/// order on any number of threads, unless the budget ends the search.
///
/// # Example
/// ```
/// use forney_certify::Budget;
/// use forney_exact::{Effort, Heuristic, greedy, search};
/// use forney_model::generate::ising_grid;
/// use rand::SeedableRng;
/// let grid = ising_grid(8, 1.0, 0.1, &mut rand_pcg::Pcg64::seed_from_u64(7));
/// let effort = Effort { rounds: Some(2), budget: Budget::unlimited() };
/// let quick = greedy(&grid, Heuristic::MinFill, None).cost(&grid);
/// assert!(search(&grid, 1, &effort).cost(&grid).total_entries <= quick.total_entries);
/// ```
#[must_use]
pub fn search(graph: &FactorGraph, seed: u64, effort: &Effort) -> Order {
    let (mut order, parts) = reduce(graph);
    for part in parts {
        let best = part.search(seed, effort);
        order.extend(best.into_iter().map(|v| part.variables[v as usize]));
    }
    Order::from_permutation(order)
}

/// An order of a part with its cost.
struct Found {
    total: f64,
    order: Vec<u32>,
}

impl Part {
    fn search(&self, seed: u64, effort: &Effort) -> Vec<u32> {
        let first = greedy_order(&self.primal, Heuristic::MinFill, None);
        let mut best = vec![self.found(first)];
        let layout = Layout::new(&self.primal.log2);
        let mut spent = self.quick_work();
        // The least total before each round.
        let mut before: Vec<f64> = Vec::new();
        for round in 0..effort.rounds.unwrap_or(LAST_ROUND) {
            let sweeps = FIRST_SWEEPS << round.min(LAST_ROUND);
            let work = TASKS as f64
                * match round {
                    0 => self.quick_work(),
                    _ => sweeps as f64 * self.sweep_work(&layout),
                };
            let total = best[0].total;
            let saved = before
                .iter()
                .rev()
                .nth(1)
                .map_or(f64::INFINITY, |before| before - total);
            let pays = spent + work <= CHEAP * total.min(HOPELESS)
                || spent + work <= total.min(HOPELESS) && work <= saved;
            if effort.rounds.is_none() && !pays
                || effort.budget.stop().is_some()
                || round > 0 && layout.words * self.scopes.len() > MOST_WORDS
            {
                break;
            }
            before.push(total);
            spent += work;
            let task = |task: usize| {
                let mut rng = Pcg64::seed_from_u64(seed ^ ((round as u64) << 32 | task as u64));
                if effort.budget.stop().is_some() {
                    return None;
                }
                Some(self.found(if round == 0 {
                    self.quick(task, &mut rng)
                } else {
                    let start = &best[task % best.len()].order;
                    self.anneal(
                        &layout,
                        start,
                        sweeps,
                        HOT[task % HOT.len()],
                        rng,
                        &effort.budget,
                    )
                }))
            };
            let found: Vec<Option<Found>> = (0..TASKS).into_par_iter().map(task).collect();
            // The sort is stable: of equal orders the earlier one stays ahead.
            best.extend(found.into_iter().flatten());
            best.sort_by(|a, b| a.total.total_cmp(&b.total));
            // Equal totals are nearly always the same tree; the next round starts from different ones.
            best.dedup_by(|b, a| a.total.total_cmp(&b.total).is_eq());
            best.truncate(TASKS);
        }
        best.swap_remove(0).order
    }

    fn found(&self, order: Vec<u32>) -> Found {
        let total = Cost::of(&self.primal, &order).total_entries;
        Found { total, order }
    }

    /// One of the heuristics with random ties.
    fn quick(&self, task: usize, rng: &mut Pcg64) -> Vec<u32> {
        match task {
            0 => frontier_order(&self.primal, None),
            1..=3 => frontier_order(&self.primal, Some(rng)),
            4 => greedy_order(&self.primal, Heuristic::WeightedMinFill, Some(rng)),
            5 => greedy_order(&self.primal, Heuristic::MinSize, Some(rng)),
            _ => greedy_order(&self.primal, Heuristic::MinFill, Some(rng)),
        }
    }

    /// The best order met while the contraction tree of `start` cools down.
    fn anneal(
        &self,
        layout: &Layout,
        start: &[u32],
        sweeps: usize,
        hot: f64,
        rng: Pcg64,
        budget: &Budget,
    ) -> Vec<u32> {
        let tree = Tree::from_order(layout, &self.scopes, start);
        let mut chain = Chain::new(layout, tree, rng);
        for at in 0..sweeps {
            if budget.stop().is_some() {
                break;
            }
            chain.sweep(hot + (COLD - hot) * at as f64 / sweeps as f64);
        }
        chain.best().order(layout)
    }

    /// About what a heuristic takes, in table entries of elimination (measured, a nanosecond each).
    fn quick_work(&self) -> f64 {
        let edges: usize = self.primal.adjacent.iter().map(Vec::len).sum();
        50.0 * edges as f64
    }

    /// About what a sweep of annealing takes, in the same unit.
    fn sweep_work(&self, layout: &Layout) -> f64 {
        self.scopes.len() as f64 * (30 + 5 * layout.words) as f64
    }
}
