//! `exact`: elimination, and the search for an order that makes it affordable.

use std::time::Duration;

use forney_bounds::{Activity, BoundError, ELIMINATION};
use forney_certify::Stop;
use forney_exact::{Effort, Keep, Order, Pace, Schedule, TooLarge, Whole, search};
use forney_model::FactorGraph;

use crate::job::MINUTE;
use crate::{ExactOn, Gives, Inapplicable, Job, Method, Predicted, Slice, Turn, Work};

/// The first search for an order, before anything is proved, and its share of the time that is left.
const FIRST_SEARCH: Duration = Duration::from_millis(100);
const FIRST_SHARE: f64 = 0.02;

/// The second search, and its share; each later one takes twice as long.
const SECOND_SEARCH: Duration = Duration::from_secs(1);
const SECOND_SHARE: f64 = 0.1;

/// Beside bounds an elimination may take this share of the memory: they take the rest.
pub(crate) const BESIDE: f64 = 0.2;

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

/// Rounds of the searches beside bounds that have no end of time.
const UNTIMED_ROUNDS: [usize; 2] = [2, 6];

/// Seconds that nobody waits for an elimination.
const HOPELESS: f64 = 1e6;

/// Exact elimination, [`ln_z_along`](forney_exact::ln_z_along) the best order that is found in time.
pub(crate) struct Elimination;

impl Method for Elimination {
    fn name(&self) -> &'static str {
        ELIMINATION
    }

    fn gives(&self) -> &'static [Gives] {
        &[Gives::Both]
    }

    fn exact_on(&self) -> Option<ExactOn> {
        Some(ExactOn::All)
    }

    fn takes_part(&self, _: &FactorGraph) -> bool {
        true
    }

    fn is_compared(&self) -> bool {
        false
    }

    fn simplifies(&self) -> bool {
        true
    }

    fn begin<'j>(&self, job: &'j Job<'_>, _: Gives) -> Result<Box<dyn Work + 'j>, Inapplicable> {
        Ok(Box::new(Attempt::new(job)))
    }
}

/// An order for elimination, and the search for a better one.
struct Attempt<'j> {
    job: &'j Job<'j>,
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
    /// What the second search may take; each later one takes twice as long.
    second: Duration,
    seed: u64,
    /// Does a longer search not pay?
    settled: bool,
    /// Has it asked for all of the memory and the threads?
    waiting: bool,
}

/// What to do about the exact answer now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    /// Eliminate; tables of bounds fit beside it.
    Beside,
    /// Eliminate, once the bounds have let go of their tables and threads.
    Alone,
    /// Search on.
    Search,
    /// It is out of reach.
    GiveUp,
}

impl<'j> Attempt<'j> {
    fn new(job: &'j Job<'_>) -> Self {
        Self {
            job,
            best: None,
            least: None,
            refused: None,
            // Where nothing else is wanted nothing is out of reach.
            reach: if job.alone { f64::INFINITY } else { REACH },
            searches: 0,
            spent: Duration::ZERO,
            second: Duration::ZERO,
            seed: job.options.seed,
            settled: job.options.order.is_some(),
            waiting: false,
        }
    }

    /// What the next search may take.
    fn next(&self, slice: &Slice<'_, '_>) -> Duration {
        match self.searches {
            _ if self.job.alone => slice.left(ONLY_SHARE),
            0 => FIRST_SEARCH.min(slice.left(FIRST_SHARE)),
            1 => SECOND_SEARCH.min(slice.left(SECOND_SHARE)),
            searches => self.second * 2u32.saturating_pow(searches as u32 - 1),
        }
    }

    /// The caller's order, or a search that is longer than the last one.
    fn search(&mut self, slice: &Slice<'_, '_>) {
        let job = self.job;
        slice.board.say(Activity::Ordering);
        if let Some(order) = &job.options.order {
            self.consider(order, slice);
            self.searches += 1;
            return;
        }
        let began = slice.whole.elapsed();
        let time = self.next(slice);
        if self.searches == 1 {
            self.second = time;
        }
        let (budget, rounds) = match slice.is_timed() || job.alone {
            true => (slice.whole.capped(time), None),
            false => (slice.whole.clone(), UNTIMED_ROUNDS.get(self.searches)),
        };
        let effort = Effort {
            budget: budget.clone(),
            rounds: rounds.copied(),
            memory: (self.is_too_large()).then_some((Keep::Live, job.options.memory)),
        };
        let order = search(job.graph, self.seed, &effort);
        // A search that the clock did not end is one that no longer pays.
        self.settled = match rounds {
            None => budget.stop().is_none(),
            Some(_) => self.searches + 1 >= UNTIMED_ROUNDS.len(),
        };
        self.consider(&order, slice);
        // Where time has no end nothing may depend on what it took.
        if slice.is_timed() {
            self.spent += slice.whole.elapsed() - began;
        }
        self.searches += 1;
        self.seed = self.seed.wrapping_add(0x9e37_79b9);
    }

    /// Does the best order so far not fit in memory? Then the next one is searched within the limit; not
    /// before, as such a search goes by an estimate.
    fn is_too_large(&self) -> bool {
        let best = self.best.as_ref();
        best.is_some_and(|best| best.demand().once_bytes > self.job.options.memory)
    }

