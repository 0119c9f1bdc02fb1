//! From a model to a bracket, within time and memory.

use std::time::Duration;

use forney_certify::{Above, Below, Budget, Certificate, Limits, Lower, Refine, Stop, Upper};
use forney_exact::{Effort, Engine, Keep, Order, Schedule, TooLarge, Whole, search};
use forney_model::{FactorGraph, simplify, without_barren};

use crate::BoundError;
use crate::board::{Board, Post, Watch};
use crate::conditioning::Conditioning;
use crate::mean_field::mean_field;
use crate::options::{BoundOptions, BoundReport, Method, Sides};
use crate::wmbe::{
    CliqueLimit, MiniBuckets, Orders, RACE_EVALUATIONS, Race, WeightMap, Wmbe, bytes,
    candidate_order, race,
};

/// Seconds that one multiply-add of elimination takes, for predictions.
const SECONDS_PER_ENTRY: f64 = 1e-9;

/// Seconds that a forward and a backward pass take for one clique entry, for predictions.
const SECONDS_PER_GRADIENT_ENTRY: f64 = 5e-9;

/// Starts of one batch of mean field, and the most sweeps of each.
const MEAN_FIELD_STARTS: usize = 8;
const MEAN_FIELD_SWEEPS: usize = 500;

/// The search for an order before anything is proved.
const QUICK_SEARCH: Duration = Duration::from_millis(20);

/// The first ibound of the ascent, and its step.
const FIRST_IBOUND: usize = 2;
const IBOUND_STEP: usize = 2;

/// Candidates that race at one ibound.
const CANDIDATES: usize = 24;

/// Proves `lower ≤ ln Z ≤ upper` and improves both sides until the bracket closes or a limit ends
/// it.
///
/// Without a fixed ibound it starts small and raises it while time and memory last; where the
/// exact answer fits it is the answer. Every bound that is reported was recomputed from its
/// witness. Interrupting the budget ends it with the best bracket so far.
///
/// # Errors
/// [`BoundError::IboundTooSmall`], [`BoundError::TooLarge`] if exact elimination was demanded and
/// does not fit, and [`BoundError::Crossed`] if two proofs contradict each other, which is a fault
/// of this program.
///
/// # Example
/// ```
/// use forney_bounds::{BoundOptions, bracket};
/// use forney_certify::Budget;
/// use forney_model::generate::ising_grid;
/// use rand::SeedableRng;
/// let model = ising_grid(5, 1.0, 0.1, &mut rand_pcg::Pcg64::seed_from_u64(1));
/// let options = BoundOptions { ibound: Some(3), iterations: Some(100), ..Default::default() };
/// let report = bracket(&model, &options, &Budget::unlimited(), &mut |_| {})?;
/// assert!(report.bracket.gap() < 5.0);
/// # Ok::<(), forney_bounds::BoundError>(())
/// ```
pub fn bracket(
    graph: &FactorGraph,
    options: &BoundOptions,
    budget: &Budget,
    watch: &mut Watch<'_>,
) -> Result<BoundReport, BoundError> {
    let graph = &reduced(graph);
    // The lifetime of the watcher is shortened to this call.
    let mut watch = |progress: &crate::Progress| watch(progress);
    let board = Board::new(budget, &mut watch);
    let job = Job {
        graph,
        options,
        budget,
        board: &board,
    };
    let stop = match options.method {
        Method::Exact => job.exact_or_refuse()?,
        Method::MeanField => job.mean_field_only(),
        Method::Auto | Method::Wmbe => match options.ibound {
            Some(ibound) => job.fixed(ibound)?,
            None => job.ascend()?,
        },
    };
    Ok(board.report(stop)?)
}

/// The model without what does not matter to `Z`: variables that sum out of one factor, factors
/// inside the scope of others.
fn reduced(graph: &FactorGraph) -> FactorGraph {
    // A product beyond the range of a float is no reason to refuse the model as it stands.
    let simple = |graph: FactorGraph| simplify(&graph).unwrap_or(graph);
    match without_barren(graph) {
        Ok((rest, _)) => simple(rest),
        Err(_) => simple(graph.clone()),
    }
}

