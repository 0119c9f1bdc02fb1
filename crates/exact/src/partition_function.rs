//! `ln Z` by elimination.

use forney_model::FactorGraph;

use crate::{Engine, Keep, Order, Schedule, TooLarge, Whole};

/// `ln Z = ln Σ_x Π_a f_a(x_a)`, in nats; `−∞` if every assignment is forbidden.
///
/// # Errors
/// [`TooLarge`] if the order needs more than `memory` bytes, before anything is allocated.
///
/// # Complexity
/// Time: the entries of all cliques, once for each table that enters them. Memory: the messages
/// that are alive together, [`Demand::live_bytes`](crate::Demand).
pub fn ln_z(graph: &FactorGraph, order: &Order, memory: f64) -> Result<f64, TooLarge> {
    let schedule = Schedule::compile(graph, order, &mut Whole)?;
    let demand = schedule.demand();
    demand.admit(demand.live_bytes, memory)?;
    Ok(Engine::new(schedule.into(), graph, Keep::Live).forward(&[], &[]))
}
