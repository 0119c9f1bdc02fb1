//! The cliques that memory and time hold at one ibound.

use forney_exact::Order;

use super::Job;
use super::level::MEMORY;
use crate::BoundError;
use crate::wmbe::{Candidate, Candidates, CliqueLimit, RACE_EVALUATIONS, bytes, candidate_order};

/// Seconds that a forward and a backward pass take for one clique entry, for predictions.
const SECONDS_PER_GRADIENT_ENTRY: f64 = 5e-9;

/// What fits.
pub(super) struct Fit {
    pub(super) limit: CliqueLimit,
    /// The first candidate under that limit.
    pub(super) first: Candidate,
    /// Candidates that a share of the time affords.
    pub(super) affordable: f64,
    /// Is the limit smaller than the ibound asked for?
    pub(super) capped: bool,
}

impl<'j> Job<'j, '_> {
    /// The order of the first candidates: the same at every level.
    pub(super) fn first_order(&self) -> &'j Order {
        self.first_order.get_or_init(|| match &self.options.order {
            Some(order) => order.clone(),
            None => candidate_order(self.graph, 0, self.options.seed),
        })
    }

    /// How many candidates of this size a race can afford in a share of the time.
    fn affordable(&self, entries: f64) -> f64 {
        // Without an end of time nothing may depend on how fast the machine is.
        let timed = self.budget.remaining().is_some();
        let pace = if timed {
            self.board.pace()
        } else {
            SECONDS_PER_GRADIENT_ENTRY
        };
        let (upper, lower) = self.open();
        let sides = f64::from(u8::from(upper) + u8::from(lower)).max(1.0);
        let threads = if timed {
            rayon::current_num_threads() as f64
        } else {
            1.0
        };
        let race = RACE_EVALUATIONS * sides * entries * pace;
        self.slice(0.3).as_secs_f64() * threads / race
    }

    /// The largest cliques within the ibound that memory and time allow.
    ///
    /// Where the ibound asks for more, the limit on entries falls until a race of at least one
    /// candidate fits.
    pub(super) fn fit(&self, ibound: usize, order: &Order, memory: f64) -> Result<Fit, BoundError> {
        let factors = self
            .graph
            .factors()
            .iter()
            .map(|factor| factor.num_entries());
        let least = factors.max().unwrap_or(1) as f64;
        let mut limit = CliqueLimit {
            ibound,
            entries: memory / 8.0,
        };
        let mut capped = false;
        loop {
            let first = Candidates::first(self.graph, order, limit)?;
            let schedule = &first.schedule;
            let demand = schedule.demand();
            let exact = schedule.is_exact() && self.exact_fits(schedule, 0.5);
            let affordable = self.affordable(demand.total_entries);
            let fits = bytes(schedule) <= memory;
            // At the size of the factors nothing is left to cut: a slow race beats none.
            let smallest = limit.entries <= least;
            if exact || (fits && (affordable >= 1.0 || smallest)) {
                return Ok(Fit {
                    limit,
                    first,
                    affordable,
                    capped,
                });
            }
            if smallest && !fits {
                return Err(BoundError::MiniBucketsTooLarge {
                    // Each side has its share.
                    bytes: bytes(schedule) / MEMORY,
                    limit: self.options.memory,
                });
            }
            limit.entries = (demand.max_entries / 4.0)
                .min(limit.entries / 2.0)
                .max(least);
            capped = true;
        }
    }
}
