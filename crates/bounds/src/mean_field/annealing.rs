//! Starts that are cooled from a temperature above 1.

use forney_certify::Budget;
use forney_model::{FactorGraph, Table};

use super::MeanFieldAscent;

/// Sweeps in which the temperature falls to 1. Slower cooling changed little (docs/decisions.md).
const SWEEPS: i32 = 50;

/// The first temperatures of models without strong factors. Set by hand; hotter ones for all four starts were
/// worse on most models (docs/decisions.md).
const MILD: [f64; 4] = [2.0, 4.0, 3.0, 1.0];

/// No start is hotter: every distribution is uniform there.
const HOTTEST: f64 = 1e6;

/// The first temperatures, taken in turn by the starts.
///
/// With the strongest field `s`, in nats, they are `2`, `max(4, s)`, `max(3, √(2 s))` and `1`: what
/// is hot enough depends on the model. Where fields of hundreds of nats compete, as in the
/// posterior of a sparse code, the first updates at a temperature of 4 decide everything, and
/// badly.
pub(super) fn first_temperatures(graph: &FactorGraph) -> [f64; 4] {
    let strongest = strongest_field(graph).min(HOTTEST);
    let scales = [0.0, strongest, (2.0 * strongest).sqrt(), 0.0];
    std::array::from_fn(|start| MILD[start].max(scales[start]))
}

/// `max_v √(Σ_{a ∋ v} Var ln f_a)` over the allowed entries: by how much the factors of a variable
/// tell its states apart while nothing is known of the others.
fn strongest_field(graph: &FactorGraph) -> f64 {
    let mut squared = vec![0.0; graph.num_variables()];
    for table in graph.factors() {
        let variance = variance(table);
        for v in table.scope() {
            squared[v.index()] += variance;
        }
    }
    squared.into_iter().fold(0.0, f64::max).sqrt()
}

fn variance(table: &Table) -> f64 {
    let allowed = || table.relative().iter().filter(|ln| ln.is_finite());
    let count = allowed().count().max(1) as f64;
    let mean = allowed().sum::<f64>() / count;
    allowed().map(|ln| (ln - mean).powi(2)).sum::<f64>() / count
}

/// Sweeps while the temperature falls from the first one to 1 by equal factors.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cooling {
    first: f64,
    /// Sweeps so far.
    sweeps: i32,
}

impl Cooling {
    pub(super) fn from(first: f64) -> Self {
        Self { first, sweeps: 0 }
    }

    pub(super) fn is_over(self) -> bool {
        self.sweeps >= SWEEPS
    }

    /// Sweeps until it is over, or the budget is.
    pub(super) fn go_on(&mut self, ascent: &mut MeanFieldAscent, budget: &Budget) {
        while !self.is_over() && budget.stop().is_none() {
            let left = 1.0 - f64::from(self.sweeps) / f64::from(SWEEPS);
            ascent.sweep_at(self.first.powf(left));
            self.sweeps += 1;
        }
    }
}