    /// Keeps the order if it is the cheapest so far, or if it fits in memory and that one does not. An
    /// earlier one stays until this one is compiled: it is still an answer where the clock or the size of
    /// a clique ends that.
    fn consider(&mut self, order: &Order, slice: &Slice<'_, '_>) {
        let job = self.job;
        let entries = order.cost(job.graph).total_entries;
        let dearer = self.least.is_some_and(|least| entries >= least);
        if dearer && !self.is_too_large() {
            return;
        }
        if !dearer {
            self.least = Some(entries);
            self.refused = None;
        }
        let left = slice.whole.remaining();
        let left = left.map_or(f64::INFINITY, |left| left.as_secs_f64());
        // What is out of reach is not worth compiling, which may take long for a large model.
        if Pace::of(slice.whole).seconds(entries) <= self.reach * left.min(HOPELESS) {
            match Schedule::compile_within(job.graph, order, &mut Whole, slice.whole) {
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
    fn verdict(&self, slice: &Slice<'_, '_>) -> Verdict {
        let (job, pace) = (self.job, Pace::of(slice.whole));
        let Some(demand) = self.best.as_ref().map(Schedule::demand) else {
            let left = slice.whole.remaining();
            let left = left.map_or(HOPELESS, |left| left.as_secs_f64());
            let predicted = pace.seconds(self.least.unwrap_or(f64::INFINITY));
            return self.search_on(slice, predicted / left);
        };
        let left = slice.whole.remaining().map(|left| left.as_secs_f64());
        let predicted = pace.seconds(demand.total_entries);
        let memory = demand.once_bytes / job.options.memory;
        let soon = predicted <= SOON * left.unwrap_or(MINUTE.as_secs_f64());
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
        self.search_on(slice, missing)
    }

    /// Is a better order worth a longer search, where this factor is missing?
    fn search_on(&self, slice: &Slice<'_, '_>, missing: f64) -> Verdict {
        let spent = self.spent.as_secs_f64();
        let left = slice.whole.remaining();
        let left = left.unwrap_or(MINUTE).as_secs_f64();
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

    /// Eliminates along the order found; true if that was done within the budget.
    fn eliminate(&mut self, slice: &Slice<'_, '_>) -> Result<bool, BoundError> {
        match self.best.take() {
            Some(schedule) => self.job.eliminate(&schedule, slice.board, slice.whole),
            None => Ok(false),
        }
    }

    /// Elimination where nothing else is wanted, along the order of the only search.
    fn only(&mut self, slice: &Slice<'_, '_>) -> Result<Stop, BoundError> {
        if let Some(too_large) = self.refused {
            return Err(too_large.into());
        }
        if let Some(demand) = self.best.as_ref().map(Schedule::demand) {
            demand.admit(demand.once_bytes, self.job.options.memory)?;
        }
        let done = self.eliminate(slice)?;
        let stopped = || slice.whole.stop().unwrap_or(Stop::Interrupted);
        Ok(if done { Stop::Converged } else { stopped() })
    }
}

impl Work for Attempt<'_> {
    fn go_on(&mut self, slice: &Slice<'_, '_>) -> Result<Turn, Inapplicable> {
        if self.searches == 0 {
            self.search(slice);
            if !self.job.alone {
                return Ok(Turn::Open);
            }
        }
        if self.job.alone {
            return Ok(Turn::Over(self.only(slice)?));
        }
        let verdict = match self.verdict(slice) {
            Verdict::Alone if slice.exclusive => Verdict::Beside,
            // Others have ended for it.
            _ if self.waiting && slice.exclusive => Verdict::Beside,
            verdict => verdict,
        };
        Ok(match verdict {
            Verdict::Search => {
                self.search(slice);
                Turn::Open
            }
            Verdict::Alone => {
                self.waiting = true;
                Turn::Waiting
            }
            Verdict::Beside if self.eliminate(slice)? => Turn::Over(Stop::Converged),
            Verdict::Beside | Verdict::GiveUp => Turn::Over(Stop::MemoryLimit),
        })
    }

    fn predicted(&self) -> Option<Predicted> {
        let demand = self.best.as_ref()?.demand();
        Some(Predicted {
            entries: demand.total_entries,
            bytes: demand.once_bytes,
        })
    }
}

#[cfg(test)]
mod tests {
    use forney_bounds::Board;
    use forney_certify::Budget;
    use forney_exact::{Heuristic, greedy};
    use forney_model::FactorGraph;
    use forney_model::generate::ising_grid;
    use rand::SeedableRng;

    use super::*;
    use crate::Options;

    /// What an attempt makes of a slice with this budget.
    fn within<T>(budget: &Budget, options: &Options, work: impl FnOnce(&Slice<'_, '_>) -> T) -> T {
        let mut watch = |_: &forney_bounds::Progress| {};
        work(&Slice::all(
            &Board::new(budget, &mut watch),
            options,
            budget,
        ))
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

        let options = Options {
            order: Some(dear),
            ..Options::default()
        };
        let job = Job::alone(&graph, &options);
        let mut attempt = Attempt::new(&job);
        let unlimited = Budget::unlimited();
        within(&unlimited, &options, |slice| attempt.search(slice));
        let entries = |attempt: &Attempt<'_>| {
            let best = attempt.best.as_ref();
            best.map(|schedule| schedule.demand().total_entries)
        };
        let before = entries(&attempt);
        assert!(before.is_some());
        let over = unlimited.capped(Duration::ZERO);
        within(&over, &options, |slice| attempt.consider(&cheap, slice));
        assert_eq!(entries(&attempt), before);
        attempt.least = None;
        within(&unlimited, &options, |slice| {
            attempt.consider(&cheap, slice)
        });
        assert!(entries(&attempt) < before);
    }

    #[test]
    fn the_exact_answer_alone_ends_with_the_budget() {
        let (graph, options) = (grid(), Options::default());
        let run = |budget: &Budget| {
            let found = Elimination.run(&graph, Gives::Both, &options, budget, &mut |_| {});
            found.map(|found| found.stop)
        };
        let over = Budget::unlimited().capped(Duration::ZERO);
        assert_eq!(run(&over), Ok(Stop::TimeLimit));
        assert_eq!(run(&Budget::unlimited()), Ok(Stop::Converged));
    }
}
