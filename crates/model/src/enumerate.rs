//! The oracle of the test suites: sums over every assignment of a small model.

use forney_certify::DoubleDouble;

use crate::FactorGraph;
use crate::walk::advance;

/// What enumeration finds.
#[derive(Clone, Debug)]
pub struct Enumeration {
    /// `ln Z` in nats; `−∞` if no assignment is allowed.
    pub ln_z: f64,
    /// `p(x_v)` for each variable; zeros if `Z = 0`.
    pub marginals: Vec<Vec<f64>>,
    /// `max_x Σ_a ln f_a(x_a)` in nats.
    pub ln_max: f64,
}

/// Sums over every assignment, to twice the digits of a float but for the last logarithm.
///
/// # Complexity
/// Time `Π_v |X_v|` times the size of the model; meant for at most a few million assignments.
///
/// # Example
/// ```
/// use forney_model::{enumerate::enumerate, FactorGraph};
/// let free = FactorGraph::new(vec![2, 3], vec![])?;
/// assert!((enumerate(&free).ln_z - 6f64.ln()).abs() < 1e-12);
/// # Ok::<(), forney_model::ModelError>(())
/// ```
#[must_use]
pub fn enumerate(graph: &FactorGraph) -> Enumeration {
    let mut values: Vec<(Vec<usize>, DoubleDouble)> = Vec::new();
    for_each_assignment(graph.cards(), |assignment| {
        values.push((assignment.to_vec(), graph.relative_value(assignment)));
    });
    let most = values
        .iter()
        .map(|(_, ln)| ln.value())
        .fold(f64::NEG_INFINITY, f64::max);
    let mut marginals: Vec<Vec<f64>> = graph.cards().iter().map(|&card| vec![0.0; card]).collect();
    if most == f64::NEG_INFINITY {
        return Enumeration {
            ln_z: most,
            marginals,
            ln_max: most,
        };
    }
    let weight = |ln: &DoubleDouble| (*ln - most).value().exp();
    let sum: DoubleDouble = values.iter().map(|(_, ln)| weight(ln)).sum();
    for (assignment, ln) in &values {
        let probability = weight(ln) / sum.value();
        for (marginal, &state) in marginals.iter_mut().zip(assignment) {
            marginal[state] += probability;
        }
    }
    Enumeration {
        ln_z: (graph.ln_scale() + most + sum.value().ln()).value(),
        marginals,
        ln_max: (graph.ln_scale() + most).value(),
    }
}

/// Calls `visit` with every assignment, last variable fastest.
pub fn for_each_assignment(cards: &[usize], mut visit: impl FnMut(&[usize])) {
    let mut assignment = vec![0usize; cards.len()];
    loop {
        visit(&assignment);
        if !advance(&mut assignment, cards, |_, _| ()) {
            return;
        }
    }
}
