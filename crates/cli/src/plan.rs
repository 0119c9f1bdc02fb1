//! An elimination order and what it would cost.

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
}

impl Plan {
    pub(crate) fn new(graph: &FactorGraph, order: Order) -> Self {
        let schedule = Schedule::compile(graph, &order, &mut Whole);
        Self::of(graph, order, schedule.map(|schedule| schedule.demand()))
    }

    /// As [`Plan::new`]; `None` if the budget ended first.
    pub(crate) fn within(graph: &FactorGraph, order: Order, budget: &Budget) -> Option<Self> {
        let demand = match Schedule::compile_within(graph, &order, &mut Whole, budget) {
            Ok(schedule) => Ok(schedule?.demand()),
            Err(too_large) => Err(too_large),
        };
        Some(Self::of(graph, order, demand))
    }

    fn of(graph: &FactorGraph, order: Order, demand: Result<Demand, TooLarge>) -> Self {
        Self {
            cost: order.cost(graph),
            demand,
            order,
        }
    }

    /// Tables alive together if messages are kept so long.
    pub(crate) fn bytes(&self, keep: Keep) -> f64 {
        match (&self.demand, keep) {
            (Ok(demand), Keep::Live) => demand.live_bytes,
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
