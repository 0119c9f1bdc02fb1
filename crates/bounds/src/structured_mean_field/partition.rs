//! Which variables stay together: blocks of bounded width that cut the weakest factors.

use std::collections::BTreeSet;

use forney_model::{FactorGraph, Table, VarId};
use rand::RngExt;
use rand_pcg::Pcg64;

use crate::wmbe::CliqueLimit;

/// Merges blocks along the strongest factors first, as long as the cliques of what they induce
/// are within the limit. With `whim`, random numbers have a say in which is stronger.
///
/// Two variables of a block are neighbours if some factor holds both, whether or not it holds
/// others outside.
///
/// # Complexity
/// One elimination of a pair of blocks for each merge and each pair that cannot be merged.
pub(super) fn partition(
    graph: &FactorGraph,
    limit: CliqueLimit,
    strengths: &[f64],
    mut whim: Option<&mut Pcg64>,
) -> Vec<Vec<VarId>> {
    let n = graph.num_variables();
    let mut merging = Merging {
        graph,
        limit,
        adjacent: adjacency(graph),
        block_of: (0..n).collect(),
        orders: (0..n).map(|v| vec![v]).collect(),
        refused: vec![BTreeSet::new(); n],
        local: vec![usize::MAX; n],
    };
    let mut strength = |&strength: &f64| {
        let factor = whim.as_mut().map_or(1.0, |rng| 1.0 + rng.random::<f64>());
        factor * strength
    };
    let strengths: Vec<f64> = strengths.iter().map(&mut strength).collect();
    let mut strongest: Vec<usize> = (0..graph.num_factors()).collect();
    strongest.sort_by(|&a, &b| strengths[b].total_cmp(&strengths[a]).then(a.cmp(&b)));
    for a in strongest {
        let scope = graph.factors()[a].scope();
        for (at, &u) in scope.iter().enumerate() {
            for &v in &scope[at + 1..] {
                merging.merge(u.index(), v.index());
            }
        }
    }
    let ids = |order: Vec<usize>| order.into_iter().map(VarId::new).collect();
    let nonempty = merging.orders.into_iter().filter(|order| !order.is_empty());
    nonempty.map(ids).collect()
}

/// `Σ_x p ln (p / Π_v p_v)` of the table taken as a distribution `p`, in nats: 0 if its variables
/// are independent.
pub(super) fn total_correlation(table: &Table) -> f64 {
    if table.scope().len() < 2 || table.is_zero() {
        return 0.0;
    }
    let weights: Vec<f64> = table.relative().iter().map(|ln| ln.exp()).collect();
    let sum: f64 = weights.iter().sum();
    let p = weights.iter().map(|weight| weight / sum);
    let entropy = |p: &mut dyn Iterator<Item = f64>| -> f64 {
        p.filter(|&p| p > 0.0).map(|p| -p * p.ln()).sum()
    };
    let mut correlation = -entropy(&mut p.clone());
    let mut stride = table.num_entries();
    for &card in table.cards() {
        stride /= card;
        let mut marginal = vec![0.0; card];
        for (entry, p) in p.clone().enumerate() {
            marginal[entry / stride % card] += p;
        }
        correlation += entropy(&mut marginal.into_iter());
    }
    correlation
}

/// The variables that share a factor with each variable, ascending.
fn adjacency(graph: &FactorGraph) -> Vec<Vec<usize>> {
    let mut adjacent = vec![Vec::new(); graph.num_variables()];
    for table in graph.factors() {
        for &u in table.scope() {
            let others = table
                .scope()
                .iter()
                .filter(|&&v| v != u && graph.card(v) > 1);
            if graph.card(u) > 1 {
                adjacent[u.index()].extend(others.map(|v| v.index()));
            }
        }
    }
    for list in &mut adjacent {
        list.sort_unstable();
        list.dedup();
    }
    adjacent
}

struct Merging<'g> {
    graph: &'g FactorGraph,
    limit: CliqueLimit,
    adjacent: Vec<Vec<usize>>,
    block_of: Vec<usize>,
    /// An elimination order of each block; empty once it went into another.
    orders: Vec<Vec<usize>>,
    /// Blocks with which each block cannot be merged. Once refused, any larger ones would be, too.
    refused: Vec<BTreeSet<usize>>,
    /// Room for the numbers of variables within a block.
    local: Vec<usize>,
}

impl Merging<'_> {
    /// Merges the blocks of two variables if that is possible.
    fn merge(&mut self, u: usize, v: usize) {
        let (a, b) = (self.block_of[u], self.block_of[v]);
        let alone = |v: usize| self.graph.card(VarId::new(v)) == 1;
        if a == b || alone(u) || alone(v) || self.refused[a].contains(&b) {
            return;
        }
        let (a, b) = if self.orders[a].len() < self.orders[b].len() {
            (b, a)
        } else {
            (a, b)
        };
        let members = [&*self.orders[a], &*self.orders[b]].concat();
        let Some(order) = self.eliminate(&members) else {
            self.refused[a].insert(b);
            self.refused[b].insert(a);
            return;
        };
        for &v in &self.orders[b] {
            self.block_of[v] = a;
        }
        self.orders[a] = order;
        self.orders[b].clear();
        for c in std::mem::take(&mut self.refused[b]) {
            self.refused[c].remove(&b);
            self.refused[c].insert(a);
            self.refused[a].insert(c);
        }
    }

    /// An order of the members, each with the fewest neighbours when its turn comes; `None` if
    /// some clique would be beyond the limit.
    fn eliminate(&mut self, members: &[usize]) -> Option<Vec<usize>> {
        for (at, &v) in members.iter().enumerate() {
            self.local[v] = at;
        }
        let local = &self.local;
        let inside = |v: &usize| {
            let at = local[*v];
            (at != usize::MAX).then_some(at)
        };
        let mut adjacent: Vec<Vec<usize>> = (members.iter())
            .map(|&v| self.adjacent[v].iter().filter_map(inside).collect())
            .collect();
        for &v in members {
            self.local[v] = usize::MAX;
        }
        let mut queues: Vec<Vec<usize>> =
            vec![Vec::new(); self.limit.ibound.min(members.len()) + 1];
        for (v, list) in adjacent.iter().enumerate() {
            if let Some(queue) = queues.get_mut(list.len()) {
                queue.push(v);
            }
        }
        let mut gone = vec![false; members.len()];
        let mut order = Vec::with_capacity(members.len());
        while order.len() < members.len() {
            let degree = queues.iter().position(|queue| !queue.is_empty())?;
            let v = queues[degree].pop()?;
            // An entry whose degree is not the present one is out of date.
            if gone[v] || adjacent[v].len() != degree {
                continue;
            }
            let clique = adjacent[v].iter().chain([&v]);
            let card = |&at: &usize| self.graph.card(VarId::new(members[at])) as f64;
            if clique.map(card).product::<f64>() > self.limit.entries {
                return None;
            }
            gone[v] = true;
            order.push(members[v]);
            let around = std::mem::take(&mut adjacent[v]);
            for &u in &around {
                let list = &mut adjacent[u];
                list.extend(&around);
                list.retain(|&w| w != u && w != v);
                list.sort_unstable();
                list.dedup();
                if let Some(queue) = queues.get_mut(list.len()) {
                    queue.push(u);
                }
            }
        }
        Some(order)
    }
}
