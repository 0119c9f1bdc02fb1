//! The models of the experiments, with their exact `ln Z` where it can be had.

use anyhow::{Context as _, Result};
use forney_exact::{Heuristic, Order, frontier, greedy, ln_z};
use forney_model::generate::{ising_grid, mobius};
use forney_model::{FactorGraph, Forney, Table, VarId};
use rand::{RngExt, SeedableRng};
use rand_distr::{Distribution, Normal};
use rand_pcg::Pcg64;

/// Bytes that exact elimination may take.
const MEMORY: f64 = 1.5e9;

/// Fields of the Ising models are drawn from `U[−0.1, 0.1]`.
const FIELD: f64 = 0.1;

/// An `l × l` Ising grid of the paper.
pub(crate) fn ising(l: usize, beta: f64, seed: u64) -> FactorGraph {
    ising_grid(l, beta, FIELD, &mut Pcg64::seed_from_u64(seed))
}

/// Its Forney form after Levin and Nave.
pub(crate) fn ising_forney(grid: &FactorGraph, l: usize) -> Result<FactorGraph> {
    Ok(Forney::of_grid(grid, l, l)?.graph().clone())
}

/// The paper's cycle with diameters.
pub(crate) fn cycle(n: usize, t: f64, seed: u64) -> FactorGraph {
    mobius(n, t, &mut Pcg64::seed_from_u64(seed))
}

/// The order of the cycle's variables in which the paper meets them: for each factor the variable
/// between it and the one before, then its diameter when it is met first.
pub(crate) fn clockwise(n: usize, graph: &FactorGraph) -> Result<Order> {
    let mut vars = Vec::with_capacity(graph.num_variables());
    for i in 0..n {
        vars.push(VarId::new((i + n - 1) % n));
        if i < n / 2 {
            vars.push(VarId::new(n + i));
        }
    }
    Ok(Order::new(vars, graph)?)
}

/// A random 3-regular Forney-style model: a uniform simple cubic graph whose nodes are factors and
/// whose edges are binary variables, entries `ln f ~ N(0, t²)`.
pub(crate) fn cubic(n: usize, t: f64, seed: u64) -> Result<FactorGraph> {
    let mut rng = Pcg64::seed_from_u64(seed);
    let edges = loop {
        if let Some(edges) = pairing(n, &mut rng) {
            break edges;
        }
    };
    let mut scopes = vec![Vec::with_capacity(3); n];
    for (v, [a, b]) in edges.iter().enumerate() {
        scopes[*a].push(VarId::new(v));
        scopes[*b].push(VarId::new(v));
    }
    let normal = Normal::new(0.0, t)?;
    let tables = scopes.into_iter().map(|scope| {
        let ln = (0..8).map(|_| normal.sample(&mut rng)).collect();
        Table::from_ln(scope, vec![2; 3], ln)
    });
    let tables = tables.collect::<Result<Vec<_>, _>>()?;
    Ok(FactorGraph::new(vec![2; edges.len()], tables)?)
}

/// A random pairing of three half-edges of each node; none if it has a loop or a double edge.
fn pairing(n: usize, rng: &mut Pcg64) -> Option<Vec<[usize; 2]>> {
    let mut halves: Vec<usize> = (0..3 * n).map(|h| h / 3).collect();
    for i in (1..halves.len()).rev() {
        halves.swap(i, rng.random_range(0..=i));
    }
    let mut edges: Vec<[usize; 2]> = halves
        .chunks_exact(2)
        .map(|pair| [pair[0].min(pair[1]), pair[0].max(pair[1])])
        .collect();
    edges.sort_unstable();
    let simple = edges.iter().all(|e| e[0] != e[1]) && edges.windows(2).all(|e| e[0] != e[1]);
    simple.then_some(edges)
}

/// The order in which the variables are numbered.
pub(crate) fn numbered(graph: &FactorGraph) -> Result<Order> {
    Ok(Order::new(graph.variables().collect(), graph)?)
}

/// Exact `ln Z` by the cheaper of a greedy order and a frontier.
pub(crate) fn exact(graph: &FactorGraph) -> Result<f64> {
    let orders = [
        greedy(graph, Heuristic::MinFill, None),
        frontier(graph, None),
    ];
    let best = orders
        .into_iter()
        .min_by(|a, b| {
            a.cost(graph)
                .total_entries
                .total_cmp(&b.cost(graph).total_entries)
        })
        .context("two orders")?;
    Ok(ln_z(graph, &best, MEMORY)?)
}
