//! An elimination order and what it would cost.

use std::sync::Arc;
use std::time::Duration;

use forney_certify::Budget;
use forney_exact::{Cost, Demand, Effort, Keep, Order, Pace, Schedule, TooLarge, Whole, search};
use forney_model::FactorGraph;

use crate::error::NoFit;

/// Longest search for an order where the budget has no end.
const LONGEST_SEARCH: Duration = Duration::from_secs(10);

/// Entries of an elimination on one thread that take as long as one of a large pass with a few: memory is slower than
/// the caches that a pace is measured in.
const COST: f64 = 1.5;

/// An order with its cost; nothing is allocated for tables.
///
/// # Example
/// ```
/// use forney::model::generate::ising_grid;
/// use forney::{Budget, Plan, exact::Keep};
/// use rand::SeedableRng;
/// let model = ising_grid(8, 1.0, 0.1, &mut rand_pcg::Pcg64::seed_from_u64(1));
/// let mut plan = Plan::search(&model, 1, (Keep::Live, 1e9), &Budget::unlimited()).unwrap();
/// assert!(plan.cost().width < 16 && plan.bytes(Keep::Live) < 1e7);
/// assert!(plan.admit(Keep::Live, 10.0).is_err());
/// # Ok::<(), forney::Error>(())
/// ```
#[derive(Debug)]
pub struct Plan {
    order: Order,
    cost: Cost,
    /// Refused if a single clique has more entries than can be addressed.
    demand: Result<Demand, TooLarge>,
    /// What it was compiled to, for whoever eliminates along it.
    schedule: Option<Arc<Schedule>>,
}

impl Plan {
    /// The plan of an order; `None` if the budget ended first.
    ///
    /// # Panics
    /// If the order belongs to another model.
    #[must_use]
    pub fn within(graph: &FactorGraph, order: Order, budget: &Budget) -> Option<Self> {
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

    /// The cheapest order that a search finds in half of the time that is left, ten seconds at most;
    /// where it does not fit in so many bytes with messages kept so long, one that does, if a second
    /// search finds it. `None` if the budget ended before there was any.
    #[must_use]
    pub fn search(
        graph: &FactorGraph,
        seed: u64,
        (keep, memory): (Keep, f64),
        budget: &Budget,
    ) -> Option<Self> {
        let find = |limit| {
            let longest = budget.remaining().map_or(LONGEST_SEARCH, |left| left / 2);
            let effort = Effort {
                rounds: None,
                budget: budget.capped(longest),
                memory: limit,
            };
            Self::within(graph, search(graph, seed, &effort), budget)
        };
        let plan = find(None)?;
        if plan.fits(keep, memory) {
            return Some(plan);
        }
        // A search within a limit goes by an estimate of the memory, so it comes second.
        let smaller = find(Some((keep, memory)))?;
        let fits = smaller.fits(keep, memory);
        Some(if fits { smaller } else { plan })
    }

    /// The same without the schedule, where only the cost is asked for.
    #[must_use]
    pub fn unscheduled(mut self) -> Self {
        self.schedule = None;
        self
    }

    /// The order.
    #[must_use]
    pub fn order(&self) -> &Order {
        &self.order
    }

    /// What the order costs by its scopes alone.
    #[must_use]
    pub fn cost(&self) -> Cost {
        self.cost
    }

    /// Tables alive together, in bytes: of a single pass, or if all messages are kept.
    #[must_use]
    pub fn bytes(&self, keep: Keep) -> f64 {
        match (&self.demand, keep) {
            (Ok(demand), Keep::Live) => demand.once_bytes,
            (Ok(demand), Keep::All) => demand.kept_bytes,
            (Err(too_large), _) => too_large.bytes,
        }
    }

    /// About how many seconds a forward pass would take, good to a factor of 3.
    #[must_use]
    pub fn seconds(&self) -> f64 {
        Pace::measured().seconds(COST * self.cost.total_entries)
    }

    fn fits(&self, keep: Keep, memory: f64) -> bool {
        self.demand.is_ok() && self.bytes(keep) <= memory
    }

    /// The schedule, if its tables fit in so many bytes; once, as it is large and a plan may be kept for
    /// longer.
    ///
    /// # Errors
    /// [`NoFit`] if they do not.
    ///
    /// # Panics
    /// If the schedule was handed out before.
    pub fn admit(&mut self, keep: Keep, memory: f64) -> Result<Arc<Schedule>, NoFit> {
        if self.fits(keep, memory) {
            return Ok(self.schedule.take().expect("handed out once"));
        }
        Err(NoFit {
            width: self.cost.width,
            largest_clique: self.cost.max_entries,
            bytes: self.bytes(keep),
            limit: memory,
            ln_z_bytes: self.bytes(Keep::Live),
        })
    }
}
