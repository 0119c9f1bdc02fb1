//! What a method is asked for, and what one slice of its run may take.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use forney_bounds::wmbe::candidate_order;
use forney_bounds::{Activity, Board, BoundError, ELIMINATION, MeanField};
use forney_certify::{Budget, DoubleDouble, Lower, Upper};
use forney_exact::{Order, Pace, Schedule, ln_z_along};
use forney_model::{Domains, FactorGraph, Table, simplify_sum};

/// The share of the memory for the tables of one side; the rest is for what goes on beside both.
const MEMORY: f64 = 0.4;

/// No step takes more than this share of the time that is left.
pub(crate) const LAST: f64 = 0.9;

/// Slices are those of at least so much time.
const FIRST_SLICES: Duration = Duration::from_millis(50);

/// A minute stands in for time without an end where a share of it is asked for.
pub(crate) const MINUTE: Duration = Duration::from_secs(60);

/// Sweeps if neither iterations nor time are limited.
const UNLIMITED_SWEEPS: usize = 1000;

/// What a method works with.
///
/// Where iterations are limited and one method is at work, the clock may end it and decides nothing else: the same
/// options give the same numbers.
#[derive(Clone, Debug)]
pub struct Options {
    /// Cliques hold at most this many variables plus one; `None` raises it while it pays.
    pub ibound: Option<usize>,
    /// Bytes that tables may take.
    pub memory: f64,
    /// Converged once upper − lower is at most this many nats.
    pub gap: f64,
    /// At most so many iterations on each side, whatever one is for the method; `None` for no limit.
    pub iterations: Option<usize>,
    /// Seed of every random choice.
    pub seed: u64,
    /// A fixed elimination order; `None` lets the method choose.
    pub order: Option<Order>,
}

impl Default for Options {
    /// 4 GiB, a gap of 10⁻⁶ nats, seed 0, no other limit.
    fn default() -> Self {
        Self {
            ibound: None,
            memory: 4.0 * 1024f64.powi(3),
            gap: 1e-6,
            iterations: None,
            seed: 0,
            order: None,
        }
    }
}

impl Options {
    /// The budget of one method alone: counted runs do not see when time ends.
    pub(crate) fn untold(&self, budget: &Budget) -> Budget {
        match self.iterations {
            Some(_) => budget.untold(),
            None => budget.clone(),
        }
    }
}

/// The model without the states that hard zeros forbid. Where nothing is allowed, methods find that out for
/// themselves.
pub(crate) fn pruned(graph: &FactorGraph) -> FactorGraph {
    let mut domains = Domains::full(graph);
    match domains.prune(graph) {
        Ok(_) => domains.restrict(graph).graph().clone(),
        Err(_) => graph.clone(),
    }
}

/// The model after sums that need no search.
pub(crate) fn simplified(graph: &FactorGraph) -> FactorGraph {
    // A product beyond the range of a float is no reason to refuse the model as it stands.
    simplify_sum(graph).unwrap_or_else(|_| graph.clone())
}

/// A model with what is asked of it, and what its methods learn for each other.
pub struct Job<'g> {
    /// The model.
    pub graph: &'g FactorGraph,
    /// The limits.
    pub options: &'g Options,
    /// Is it the only method?
    pub alone: bool,
    /// Bytes for the tables of one side.
    pub memory: f64,
    /// The entries of all tables.
    pub entries: f64,
    product: Mutex<Option<(f64, MeanField)>>,
    first_order: OnceLock<Order>,
    /// Held by whoever eliminates exactly: once is enough.
    eliminating: Mutex<()>,
}

impl<'g> Job<'g> {
    /// For one method on one side.
    #[must_use]
    pub fn alone(graph: &'g FactorGraph, options: &'g Options) -> Self {
        Self {
            alone: true,
            memory: options.memory,
            ..Self::shared(graph, options)
        }
    }

    /// For many methods, on both sides.
    #[must_use]
    pub fn shared(graph: &'g FactorGraph, options: &'g Options) -> Self {
        let entries = graph.factors().iter().map(Table::num_entries);
        Self {
            graph,
            options,
            alone: false,
            memory: MEMORY * options.memory,
            entries: entries.sum::<usize>() as f64,
            product: Mutex::default(),
            first_order: OnceLock::new(),
            eliminating: Mutex::default(),
        }
    }

    /// `Σ_v ln |X_v|`: the logarithm of the number of assignments.
    #[must_use]
    pub fn ln_states(&self) -> DoubleDouble {
        let mut counts: BTreeMap<usize, usize> = BTreeMap::new();
        for &card in self.graph.cards() {
            *counts.entry(card).or_default() += 1;
        }
        let each = counts.into_iter();
        each.map(|(card, count)| DoubleDouble::ln(card as f64) * count as f64)
            .sum()
    }

