//! Grids with any cardinalities, and as text.

use forney_model::{FactorGraph, Table, VarId};
use rand::{Rng, RngExt};

use crate::rng;

/// A grid with cardinalities from `cards` and pair factors; some forbid that both of their variables are 0.
///
/// # Panics
/// If there are no cardinalities, or one is 0.
#[must_use]
pub fn grid(rows: usize, cols: usize, cards: &[usize], seed: u64) -> FactorGraph {
    let mut rng = rng(seed);
    let cards: Vec<usize> = (0..rows * cols)
        .map(|_| cards[rng.random_range(0..cards.len())])
        .collect();
    let mut factors = Vec::new();
    for v in 0..rows * cols {
        let right = (v % cols + 1 < cols).then_some(v + 1);
        let below = (v + cols < rows * cols).then_some(v + cols);
        for u in [right, below].into_iter().flatten() {
            let draw = |_| 2.0 * rng.random::<f64>() - 1.0;
            let mut ln: Vec<f64> = (0..cards[v] * cards[u]).map(draw).collect();
            if cards[v] > 1 && cards[u] > 1 && rng.random_range(0..4) == 0 {
                ln[0] = f64::NEG_INFINITY;
            }
            let scope = vec![VarId::new(v), VarId::new(u)];
            let table = Table::from_ln(scope, vec![cards[v], cards[u]], ln);
            factors.push(table.expect("drawn tables are valid"));
        }
    }
    FactorGraph::new(cards, factors).expect("a grid is a valid model")
}

/// The same model with hard zeros for a share of its entries, but not for the assignment of zeros.
///
/// # Panics
/// Never: fewer assignments are a model, too.
pub fn struck(graph: &FactorGraph, share: f64, rng: &mut impl Rng) -> FactorGraph {
    let strike = |table: &Table| {
        let entries = 0..table.num_entries();
        let mut ln: Vec<f64> = entries.map(|at| table.ln_entry(at)).collect();
        for entry in &mut ln[1..] {
            if rng.random::<f64>() < share {
                *entry = f64::NEG_INFINITY;
            }
        }
        Table::from_ln(table.scope().to_vec(), table.cards().to_vec(), ln).expect("a table")
    };
    let factors = graph.factors().iter().map(strike).collect();
    FactorGraph::new(graph.cards().to_vec(), factors).expect("the same scopes")
}

/// The text of a model file: an `n × n` grid of binary variables, with fields everywhere.
#[must_use]
pub fn grid_text(n: usize) -> String {
    let at = |row, column| row * n + column;
    let mut scopes = Vec::new();
    for row in 0..n {
        for column in 0..n - 1 {
            let right = (at(row, column), at(row, column + 1));
            let down = (at(column, row), at(column + 1, row));
            scopes.extend([right, down].map(|(a, b)| format!("2 {a} {b}\n")));
        }
    }
    let (count, cards) = (scopes.len(), "2 ".repeat(n * n));
    let tables = "4 1 2 2 3\n".repeat(count);
    format!(
        "MARKOV {} {cards} {count}\n{}{tables}",
        n * n,
        scopes.concat()
    )
}
