//! Weighted mini-buckets at one ibound: what fits, the race, and its winner on each side.

use std::sync::Arc;

use forney_certify::{Above, Below, Certificate};
use forney_exact::Schedule;

use super::Job;
use super::contest::Terms;
use super::fit::Fit;
use super::lower::Extras;
use crate::BoundError;
use crate::board::Post;
use crate::options::{Activity, Method};
use crate::wmbe::{BestOptions, Candidates, Known, Race, Racer, WeightMap, Wmbe, bytes, climb};

/// The share of the memory for the tables of one side.
pub(super) const MEMORY: f64 = 0.4;

/// What took so long to compile is optimised for at least so many times that, or it proves nothing new.
const WORTH: f64 = 4.0;

/// Candidates that race at one ibound.
const CANDIDATES: usize = 24;

impl<'j> Job<'j, '_> {
    /// Both sides at one ibound.
    pub(super) fn level(
        &self,
        ibound: usize,
        round: u64,
        state: &mut State<'j>,
    ) -> Result<Level, BoundError> {
        let State { extras, incumbents } = state;
        let seed = self
            .options
            .seed
            .wrapping_add(round.wrapping_mul(0x9e37_79b9));
        let fixed = self.options.order.as_ref();
        let began = self.budget.elapsed();
        self.board.say(Activity::MiniBuckets { ibound });
        let memory = MEMORY * self.options.memory;
        let Fit {
            limit,
            first,
            affordable,
            capped,
        } = match self.fit(ibound, self.first_order(), memory) {
            Ok(fit) => fit,
            Err(refused) => {
                // The methods beside mini-buckets may need less.
                extras.begin(self);
                extras.turn(self, ibound, round);
                return Err(refused);
            }
        };
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
        incumbents.make_room(memory - bytes(schedule));
        // On a huge model the orders and schedules themselves are what takes time.
        let compiled_in = self.budget.elapsed() - began;
        let compiling = compiled_in.as_secs_f64();
        extras.begin(self);
        let compiled = match self.budget.remaining() {
            Some(_) => {
                let time = self.slice(0.1).as_secs_f64();
                time * rayon::current_num_threads() as f64 / compiling
            }
            None => f64::INFINITY,
        };
        let leaders = self.leaders(round);
        let own = self.own_iterations::<Above>(leaders);
        let own = own.max(self.own_iterations::<Below>(leaders));
        let of_iterations = match self.options.iterations {
            Some(most) => (own * most as f64 / 32.0) as usize,
            None => CANDIDATES,
        };
        let count = CANDIDATES
            .min(affordable.min(compiled) as usize)
            .min(of_iterations)
            .max(1);
        let candidates = Candidates { fixed, count, seed };
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
        let terms = Terms {
            worth: compiled_in.mul_f64(WORTH),
            limit,
            first,
            seed,
            memory,
            least_gain,
            // Each change of a structure is compiled; where that takes long, further evaluations gain more.
            final_size: (capped || !ascending) && compiled >= 1.0,
            leaders,
        };
        let began = self.budget.elapsed();
        let mut exact = match self.contender_alone() {
            true => false,
            false => self.both(&terms, &candidates, self.open(), incumbents, &mut || {
                extras.turn(self, ibound, round);
            })?,
        };
        if !exact {
            self.contend(&terms, self.budget.elapsed().saturating_sub(began));
        }
        if self.contender_alone() {
            // Where the contender proves nothing, mini-buckets do.
            let (upper, lower) = self.open();
            let idle = (
                upper && !self.contender_holds::<Above>(),
                lower && !self.contender_holds::<Below>(),
            );
            exact = self.both(&terms, &candidates, idle, incumbents, &mut || {})?;
        }
        Ok(match (exact, capped) {
            (true, _) => Level::Exact,
            (false, true) => Level::Capped,
            (false, false) => Level::Done,
        })
    }

    /// Mini-buckets on the sides that are wanted, and then `extras` below; true if nothing had to be split.
    fn both(
        &self,
        terms: &Terms,
        candidates: &Candidates<'_>,
        (upper, lower): (bool, bool),
        incumbents: &mut Incumbents,
        extras: &mut (dyn FnMut() + Send),
    ) -> Result<bool, BoundError> {
        let Incumbents { above, below } = incumbents;
        let (upper, lower) = rayon::join(
            || upper.then(|| self.side(terms, candidates, above)),
            || {
                lower.then(|| {
                    let exact = self.side(terms, candidates, below);
                    if !matches!(exact, Ok(true)) {
                        extras();
                    }
                    exact
                })
            },
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
        candidates: &Candidates<'_>,
        incumbent: &mut Incumbent<S>,
    ) -> Result<bool, BoundError>
    where
        S: WeightMap + Post,
    {
        let iterations = self.options.iterations.map_or(usize::MAX, |most| {
            let left = most.saturating_sub(self.board.counted::<S>());
            (self.own_iterations::<S>(terms.leaders) * left as f64) as usize
        });
        let options = BestOptions {
            limit: terms.limit,
            candidates: *candidates,
            local: terms.final_size,
            memory: terms.memory,
            iterations,
            least_gain: terms.least_gain,
        };
        let share = self.own_share::<S>(terms.leaders);
        let time = self.slice(share).max(terms.worth).min(self.share(share));
        let budget = self.budget.capped(time);
        let known = Known {
            first: Some(&terms.first),
            incumbent: incumbent.take(),
        };
        match climb::<S>(self.graph, &options, known, &budget, self.board) {
            Race::Exact(candidate) => self.eliminate(candidate.schedule, &budget),
            Race::Winner(winner) => {
                *incumbent = Some(winner);
                Ok(false)
            }
            Race::Nobody => Ok(false),
        }
    }
}

/// What goes on from level to level.
#[derive(Default)]
pub(super) struct State<'g> {
    extras: Extras<'g>,
    incumbents: Incumbents,
}

/// The best mini-buckets of a side so far, on which a local search goes on.
type Incumbent<S> = Option<Box<Racer<S>>>;

#[derive(Default)]
struct Incumbents {
    above: Incumbent<Above>,
    below: Incumbent<Below>,
}

impl Incumbents {
    /// Forgets those that larger mini-buckets leave no room for: their bounds are on the board.
    fn make_room(&mut self, spare: f64) {
        self.above.take_if(|racer| racer.bytes > spare);
        self.below.take_if(|racer| racer.bytes > spare);
    }
}

/// What one ibound came to.
pub(super) enum Level {
    Done,
    /// Done, with cliques smaller than the ibound asked for.
    Capped,
    /// Nothing had to be split.
    Exact,
}
