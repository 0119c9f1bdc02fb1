//! Weighted mini-buckets of one side at one ibound: what fits, the race, and its winner.

use std::time::Duration;

use forney_bounds::race::{Account, Racer};
use forney_bounds::wmbe::{
    Candidate, Candidates, Climbed, CliqueLimit, NAME, Setting, WeightMap, Wmbe, bytes, climb,
};
use forney_bounds::{Activity, BoundError};
use forney_certify::Certificate;

use super::ladder::{Ladder, Reached, least_gain};
use super::size::{Fit, Size};
use crate::Slice;
use crate::job::LAST;

/// Candidates that race at one ibound.
const CANDIDATES: usize = 24;

/// What one ibound came to.
pub(super) enum Level {
    /// Done at this ibound, which may be higher than the one asked for.
    Done { ibound: usize },
    /// Done, with cliques smaller than the ibound asked for, or of the size of the last level.
    Capped,
    /// Nothing had to be split.
    Exact,
}

/// What a level works with.
struct Terms {
    /// The least time that it is worth.
    worth: Duration,
    limit: CliqueLimit,
    /// The candidate that has shown that the limit fits, where there is a race.
    first: Option<Candidate>,
    /// Candidates that race.
    count: usize,
    /// Does a local search follow? While larger cliques do, they gain more.
    local: bool,
    /// Is it the last size?
    capped: bool,
}

impl<S: WeightMap> Ladder<'_, S> {
    /// One ibound, or a higher one where that is nothing; where time does not afford larger cliques than those
    /// of the incumbent, that goes on.
    pub(super) fn level(&mut self, slice: &Slice<'_, '_>) -> Result<Level, BoundError> {
        let began = slice.whole.elapsed();
        let ibound = self.ibound;
        slice.board.say(Activity::MiniBuckets { ibound });
        let reached = self.reached.filter(|_| self.incumbent.is_some());
        match self.size(ibound, reached, slice)? {
            Size::New(fit) => self.race(fit, began, slice),
            Size::Reached(reached) => self.continued(reached, slice),
        }
    }

    /// A race among cliques that fit, and what follows it.
    fn race(
        &mut self,
        fit: Fit,
        began: Duration,
        slice: &Slice<'_, '_>,
    ) -> Result<Level, BoundError> {
        let Fit {
            limit,
            first,
            affordable,
            capped,
        } = fit;
        let (job, board, ibound) = (self.job, slice.board, limit.ibound);
        board.say(Activity::MiniBuckets { ibound });
        let schedule = &first.schedule;
        if schedule.is_exact() && job.exact_fits(schedule, 0.5, slice.whole) {
            // Its tables make room; its bound is on the board.
            self.incumbent = None;
            if job.eliminate(schedule, board, slice.whole)? {
                return Ok(Level::Exact);
            }
        }
        if self.round == 0 {
            // A pass without any search, so that something is proved from the beginning.
            if let Ok(bound) = Wmbe::<S>::neutral(schedule.clone()).verify(job.graph) {
                board.post(bound, NAME);
            }
        }
        // What larger mini-buckets leave no room for is forgotten: its bound is on the board.
        let spare = job.memory - bytes(schedule);
        self.incumbent.take_if(|best| best.racer.bytes() > spare);
        // On a huge model the orders and schedules themselves are what takes time.
        let compiled_in = slice.whole.elapsed() - began;
        let compiled = match slice.is_timed() {
            true => {
                let time = slice.part(0.1).as_secs_f64();
                time * rayon::current_num_threads() as f64 / compiled_in.as_secs_f64()
            }
            false => f64::INFINITY,
        };
        // Each change of a structure is compiled; where that takes long, further evaluations gain more.
        let cheap = compiled >= 1.0;
        let last = capped || self.is_fixed();
        self.reached = Some(Reached {
            limit,
            entries: schedule.demand().total_entries,
            last,
            cheap,
            idle: false,
        });
        let terms = Terms {
            // What took long to compile is optimised for as long at least, or it proves nothing new.
            worth: match slice.shared {
                true => Duration::ZERO,
                false => compiled_in,
            },
            limit,
            count: CANDIDATES.min(affordable.min(compiled) as usize).max(1),
            local: last && cheap,
            capped,
            first: Some(first),
        };
        let exact = self.compete(&terms, slice)?;
        Ok(match (exact, capped) {
            (true, _) => Level::Exact,
            (false, true) => Level::Capped,
            (false, false) => Level::Done { ibound },
        })
    }

    /// The incumbent goes on, without a race.
    fn continued(&mut self, reached: Reached, slice: &Slice<'_, '_>) -> Result<Level, BoundError> {
        let before = slice.board.counted::<S>();
        let terms = Terms {
            worth: Duration::ZERO,
            limit: reached.limit,
            first: None,
            count: 0,
            local: reached.cheap,
            capped: true,
        };
        self.compete(&terms, slice)?;
        self.reached = Some(Reached {
            idle: slice.board.counted::<S>() == before,
            ..reached
        });
        Ok(Level::Capped)
    }

    /// The candidates, their winner and the incumbent; true if nothing had to be split.
    fn compete(&mut self, terms: &Terms, slice: &Slice<'_, '_>) -> Result<bool, BoundError> {
        let job = self.job;
        let time = slice.time().max(terms.worth.min(slice.left(LAST)));
        let budget = match slice.iterations {
            // Counted iterations give the same numbers on any machine.
            Some(_) => slice.if_timed(time),
            None => slice.whole.capped(time),
        };
        let mut account = Account::new(slice.board, &budget, job.memory, slice.iterations);
        let setting = Setting {
            graph: job.graph,
            limit: terms.limit,
            fixed: job.options.order.as_ref(),
            seed: (job.options.seed).wrapping_add(self.round.wrapping_mul(0x9e37_79b9)),
        };
        let field = Candidates::<S>::new(setting, terms.count).with_first(terms.first.as_ref());
        let least_gain = least_gain(job, terms.capped, slice);
        let known = self.incumbent.take();
        match climb(&field, terms.local, least_gain, known, &mut account) {
            Ok(Climbed::Exact(candidate)) => {
                job.eliminate(&candidate.schedule, slice.board, &budget)
            }
            Ok(Climbed::Best(winner)) => {
                self.incumbent = Some(winner);
                Ok(false)
            }
            // The first candidate fits; what did not were others.
            Err(_) => Ok(false),
        }
    }
}
