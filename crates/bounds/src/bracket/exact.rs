//! The exact answer: by name, at once where it is quick, and the search for an order that makes it
//! affordable.

use std::sync::{Arc, PoisonError};
use std::time::Duration;

use forney_certify::{Budget, Lower, Stop, Upper};
use forney_exact::{Effort, Keep, Order, Schedule, TooLarge, Whole, ln_z_along, search};

use super::Job;
use crate::BoundError;
use crate::options::Activity;

/// Seconds that one multiply-add of elimination takes, for predictions.
const SECONDS_PER_ENTRY: f64 = 1e-9;

/// The first search for an order, before anything is proved, and its share of the time that is left.
const FIRST_SEARCH: Duration = Duration::from_millis(100);
const FIRST_SHARE: f64 = 0.02;

/// The second search, and its share; each later one takes twice as long.
const SECOND_SEARCH: Duration = Duration::from_secs(1);
const SECOND_SHARE: f64 = 0.1;

/// An elimination that is predicted to take no longer than this, and this share of the time that is
/// left, comes before all bounds.
const QUICK: Duration = Duration::from_millis(500);
const QUICK_SHARE: f64 = 0.1;

/// Beside bounds an elimination may take this share of the memory: they take the rest.
const BESIDE: f64 = 0.2;

/// After the second search an elimination that is predicted to take less than this share of the time
/// that is left is not put off for a better order.
const SOON: f64 = 0.25;

/// An elimination for which the bounds have to stop may be predicted to take this share of the time
/// that is left.
const EXCLUSIVE: f64 = 0.5;

/// The only search where nothing but the exact answer is wanted: its share of the time that is left.
const ONLY_SHARE: f64 = 0.3;

/// A longer search seldom saves more than this factor, so what is further out of reach is given up ...
const REACH: f64 = 64.0;
/// ... after the quick search, which is seldom off by this factor ...
const FAR: f64 = REACH * REACH * REACH;
/// ... and so is what is not within reach after this share of the time.
const SEARCHING: f64 = 0.25;

/// Seconds that nobody waits for an elimination.
const HOPELESS: f64 = 1e6;

/// A minute stands in for time without an end where a share of it is asked for.
const MINUTE: f64 = 60.0;

/// An order for elimination, and the search for a better one.
pub(super) struct Attempt {
    /// The cheapest order that is not out of reach, compiled.
    best: Option<Schedule>,
    /// The entries of all cliques of the cheapest order.
    least: Option<f64>,
    /// Why that one is not compiled, if its cliques are too large to count.
    refused: Option<TooLarge>,
    /// An order that is predicted to take more than so many times the time that is left is out of
    /// reach.
    reach: f64,
    /// How many searches there were, the time they took, and what the next one may take.
    searches: usize,
    spent: Duration,
    next: Duration,
    seed: u64,
    /// Does a longer search not pay?
    settled: bool,
}

/// What to do about the exact answer now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Eliminate; tables of bounds fit beside it.
    Beside,
    /// Eliminate, once the bounds have let go of their tables and threads.
    Alone,
    /// Search on.
    Search,
    /// It is out of reach.
    GiveUp,
}

impl Attempt {
    /// The quick search, or the caller's order.
    pub(super) fn new(job: &Job<'_, '_>) -> Self {
        Self::begin(job, FIRST_SEARCH.min(job.share(FIRST_SHARE)), REACH)
    }

    /// The only search, or the caller's order, where nothing is out of reach.
    fn only(job: &Job<'_, '_>) -> Self {
        Self::begin(job, job.share(ONLY_SHARE), f64::INFINITY)
    }

    fn begin(job: &Job<'_, '_>, first: Duration, reach: f64) -> Self {
        let mut attempt = Self {
            best: None,
            least: None,
            refused: None,
            reach,
            searches: 0,
            spent: Duration::ZERO,
            next: first,
            seed: job.options.seed,
            settled: job.options.order.is_some(),
        };
        match &job.options.order {
            Some(order) => attempt.consider(job, order),
            None => attempt.search(job),
        }
        attempt
    }

    /// One search, longer than the last one.
    pub(super) fn search(&mut self, job: &Job<'_, '_>) {
        let began = job.budget.elapsed();
        let budget = job.budget.capped(self.next);
        let effort = Effort {
            budget: budget.clone(),
            rounds: None,
            memory: (self.is_too_large(job)).then_some((Keep::Live, job.options.memory)),
        };
        let order = search(job.graph, self.seed, &effort);
        // A search that the clock did not end is one that no longer pays.
        self.settled = budget.stop().is_none();
        self.consider(job, &order);
        self.spent += job.budget.elapsed() - began;
        self.searches += 1;
        self.next = match self.searches {
            1 => SECOND_SEARCH.min(job.share(SECOND_SHARE)),
            _ => 2 * self.next,
        };
        self.seed = self.seed.wrapping_add(0x9e37_79b9);
    }

