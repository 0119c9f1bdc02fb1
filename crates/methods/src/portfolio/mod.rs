//! From a model to a bracket, within time and memory: methods that take turns on each side.

mod beside;
mod in_turn;
mod lane;
mod schedule;
mod shared;

use std::sync::Mutex;

use forney_bounds::{Board, BoundError, Progress, Watch};
use forney_certify::{Bracket, Budget, Stop};
use forney_model::FactorGraph;

use crate::job::{pruned, simplified};
use crate::methods::MAXIMA;
use crate::{Gives, Inapplicable, Job, METHODS, Method, Options, Slice};
use in_turn::InTurn;
use lane::Lane;
use shared::Portfolio;

/// Which sides of `ln Z` are wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sides {
    /// Both.
    Both,
    /// Upper bounds only.
    Upper,
    /// Lower bounds only.
    Lower,
}

impl Sides {
    fn wants(self, side: Gives) -> bool {
        match side {
            Gives::Upper => self != Self::Lower,
            Gives::Lower => self != Self::Upper,
            Gives::Both => true,
            Gives::Estimate => false,
        }
    }
}

/// What [`bracket`] works with.
#[derive(Clone, Debug)]
pub struct BoundOptions {
    /// The limits.
    pub limits: Options,
    /// Which sides are wanted.
    pub sides: Sides,
    /// The only method; `None` for all that take part on the model.
    pub method: Option<&'static dyn Method>,
}

impl Default for BoundOptions {
    /// Both sides by every method, with the limits of [`Options::default`].
    fn default() -> Self {
        Self {
            limits: Options::default(),
            sides: Sides::Both,
            method: None,
        }
    }
}

/// What [`bracket`] proved.
#[derive(Clone, Debug)]
pub struct BoundReport {
    /// `lower ≤ ln Z ≤ upper`.
    pub bracket: Bracket,
    /// What proved the lower bound; "none" if nothing did.
    pub lower_method: &'static str,
    /// What proved the upper bound; "none" if nothing did.
    pub upper_method: &'static str,
    /// Largest ibound tried; for exact elimination its width.
    pub ibound: usize,
    /// Iterations, both sides together.
    pub iterations: usize,
    /// Why it ended.
    pub stop: Stop,
    /// Is it `ln Z` itself?
    pub exact: bool,
    /// What kept the method asked for from running, or one from taking part for want of memory; the bracket holds
    /// what was proved nonetheless.
    pub refused: Option<Inapplicable>,
    /// Most bytes of tables that any one attempt took, by its own prediction.
    pub peak_bytes: f64,
}

/// Proves `lower ≤ ln Z ≤ upper` and improves both sides until the bracket closes or a limit ends
/// it.
///
/// On each side the next slice of time is for the method that promises the most nats per second, with trials for the
/// others. Without a fixed ibound mini-buckets start small and raise it while time and memory last; where the
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
/// use forney_certify::Budget;
/// use forney_methods::{BoundOptions, Options, bracket};
/// use forney_model::generate::ising_grid;
/// use rand::SeedableRng;
/// let model = ising_grid(5, 1.0, 0.1, &mut rand_pcg::Pcg64::seed_from_u64(1));
/// let limits = Options { ibound: Some(3), iterations: Some(100), ..Options::default() };
/// let options = BoundOptions { limits, ..BoundOptions::default() };
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
    let graph = &simplified(&pruned(graph));
    let methods: Vec<&'static dyn Method> = match options.method {
        Some(method) => vec![method],
        None => (METHODS.iter().copied())
            .filter(|method| method.takes_part(graph))
            .collect(),
    };
    let limits = &options.limits;
    let mut job = Job::shared(graph, limits);
    job.alone = options.method.is_some();
    let budget = &match job.alone {
        true => limits.untold(budget),
        false => budget.clone(),
    };
    // The lifetime of the watcher is shortened to this call.
    let mut watch = |progress: &Progress| watch(progress);
    let board = Board::new(budget, &mut watch);
    let portfolio = Portfolio {
        job: &job,
        board: &board,
        budget,
        refused: &Mutex::default(),
    };
    let gives = |side: Gives| {
        let wanted = options.sides.wants(side);
        wanted && methods.iter().any(|method| method.gives().contains(&side))
    };
    if options.sides.wants(Gives::Upper) && (gives(Gives::Upper) || gives(Gives::Both)) {
        // At once, whatever else is asked for.
        let begun = MAXIMA.begin(&job, Gives::Upper);
        let begun = begun.and_then(|mut run| run.go_on(&Slice::all(&board, limits, budget)));
        begun.map_or_else(|reason| portfolio.refuse(reason), |_| ());
    }
    let sides = [Gives::Upper, Gives::Lower]
        .into_iter()
        .filter(|&side| gives(side));
    let mut lanes: Vec<Lane<'_>> = sides.map(|side| Lane::new(&job, &methods, side)).collect();
    // At one ibound bounds are asked for, and not what eliminates whatever it takes.
    let wanted = job.alone || limits.ibound.is_none();
    let exact = (methods.iter())
        .filter(|method| wanted && method.gives().contains(&Gives::Both))
        .filter_map(|method| {
            let begun = method.begin(&job, Gives::Both);
            begun.map_err(|reason| portfolio.refuse(reason)).ok()
        });
    let exact = InTurn::of(exact.collect());
    let refused = lanes.iter().flat_map(|lane| &lane.refused);
    for reason in refused {
        if let Inapplicable::Bound(error @ BoundError::IboundTooSmall { .. }) = reason {
            return Err(error.clone());
        }
    }
    let stop = portfolio.run(&mut lanes, exact);
    let of_lanes = lanes.into_iter().flat_map(|lane| lane.refused);
    let refused: Vec<Inapplicable> = of_lanes.chain(portfolio.taken()).collect();
    let refused = refused
        .into_iter()
        .find(|reason| job.alone || reason.is_memory());
    let peak_bytes = board.peak_bytes();
    let last = board.finish()?;
    Ok(BoundReport {
        bracket: last.bracket,
        lower_method: last.lower_method,
        upper_method: last.upper_method,
        ibound: last.ibound,
        iterations: last.iterations,
        stop,
        exact: last.exact,
        refused,
        peak_bytes,
    })
}
