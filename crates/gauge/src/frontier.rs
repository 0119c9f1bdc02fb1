//! Frontier orders without reductions, which suit bounded elimination best.
//!
//! Eliminating whatever is free first, as [`forney_exact::sweep`] does, helps exact elimination and
//! hurts bounded one: it joins tables early that are split later (0.41 instead of 0.015 nats on one model).

use std::collections::VecDeque;

use forney_exact::Order;
use forney_model::{FactorGraph, VarId};
use rand::seq::SliceRandom;
use rand_pcg::Pcg64;

/// From a vertex at the end of the graph, eliminates the boundary vertex that brings the fewest new
/// states into the boundary; of equals the one that has waited longest. With `ties` it starts from
/// another place and visits neighbours in a random order.
///
/// # Complexity
/// The number of variables times the size of the boundary and the number of neighbours.
pub(crate) fn frontier(graph: &FactorGraph, mut ties: Option<&mut Pcg64>) -> Order {
    let adjacent = neighbours(graph);
    let mut starts: Vec<usize> = (0..adjacent.len()).collect();
    if let Some(rng) = &mut ties {
        starts.shuffle(*rng);
    }
    let mut seen = vec![false; adjacent.len()];
    let mut entered = vec![false; adjacent.len()];
    let mut vars = Vec::with_capacity(adjacent.len());
    for start in starts {
        if entered[start] {
            continue;
        }
        let first = last_reached(&adjacent, start, &mut seen);
        // The same component again, so the marks change sides.
        let end = last_reached(&adjacent, first, &mut seen);
        entered[end] = true;
        // Ascending in arrival, so that the first of equals has waited longest.
        let mut boundary = vec![end];
        while !boundary.is_empty() {
            let growth = |v: usize| -> f64 {
                let new = adjacent[v].iter().filter(|&&u| !entered[u]);
                let size = |u: usize| (graph.card(VarId::new(u)) as f64).log2();
                new.map(|&u| size(u)).sum::<f64>() - size(v)
            };
            let growths: Vec<f64> = boundary.iter().map(|&v| growth(v)).collect();
            let least = (0..growths.len()).min_by(|&a, &b| growths[a].total_cmp(&growths[b]));
            let v = boundary.remove(least.unwrap_or(0));
            vars.push(VarId::new(v));
            let mut new = adjacent[v].clone();
            new.retain(|&u| !entered[u]);
            if let Some(rng) = &mut ties {
                new.shuffle(*rng);
            }
            for &u in &new {
                entered[u] = true;
            }
            boundary.extend(new);
        }
    }
    Order::new(vars, graph).expect("every variable entered once")
}

/// The variables of more than one state that share a factor with each, ascending.
fn neighbours(graph: &FactorGraph) -> Vec<Vec<usize>> {
    let mut adjacent = vec![Vec::new(); graph.num_variables()];
    for factor in graph.factors() {
        let wide = |v: &&VarId| graph.card(**v) > 1;
        for v in factor.scope().iter().filter(wide) {
            let others = factor.scope().iter().filter(wide).filter(|u| *u != v);
            adjacent[v.index()].extend(others.map(|u| u.index()));
        }
    }
    for list in &mut adjacent {
        list.sort_unstable();
        list.dedup();
    }
    adjacent
}

/// The last vertex that a breadth-first search reaches; flips the marks of all that it reaches, which
/// are equal on entry.
fn last_reached(adjacent: &[Vec<usize>], start: usize, seen: &mut [bool]) -> usize {
    let fresh = seen[start];
    seen[start] = !fresh;
    let mut queue = VecDeque::from([start]);
    let mut last = start;
    while let Some(v) = queue.pop_front() {
        last = v;
        for &u in &adjacent[v] {
            if seen[u] == fresh {
                seen[u] = !fresh;
                queue.push_back(u);
            }
        }
    }
    last
}