    /// Does the best order so far not fit in memory? Then the next one is searched within the limit; not
    /// before, as such a search goes by an estimate.
    fn is_too_large(&self, job: &Job<'_, '_>) -> bool {
        let best = self.best.as_ref();
        best.is_some_and(|best| best.demand().once_bytes > job.options.memory)
    }

    /// Keeps the order if it is the cheapest so far, or if it fits in memory and that one does not. An
    /// earlier one stays until this one is compiled: it is still an answer where the clock or the size of
    /// a clique ends that.
    fn consider(&mut self, job: &Job<'_, '_>, order: &Order) {
        let entries = order.cost(job.graph).total_entries;
        let dearer = self.least.is_some_and(|least| entries >= least);
        if dearer && !self.is_too_large(job) {
            return;
        }
        if !dearer {
            self.least = Some(entries);
            self.refused = None;
        }
        let left = job
            .budget
            .remaining()
            .map_or(f64::INFINITY, |left| left.as_secs_f64());
        // What is out of reach is not worth compiling, which may take long for a large model.
        if entries * SECONDS_PER_ENTRY <= self.reach * left.min(HOPELESS) {
            match Schedule::compile_within(job.graph, order, &mut Whole, job.budget) {
                Ok(Some(schedule)) => {
                    let fits = schedule.demand().once_bytes <= job.options.memory;
                    if !dearer || fits {
                        self.best = Some(schedule);
                    }
                }
                Ok(None) => {}
                // No answer, but a failure only where no other is wanted.
                Err(too_large) if !dearer => self.refused = Some(too_large),
                Err(_) => {}
            }
        }
    }

    /// What to do with the order found so far.
    pub(super) fn verdict(&self, job: &Job<'_, '_>) -> Verdict {
        let Some(demand) = self.best.as_ref().map(Schedule::demand) else {
            let left = job.budget.remaining();
            let left = left.map_or(HOPELESS, |left| left.as_secs_f64());
            let predicted = self.least.unwrap_or(f64::INFINITY) * SECONDS_PER_ENTRY;
            return self.search_on(job, predicted / left);
        };
        let left = job.budget.remaining().map(|left| left.as_secs_f64());
        let predicted = demand.total_entries * SECONDS_PER_ENTRY;
        let memory = demand.once_bytes / job.options.memory;
        let soon = predicted <= SOON * left.unwrap_or(MINUTE);
        // A search that has taken as long as elimination has taken long enough.
        let ready =
            self.settled || soon && self.searches > 1 || predicted <= self.spent.as_secs_f64();
        if memory <= 1.0 && ready {
            // What takes little of the time is done on all threads. Predictions are good to a factor of
            // a few, and without an end of time all is in time.
            let within = |share: f64| left.is_none_or(|left| predicted <= share * left);
            if !soon && memory <= BESIDE && within(1.0) {
                return Verdict::Beside;
            }
            if within(EXCLUSIVE) {
                return Verdict::Alone;
            }
        }
        let missing = left.map_or(0.0, |left| predicted / left).max(memory);
        self.search_on(job, missing)
    }

    /// Is a better order worth a longer search, where this factor is missing?
    fn search_on(&self, job: &Job<'_, '_>, missing: f64) -> Verdict {
        let spent = self.spent.as_secs_f64();
        let left = job
            .budget
            .remaining()
            .map_or(MINUTE, |left| left.as_secs_f64());
        // The quick search has seen too little to tell what is just out of reach, but it can tell a grid of
        // a hundred rows.
        let reach = if self.searches > 1 { REACH } else { FAR };
        let hopeless = missing > reach;
        let over = spent > SEARCHING * (spent + left);
        if self.settled || hopeless || over {
            Verdict::GiveUp
        } else {
            Verdict::Search
        }
    }

    /// Is the exact answer so near that nothing should come before it?
    pub(super) fn is_quick(&self, job: &Job<'_, '_>) -> bool {
        let quick = QUICK.min(job.share(QUICK_SHARE)).as_secs_f64();
        self.best.as_ref().is_some_and(|best| {
            let demand = best.demand();
            demand.once_bytes <= job.options.memory
                && demand.total_entries * SECONDS_PER_ENTRY <= quick
        })
    }

