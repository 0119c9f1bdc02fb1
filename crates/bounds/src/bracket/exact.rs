//! The exact answer, where it fits.

use std::time::Duration;

use forney_certify::{Budget, Lower, Stop, Upper};
use forney_exact::{Effort, Engine, Keep, Schedule, TooLarge, Whole, search};

use super::Job;
use crate::BoundError;

/// Seconds that one multiply-add of elimination takes, for predictions.
const SECONDS_PER_ENTRY: f64 = 1e-9;

impl Job<'_, '_> {
    /// Elimination along the best order that a share of the time finds.
    pub(super) fn exact_or_refuse(&self) -> Result<Stop, BoundError> {
        let schedule = self.exact_schedule(self.share(0.3))?;
        schedule
            .demand()
            .admit(schedule.demand().live_bytes, self.options.memory)?;
        let done = self.eliminate(schedule, self.budget)?;
        let stopped = || self.budget.stop().unwrap_or(Stop::Interrupted);
        Ok(if done { Stop::Converged } else { stopped() })
    }

    pub(super) fn exact_schedule(&self, time: Duration) -> Result<Schedule, TooLarge> {
        let found;
        let order = match &self.options.order {
            Some(order) => order,
            None => {
                let effort = Effort {
                    budget: self.budget.capped(time),
                    rounds: None,
                };
                found = search(self.graph, self.options.seed, &effort);
                &found
            }
        };
        Schedule::compile(self.graph, order, &mut Whole)
    }

    /// Eliminates exactly; false if the budget ended it before it was done.
    pub(super) fn eliminate(
        &self,
        schedule: Schedule,
        budget: &Budget,
    ) -> Result<bool, BoundError> {
        let demand = schedule.demand();
        self.board.begin(demand.width, demand.live_bytes);
        let mut engine = Engine::new(schedule.into(), self.graph, Keep::Live);
        let Some(ln_z) = engine.forward_within(&[], &[], budget) else {
            return Ok(false);
        };
        self.board
            .post_exact(Lower::new(ln_z)?, Upper::new(ln_z)?, demand.width);
        Ok(true)
    }

    /// Is the exact answer within memory and, by its predicted cost, within this share of the time?
    pub(super) fn exact_fits(&self, schedule: &Schedule, share: f64) -> bool {
        let demand = schedule.demand();
        let seconds = demand.total_entries * SECONDS_PER_ENTRY;
        let left = self
            .budget
            .remaining()
            .map_or(f64::INFINITY, |left| left.as_secs_f64());
        demand.live_bytes <= self.options.memory && seconds <= share * left
    }
}
