//! Models in which most variables lie in two factors.

use std::ops::Range;

use forney_model::{FactorGraph, Table, VarId};
use rand::seq::SliceRandom;
use rand::{Rng, RngExt};

use crate::{rng, table};

/// Factors of up to three variables whose legs are paired at random, in so many tries for each factor;
/// some stay alone, some are joined twice. Cardinalities are 1, 2 (most of them) and 3.
pub fn paired(
    factors: Range<usize>,
    tries: usize,
    zeros: f64,
    spread: f64,
    rng: &mut impl Rng,
) -> FactorGraph {
    let factors = rng.random_range(factors);
    let mut scopes = vec![Vec::new(); factors];
    let mut cards = Vec::new();
    for _ in 0..tries * factors {
        let (a, b) = (rng.random_range(0..factors), rng.random_range(0..factors));
        if a != b && scopes[a].len() < 3 && scopes[b].len() < 3 {
            scopes[a].push(VarId::new(cards.len()));
            scopes[b].push(VarId::new(cards.len()));
            cards.push([1, 2, 2, 2, 3][rng.random_range(0..5)]);
        }
    }
    fill(cards, scopes, zeros, spread, rng)
}

/// Factors of three variables each, every variable in two of them at random; `states` are the
/// cardinalities to draw from.
///
/// # Panics
/// If the number of factors is odd or less than 2.
#[must_use]
pub fn regular(factors: usize, states: &[usize], zeros: f64, seed: u64) -> FactorGraph {
    assert!(
        factors > 1 && factors.is_multiple_of(2),
        "legs come in pairs"
    );
    let mut rng = rng(seed);
    let mut ends: Vec<usize> = (0..3 * factors).map(|at| at / 3).collect();
    while ends.chunks_exact(2).any(|pair| pair[0] == pair[1]) {
        ends.shuffle(&mut rng);
    }
    let mut scopes = vec![Vec::new(); factors];
    let mut cards = Vec::new();
    for (v, pair) in ends.chunks_exact(2).enumerate() {
        cards.push(states[rng.random_range(0..states.len())]);
        for &a in pair {
            scopes[a].push(VarId::new(v));
        }
    }
    fill(cards, scopes, zeros, 2.0, &mut rng)
}

/// A ring with chords over variables of one cardinality: six factors of three variables. One entry of
/// each of the factors `with_zero` is a hard zero.
///
/// # Panics
/// If the cardinality is 0.
pub fn ring(card: usize, with_zero: Range<usize>, rng: &mut impl Rng) -> FactorGraph {
    let factors = (0..6usize).map(|a| {
        let scope = [(a + 5) % 6, a, 6 + a % 3].map(VarId::new).to_vec();
        let entries = (0..card.pow(3)).map(|_| 2.0 * rng.random::<f64>() - 1.0);
        let mut ln: Vec<f64> = entries.collect();
        if with_zero.contains(&a) {
            ln[rng.random_range(0..card.pow(3))] = f64::NEG_INFINITY;
        }
        Table::from_ln(scope, vec![card; 3], ln).expect("drawn tables are valid")
    });
    let factors = factors.collect();
    FactorGraph::new(vec![card; 9], factors).expect("a ring is a valid model")
}

/// A table of random entries over each scope.
pub(crate) fn fill(
    cards: Vec<usize>,
    scopes: Vec<Vec<VarId>>,
    zeros: f64,
    spread: f64,
    rng: &mut impl Rng,
) -> FactorGraph {
    let tables = scopes
        .into_iter()
        .map(|scope| table(scope, &cards, zeros, spread, rng));
    let tables = tables.collect();
    FactorGraph::new(cards, tables).expect("drawn models are valid")
}
