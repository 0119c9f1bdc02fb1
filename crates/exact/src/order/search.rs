//! The search for a cheap order: reduce, try the near-linear rules, then the greedy ones with random
//! ties, then anneal the best.

use forney_certify::Budget;
use forney_model::FactorGraph;
use rand::SeedableRng;
use rand_pcg::Pcg64;
use rayon::prelude::*;

use super::anneal::Chain;
use super::dissect::stages;
use super::frontier::frontier_order;
use super::greedy::{Heuristic, greedy_order};
use super::quotient::{Score, quotient_order};
use super::reduce::{Part, reduce};
use super::tree::{Layout, Tree};
use super::{Cost, Order};
use crate::watch::Watch;

/// How long [`search`] searches.
#[derive(Clone, Debug)]
pub struct Effort {
    /// So many rounds for each connected part; `None`: as many as pay.
    pub rounds: Option<usize>,
    /// The clock and the interrupt flag.
    pub budget: Budget,
}

/// A way to an order.
#[derive(Clone, Copy, Debug)]
enum Rule {
    /// Minimal bounds of the fill, or of the size of the clique.
    Fill,
    Size,
    Dissection,
    Frontier,
    Greedy(Heuristic),
}

/// The rules of the first round, with random ties.
const RULES: [Rule; TASKS] = [
    Rule::Greedy(Heuristic::MinFill),
    Rule::Greedy(Heuristic::MinFill),
    Rule::Greedy(Heuristic::WeightedMinFill),
    Rule::Greedy(Heuristic::MinSize),
    Rule::Frontier,
    Rule::Frontier,
    Rule::Dissection,
    Rule::Dissection,
];

/// Parts with more variables are so large that the cost of an order takes a part of a second.
const LARGE: usize = 200_000;
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

/// A good order in almost linear time: the best of bounded greedy rules, nested dissection and a
/// frontier sweep after what is free to eliminate, by the entries of all cliques.
///
/// For models of which an order is wanted at once, or that are so large that exact elimination is out of
/// reach and a bound needs some order; [`search`] begins with the same. When the budget ends, what is
/// left comes in the order of its numbers. The same on any number of threads unless the budget ends it.
///
/// # Complexity
/// `O(m log n)` for `m` edges of the primal graph, on graphs with few large cliques.
///
/// # Example
/// ```
/// use forney_certify::Budget;
/// use forney_exact::quick;
/// use forney_model::generate::ising_grid;
/// use rand::SeedableRng;
/// let grid = ising_grid(30, 1.0, 0.1, &mut rand_pcg::Pcg64::seed_from_u64(7));
/// assert_eq!(quick(&grid, &Budget::unlimited()).cost(&grid).width, 30);
/// ```
#[must_use]
pub fn quick(graph: &FactorGraph, budget: &Budget) -> Order {
    let watch = Watch::new(Some(budget));
    by_parts(graph, &watch, |part| {
        part.quick(&watch).swap_remove(0).order
    })
}

/// The cheapest order found, by [`Cost::total_entries`].
///
/// Variables whose elimination is known to be free are taken first. Each connected part of what is left
/// is ordered by the rules of [`quick`], then by the greedy heuristics, dissection and frontier sweeps
/// with random ties, and the best orders are improved by annealing contraction trees, in rounds that
/// take twice as long each. Without [`Effort::rounds`] the search of a part ends when, with the next
/// round, it would take longer than elimination, or a good part of that while the last two rounds have
/// saved less than the next one costs. Work is counted, not timed: the same seed gives the same order on
/// any number of threads, unless the budget ends the search. Every pass looks at the budget, and when
/// it is over the best order so far is returned.
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
    let watch = Watch::new(Some(&effort.budget));
    by_parts(graph, &watch, |part| {
        part.search(seed, effort.rounds, &watch)
    })
}

/// What is free first, then the parts that are left, one after the other.
fn by_parts(graph: &FactorGraph, watch: &Watch<'_>, order_of: impl Fn(&Part) -> Vec<u32>) -> Order {
    let (mut order, parts) = reduce(graph, watch);
    for part in parts {
        let local = order_of(&part);
        order.extend(local.into_iter().map(|v| part.variables[v as usize]));
    }
    Order::from_permutation(order)
}

/// An order of a part with `log2` of the entries of its cliques.
struct Found {
    log2_total: f64,
    order: Vec<u32>,
}

/// Of orders with equal totals, which are nearly always the same tree, one is kept.
fn best_first(found: &mut Vec<Found>) {
    // The sort is stable: of equal orders the earlier one stays ahead.
    found.sort_by(|a, b| a.log2_total.total_cmp(&b.log2_total));
    found.dedup_by(|b, a| a.log2_total.total_cmp(&b.log2_total).is_eq());
    found.truncate(TASKS);
}