    /// The order of the first candidates: the same at every level.
    pub(crate) fn first_order(&self) -> &Order {
        self.first_order.get_or_init(|| match &self.options.order {
            Some(order) => order.clone(),
            None => candidate_order(self.graph, 0, self.options.seed),
        })
    }

    /// The best product distribution that is proved so far, and its bound in nats.
    pub(crate) fn product(&self) -> MutexGuard<'_, Option<(f64, MeanField)>> {
        self.product.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Eliminates exactly; false if the budget ended it before it was done.
    pub(crate) fn eliminate(
        &self,
        schedule: &Schedule,
        board: &Board<'_>,
        budget: &Budget,
    ) -> Result<bool, BoundError> {
        let only_one = self.eliminating.lock();
        let _only_one = only_one.unwrap_or_else(PoisonError::into_inner);
        if board.progress().exact {
            return Ok(true);
        }
        let demand = schedule.demand();
        let width = demand.width;
        board.say(Activity::Eliminating { width });
        board.note_bytes(demand.once_bytes);
        let Some(ln_z) = ln_z_along(schedule, self.graph, budget) else {
            return Ok(false);
        };
        board.post_exact(Lower::new(ln_z)?, Upper::new(ln_z)?, width, ELIMINATION);
        Ok(true)
    }

    /// Is the exact answer within the memory of one side and, by its predicted cost, within this share of the time?
    pub(crate) fn exact_fits(&self, schedule: &Schedule, share: f64, budget: &Budget) -> bool {
        let demand = schedule.demand();
        let seconds = Pace::of(budget).seconds(demand.total_entries);
        let left = budget.remaining();
        let left = left.map_or(f64::INFINITY, |left| left.as_secs_f64());
        demand.once_bytes <= self.memory && seconds <= share * left
    }
}

/// What one slice of a run may take, and where it enters what it proves.
pub struct Slice<'s, 'w> {
    /// Where bounds are entered.
    pub board: &'s Board<'w>,
    /// Time and interruption of all.
    pub whole: &'s Budget,
    /// Its share of the time, see [`part`](Self::part).
    pub share: f64,
    /// Is the share one of the time that is left, and not of the time that has passed?
    pub of_left: bool,
    /// The share of each side where sides take turns on one thread.
    pub turn: f64,
    /// At most so many iterations.
    pub iterations: Option<usize>,
    /// Upper − lower before the slice, in nats.
    pub gap: f64,
    /// Are other methods at work on the same side?
    pub shared: bool,
    /// Does it have all of the memory and the threads?
    pub exclusive: bool,
}

impl<'s, 'w> Slice<'s, 'w> {
    /// All that a budget has, for one method.
    #[must_use]
    pub fn all(board: &'s Board<'w>, options: &Options, whole: &'s Budget) -> Self {
        Self {
            board,
            whole,
            share: LAST,
            of_left: true,
            turn: 1.0,
            iterations: options.iterations,
            gap: f64::INFINITY,
            shared: false,
            exclusive: true,
        }
    }

    /// Does time decide what is done? Nothing may depend on how fast the machine is where it does not.
    #[must_use]
    pub fn is_timed(&self) -> bool {
        self.whole.remaining().is_some()
    }

    /// A fraction of the time that is left; of a minute if there is no end.
    #[must_use]
    pub fn left(&self, fraction: f64) -> Duration {
        let left = self.whole.remaining().unwrap_or(MINUTE);
        left.mul_f64(fraction * self.turn)
    }

    /// A fraction of the time that has passed.
    #[must_use]
    pub fn passed(&self, fraction: f64) -> Duration {
        let passed = self.whole.elapsed().max(FIRST_SLICES);
        passed.mul_f64(fraction * self.turn)
    }

    /// A fraction of the time that slices are measured by: what has passed, as long as it is left, or what is
    /// left. So what is quick proves something first, and what a run has proved by then depends little on when
    /// it is to end.
    #[must_use]
    pub fn part(&self, fraction: f64) -> Duration {
        match self.of_left || !self.is_timed() {
            true => self.left(fraction),
            false => self.passed(fraction).min(self.left(LAST)),
        }
    }

    /// So much time where time has an end, and no end elsewhere.
    #[must_use]
    pub fn if_timed(&self, time: Duration) -> Budget {
        match self.is_timed() {
            true => self.whole.capped(time),
            false => self.whole.clone(),
        }
    }

    /// The time of this slice.
    #[must_use]
    pub fn time(&self) -> Duration {
        self.part(self.share)
    }

    /// The most sweeps of what goes on until it converges: what is left of the iterations, and an end where nothing
    /// else is one.
    #[must_use]
    pub fn sweeps(&self) -> Option<usize> {
        let endless = self.iterations.is_none() && !self.is_timed();
        self.iterations.or(endless.then_some(UNLIMITED_SWEEPS))
    }

    /// The budget of this slice.
    #[must_use]
    pub fn budget(&self) -> Budget {
        match self.exclusive {
            true => self.whole.clone(),
            false => self.if_timed(self.time()),
        }
    }
}
