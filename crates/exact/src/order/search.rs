//! The search for a cheap order: reduce, try the quick heuristics, then anneal the best.

use forney_certify::Budget;
use forney_model::FactorGraph;
use rand::SeedableRng;
use rand_pcg::Pcg64;
use rayon::prelude::*;

use super::anneal::Chain;
use super::fill::Elimination;
use super::greedy::{Heuristic, greedy_order};
use super::primal::Primal;
use super::sweep::sweep_order;
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
const CHAINS: usize = 8;
/// Annealing sweeps of round `r` are `FIRST_SWEEPS · 2^r`.
const FIRST_SWEEPS: usize = 50;
/// No search ever gets so far.
const LAST_ROUND: usize = 32;
/// Inverse temperatures at the beginning and the end of annealing.
const HOT: f64 = 1.0;
const COLD: f64 = 10.0;
/// Parts whose trees need more words than this for each set of nodes are not annealed.
const MOST_WORDS: usize = 1 << 20;

/// The cheapest order found, by [`Cost::total_entries`].
///
/// Vertices whose elimination is known to be free are taken first; each connected part of what is left
/// is ordered by the greedy heuristics and frontier sweeps, with random ties, and the best orders are
/// improved by annealing contraction trees. Each round is twice as long as the one before it. Without
/// [`Effort::rounds`] the search ends when it would take longer than the elimination it shortens, by
/// counts of work and not by the clock: the same seed gives the same order on any machine and number of
/// threads, unless the budget ends the search.
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
    let primal = Primal::new(graph);
    let scopes = graph.factors().iter().map(|factor| {
        let scope = factor.scope().iter().map(|v| v.0);
        scope.filter(|&v| primal.log2[v as usize] > 0.0).collect()
    });
    let (mut order, scopes) = reduce(&primal, scopes.collect());
    for part in parts(&primal, scopes) {
        let best = part.search(seed, effort);
        order.extend(best.into_iter().map(|v| part.variables[v as usize]));
    }
    Order::from_permutation(order)
}

/// Eliminates what is safe to eliminate first; returns it and the maximal scopes that are left.
///
/// Safe are vertices whose neighbours form a clique, and vertices of degree 2 that are no smaller than
/// one of the two (van den Eijkhof, Bodlaender and Koster 2007).
fn reduce(primal: &Primal, mut scopes: Vec<Vec<u32>>) -> (Vec<u32>, Vec<Vec<u32>>) {
    let ones = vec![1.0; primal.len()];
    let mut graph = Elimination::new(primal, &ones);
    let mut order = Vec::new();
    // A vertex of degree 2 waits until nothing is free: in a tree it adds an edge, the leaves do not.
    let mut queue: Vec<u32> = (0..primal.len() as u32).rev().collect();
    let mut of_degree_2 = Vec::new();
    while let Some(v) = queue.pop().or_else(|| of_degree_2.pop()) {
        if graph.is_gone(v) {
            continue;
        }
        let free = graph.fill(v) <= 0.0;
        let around = graph.neighbours(v).map(|u| primal.log2[u as usize]);
        let smallest = around.fold(f64::INFINITY, f64::min);
        let series = graph.degree(v) == 2 && primal.log2[v as usize] >= smallest;
        if series && !free && !queue.is_empty() {
            of_degree_2.push(v);
        } else if series || free {
            order.push(v);
            scopes.push(graph.neighbours(v).collect());
            queue.extend_from_slice(graph.eliminate(v));
        }
    }
    scopes.retain(|scope| !scope.iter().any(|&v| graph.is_gone(v)));
    (order, maximal(primal.len(), scopes))
}

