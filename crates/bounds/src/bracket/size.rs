//! The cliques that memory and time hold at one ibound.

use forney_exact::Order;

use super::Job;
use super::climb::IBOUND_STEP;
use super::level::MEMORY;
use crate::BoundError;
use crate::wmbe::{Candidate, CliqueLimit, MiniBuckets, RACE_EVALUATIONS, bytes, candidate_order};

/// Seconds that a forward and a backward pass take for one clique entry, for predictions.
const SECONDS_PER_GRADIENT_ENTRY: f64 = 5e-9;

/// Where more candidates than this fit, a higher ibound gains more than they do.
const MANY: f64 = 8.0;

/// Where there is no local search to go on with, larger cliques gain more even if time affords only this part of
/// a race of one candidate; its winner goes on.
const ENOUGH: f64 = 0.2;

/// From one ibound to the next one the entries of all cliques grow by this factor at least.
const GROWTH: f64 = 2.0;

/// The size of the last race.
#[derive(Clone, Copy)]
pub(super) struct Reached {
    pub(super) limit: CliqueLimit,
    /// The entries of all cliques of a candidate.
    pub(super) entries: f64,
    /// Do larger ones not follow?
    pub(super) last: bool,
    /// Was it quick to compile, so that a local search pays?
    pub(super) cheap: bool,
    /// Is nothing left to do at this size?
    pub(super) idle: bool,
}

impl Reached {
    /// The least entries of what the next race needs.
    fn next_entries(&self) -> f64 {
        let growth = if self.last { 1.0 } else { GROWTH };
        growth * self.entries
    }
}

/// The size of the next level.
pub(super) enum Size {
    New(Fit),
    /// No larger cliques fit than the last ones.
    Reached(Reached),
}

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
    /// candidate fits, but not to the size that was reached already. Where time affords many candidates, a
    /// higher ibound gains more than they do.
    pub(super) fn size(
        &self,
        ibound: usize,
        memory: f64,
        reached: Option<Reached>,
    ) -> Result<Size, BoundError> {
        let timed = self.budget.remaining().is_some();
        let reached = reached.filter(|_| timed);
        let mut found = reached.map(Size::Reached);
        let enough = reached.map_or(1.0, |reached| match reached {
            Reached { idle: true, .. } => 0.0,
            Reached { cheap: false, .. } => ENOUGH,
            _ => 1.0,
        });
        if let Some(reached) = reached
            && self.affordable(reached.next_entries()) < enough
        {
            return Ok(Size::Reached(reached));
        }
        let order = self.first_order();
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
            let rule = &mut MiniBuckets::new(limit, None);
            let compiled = Candidate::new(self.graph, order.clone(), rule);
            // Cliques too large to count are a failure only where nothing else is known.
            if compiled.is_err()
                && let Some(found) = found.take()
            {
                return Ok(found);
            }
            let first = compiled?;
            let schedule = &first.schedule;
            let demand = schedule.demand();
            let whole = schedule.is_exact();
            let exact = whole && self.exact_fits(schedule, 0.5);
            let affordable = self.affordable(demand.total_entries);
            let fits = bytes(schedule) <= memory;
            // At the size of the factors nothing is left to cut: a slow race beats none.
            let smallest = limit.entries <= least;
            let over = self.budget.stop().is_some();
            if exact || (fits && (affordable >= enough || smallest || over)) {
                let fit = Fit {
                    limit,
                    first,
                    affordable,
                    capped,
                };
                let ascends = reached.is_some() && self.options.ibound.is_none();
                if !ascends || whole || capped || affordable <= MANY {
                    return Ok(Size::New(fit));
                }
                found = Some(Size::New(fit));
                limit.ibound += IBOUND_STEP;
                continue;
            }
            let larger = matches!(found, Some(Size::New(_)));
            if let Some(found) = found.take_if(|_| fits || larger) {
                return Ok(found);
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
