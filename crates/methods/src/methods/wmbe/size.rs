//! The cliques that memory and time hold at one ibound.

use forney_bounds::BoundError;
use forney_bounds::wmbe::{
    Candidate, CliqueLimit, MiniBuckets, RACE_EVALUATIONS, WeightMap, bytes,
};

use forney_exact::Pace;

use super::ladder::{IBOUND_STEP, Ladder, Reached};
use crate::Slice;

/// Entries of an elimination that take as long as one of a forward and a backward pass.
const COST: f64 = 5.0;

/// Where more candidates than this fit, a higher ibound gains more than they do.
const MANY: f64 = 8.0;

/// Where there is no local search to go on with, larger cliques gain more even if time affords only this part of
/// a race of one candidate; its winner goes on.
const ENOUGH: f64 = 0.2;

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

impl<S: WeightMap> Ladder<'_, S> {
    /// How many candidates of this size a race can afford in a share of the time.
    fn affordable(&self, entries: f64, slice: &Slice<'_, '_>) -> f64 {
        // Without an end of time nothing may depend on how fast the machine is.
        let (pace, threads) = match slice.is_timed() {
            true => (slice.board.pace(), rayon::current_num_threads() as f64),
            false => (Pace::of(slice.whole).seconds(COST), 1.0),
        };
        slice.part(0.3).as_secs_f64() * threads / (RACE_EVALUATIONS * entries * pace)
    }

    /// The largest cliques within the ibound that memory and time allow.
    ///
    /// Where the ibound asks for more, the limit on entries falls until a race of at least one
    /// candidate fits, but not to the size that was reached already. Where time affords many candidates, a
    /// higher ibound gains more than they do.
    pub(super) fn size(
        &self,
        ibound: usize,
        reached: Option<Reached>,
        slice: &Slice<'_, '_>,
    ) -> Result<Size, BoundError> {
        let job = self.job;
        let reached = reached.filter(|_| slice.is_timed());
        let mut found = reached.map(Size::Reached);
        let enough = reached.map_or(1.0, |reached| match reached {
            Reached { idle: true, .. } => 0.0,
            Reached { cheap: false, .. } => ENOUGH,
            _ => 1.0,
        });
        if let Some(reached) = reached
            && self.affordable(reached.next_entries(), slice) < enough
        {
            return Ok(Size::Reached(reached));
        }
        let order = job.first_order();
        let factors = job.graph.factors().iter().map(|f| f.num_entries());
        let least = factors.max().unwrap_or(1) as f64;
        let mut limit = CliqueLimit {
            ibound,
            entries: job.memory / 8.0,
        };
        let mut capped = false;
        loop {
            let rule = &mut MiniBuckets::new(limit, None);
            let compiled = Candidate::new(job.graph, order.clone(), rule);
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
            let exact = whole && job.exact_fits(schedule, 0.5, slice.whole);
            let affordable = self.affordable(demand.total_entries, slice);
            let fits = bytes(schedule) <= job.memory;
            // At the size of the factors nothing is left to cut: a slow race beats none.
            let smallest = limit.entries <= least;
            let over = slice.whole.stop().is_some();
            if exact || (fits && (affordable >= enough || smallest || over)) {
                let fit = Fit {
                    limit,
                    first,
                    affordable,
                    capped,
                };
                let ascends = reached.is_some() && !self.is_fixed();
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
                    bytes: bytes(schedule) * job.options.memory / job.memory,
                    limit: job.options.memory,
                });
            }
            limit.entries = (demand.max_entries / 4.0)
                .min(limit.entries / 2.0)
                .max(least);
            capped = true;
        }
    }
}
