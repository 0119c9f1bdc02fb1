//! Greedy orders: eliminate the vertex with the least score, again and again.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use forney_model::FactorGraph;
use rand::RngExt;
use rand_pcg::Pcg64;

use super::Order;
use super::fill::Elimination;
use super::primal::Primal;

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
/// # Complexity
/// `O((n + f)·w·log n)` for `f` edges added and a largest clique of `w` variables.
#[must_use]
pub fn greedy(graph: &FactorGraph, heuristic: Heuristic, ties: Option<&mut Pcg64>) -> Order {
    Order::from_permutation(greedy_order(&Primal::new(graph), heuristic, ties))
}

/// Weights up to here make sums of products that are exact for up to 10^6 pairs.
const LARGEST_WEIGHT: f64 = 65536.0;

/// A score with its tie-breaker; the vertex decides what is left.
#[derive(Clone, Copy, PartialEq)]
struct Key(f64, u32, u32);

impl Eq for Key {}
impl PartialOrd for Key {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Key {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        let ties = (self.1, self.2).cmp(&(other.1, other.2));
        self.0.total_cmp(&other.0).then(ties)
    }
}

pub(super) fn greedy_order(
    primal: &Primal,
    heuristic: Heuristic,
    mut ties: Option<&mut Pcg64>,
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
    let mut graph = Elimination::new(primal, &weight);
    let mut key = |graph: &Elimination, v: u32| {
        let score = match heuristic {
            Heuristic::MinFill | Heuristic::WeightedMinFill => graph.fill(v),
            Heuristic::MinSize => graph.log2_clique(v),
        };
        Key(score, ties.as_mut().map_or(v, |rng| rng.random()), v)
    };
    let mut current: Vec<Key> = (0..n as u32).map(|v| key(&graph, v)).collect();
    let mut heap: BinaryHeap<Reverse<Key>> = current.iter().copied().map(Reverse).collect();
    let mut order = Vec::with_capacity(n);
    let mut touched = Vec::new();
    while let Some(Reverse(top)) = heap.pop() {
        let v = top.2;
        // A key that is not the current one is out of date; the current one is in the heap, too.
        if graph.is_gone(v) || top != current[v as usize] {
            continue;
        }
        order.push(v);
        touched.clear();
        touched.extend_from_slice(graph.eliminate(v));
        for &u in &touched {
            let new = key(&graph, u);
            if new.0.total_cmp(&current[u as usize].0).is_ne() {
                current[u as usize] = new;
                heap.push(Reverse(new));
            }
        }
    }
    order
}
