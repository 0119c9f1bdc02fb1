//! Models without cycles.

use forney_model::{FactorGraph, Table, VarId};
use rand::seq::SliceRandom;
use rand::{Rng, RngExt};

use crate::forney_form::fill;
use crate::table;

/// The factors of a model that close no cycle with earlier ones.
///
/// # Panics
/// Never: a part of a model is one.
#[must_use]
pub fn without_cycles(graph: &FactorGraph) -> FactorGraph {
    // Which part each variable is in: models are small.
    let mut part: Vec<usize> = (0..graph.num_variables()).collect();
    let mut open = |table: &&Table| {
        let parts = table.scope().iter().map(|v| part[v.index()]);
        let mut parts: Vec<usize> = parts.collect();
        parts.sort_unstable();
        if parts.windows(2).any(|pair| pair[0] == pair[1]) {
            return false;
        }
        if let [first, others @ ..] = &parts[..] {
            for own in &mut part {
                if others.contains(own) {
                    *own = *first;
                }
            }
        }
        true
    };
    let factors = graph.factors().iter().filter(&mut open).cloned().collect();
    FactorGraph::new(graph.cards().to_vec(), factors).expect("a part of a model")
}

/// A random tree of two to seven factors: every variable joins two of them, and none has more than three.
pub fn forney_tree(spread: f64, rng: &mut impl Rng) -> FactorGraph {
    let factors = rng.random_range(2..8);
    let mut scopes: Vec<Vec<VarId>> = vec![Vec::new(); factors];
    let mut cards = Vec::new();
    for child in 1..factors {
        let mut parent = rng.random_range(0..child);
        while scopes[parent].len() == 3 {
            parent = rng.random_range(0..child);
        }
        for factor in [parent, child] {
            scopes[factor].push(VarId::new(cards.len()));
        }
        cards.push(rng.random_range(2..4));
    }
    fill(cards, scopes, 0.0, spread, rng)
}

/// A random forest of factors with up to three variables, a tenth of which begin a tree of their own, and
/// tables of single variables; those alone where nothing is to be `joined`. Entries of the tables over
/// several variables are hard zeros with probability `zeros`.
///
/// # Panics
/// Never: what is drawn is a model.
pub fn factor_tree(joined: bool, zeros: f64, rng: &mut impl Rng) -> FactorGraph {
    let count = rng.random_range(1..8);
    let cards: Vec<usize> = (0..count).map(|_| rng.random_range(1..4)).collect();
    let mut names: Vec<VarId> = (0..count).map(VarId::new).collect();
    names.shuffle(rng);
    let mut factors = Vec::new();
    let mut within = 1;
    while joined && within < count {
        // A new factor joins one variable of the tree, or none, to one or two that are not in it.
        let new = rng.random_range(1..3).min(count - within);
        let mut scope = names[within..within + new].to_vec();
        if rng.random::<f64>() < 0.9 {
            scope.push(names[rng.random_range(0..within)]);
        }
        scope.shuffle(rng);
        factors.push(table(scope, &cards, zeros, 2.0, rng));
        within += new;
    }
    for v in names {
        if rng.random::<f64>() < 0.5 {
            factors.push(table(vec![v], &cards, 0.0, 2.0, rng));
        }
    }
    FactorGraph::new(cards, factors).expect("drawn models are valid")
}

/// A chain with `ln Z = ln 2` up to the rounding of its decimals: so many tables of the order of `10^299`,
/// and as many of the order of `10^-301`.
///
/// # Panics
/// Never: it is a model.
#[must_use]
pub fn cancelling_chain(pairs: usize) -> FactorGraph {
    let table = |at: usize| {
        let values = if at < pairs {
            [2.5e299, 7.5e299, 5e299, 5e299]
        } else {
            [2.5e-301, 7.5e-301, 5e-301, 5e-301]
        };
        let scope = vec![VarId::new(at), VarId::new(at + 1)];
        Table::from_values(scope, vec![2, 2], &values).expect("positive numbers")
    };
    let tables = (0..2 * pairs).map(table).collect();
    FactorGraph::new(vec![2; 2 * pairs + 1], tables).expect("a chain")
}
