//! Models of spins that can be drawn in the plane: answers without an elimination.

use forney_certify::{Budget, slack};
use forney_model::FactorGraph;
use forney_planar::{Demand, Planar, Solution, spared_entries};

/// The [`Solution`] of a planar model, and what it took.
///
/// `None` where the model is none, where elimination along a quick order takes less time, where the memory does not
/// hold it, where rounding leaves too few digits to print it as exact, and where the budget ends first: an elimination
/// may still have an answer.
pub(crate) fn drawn(
    graph: &FactorGraph,
    memory: f64,
    budget: &Budget,
) -> Option<(Solution, Demand)> {
    let entries = spared_entries(graph, budget)?;
    let planar = Planar::new(graph, budget).ok()?;
    let demand = planar.demand();
    if demand.bytes > memory || demand.entries > entries {
        return None;
    }
    let found = planar.solve(memory, budget).ok()?;
    (found.error <= slack(found.ln_z)).then_some((found, demand))
}