/// The scopes that no other scope contains.
fn maximal(variables: usize, mut scopes: Vec<Vec<u32>>) -> Vec<Vec<u32>> {
    for scope in &mut scopes {
        scope.sort_unstable();
    }
    scopes.sort_by(|a, b| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
    let mut holders: Vec<Vec<usize>> = vec![Vec::new(); variables];
    let mut kept: Vec<Vec<u32>> = Vec::new();
    for scope in scopes {
        let Some(&rarest) = scope.iter().min_by_key(|&&v| holders[v as usize].len()) else {
            continue;
        };
        let inside = |&at: &usize| scope.iter().all(|v| kept[at].binary_search(v).is_ok());
        if !holders[rarest as usize].iter().any(inside) {
            for &v in &scope {
                holders[v as usize].push(kept.len());
            }
            kept.push(scope);
        }
    }
    kept
}

/// A connected part of a reduced model, with variables of its own numbering.
struct Part {
    variables: Vec<u32>,
    primal: Primal,
    scopes: Vec<Vec<u32>>,
}

fn parts(primal: &Primal, scopes: Vec<Vec<u32>>) -> Vec<Part> {
    let n = primal.len();
    let whole = Primal::from_scopes(primal.log2.clone(), scopes.iter().cloned());
    let mut part_of = vec![u32::MAX; n];
    let mut local = vec![0u32; n];
    let mut parts: Vec<Vec<u32>> = Vec::new();
    for start in 0..n as u32 {
        if part_of[start as usize] != u32::MAX || whole.adjacent[start as usize].is_empty() {
            continue;
        }
        let mut queue = vec![start];
        part_of[start as usize] = parts.len() as u32;
        let mut at = 0;
        while at < queue.len() {
            local[queue[at] as usize] = at as u32;
            for &u in &whole.adjacent[queue[at] as usize] {
                if part_of[u as usize] == u32::MAX {
                    part_of[u as usize] = parts.len() as u32;
                    queue.push(u);
                }
            }
            at += 1;
        }
        parts.push(queue);
    }
    let mut scopes_of: Vec<Vec<Vec<u32>>> = vec![Vec::new(); parts.len()];
    for mut scope in scopes {
        let part = part_of[scope[0] as usize] as usize;
        for v in &mut scope {
            *v = local[*v as usize];
        }
        scopes_of[part].push(scope);
    }
    let parts = parts.into_iter().zip(scopes_of);
    parts
        .map(|(variables, scopes)| {
            let log2 = variables.iter().map(|&v| primal.log2[v as usize]).collect();
            Part {
                primal: Primal::from_scopes(log2, scopes.iter().cloned()),
                variables,
                scopes,
            }
        })
        .collect()
}

/// An order with its cost.
struct Found {
    total: f64,
    order: Vec<u32>,
}

impl Part {
    fn found(&self, order: Vec<u32>) -> Found {
        let total = Cost::of(&self.primal, &order).total_entries;
        Found { total, order }
    }

    /// Rounds of [`CHAINS`] tasks until the next would cost more than the elimination.
    fn search(&self, seed: u64, effort: &Effort) -> Vec<u32> {
        let first = greedy_order(&self.primal, Heuristic::MinFill, None);
        let mut tried = vec![self.found(first)];
        let layout = Layout::new(&self.primal.log2);
        let anneals = layout.words * self.scopes.len() <= MOST_WORDS;
        let mut spent = self.quick_work();
        for round in 0..effort.rounds.unwrap_or(usize::MAX).min(LAST_ROUND) {
            let work = match round {
                0 => CHAINS as f64 * self.quick_work(),
                _ => CHAINS as f64 * (FIRST_SWEEPS << round) as f64 * self.sweep_work(&layout),
            };
            let pays = effort.rounds.is_some() || spent + work <= tried[0].total;
            if !pays || effort.budget.stop().is_some() || round > 0 && !anneals {
                break;
            }
            spent += work;
            let found: Vec<Found> = (0..CHAINS)
                .into_par_iter()
                .map(|chain| {
                    let mut rng =
                        Pcg64::seed_from_u64(seed ^ ((round as u64) << 32 | chain as u64));
                    self.found(if round == 0 {
                        self.quick(chain, &mut rng)
                    } else {
                        let start = &tried[chain % tried.len()].order;
                        self.anneal(&layout, start, FIRST_SWEEPS << round, rng, &effort.budget)
                    })
                })
                .collect();
            // The sort is stable: of equal orders the earlier one stays ahead.
            tried.extend(found);
            tried.sort_by(|a, b| a.total.total_cmp(&b.total));
            tried.truncate(CHAINS);
        }
        tried.swap_remove(0).order
    }

    /// One of the heuristics with random ties.
    fn quick(&self, chain: usize, rng: &mut Pcg64) -> Vec<u32> {
        match chain {
            0 => sweep_order(&self.primal, None),
            1..=3 => sweep_order(&self.primal, Some(rng)),
            4 => greedy_order(&self.primal, Heuristic::WeightedMinFill, Some(rng)),
            5 => greedy_order(&self.primal, Heuristic::MinSize, Some(rng)),
            _ => greedy_order(&self.primal, Heuristic::MinFill, Some(rng)),
        }
    }

    fn anneal(
        &self,
        layout: &Layout,
        start: &[u32],
        sweeps: usize,
        rng: Pcg64,
        budget: &Budget,
    ) -> Vec<u32> {
        let tree = Tree::from_order(layout, &self.scopes, start);
        let mut chain = Chain::new(layout, tree, rng);
        for at in 0..sweeps {
            if budget.stop().is_some() {
                break;
            }
            chain.sweep(HOT + (COLD - HOT) * at as f64 / sweeps as f64);
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
        self.scopes.len() as f64 * (30 + 10 * layout.words) as f64
    }
}