    /// Eliminates along the order found; true if that was done within the budget.
    pub(super) fn eliminate(&mut self, job: &Job<'_, '_>) -> Result<bool, BoundError> {
        match self.best.take() {
            Some(schedule) => job.eliminate(schedule.into(), job.budget),
            None => Ok(false),
        }
    }
}

impl Job<'_, '_> {
    /// Elimination along the best order that a share of the time finds.
    pub(super) fn exact_or_refuse(&self) -> Result<Stop, BoundError> {
        let mut attempt = Attempt::only(self);
        if let Some(too_large) = attempt.refused {
            return Err(too_large.into());
        }
        if let Some(demand) = attempt.best.as_ref().map(Schedule::demand) {
            demand.admit(demand.once_bytes, self.options.memory)?;
        }
        let done = attempt.eliminate(self)?;
        let stopped = || self.budget.stop().unwrap_or(Stop::Interrupted);
        Ok(if done { Stop::Converged } else { stopped() })
    }

    /// Eliminates exactly; false if the budget ended it before it was done.
    pub(super) fn eliminate(
        &self,
        schedule: Arc<Schedule>,
        budget: &Budget,
    ) -> Result<bool, BoundError> {
        let _only_one = self
            .eliminating
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if self.board.is_exact() {
            return Ok(true);
        }
        let demand = schedule.demand();
        self.board.say(Activity::Eliminating {
            width: demand.width,
        });
        self.board.note_bytes(demand.once_bytes);
        let Some(ln_z) = ln_z_along(&schedule, self.graph, budget) else {
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
        demand.once_bytes <= self.options.memory && seconds <= share * left
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Mutex, OnceLock};

    use forney_exact::{Heuristic, greedy};
    use forney_model::FactorGraph;
    use forney_model::generate::ising_grid;
    use rand::SeedableRng;

    use super::*;
    use crate::board::Board;
    use crate::bracket::contest::Entrant;
    use crate::options::{BoundOptions, Method};

    /// What a job with this budget gives.
    fn with_job<T>(
        graph: &FactorGraph,
        options: &BoundOptions,
        budget: &Budget,
        work: impl FnOnce(&Job<'_, '_>) -> T,
    ) -> T {
        let mut watch = |_: &crate::Progress| {};
        let board = Board::new(budget, &mut watch);
        work(&Job {
            graph,
            options,
            budget,
            board: &board,
            contender: Entrant::of(None, options.method, graph),
            first_order: &OnceLock::new(),
            eliminating: &Mutex::new(()),
            turn: 1.0,
        })
    }

    fn grid() -> FactorGraph {
        ising_grid(6, 1.0, 0.1, &mut rand_pcg::Pcg64::seed_from_u64(1))
    }

    #[test]
    fn an_order_stays_until_a_cheaper_one_is_compiled() {
        let graph = grid();
        let cheap = greedy(&graph, Heuristic::MinFill, None);
        let dear: Vec<_> = graph.variables().step_by(2).collect();
        let rest = graph.variables().skip(1).step_by(2);
        let dear = Order::new(dear.into_iter().chain(rest).collect(), &graph).unwrap();
        let [few, many] = [&cheap, &dear].map(|order| order.cost(&graph).total_entries);
        assert!(few < many);

        let options = BoundOptions {
            order: Some(dear),
            ..BoundOptions::default()
        };
        let unlimited = Budget::unlimited();
        let mut attempt = with_job(&graph, &options, &unlimited, Attempt::only);
        let entries = |attempt: &Attempt| {
            let best = attempt.best.as_ref();
            best.map(|schedule| schedule.demand().total_entries)
        };
        let before = entries(&attempt);
        assert!(before.is_some());
        let over = unlimited.capped(Duration::ZERO);
        with_job(&graph, &options, &over, |job| attempt.consider(job, &cheap));
        assert_eq!(entries(&attempt), before);
        attempt.least = None;
        with_job(&graph, &options, &unlimited, |job| {
            attempt.consider(job, &cheap);
        });
        assert!(entries(&attempt) < before);
    }

    #[test]
    fn the_exact_answer_alone_ends_with_the_budget() {
        let graph = grid();
        let options = BoundOptions {
            method: Method::Exact,
            ..BoundOptions::default()
        };
        let over = Budget::unlimited().capped(Duration::ZERO);
        let stop = with_job(&graph, &options, &over, |job| job.exact_or_refuse());
        assert!(matches!(stop, Ok(Stop::TimeLimit)));
        let unlimited = Budget::unlimited();
        let stop = with_job(&graph, &options, &unlimited, |job| job.exact_or_refuse());
        assert!(matches!(stop, Ok(Stop::Converged)));
    }
}
