//! From level to level: all the time at one ibound, or higher and higher ones.

use std::time::Duration;

use forney_certify::Stop;

use super::Job;
use super::level::Level;
use crate::BoundError;
use crate::options::Method;
use crate::wmbe::CliqueLimit;

/// The search for an order before anything is proved.
const QUICK_SEARCH: Duration = Duration::from_millis(20);

/// The round with the long search for an order.
const LONG_SEARCH: u64 = 4;

/// The share of the time for conditioning in each round of the ascent.
const CONDITIONING: f64 = 0.04;

/// The first ibound of the ascent, and its step.
const FIRST_IBOUND: usize = 2;
const IBOUND_STEP: usize = 2;

impl Job<'_, '_> {
    /// All the time at one ibound: the race, then its winner, then races with other seeds.
    pub(super) fn fixed(&self, ibound: usize) -> Result<Stop, BoundError> {
        CliqueLimit::admit(ibound, self.graph)?;
        if self.options.method == Method::Auto {
            self.mean_field(0, self.share(0.1));
        }
        let mut conditioning = self.conditioning();
        for round in 0.. {
            self.structured(ibound, round);
            self.condition(&mut conditioning, self.share(0.1));
            if let Level::Exact = self.level(ibound, round)? {
                return Ok(Stop::Converged);
            }
            if let Some(stop) = self.ended() {
                return Ok(stop);
            }
            if self.budget.remaining().is_none() && self.options.iterations.is_none() {
                break;
            }
        }
        Ok(Stop::Converged)
    }

    /// Raises the ibound while time and memory last, and leaps to the exact answer when it fits.
    pub(super) fn ascend(&self) -> Result<Stop, BoundError> {
        let scopes = self.graph.factors().iter().map(|f| f.scope().len());
        let least = scopes.max().unwrap_or(0).saturating_sub(1);
        let mut ibound = least.max(FIRST_IBOUND);
        let mut capped = false;
        let mut conditioning = None;
        // An elimination that took longer than predicted is not tried again at that size.
        let mut hopeless = f64::INFINITY;
        for round in 0.. {
            if self.options.method == Method::Auto {
                // Before anything is proved only an answer that is quick is worth waiting for.
                let share = if round == 0 { 0.1 } else { 0.5 };
                // The long search waits until small cliques, which are quick, have closed most of it.
                let effort = match round {
                    0 => QUICK_SEARCH,
                    LONG_SEARCH => self.share(0.2),
                    _ => self.share(0.02),
                };
                if let Ok(schedule) = self.exact_schedule(effort)
                    && self.exact_fits(&schedule, share)
                    && schedule.demand().total_entries < hopeless
                {
                    hopeless = 0.5 * schedule.demand().total_entries;
                    if self.eliminate(schedule, &self.budget.capped(self.share(2.0 * share)))? {
                        return Ok(Stop::Converged);
                    }
                }
                if round == 0 {
                    self.mean_field(0, self.share(0.1));
                    conditioning = self.conditioning();
                }
                self.structured(ibound, round);
                self.condition(&mut conditioning, self.share(CONDITIONING));
            }
            match self.level(ibound, round)? {
                Level::Exact => return Ok(Stop::Converged),
                Level::Done if !capped => ibound += IBOUND_STEP,
                Level::Done => {}
                // Nothing larger fits: what is left goes into other orders.
                Level::Capped => capped = true,
            }
            if let Some(stop) = self.ended() {
                return Ok(stop);
            }
            if capped && self.budget.remaining().is_none() && self.options.iterations.is_none() {
                return Ok(Stop::MemoryLimit);
            }
        }
        Ok(Stop::Converged)
    }
}
