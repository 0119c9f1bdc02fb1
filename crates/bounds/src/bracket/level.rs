//! Weighted mini-buckets at one ibound: what fits, the race, and its winner on each side.

use std::sync::Arc;
use std::time::Duration;

use forney_certify::{Above, Below, Certificate};
use forney_exact::Schedule;

use super::contest::Terms;
use super::size::{Fit, Reached, Size};
use super::{Job, LAST};
use crate::BoundError;
use crate::board::Post;
use crate::options::{Activity, Method};
use crate::race::{Account, Racer, Won};
use crate::wmbe::{
    Candidates, Climbed, CliqueLimit, PlainRacer, Setting, WeightMap, Wmbe, bytes, climb,
};

/// The share of the memory for the tables of one side, whatever the method.
pub(super) const MEMORY: f64 = 0.4;

/// Candidates that race at one ibound.
const CANDIDATES: usize = 24;

impl Job<'_, '_> {
    /// Both sides at one ibound, or at a higher one where that is nothing; where time does not afford larger
    /// cliques than those of the incumbents, these go on.
    pub(super) fn level(
        &self,
        ibound: usize,
        round: u64,
        incumbents: &mut Incumbents,
    ) -> Result<Level, BoundError> {
        let began = self.budget.elapsed();
        self.board.say(Activity::MiniBuckets { ibound });
        let reached = incumbents.reached(self.open());
        match self.size(ibound, MEMORY * self.options.memory, reached)? {
            Size::New(fit) => self.level_of(fit, round, began, incumbents),
            Size::Reached(reached) => self.go_on(reached, round, incumbents),
        }
    }

    /// A race on each side among cliques that fit, and what follows it.
    fn level_of(
        &self,
        fit: Fit,
        round: u64,
        began: Duration,
        incumbents: &mut Incumbents,
    ) -> Result<Level, BoundError> {
        let Fit {
            limit,
            first,
            affordable,
            capped,
        } = fit;
        let ibound = limit.ibound;
        self.board.say(Activity::MiniBuckets { ibound });
        let schedule = &first.schedule;
        if schedule.is_exact()
            && self.exact_fits(schedule, 0.5)
            && self.eliminate(Arc::clone(schedule), self.budget)?
        {
            return Ok(Level::Exact);
        }
        if round == 0 && self.options.method != Method::Contender {
            // A pass without any search, so that something is proved from the beginning.
            rayon::join(
                || self.neutral::<Above>(schedule),
                || self.neutral::<Below>(schedule),
            );
        }
        let mut terms = self.terms(limit, round, capped);
        incumbents.make_room(terms.memory - bytes(schedule));
        // On a huge model the orders and schedules themselves are what takes time.
        let compiled_in = self.budget.elapsed() - began;
        let compiled = match self.budget.remaining() {
            Some(_) => {
                let time = self.slice(0.1).as_secs_f64();
                time * rayon::current_num_threads() as f64 / compiled_in.as_secs_f64()
            }
            None => f64::INFINITY,
        };
        let count = CANDIDATES.min(affordable.min(compiled) as usize).max(1);
        // Each change of a structure is compiled; where that takes long, further evaluations gain more.
        let cheap = compiled >= 1.0;
        terms.local &= cheap;
        if !self.alternates() {
            // What took long to compile is optimised for as long at least, or it proves nothing new.
            terms.worth = compiled_in;
        }
        let fixed = self.options.ibound.is_some();
        incumbents.reached = Some(Reached {
            limit,
            entries: schedule.demand().total_entries,
            last: capped || fixed,
            cheap,
            idle: false,
        });
        terms.first = Some(first);
        let exact = self.compete(&terms, count, incumbents)?;
        Ok(match (exact, capped) {
            (true, _) => Level::Exact,
            (false, true) => Level::Capped,
            (false, false) => Level::Done {
                ibound: limit.ibound,
            },
        })
    }

    /// The incumbents go on, without a race.
    fn go_on(
        &self,
        reached: Reached,
        round: u64,
        incumbents: &mut Incumbents,
    ) -> Result<Level, BoundError> {
        let mut terms = self.terms(reached.limit, round, true);
        terms.local = reached.cheap;
        let before = self.evaluated();
        self.compete(&terms, 0, incumbents)?;
        incumbents.reached = Some(Reached {
            idle: self.evaluated() == before,
            ..reached
        });
        Ok(Level::Capped)
    }

    /// Gradient evaluations on the sides that are wanted.
    fn evaluated(&self) -> usize {
        let (upper, lower) = self.open();
        let above = upper.then(|| self.board.counted::<Above>());
        let below = lower.then(|| self.board.counted::<Below>());
        above.into_iter().chain(below).sum()
    }

    /// What both sides of a level share, before anything is compiled.
    fn terms(&self, limit: CliqueLimit, round: u64, capped: bool) -> Terms {
        // A higher ibound halves the gap for about a hundred times this gain. The gap is read
        // before the sides run, so that neither depends on how far the other has come.
        let gap = self.board.gap();
        let ascending = self.options.ibound.is_none();
        let least_gain = if ascending && gap.is_finite() {
            2e-4 * gap
        } else if ascending && !capped {
            // Nothing is known of a side yet: the entropy of all assignments stands in for the gap.
            2e-4 * self.ln_states().value()
        } else {
            1e-6
        };
        Terms {
            worth: Duration::ZERO,
            limit,
            first: None,
            seed: (self.options.seed).wrapping_add(round.wrapping_mul(0x9e37_79b9)),
            memory: MEMORY * self.options.memory,
            least_gain,
            local: capped || !ascending,
            leaders: self.leaders(round),
        }
    }

