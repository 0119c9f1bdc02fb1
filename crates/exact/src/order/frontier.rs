//! Frontier orders: grow the eliminated set from one end of the graph and keep its boundary small.

use forney_certify::Budget;
use forney_model::FactorGraph;
use rand::seq::SliceRandom;
use rand_pcg::Pcg64;

use super::Order;
use super::primal::{Marks, Primal};
use super::queue::Queue;
use crate::watch::Watch;

/// A frontier order: from a vertex at the end of the graph, eliminate the boundary vertex that brings
/// the fewest new variables into the boundary; of equals the one that has waited longest.
///
/// On an `n × n` grid this advances along diagonals, with width `n`. Nothing is eliminated out of turn
/// because it is free: that joins tables early which bounded elimination has to split later. With
/// `ties` it starts from a random place and visits neighbours in a random order.
///
/// # Complexity
/// `O(m log n)` for `m` edges of the primal graph.
#[must_use]
pub fn frontier(graph: &FactorGraph, ties: Option<&mut Pcg64>) -> Order {
    let primal = Primal::new(graph);
    Order::from_permutation(frontier_order(&primal, ties, &Watch::new(None)))
}

/// As [`frontier`]; `None` if the budget ended first.
#[must_use]
pub fn frontier_within(
    graph: &FactorGraph,
    ties: Option<&mut Pcg64>,
    budget: &Budget,
) -> Option<Order> {
    let watch = Watch::new(Some(budget));
    let order = frontier_order(&Primal::new(graph), ties, &watch);
    (!watch.is_over()).then(|| Order::from_permutation(order))
}

/// A frontier order; when the watch ends it, the rest comes as it is numbered.
///
/// Scores are the size that a boundary vertex would bring in, tie-breakers when it came.
pub(super) fn frontier_order(
    primal: &Primal,
    mut ties: Option<&mut Pcg64>,
    watch: &Watch<'_>,
) -> Vec<u32> {
    let n = primal.len();
    let mut starts: Vec<u32> = (0..n as u32).collect();
    if let Some(rng) = &mut ties {
        starts.shuffle(rng);
    }
    let mut frontier = Frontier::new(primal);
    let mut marks = Marks::new(n);
    for start in starts {
        // Each start looks at its whole part of the graph.
        if watch.is_over() {
            break;
        }
        if !frontier.entered[start as usize] {
            // Far from most others: the last that a search reaches from the last that one from `start`
            // reaches.
            let mut end = start;
            for _ in 0..2 {
                let (reached, _) = marks.levels(primal, end, |_| true);
                end = reached[reached.len() - 1];
            }
            frontier.enter(end);
            frontier.advance(&mut ties, watch);
        }
        if watch.is_over() {
            break;
        }
    }
    if watch.is_over() {
        let rest = (0..n as u32).filter(|&v| !frontier.eliminated[v as usize]);
        frontier.order.extend(rest);
    }
    frontier.order
}

struct Frontier<'a> {
    primal: &'a Primal,
    entered: Vec<bool>,
    eliminated: Vec<bool>,
    /// What the elimination of a boundary vertex would change the size of the boundary by, in `log2`.
    growth: Vec<f64>,
    came: Vec<u32>,
    arrivals: u32,
    queue: Queue,
    order: Vec<u32>,
}

impl<'a> Frontier<'a> {
    fn new(primal: &'a Primal) -> Self {
        let n = primal.len();
        Self {
            primal,
            entered: vec![false; n],
            eliminated: vec![false; n],
            growth: vec![0.0; n],
            came: vec![0; n],
            arrivals: 0,
            queue: Queue::new(n),
            order: Vec::with_capacity(n),
        }
    }

    fn enter(&mut self, v: u32) {
        self.entered[v as usize] = true;
        self.came[v as usize] = self.arrivals;
        self.arrivals += 1;
        self.growth[v as usize] = -self.primal.log2[v as usize];
        for &u in &self.primal.adjacent[v as usize] {
            if !self.entered[u as usize] {
                self.growth[v as usize] += self.primal.log2[u as usize];
            } else if !self.eliminated[u as usize] {
                self.growth[u as usize] -= self.primal.log2[v as usize];
                self.push(u);
            }
        }
        self.push(v);
    }

    fn push(&mut self, v: u32) {
        let (growth, came) = (self.growth[v as usize], self.came[v as usize]);
        self.queue.set(0, v, growth, || came);
    }

    /// Eliminates until the boundary is empty.
    fn advance(&mut self, ties: &mut Option<&mut Pcg64>, watch: &Watch<'_>) {
        while let Some(v) = self.queue.pop() {
            if self.eliminated[v as usize] {
                continue;
            }
            if watch.stop_at(self.order.len()) {
                return;
            }
            self.eliminated[v as usize] = true;
            self.order.push(v);
            let mut new: Vec<u32> = self.primal.adjacent[v as usize].clone();
            new.retain(|&u| !self.entered[u as usize]);
            if let Some(rng) = ties {
                new.shuffle(rng);
            }
            for u in new {
                self.enter(u);
            }
        }
    }
}
