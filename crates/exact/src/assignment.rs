//! The most probable assignment.

use std::sync::Arc;

use forney_model::FactorGraph;

use crate::{Engine, Keep, Order, Schedule, TooLarge, Whole};

/// A full assignment and its value.
#[derive(Clone, Debug, PartialEq)]
pub struct Assignment {
    /// One state for each variable.
    pub states: Vec<usize>,
    /// `Σ_a ln f_a(x_a)`, in nats; `−∞` if every assignment is forbidden.
    pub ln_value: f64,
}

/// `argmax_x Π_a f_a(x_a)` and its value (MAP; MPE when the model was restricted to evidence).
///
/// Ties go to the lowest states along the order. The value is recomputed from the assignment.
///
/// # Errors
/// [`TooLarge`] if the order needs more than `memory` bytes, before anything is allocated.
///
/// # Panics
/// If the order belongs to another model.
///
/// # Complexity
/// Time as [`ln_z`](crate::ln_z); memory: all messages, [`Demand::kept_bytes`](crate::Demand).
///
/// # Example
/// ```
/// use forney_exact::{Heuristic, greedy, most_probable};
/// use forney_model::{FactorGraph, Table, VarId};
/// let pair = Table::from_values(vec![VarId(0), VarId(1)], vec![2, 2], &[1.0, 2.0, 5.0, 4.0])?;
/// let model = FactorGraph::new(vec![2, 2], vec![pair])?;
/// let order = greedy(&model, Heuristic::MinFill, None);
/// let best = most_probable(&model, &order, f64::INFINITY)?;
/// assert_eq!(best.states, vec![1, 0]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn most_probable(
    graph: &FactorGraph,
    order: &Order,
    memory: f64,
) -> Result<Assignment, TooLarge> {
    let schedule = Schedule::compile(graph, order, &mut Whole)?;
    let demand = schedule.demand();
    demand.admit(demand.kept_bytes, memory)?;
    Ok(Assignment::along(&schedule.into(), graph))
}

impl Assignment {
    /// As [`most_probable`], along a schedule that was compiled for a model of the same scopes.
    ///
    /// # Panics
    /// If the schedule was compiled for other scopes, or splits buckets.
    #[must_use]
    pub fn along(schedule: &Arc<Schedule>, graph: &FactorGraph) -> Self {
        let mut engine = Engine::new(Arc::clone(schedule), graph, Keep::All);
        engine.forward_max();
        let states = engine.trace_back();
        let ln_value = graph.ln_value(&states);
        Self { states, ln_value }
    }
}
