//! From a model to a bracket, within time and memory.

mod beside;
mod climb;
mod contest;
mod exact;
mod lane;
mod level;
mod lower;
mod schedule;
mod size;

use std::collections::BTreeMap;
use std::sync::{Mutex, OnceLock};
use std::time::Duration;

use forney_certify::{Above, Below, Budget, DoubleDouble, Stop, Upper};
use forney_exact::Order;
use forney_model::{Domains, FactorGraph, Restriction, Table, simplify_sum};

use crate::board::{Board, Watch};
use crate::options::{BoundOptions, BoundReport, Method, Sides};
use crate::{BoundError, Contender};
use contest::Entrant;

/// Proves `lower ≤ ln Z ≤ upper` and improves both sides until the bracket closes or a limit ends
/// it.
///
/// Without a fixed ibound it starts small and raises it while time and memory last; where the
/// exact answer fits it is the answer. Every bound that is reported was recomputed from its
/// witness. Interrupting the budget ends it with the best bracket so far.
///
/// # Errors
/// [`BoundError::IboundTooSmall`], and [`BoundError::Crossed`] if two proofs contradict each other,
/// which is a fault of this program. A method that does not fit in the memory is no error:
/// [`BoundReport::refused`] says so beside what was proved.
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
    run(graph, options, None, budget, watch)
}

/// As [`bracket`], with a method of the caller's among the others ([`Method::Auto`]) or alone
/// ([`Method::Contender`]).
///
/// # Errors
/// As [`bracket`].
pub fn bracket_with(
    contender: &dyn Contender,
    graph: &FactorGraph,
    options: &BoundOptions,
    budget: &Budget,
    watch: &mut Watch<'_>,
) -> Result<BoundReport, BoundError> {
    run(graph, options, Some(contender), budget, watch)
}

fn run(
    graph: &FactorGraph,
    options: &BoundOptions,
    contender: Option<&dyn Contender>,
    budget: &Budget,
    watch: &mut Watch<'_>,
) -> Result<BoundReport, BoundError> {
    let mut domains = Domains::full(graph);
    let possible = domains.prune(graph).is_ok();
    // Where nothing is allowed, the methods find that out for themselves.
    let restriction = possible.then(|| domains.restrict(graph));
    let graph = restriction.as_ref().map_or(graph, Restriction::graph);
    // A product beyond the range of a float is no reason to refuse the model as it stands.
    let simple = simplify_sum(graph);
    let graph = simple.as_ref().unwrap_or(graph);
    // The lifetime of the watcher is shortened to this call.
    let mut watch = |progress: &crate::Progress| watch(progress);
    let board = Board::new(budget, &mut watch);
    let job = Job {
        graph,
        options,
        budget,
        board: &board,
        contender: Entrant::of(contender, options.method, graph),
        first_order: &OnceLock::new(),
        eliminating: &Mutex::new(()),
        turn: 1.0,
    };
    job.first_upper_bound();
    let ended = match (options.method, options.ibound) {
        (Method::Exact, _) => job.exact_or_refuse(),
        (Method::MeanField, _) => Ok(job.mean_field_only()),
        (Method::Auto, None) => job.auto(),
        (Method::Auto | Method::Wmbe | Method::Contender, _) => job.bounds_only(),
    };
    let stop = match ended {
        Ok(stop) => stop,
        // What was proved before counts all the same.
        Err(error @ (BoundError::TooLarge(_) | BoundError::MiniBucketsTooLarge { .. })) => {
            board.refuse(error);
            Stop::MemoryLimit
        }
        Err(error) => return Err(error),
    };
    Ok(board.report(stop)?)
}

/// The last step takes this share of the time that is left.
const LAST: f64 = 0.9;

/// Slices are those of at least so much time.
const FIRST_SLICES: Duration = Duration::from_millis(50);

#[derive(Clone, Copy)]
struct Job<'j, 'w> {
    graph: &'j FactorGraph,
    options: &'j BoundOptions,
    budget: &'j Budget,
    board: &'j Board<'w>,
    contender: Option<Entrant<'j>>,
    first_order: &'j OnceLock<Order>,
    /// Held by whoever eliminates exactly: once is enough.
    eliminating: &'j Mutex<()>,
    /// The share of each lane where lanes take turns on one thread.
    turn: f64,
}

impl Job<'_, '_> {
    /// `ln Z ≤ Σ_a max ln f_a + Σ_v ln |X_v|`: there are so many assignments, and none is worth more.
    fn first_upper_bound(&self) {
        if self.options.sides == Sides::Lower || self.options.method == Method::MeanField {
            return;
        }
        let zero = self.graph.factors().iter().any(Table::is_zero);
        let most = if zero {
            f64::NEG_INFINITY
        } else {
            (self.graph.ln_scale() + self.ln_states()).value()
        };
        if let Ok(upper) = Upper::new(most) {
            self.board.post(upper, "maxima");
        }
    }

    /// `Σ_v ln |X_v|`: the logarithm of the number of assignments.
    fn ln_states(&self) -> DoubleDouble {
        let mut counts: BTreeMap<usize, usize> = BTreeMap::new();
        for &card in self.graph.cards() {
            *counts.entry(card).or_default() += 1;
        }
        let each = counts.into_iter();
        each.map(|(card, count)| DoubleDouble::ln(card as f64) * count as f64)
            .sum()
    }

    /// A fraction of the time that is left; a minute of it if there is no end.
    fn share(&self, fraction: f64) -> Duration {
        self.budget
            .remaining()
            .unwrap_or(Duration::from_secs(60))
            .mul_f64(fraction * self.turn)
    }

    /// A fraction of the time that has passed.
    fn passed(&self, fraction: f64) -> Duration {
        (self.budget.elapsed().max(FIRST_SLICES)).mul_f64(fraction * self.turn)
    }

    /// Time for one step or turn: a fraction of what has passed, as long as it is left. So what is quick
    /// proves something first, and what a run has proved by then depends little on when it is to end.
    fn step(&self, fraction: f64) -> Duration {
        self.passed(fraction).min(self.share(LAST))
    }

    /// Time for a level: a [step](Self::step) on the way to higher ibounds, a share of what is left at one that
    /// is fixed.
    fn slice(&self, fraction: f64) -> Duration {
        if self.options.ibound.is_some() || self.budget.remaining().is_none() {
            return self.share(fraction);
        }
        self.step(fraction)
    }

    /// The budget of a [slice](Self::slice) for what depends on time only where that has an end.
    fn sliced(&self, fraction: f64) -> Budget {
        self.if_timed(self.slice(fraction))
    }

    /// The budget for so much time where time has an end, and without one elsewhere.
    fn if_timed(&self, time: Duration) -> Budget {
        match self.budget.remaining() {
            Some(_) => self.budget.capped(time),
            None => self.budget.clone(),
        }
    }

    /// Are there methods beside mini-buckets, which take turns with them?
    fn alternates(&self) -> bool {
        self.options.method == Method::Auto && self.open().1
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
}
