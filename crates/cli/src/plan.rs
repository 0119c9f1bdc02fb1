//! An elimination order and what it would cost.

use std::sync::Arc;

use forney_certify::Budget;
use forney_exact::{Cost, Demand, Keep, Order, Schedule, TooLarge, Whole};
use forney_model::FactorGraph;

/// Nanoseconds that an entry of a clique takes in a forward pass with a few threads.
///
/// Measured between 0.5 and 3 on processors of these days; so good is a prediction.
const NANOSECONDS_PER_ENTRY: f64 = 1.5;

/// An order with its cost; nothing is allocated for tables.
pub(crate) struct Plan {
    pub(crate) order: Order,
    pub(crate) cost: Cost,
    /// Refused if a single clique has more entries than can be addressed.
    demand: Result<Demand, TooLarge>,
    /// What it was compiled to, for whoever eliminates along it.
    schedule: Option<Arc<Schedule>>,
}

impl Plan {
    /// `None` if the budget ended first.
    pub(crate) fn within(graph: &FactorGraph, order: Order, budget: &Budget) -> Option<Self> {
        if budget.stop().is_some() {
            return None;
        }
        // First, as it takes as much memory as a schedule for a while.
        let cost = order.cost(graph);
        let compiled = Schedule::compile_within(graph, &order, &mut Whole, budget);
        let schedule = compiled
            .map(|schedule| schedule.map(Arc::new))
            .transpose()?;
        Some(Self {
            cost,
            demand: schedule
                .as_ref()
                .map(|schedule| schedule.demand())
                .map_err(|&too_large| too_large),
            schedule: schedule.ok(),
            order,
        })
    }

    /// The same without the schedule, where only the cost is asked for.
    pub(crate) fn unscheduled(mut self) -> Self {
        self.schedule = None;
        self
    }

    /// The schedule, once: it is large, and a plan may be kept for longer.
    pub(crate) fn take_schedule(&mut self) -> Option<Arc<Schedule>> {
        self.schedule.take()
    }

    /// Tables alive together: of a single pass, or if all messages are kept.
    pub(crate) fn bytes(&self, keep: Keep) -> f64 {
        match (&self.demand, keep) {
            (Ok(demand), Keep::Live) => demand.once_bytes,
            (Ok(demand), Keep::All) => demand.kept_bytes,
            (Err(too_large), _) => too_large.bytes,
        }
    }

    /// About how long a forward pass would take.
    pub(crate) fn seconds(&self) -> f64 {
        1e-9 * NANOSECONDS_PER_ENTRY * self.cost.total_entries
    }

    /// Does it fit in so many bytes?
    pub(crate) fn admit(&self, keep: Keep, memory: f64) -> Result<(), TooLarge> {
        let bytes = self.bytes(keep);
        if self.demand.is_ok() && bytes <= memory {
            return Ok(());
        }
        Err(TooLarge {
            width: self.cost.width,
            bytes,
            limit: memory,
        })
    }
}
