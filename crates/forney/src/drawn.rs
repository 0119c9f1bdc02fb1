//! Models of spins that can be drawn in the plane: answers without an elimination.

use forney_certify::{Budget, slack};
use forney_exact::quick;
use forney_model::FactorGraph;
use forney_planar::{Demand, Planar, Solution};

/// An elimination of fewer entries than this, a hundredth of a second, needs nothing in its place.
const SHORT: f64 = 1e7;

/// The [`Solution`] of a planar model, and what it took.
///
/// `None` where the model is none, where elimination along a [`quick`] order takes less time, where the memory does not
/// hold it, where rounding leaves too few digits to print it as exact, and where the budget ends first: an elimination
/// may still have an answer.
pub(crate) fn drawn(
    graph: &FactorGraph,
    memory: f64,
    budget: &Budget,
) -> Option<(Solution, Demand)> {
    let spins = graph.cards().iter().all(|&card| card <= 2);
    let pairs = graph
        .factors()
        .iter()
        .all(|factor| factor.scope().len() <= 2);
    if !spins || !pairs {
        return None;
    }
    let entries = quick(graph, budget).cost(graph).total_entries;
    if entries < SHORT {
        return None;
    }
    let planar = Planar::new(graph, budget).ok()?;
    let demand = planar.demand();
    if demand.bytes > memory || demand.entries > entries {
        return None;
    }
    let found = planar.solve(memory, budget).ok()?;
    (found.error <= slack(found.ln_z)).then_some((found, demand))
}
