//! Weighted mini-buckets at one ibound: what fits, the race, and its winner on each side.

use std::sync::Arc;

use forney_certify::{Above, Below, Certificate};
use forney_exact::{Order, Schedule};

use super::Job;
use super::contest::Terms;
use super::lower::Extras;
use crate::BoundError;
use crate::board::Post;
use crate::options::{Activity, Method};
use crate::wmbe::{
    BestOptions, Candidates, CliqueLimit, MiniBuckets, RACE_EVALUATIONS, Race, WeightMap, Wmbe,
    bytes, candidate_order, climb,
};

/// Seconds that a forward and a backward pass take for one clique entry, for predictions.
const SECONDS_PER_GRADIENT_ENTRY: f64 = 5e-9;

/// The share of the memory for the tables of one side.
const MEMORY: f64 = 0.4;

/// Candidates that race at one ibound.
const CANDIDATES: usize = 24;

impl<'j> Job<'j, '_> {
    /// Both sides at one ibound.
    pub(super) fn level(
        &self,
        ibound: usize,
        round: u64,
        extras: &mut Extras<'j>,
    ) -> Result<Level, BoundError> {
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
            schedule,
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
        if schedule.is_exact()
            && self.exact_fits(&schedule, 0.5)
            && self.eliminate(Arc::clone(&schedule), self.budget)?
        {
            return Ok(Level::Exact);
        }
        if round == 0 && self.options.method != Method::Contender {
            // A pass without any search, so that something is proved from the beginning.
            rayon::join(
                || self.neutral::<Above>(&schedule),
                || self.neutral::<Below>(&schedule),
            );
        }
        drop(schedule);
        // On a huge model the orders and schedules themselves are what takes time.
        let compiling = (self.budget.elapsed() - began).as_secs_f64();
        extras.begin(self);
        let compiled = match self.budget.remaining() {
            Some(left) => {
                0.1 * left.as_secs_f64() * rayon::current_num_threads() as f64 / compiling
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
            limit,
            seed,
            memory,
            least_gain,
            final_size: capped || !ascending,
            leaders,
        };
        let began = self.budget.elapsed();
        let mut exact = match self.contender_alone() {
            true => false,
            false => self.both(&terms, &candidates, self.open(), &mut || {
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
            exact = self.both(&terms, &candidates, idle, &mut || {})?;
        }
        Ok(match (exact, capped) {
            (true, _) => Level::Exact,
            (false, true) => Level::Capped,
            (false, false) => Level::Done,
        })
    }

    /// The order of the first candidates: the same at every level.
    fn first_order(&self) -> &'j Order {
        self.first_order.get_or_init(|| match &self.options.order {
            Some(order) => order.clone(),
            None => candidate_order(self.graph, 0, self.options.seed),
        })
    }

    /// Mini-buckets on the sides that are wanted, and then `extras` below; true if nothing had to be split.
    fn both(
        &self,
        terms: &Terms,
        candidates: &Candidates<'_>,
        (upper, lower): (bool, bool),
        extras: &mut (dyn FnMut() + Send),
    ) -> Result<bool, BoundError> {
        let (upper, lower) = rayon::join(
            || upper.then(|| self.side::<Above>(terms, candidates)),
            || {
                lower.then(|| {
                    let exact = self.side::<Below>(terms, candidates);
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
        self.share(0.3).as_secs_f64() * threads / race
    }

    /// The largest cliques within the ibound that memory and time allow.
    ///
    /// Where the ibound asks for more, the limit on entries falls until a race of at least one
    /// candidate fits.
    fn fit(&self, ibound: usize, order: &Order, memory: f64) -> Result<Fit, BoundError> {
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
            let schedule =
                Schedule::compile(self.graph, order, &mut MiniBuckets::new(limit, None))?;
            let demand = schedule.demand();
            let exact = schedule.is_exact() && self.exact_fits(&schedule, 0.5);
            let affordable = self.affordable(demand.total_entries);
            let fits = bytes(&schedule) <= memory;
            // At the size of the factors nothing is left to cut: a slow race beats none.
            let smallest = limit.entries <= least;
            if exact || (fits && (affordable >= 1.0 || smallest)) {
                return Ok(Fit {
                    limit,
                    schedule: schedule.into(),
                    affordable,
                    capped,
                });
            }
            if smallest && !fits {
                return Err(BoundError::MiniBucketsTooLarge {
                    // Each side has its share.
                    bytes: bytes(&schedule) / MEMORY,
                    limit: self.options.memory,
                });
            }
            limit.entries = (demand.max_entries / 4.0)
                .min(limit.entries / 2.0)
                .max(least);
            capped = true;
        }
    }

    /// One side at one ibound; true if nothing had to be split.
    fn side<S>(&self, terms: &Terms, candidates: &Candidates<'_>) -> Result<bool, BoundError>
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
        let budget = self
            .budget
            .capped(self.share(self.own_share::<S>(terms.leaders)));
        match climb::<S>(self.graph, &options, &budget, self.board) {
            Race::Exact(candidate) => self.eliminate(candidate.schedule.into(), &budget),
            Race::Winner(_) | Race::Nobody => Ok(false),
        }
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

/// What fits.
struct Fit {
    limit: CliqueLimit,
    /// The first candidate under that limit.
    schedule: Arc<Schedule>,
    /// Candidates that a share of the time affords.
    affordable: f64,
    /// Is the limit smaller than the ibound asked for?
    capped: bool,
}
