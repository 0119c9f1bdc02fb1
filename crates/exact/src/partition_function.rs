//! `ln Z` by elimination.

use forney_certify::Budget;
use forney_model::FactorGraph;

use crate::live::ln_z_once;
use crate::{Order, Schedule, TooLarge, Whole};

/// `ln Z = ln Σ_x Π_a f_a(x_a)`, in nats; `−∞` if every assignment is forbidden.
///
/// # Errors
/// [`TooLarge`] if the order needs more than `memory` bytes, before anything is allocated.
///
/// # Panics
/// If the order belongs to another model.
///
/// # Complexity
/// Time: the entries of all cliques, once for each table that enters them. Memory: the messages
/// that are alive together, [`Demand::once_bytes`](crate::Demand).
pub fn ln_z(graph: &FactorGraph, order: &Order, memory: f64) -> Result<f64, TooLarge> {
    let schedule = Schedule::compile(graph, order, &mut Whole)?;
    let demand = schedule.demand();
    demand.admit(demand.once_bytes, memory)?;
    let found = ln_z_once(&schedule, graph, None);
    Ok(found.expect("without a budget nothing ends it").value())
}

/// As [`ln_z`], along a schedule that was compiled for this model; `None` if the budget ended first.
///
/// The value is that of [`Engine::forward`](crate::Engine::forward), bit for bit. An engine holds the
/// factors for many passes; for a single one this takes less memory, and looks at the budget while
/// factors are loaded, too.
///
/// # Panics
/// If the schedule was compiled for another model, or splits buckets.
///
/// # Example
/// ```
/// use forney_certify::Budget;
/// use forney_exact::{Heuristic, Schedule, Whole, greedy, ln_z, ln_z_along};
/// use forney_model::generate::ising_grid;
/// use rand::SeedableRng;
/// use std::time::Duration;
/// let model = ising_grid(8, 1.0, 0.1, &mut rand_pcg::Pcg64::seed_from_u64(1));
/// let order = greedy(&model, Heuristic::MinFill, None);
/// let schedule = Schedule::compile(&model, &order, &mut Whole)?;
/// let unlimited = Budget::unlimited();
/// let value = ln_z_along(&schedule, &model, &unlimited);
/// assert_eq!(value, Some(ln_z(&model, &order, f64::INFINITY)?));
/// assert_eq!(ln_z_along(&schedule, &model, &unlimited.capped(Duration::ZERO)), None);
/// # Ok::<(), forney_exact::TooLarge>(())
/// ```
#[must_use]
pub fn ln_z_along(schedule: &Schedule, graph: &FactorGraph, budget: &Budget) -> Option<f64> {
    ln_z_once(schedule, graph, Some(budget)).map(|ln_z| ln_z.value())
}
