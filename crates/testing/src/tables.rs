//! Single tables, and what is asked of a model's scopes.

use forney_model::{FactorGraph, Table, VarId};
use rand::seq::SliceRandom;
use rand::{Rng, RngExt};

/// A table over `scope` in a model with `cards`: entries `exp(spread · U[−1, 1])`, each a hard zero with
/// probability `zeros`.
///
/// # Panics
/// If the scope repeats a variable or has one that is not in the model.
pub fn table(
    scope: Vec<VarId>,
    cards: &[usize],
    zeros: f64,
    spread: f64,
    rng: &mut impl Rng,
) -> Table {
    let own: Vec<usize> = scope.iter().map(|v| cards[v.index()]).collect();
    let entry = |_| {
        let ln = spread * (2.0 * rng.random::<f64>() - 1.0);
        let zero = rng.random::<f64>() < zeros;
        if zero { f64::NEG_INFINITY } else { ln }
    };
    let ln = (0..own.iter().product()).map(entry).collect();
    Table::from_ln(scope, own, ln).expect("drawn tables are valid")
}

/// All variables in a random order.
pub fn shuffled(graph: &FactorGraph, rng: &mut impl Rng) -> Vec<VarId> {
    let mut vars: Vec<VarId> = graph.variables().collect();
    vars.shuffle(rng);
    vars
}

/// The least ibound that holds every factor: what leaves most to split.
#[must_use]
pub fn least_ibound(graph: &FactorGraph) -> usize {
    let scopes = graph.factors().iter().map(|factor| factor.scope().len());
    scopes.max().unwrap_or(0).saturating_sub(1)
}

/// How many assignments a model has: what it takes to enumerate it.
#[must_use]
pub fn num_assignments(graph: &FactorGraph) -> f64 {
    graph.cards().iter().map(|&card| card as f64).product()
}