impl Part {
    /// The orders of the near-linear rules, the best first; at least one.
    fn quick(&self, watch: &Watch<'_>) -> Vec<Found> {
        let rules = [Rule::Fill, Rule::Size, Rule::Dissection, Rule::Frontier];
        let orders = rules.into_par_iter();
        let orders = orders.map(|rule| self.found(self.by_rule(rule, None, watch), watch));
        let mut found: Vec<Found> = orders.collect();
        best_first(&mut found);
        found
    }

    fn search(&self, seed: u64, rounds: Option<usize>, watch: &Watch<'_>) -> Vec<u32> {
        let mut best = self.quick(watch);
        let layout = Layout::new(&self.primal.log2);
        let mut spent = 4.0 * self.rule_work();
        // The least total before each round.
        let mut before: Vec<f64> = Vec::new();
        for round in 0..rounds.unwrap_or(LAST_ROUND) {
            let sweeps = FIRST_SWEEPS << round.min(LAST_ROUND);
            let work = TASKS as f64
                * match round {
                    0 => self.rule_work(),
                    _ => sweeps as f64 * self.sweep_work(&layout),
                };
            let total = best[0].log2_total.exp2();
            let saved = before
                .iter()
                .rev()
                .nth(1)
                .map_or(f64::INFINITY, |before| before - total);
            let pays = spent + work <= CHEAP * total.min(HOPELESS)
                || spent + work <= total.min(HOPELESS) && work <= saved;
            if rounds.is_none() && !pays
                || watch.stop()
                || round > 0 && layout.words * self.scopes.len() > MOST_WORDS
            {
                break;
            }
            before.push(total);
            spent += work;
            let task = |task: usize| {
                let mut rng = Pcg64::seed_from_u64(seed ^ ((round as u64) << 32 | task as u64));
                if watch.stop() {
                    return None;
                }
                let order = if round == 0 {
                    self.by_rule(RULES[task], Some(&mut rng), watch)
                } else {
                    let start = &best[task % best.len()].order;
                    self.anneal(&layout, start, sweeps, HOT[task % HOT.len()], rng, watch)
                };
                Some(self.found(order, watch))
            };
            let found: Vec<Option<Found>> = (0..TASKS).into_par_iter().map(task).collect();
            best.extend(found.into_iter().flatten());
            best_first(&mut best);
        }
        best.swap_remove(0).order
    }

    /// An order with its cost; that of a huge part is not worked out when time is up.
    fn found(&self, order: Vec<u32>, watch: &Watch<'_>) -> Found {
        let log2_total = if watch.is_over() && self.primal.len() > LARGE {
            f64::INFINITY
        } else {
            Cost::of(&self.primal, &order).1
        };
        Found { log2_total, order }
    }

    fn by_rule(&self, rule: Rule, ties: Option<&mut Pcg64>, watch: &Watch<'_>) -> Vec<u32> {
        let quotient = |score, stage: Option<&[u32]>, ties| {
            let all: Vec<u32> = (0..self.primal.len() as u32).collect();
            let adjacent = self.primal.adjacent.clone();
            quotient_order(&all, adjacent, &self.primal.log2, stage, score, ties, watch)
        };
        match rule {
            Rule::Fill => quotient(Score::Fill, None, ties),
            Rule::Size => quotient(Score::Size, None, ties),
            Rule::Dissection => {
                let stage = stages(&self.primal, ties, watch);
                quotient(Score::Fill, Some(&stage), None)
            }
            Rule::Frontier => frontier_order(&self.primal, ties, watch),
            Rule::Greedy(heuristic) => greedy_order(&self.primal, heuristic, ties, watch),
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
        watch: &Watch<'_>,
    ) -> Vec<u32> {
        let tree = Tree::from_order(layout, &self.scopes, start);
        let mut chain = Chain::new(layout, tree, rng);
        for at in 0..sweeps {
            if watch.stop() {
                break;
            }
            chain.sweep(hot + (COLD - hot) * at as f64 / sweeps as f64);
        }
        chain.best().order(layout)
    }

    /// About what a heuristic takes, in table entries of elimination (measured, a nanosecond each).
    fn rule_work(&self) -> f64 {
        let edges: usize = self.primal.adjacent.iter().map(Vec::len).sum();
        50.0 * edges as f64
    }

    /// About what a sweep of annealing takes, in the same unit.
    fn sweep_work(&self, layout: &Layout) -> f64 {
        self.scopes.len() as f64 * (30 + 5 * layout.words) as f64
    }
}
