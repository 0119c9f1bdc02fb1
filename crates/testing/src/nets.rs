//! Bayesian networks.

use forney_model::{FactorGraph, Table, VarId};
use rand::seq::SliceRandom;
use rand::{Rng, RngExt};

/// A net of up to `most` variables of 1 to 3 states with up to two parents each, its variables and its
/// tables in any order; entries are hard zeros with probability `zeros`, but never all of a row.
///
/// # Panics
/// Never: what is drawn is a model.
pub fn bayes_net(most: usize, zeros: f64, rng: &mut impl Rng) -> FactorGraph {
    let n = rng.random_range(1..=most);
    let cards: Vec<usize> = (0..n).map(|_| rng.random_range(1..4)).collect();
    let mut order: Vec<usize> = (0..n).collect();
    order.shuffle(rng);
    let mut factors = Vec::new();
    for at in 0..n {
        let mut scope: Vec<usize> = order[..at].to_vec();
        scope.shuffle(rng);
        scope.truncate(rng.random_range(0..3));
        scope.push(order[at]);
        let scope_cards: Vec<usize> = scope.iter().map(|&v| cards[v]).collect();
        let len: usize = scope_cards.iter().product();
        let states = cards[order[at]];
        let mut values: Vec<f64> = (0..len)
            .map(|_| {
                if rng.random::<f64>() < zeros {
                    0.0
                } else {
                    rng.random()
                }
            })
            .collect();
        for row in values.chunks_exact_mut(states) {
            row[rng.random_range(0..states)] += 0.5;
            let sum: f64 = row.iter().sum();
            row.iter_mut().for_each(|p| *p /= sum);
        }
        let scope = scope.into_iter().map(VarId::new).collect();
        factors.push(Table::from_values(scope, scope_cards, &values).expect("rows of numbers"));
    }
    factors.shuffle(rng);
    FactorGraph::new(cards, factors).expect("drawn models are valid")
}
