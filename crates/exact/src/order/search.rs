//! The search for a cheap order: reduce, try the near-linear rules, then the greedy ones with random
//! ties, then anneal the best, and start anew where that gains no more.

use forney_certify::Budget;
use forney_model::FactorGraph;
use rand::SeedableRng;
use rand_pcg::Pcg64;
use rayon::prelude::*;

use super::anneal::Chain;
use super::pool::{Found, Pool};
use super::reduce::{Part, reduce};
use super::rules::{FIRST, FRESH, QUICK};
use super::tree::{Layout, Tree};
use super::{Cost, Order};
use crate::engine::Keep;
use crate::watch::Watch;

/// How long [`search`] searches, and for what.
#[derive(Clone, Debug)]
pub struct Effort {
    /// So many rounds for each connected part; `None`: as many as pay.
    pub rounds: Option<usize>,
    /// The clock and the interrupt flag.
    pub budget: Budget,
    /// The bytes that tables may take, and how long they are kept: an order that stays within them is
    /// better than any that does not. `None`: memory does not count.
    pub memory: Option<(Keep, f64)>,
}

/// Parts with more variables are so large that the cost of an order takes a part of a second.
const LARGE: usize = 200_000;
/// Chains of the first round that anneals and of the others; independent of the number of threads, so
/// that results are, too. A few long chains come closer to the best order than more that are shorter:
/// on pedigrees with the work of 800 sweeps, 2 chains end 0.3, 4 end 0.45 and 8 end 1.0 above the least
/// `log2` of the entries.
const FIRST_CHAINS: usize = 2;
const CHAINS: usize = 4;
/// Annealing sweeps of the first two rounds that anneal; those of each later one are twice as many.
const FIRST_SWEEPS: usize = 400;
/// Fewer sweeps than this seldom pay.
const LEAST_SWEEPS: usize = 100;
/// No search ever gets so far.
const LAST_ROUND: usize = 32;
/// A search of this fraction of the elimination is always worth while.
const CHEAP: f64 = 1.0 / 16.0;
/// Nobody eliminates more entries than this, so nobody searches for longer.
const HOPELESS: f64 = (1u64 << 40) as f64;
/// Inverse temperatures at the beginning and at the end of annealing, by chain. Hot chains forget where
/// they start and end warm, which gains more than their last moves lose; the last one keeps most of the
/// best order, which on grids no hot chain finds again. The first round that anneals has hot ones only:
/// with a cool one in it, pedigrees end 0.14 higher.
const COOLING: [(f64, f64); CHAINS] = [(1.0, 10.0), (2.0, 10.0), (3.0, 10.0), (6.0, 15.0)];
/// A round that saves less than this share, as `log2`, gains nothing: the next one also starts anew.
const GAIN: f64 = 0.01;
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
    by_parts(graph, &watch, |part| part.quick(None, &watch).into_best())
}