struct Job<'j, 'w> {
    graph: &'j FactorGraph,
    options: &'j BoundOptions,
    budget: &'j Budget,
    board: &'j Board<'w>,
}

impl Job<'_, '_> {
    /// Elimination along the best order that a share of the time finds.
    fn exact_or_refuse(&self) -> Result<Stop, BoundError> {
        let schedule = self.exact_schedule(self.share(0.3))?;
        schedule
            .demand()
            .admit(schedule.demand().live_bytes, self.options.memory)?;
        let done = self.eliminate(schedule, self.budget)?;
        let stopped = || self.budget.stop().unwrap_or(Stop::Interrupted);
        Ok(if done { Stop::Converged } else { stopped() })
    }

    fn exact_schedule(&self, time: Duration) -> Result<Schedule, TooLarge> {
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
    fn eliminate(&self, schedule: Schedule, budget: &Budget) -> Result<bool, BoundError> {
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
    fn exact_fits(&self, schedule: &Schedule, share: f64) -> bool {
        let demand = schedule.demand();
        let seconds = demand.total_entries * SECONDS_PER_ENTRY;
        let left = self
            .budget
            .remaining()
            .map_or(f64::INFINITY, |left| left.as_secs_f64());
        demand.live_bytes <= self.options.memory && seconds <= share * left
    }

    /// A fraction of the time that is left; a minute of it if there is no end.
    fn share(&self, fraction: f64) -> Duration {
        self.budget
            .remaining()
            .unwrap_or(Duration::from_secs(60))
            .mul_f64(fraction)
    }

    /// One batch of mean-field starts.
    fn mean_field(&self, round: u64, time: Duration) {
        if self.options.sides == Sides::Upper {
            return;
        }
        let limits = Limits {
            sweeps: Some(MEAN_FIELD_SWEEPS),
            tolerance: 1e-6,
        };
        let seed = self.options.seed.wrapping_add(round);
        let budget = self.budget.capped(time);
        let run = mean_field(self.graph, seed, MEAN_FIELD_STARTS, &limits, &budget);
        self.board.count::<Below>(run.trace.len());
        if let Ok(lower) = run.point.verify(self.graph) {
            self.board.post(lower, "mf");
        }
    }

    /// Rounds of cutset conditioning, at least one, until the time is over.
    fn condition(&self, search: &mut Option<Conditioning<'_>>, time: Duration) {
        let budget = self.budget.capped(time);
        let Some(search) = search else { return };
        while !search.is_finished() && self.budget.stop().is_none() {
            let improved = search.round();
            self.board.count::<Below>(1);
            if improved && let Ok(lower) = search.point().verify(self.graph) {
                self.board.post(lower, "conditioning");
            }
            if budget.stop().is_some() || self.ended().is_some() {
                break;
            }
        }
    }

    /// The search for cutsets, where the lower side and every method are wanted.
    fn conditioning(&self) -> Option<Conditioning<'_>> {
        if self.options.sides == Sides::Upper || self.options.method != Method::Auto {
            return None;
        }
        let (seed, memory) = (self.options.seed, 0.4 * self.options.memory);
        let search = Conditioning::new(self.graph, seed, memory, self.budget)
            .ok()
            .flatten()?;
        if let Ok(lower) = search.point().verify(self.graph) {
            self.board.post(lower, "conditioning");
        }
        Some(search)
    }

    /// Mean field alone, with new starts while the budget lasts.
    fn mean_field_only(&self) -> Stop {
        for round in 0.. {
            self.mean_field(round, Duration::MAX);
            if let Some(stop) = self.ended() {
                return stop;
            }
            if self.budget.remaining().is_none() && self.options.iterations.is_none() {
                break;
            }
        }
        Stop::Converged
    }

    /// All the time at one ibound: the race, then its winner, then races with other seeds.
    fn fixed(&self, ibound: usize) -> Result<Stop, BoundError> {
        CliqueLimit::admit(ibound, self.graph)?;
        if self.options.method == Method::Auto {
            self.mean_field(0, self.share(0.1));
        }
        let mut conditioning = self.conditioning();
        for round in 0.. {
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
    fn ascend(&self) -> Result<Stop, BoundError> {
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
                let effort = match round {
                    0 => QUICK_SEARCH,
                    1 => self.share(0.2),
                    _ => self.share(0.05),
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
                self.condition(&mut conditioning, self.share(0.1));
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

    fn ended(&self) -> Option<Stop> {
        if self.board.gap() <= self.options.gap {
            return Some(Stop::Converged);
        }
        let (upper, lower) = self.open();
        self.budget
            .stop()
            .or((!upper && !lower).then_some(Stop::SweepLimit))
    }

    /// Which sides are wanted and have iterations left: (upper, lower).
    fn open(&self) -> (bool, bool) {
        let sides = self.options.sides;
        let left = |counted: usize| self.options.iterations.is_none_or(|most| counted < most);
        let upper = sides != Sides::Lower
            && self.options.method != Method::MeanField
            && left(self.board.counted::<Above>());
        let lower = sides != Sides::Upper && left(self.board.counted::<Below>());
        (upper, lower)
    }

    /// Both sides at one ibound.
    fn level(&self, ibound: usize, round: u64) -> Result<Level, BoundError> {
        let seed = self
            .options
            .seed
            .wrapping_add(round.wrapping_mul(0x9e37_79b9));
        let fixed = self.options.order.as_ref();
        let first = fixed
            .cloned()
            .unwrap_or_else(|| candidate_order(self.graph, 0, seed));
        let memory = 0.4 * self.options.memory;
        let Fit {
            limit,
            schedule,
            affordable,
            capped,
        } = self.fit(ibound, &first, memory)?;
        if schedule.is_exact()
            && self.exact_fits(&schedule, 0.5)
            && self.eliminate(schedule, self.budget)?
        {
            return Ok(Level::Exact);
        }
        let of_iterations = self.options.iterations.map_or(CANDIDATES, |most| most / 32);
        let count = CANDIDATES
            .min(affordable as usize)
            .min(of_iterations)
            .max(1);
        let orders = Orders { fixed, count, seed };
        let (upper, lower) = self.open();
        let (upper, lower) = rayon::join(
            || upper.then(|| self.side::<Above>(limit, &orders, memory)),
            || lower.then(|| self.side::<Below>(limit, &orders, memory)),
        );
        let mut level = if capped { Level::Capped } else { Level::Done };
        for side in [upper, lower].into_iter().flatten() {
            if let Level::Exact = side? {
                level = Level::Exact;
            }
        }
        Ok(level)
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
        let factors = self.graph.factors().iter().map(|factor| factor.ln().len());
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
                    schedule,
                    affordable,
                    capped,
                });
            }
            if smallest {
                demand.admit(bytes(&schedule), memory)?;
            }
            limit.entries = (demand.max_entries / 4.0)
                .min(limit.entries / 2.0)
                .max(least);
            capped = true;
        }
    }

    /// One side at one ibound: the race, then its winner until it gains almost nothing.
    fn side<S>(
        &self,
        limit: CliqueLimit,
        orders: &Orders<'_>,
        memory: f64,
    ) -> Result<Level, BoundError>
    where
        S: WeightMap + Post,
        Wmbe<S>: Certificate<FactorGraph, Side = S>,
    {
        let budget = self.budget.capped(self.share(0.5));
        let mut winner = match race::<S>(self.graph, limit, orders, memory, &budget, self.board) {
            Race::Exact(schedule) => {
                let done = self.eliminate(*schedule, &budget)?;
                return Ok(if done { Level::Exact } else { Level::Done });
            }
            Race::Nobody => return Ok(Level::Done),
            Race::Winner(winner) => winner,
        };
        winner.prove(self.graph, self.board);
        // A higher ibound halves the gap for about a hundred times this gain.
        let gap = self.board.gap();
        let ascending = self.options.ibound.is_none();
        let least_gain = if ascending && gap.is_finite() {
            2e-4 * gap
        } else {
            1e-6
        };
        let most = self.options.iterations.unwrap_or(usize::MAX);
        let left = most.saturating_sub(self.board.counted::<S>());
        winner.finish(self.graph, left, least_gain, &budget, self.board);
        Ok(Level::Done)
    }
}

/// What one ibound came to.
enum Level {
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
    schedule: Schedule,
    /// Candidates that a share of the time affords.
    affordable: f64,
    /// Is the limit smaller than the ibound asked for?
    capped: bool,
}
