//! Greedy orders: eliminate the vertex with the least score, again and again.

use forney_certify::Budget;
use forney_model::FactorGraph;
use rand::RngExt;
use rand_pcg::Pcg64;

use super::Order;
use super::fill::Elimination;
use super::primal::Primal;
use super::queue::Queue;
use super::quotient::{Score, quotient_order};
use crate::watch::Watch;

/// The score that a greedy order minimises at each step (Kjærulff, 1990).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Heuristic {
    /// The number of edges that elimination adds.
    MinFill,
    /// `Σ |X_a|·|X_b|` over the edges `a b` that elimination adds.
    WeightedMinFill,
    /// The entries of the clique, `Π_{u ∈ C_v} |X_u|`.
    MinSize,
}

impl Heuristic {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::MinFill, Self::WeightedMinFill, Self::MinSize];
}

/// The greedy order of a heuristic; of equal scores the lowest index wins, or with `ties` a random one.
///
/// From where cliques are so large that scores cost too much to keep up to date, bounds of them are
/// minimised.
///
/// # Complexity
/// `O((n + f)·w·log n)` for `f` edges added and a largest clique of `w` variables, and at most about
/// linear in the edges of the primal graph.
#[must_use]
pub fn greedy(graph: &FactorGraph, heuristic: Heuristic, ties: Option<&mut Pcg64>) -> Order {
    let primal = Primal::new(graph);
    Order::from_permutation(greedy_order(&primal, heuristic, ties, &Watch::new(None)))
}

/// As [`greedy`]; `None` if the budget ended first.
#[must_use]
pub fn greedy_within(
    graph: &FactorGraph,
    heuristic: Heuristic,
    ties: Option<&mut Pcg64>,
    budget: &Budget,
) -> Option<Order> {
    let watch = Watch::new(Some(budget));
    let order = greedy_order(&Primal::new(graph), heuristic, ties, &watch);
    (!watch.is_over()).then(|| Order::from_permutation(order))
}

/// Weights up to here make sums of products that are exact for up to 10^6 pairs.
const LARGEST_WEIGHT: f64 = 65536.0;

/// The greedy order of a heuristic, exactly so as far as that is cheap: where scores cost too much to
/// keep up to date, the rest is ordered by bounds of them. When the watch ends it, the rest comes as it
/// is numbered.
pub(super) fn greedy_order(
    primal: &Primal,
    heuristic: Heuristic,
    mut ties: Option<&mut Pcg64>,
    watch: &Watch<'_>,
) -> Vec<u32> {
    let n = primal.len();
    let weight: Vec<f64> = match heuristic {
        Heuristic::WeightedMinFill => primal
            .log2
            .iter()
            .map(|l| l.exp2().round().min(LARGEST_WEIGHT))
            .collect(),
        Heuristic::MinFill | Heuristic::MinSize => vec![1.0; n],
    };
    let mut graph = Elimination::new(&primal.log2, primal.adjacent.clone(), &weight, watch);
    let score = |graph: &Elimination, v: u32| match heuristic {
        Heuristic::MinFill | Heuristic::WeightedMinFill => graph.fill(v),
        Heuristic::MinSize => graph.log2_clique(v),
    };
    let mut tie = |v: u32| ties.as_mut().map_or(v, |rng| rng.random());
    let mut queue = Queue::new(n);
    for v in 0..n as u32 {
        queue.set(0, v, score(&graph, v), || tie(v));
    }
    let mut order = Vec::with_capacity(n);
    let mut touched = Vec::new();
    while let Some(v) = queue.pop() {
        if graph.is_gone(v) {
            continue;
        }
        if watch.stop_at(order.len()) || graph.is_exhausted() || graph.is_expensive(v) {
            break;
        }
        order.push(v);
        touched.clear();
        touched.extend_from_slice(graph.eliminate(v));
        for &u in &touched {
            // Every look at a score draws a tie-breaker, so that seeds give the orders they always gave.
            let drawn = tie(u);
            queue.set(0, u, score(&graph, u), || drawn);
        }
    }
    if order.len() < n {
        let score = match heuristic {
            Heuristic::MinFill | Heuristic::WeightedMinFill => Score::Fill,
            Heuristic::MinSize => Score::Size,
        };
        let (rest, adjacent) = graph.into_rest();
        let log2 = &primal.log2;
        order.extend(quotient_order(
            &rest, adjacent, log2, None, score, ties, watch,
        ));
    }
    order
}