/// The cheapest order found, by [`Cost::total_entries`].
///
/// Variables whose elimination is known to be free are taken first. Each connected part of what is left
/// is ordered by the rules of [`quick`], then by the greedy heuristics, dissection and frontier sweeps
/// with random ties, and the best orders are improved by annealing contraction trees, in rounds that
/// take twice as long each; a round after one that gained nothing also starts from greedy orders with
/// new random ties. Where [`Effort::memory`] is set, orders within it are preferred, by the estimate of
/// [`Cost::bytes`]. Without [`Effort::rounds`] the search of a part ends when, with the next
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
/// let effort = Effort { rounds: Some(2), budget: Budget::unlimited(), memory: None };
/// let quick = greedy(&grid, Heuristic::MinFill, None).cost(&grid);
/// assert!(search(&grid, 1, &effort).cost(&grid).total_entries <= quick.total_entries);
/// ```
#[must_use]
pub fn search(graph: &FactorGraph, seed: u64, effort: &Effort) -> Order {
    let watch = Watch::new(Some(&effort.budget));
    // What the tables of the model leave of the memory.
    let entries = |graph: &FactorGraph| -> f64 {
        let tables = graph.factors().iter();
        tables.map(|table| table.relative().len() as f64).sum()
    };
    let memory = effort
        .memory
        .map(|(keep, bytes)| (keep, bytes - 8.0 * entries(graph)));
    by_parts(graph, &watch, |part| {
        part.search(seed, effort.rounds, memory, &watch)
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

/// How long messages are kept, and the bytes that they may take.
type Memory = Option<(Keep, f64)>;

impl Part {
    /// The orders of the near-linear rules.
    fn quick(&self, memory: Memory, watch: &Watch<'_>) -> Pool {
        let orders = QUICK.into_par_iter();
        let orders = orders.map(|rule| self.found(self.by_rule(rule, None, watch), memory, watch));
        let found: Vec<Found> = orders.collect();
        let mut pool = Pool::new(memory.map_or(f64::INFINITY, |(_, bytes)| bytes));
        pool.extend(found);
        pool
    }

    fn search(
        &self,
        seed: u64,
        rounds: Option<usize>,
        memory: Memory,
        watch: &Watch<'_>,
    ) -> Vec<u32> {
        let mut pool = self.quick(memory, watch);
        let layout = Layout::new(&self.primal.log2);
        let mut spent = QUICK.len() as f64 * self.rule_work();
        // `log2` of the total before each round.
        let mut before: Vec<f64> = Vec::new();
        for round in 0..rounds.unwrap_or(LAST_ROUND) {
            let total = pool.best().log2_total;
            let gained = before.last().is_none_or(|before| before - total > GAIN);
            let anew = round > 1 && !gained;
            let chains = if round == 1 { FIRST_CHAINS } else { CHAINS };
            let tasks = match round {
                0 => FIRST.len(),
                _ if anew => chains + FRESH.len(),
                _ => chains,
            };
            let affordable = total.exp2().min(HOPELESS);
            let mut sweeps = FIRST_SWEEPS << (round.clamp(2, LAST_ROUND) - 2);
            if rounds.is_none() {
                // The last round is as long as it may take.
                let most = (affordable - spent) / (tasks as f64 * self.sweep_work(&layout));
                sweeps = sweeps.min((most as usize).max(LEAST_SWEEPS));
            }
            let work = tasks as f64
                * match round {
                    0 => self.rule_work(),
                    _ => sweeps as f64 * self.sweep_work(&layout),
                };
            let saved = before
                .iter()
                .rev()
                .nth(1)
                .map_or(f64::INFINITY, |before| before.exp2() - total.exp2());
            let pays = spent + work <= CHEAP * affordable
                || spent + work <= affordable && (work <= saved || !pool.fits());
            if rounds.is_none() && !pays
                || watch.stop()
                || round > 0 && layout.words() * self.scopes.len() > MOST_WORDS
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
                    self.by_rule(FIRST[task], Some(&mut rng), watch)
                } else {
                    let fresh = task.checked_sub(chains).map(|at| FRESH[at]);
                    let fresh = fresh.map(|rule| self.by_rule(rule, Some(&mut rng), watch));
                    let start = match &fresh {
                        Some(order) => order,
                        None => pool.start(task, chains, round == 1),
                    };
                    let cooling = COOLING[task % CHAINS];
                    self.anneal(&layout, start, sweeps, cooling, rng, watch)
                };
                Some(self.found(order, memory, watch))
            };
            let found: Vec<Option<Found>> = (0..tasks).into_par_iter().map(task).collect();
            pool.extend(found.into_iter().flatten());
        }
        pool.into_best()
    }

    /// An order with its cost; that of a huge part is not worked out when time is up.
    fn found(&self, order: Vec<u32>, memory: Memory, watch: &Watch<'_>) -> Found {
        if watch.is_over() && self.primal.len() > LARGE {
            return Found {
                bytes: f64::INFINITY,
                log2_total: f64::INFINITY,
                order,
            };
        }
        let (cost, log2_total) = Cost::of(&self.primal, &order);
        Found {
            bytes: memory.map_or(0.0, |(keep, _)| cost.bytes(keep)),
            log2_total,
            order,
        }
    }

    /// The best order met while the contraction tree of `start` cools down.
    fn anneal(
        &self,
        layout: &Layout,
        start: &[u32],
        sweeps: usize,
        (hot, cold): (f64, f64),
        rng: Pcg64,
        watch: &Watch<'_>,
    ) -> Vec<u32> {
        let tree = Tree::from_order(layout, &self.scopes, start);
        let mut chain = Chain::new(layout, tree, rng);
        for at in 0..sweeps {
            if watch.stop() {
                break;
            }
            chain.sweep(hot + (cold - hot) * at as f64 / sweeps as f64);
        }
        chain.best().order(layout)
    }

    /// About what a sweep of annealing takes, in the same unit.
    fn sweep_work(&self, layout: &Layout) -> f64 {
        self.scopes.len() as f64 * (22 + 3 * layout.words()) as f64
    }
}