    /// Mini-buckets with so many candidates against the contender; true if nothing had to be split.
    fn compete(
        &self,
        terms: &Terms,
        count: usize,
        incumbents: &mut Incumbents,
    ) -> Result<bool, BoundError> {
        let began = self.budget.elapsed();
        let alone = self.contender_alone();
        let exact = !alone && self.both(terms, count, self.open(), incumbents)?;
        let before = (self.board.best::<Above>(), self.board.best::<Below>());
        if !exact {
            self.contend(terms, self.budget.elapsed().saturating_sub(began));
        }
        if !alone {
            return Ok(exact);
        }
        // Where the contender proves nothing, mini-buckets do.
        let (upper, lower) = self.open();
        let idle = (
            upper && !self.contender_holds::<Above>() && self.board.best::<Above>() == before.0,
            lower && !self.contender_holds::<Below>() && self.board.best::<Below>() == before.1,
        );
        self.both(terms, count, idle, incumbents)
    }

    /// Mini-buckets on the sides that are wanted; true if nothing had to be split.
    fn both(
        &self,
        terms: &Terms,
        count: usize,
        (upper, lower): (bool, bool),
        incumbents: &mut Incumbents,
    ) -> Result<bool, BoundError> {
        let Incumbents { above, below, .. } = incumbents;
        let (upper, lower) = rayon::join(
            || upper.then(|| self.side(terms, count, above)),
            || lower.then(|| self.side(terms, count, below)),
        );
        let mut exact = false;
        for side in [upper, lower].into_iter().flatten() {
            exact |= side?;
        }
        Ok(exact)
    }

    /// Enters the bound of a schedule before anything is optimised.
    fn neutral<S: WeightMap + Post>(&self, schedule: &Arc<Schedule>) {
        let (upper, lower) = self.open();
        let wanted = if S::TRIVIAL > 0.0 { upper } else { lower };
        if wanted && let Ok(bound) = Wmbe::<S>::neutral(Arc::clone(schedule)).verify(self.graph) {
            self.board.post(bound, Method::Wmbe.name());
        }
    }

    /// One side at one ibound; true if nothing had to be split.
    fn side<S>(
        &self,
        terms: &Terms,
        count: usize,
        incumbent: &mut Incumbent<S>,
    ) -> Result<bool, BoundError>
    where
        S: WeightMap + Post,
    {
        let share = self.own_share::<S>(terms.leaders);
        let time = self.slice(share).max(terms.worth.min(self.share(LAST)));
        let budget = self.budget.capped(time);
        let left =
            (self.options.iterations).map(|most| most.saturating_sub(self.board.counted::<S>()));
        let account = Account::new(self.board, &budget, terms.memory, left);
        let own = account
            .share(self.own_iterations::<S>(terms.leaders))
            .left();
        let mut account = account.part(own, &budget, terms.memory);
        let setting = Setting {
            graph: self.graph,
            limit: terms.limit,
            fixed: self.options.order.as_ref(),
            seed: terms.seed,
        };
        let field = Candidates::<S>::new(setting, count).with_first(terms.first.as_ref());
        let (local, least_gain) = (terms.local, terms.least_gain);
        match climb(&field, local, least_gain, incumbent.take(), &mut account) {
            Ok(Climbed::Exact(candidate)) => self.eliminate(candidate.schedule, &budget),
            Ok(Climbed::Best(winner)) => {
                *incumbent = Some(winner);
                Ok(false)
            }
            // The first candidate fits; what did not were others.
            Err(_) => Ok(false),
        }
    }
}

/// The best mini-buckets of a side so far, on which a local search goes on.
type Incumbent<S> = Option<Box<Won<PlainRacer<S>>>>;

/// What goes on from level to level.
#[derive(Default)]
pub(super) struct Incumbents {
    above: Incumbent<Above>,
    below: Incumbent<Below>,
    reached: Option<Reached>,
}

impl Incumbents {
    /// Forgets those that larger mini-buckets leave no room for: their bounds are on the board.
    fn make_room(&mut self, spare: f64) {
        self.above.take_if(|best| best.racer.bytes() > spare);
        self.below.take_if(|best| best.racer.bytes() > spare);
    }

    /// The size of the last race, if each side that is wanted has an incumbent.
    fn reached(&self, (upper, lower): (bool, bool)) -> Option<Reached> {
        let held = (!upper || self.above.is_some()) && (!lower || self.below.is_some());
        self.reached.filter(|_| held)
    }
}

/// What one ibound came to.
pub(super) enum Level {
    /// Done at this ibound, which may be higher than the one asked for.
    Done { ibound: usize },
    /// Done, with cliques smaller than the ibound asked for, or of the size of the last level.
    Capped,
    /// Nothing had to be split.
    Exact,
}
