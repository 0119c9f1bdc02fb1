//! Many methods on one model, each with the same time.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use forney_certify::{Bracket, Budget, Crossed, Lower, Stop, Upper};
use forney_model::FactorGraph;
use rayon::{ThreadPool, ThreadPoolBuildError, ThreadPoolBuilder};

use crate::{Gives, Inapplicable, METHODS, Method, Options, Outcome, Point, Value};

/// Share of the time that the exact answer may take.
const EXACT_SHARE: f64 = 0.2;

/// One method on one side.
#[derive(Clone, Copy)]
pub struct Entrant {
    /// The method.
    pub method: &'static dyn Method,
    /// One of its sides.
    pub side: Gives,
}

/// What is told of a running comparison; `usize` is the number of the entrant.
#[derive(Clone, Debug)]
pub enum Event {
    /// An entrant improved its value; seconds since it began.
    Point(usize, Point),
    /// An entrant ended after so many seconds.
    Ended(usize, Result<Outcome, Inapplicable>, f64),
}

/// Every side of these methods.
#[must_use]
pub fn entrants(methods: &[&'static dyn Method]) -> Vec<Entrant> {
    let of = |&method: &&'static dyn Method| {
        let sides = method.gives().iter();
        sides.map(move |&side| Entrant { method, side })
    };
    methods.iter().flat_map(of).collect()
}

/// Runs every entrant for the same time with the same number of threads; `see` is told what happens, and
/// each ends with [`Event::Ended`].
///
/// So many run at once as there are threads in rayon's pool, each with its share of the
/// memory; the time of the budget is divided into as many rounds as that takes. If there are more
/// threads than entrants, each gets several.
///
/// # Errors
/// If the system gives no threads.
pub fn compare(
    graph: &FactorGraph,
    entrants: &[Entrant],
    options: &Options,
    budget: &Budget,
    see: &(dyn Fn(Event) + Sync),
) -> Result<(), ThreadPoolBuildError> {
    let threads = rayon::current_num_threads();
    let lanes = threads.min(entrants.len()).max(1);
    let rounds = u32::try_from(entrants.len().div_ceil(lanes)).unwrap_or(u32::MAX);
    let time = budget.remaining().map(|time| time / rounds.max(1));
    let options = Options {
        memory: options.memory / lanes as f64,
        ..options.clone()
    };
    let next = AtomicUsize::new(0);
    let work = |pool: &ThreadPool| {
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            let Some(entrant) = entrants.get(number) else {
                return;
            };
            let own = time.map_or_else(|| budget.clone(), |time| budget.capped(time));
            let began = budget.elapsed().as_secs_f64();
            let mut watch = |point: Point| {
                let elapsed_s = (point.elapsed_s - began).max(0.0);
                see(Event::Point(number, Point { elapsed_s, ..point }));
            };
            let run = || (entrant.method).run(graph, entrant.side, &options, &own, &mut watch);
            let found = pool.install(run);
            let elapsed_s = budget.elapsed().as_secs_f64() - began;
            // Users know what they allowed, not its shares.
            let found = found.map_err(|reason| reason.of_all(lanes as f64));
            see(Event::Ended(number, found, elapsed_s));
        }
    };
    let pools = (0..lanes)
        .map(|_| {
            let pool = ThreadPoolBuilder::new().num_threads(threads / lanes);
            pool.build()
        })
        .collect::<Result<Vec<_>, _>>()?;
    thread::scope(|scope| {
        for pool in &pools {
            scope.spawn(|| work(pool));
        }
    });
    Ok(())
}

/// `ln Z` on both sides by a method that gives both, if that takes no more than the memory and a fifth of the time.
#[must_use]
pub fn exact(graph: &FactorGraph, options: &Options, budget: &Budget) -> Option<Bracket> {
    let share = budget.remaining().map(|time| time.mul_f64(EXACT_SHARE));
    let budget = share.map_or_else(|| budget.clone(), |share| budget.capped(share));
    let both = METHODS
        .iter()
        .filter(|method| method.gives().contains(&Gives::Both));
    let mut found = both.filter_map(|method| {
        let found = method.run(graph, Gives::Both, options, &budget, &mut |_| {});
        found.ok().filter(|found| found.stop == Stop::Converged)
    });
    best([found.next()?.value]).ok()
}

/// The best bracket of some values; estimates prove nothing.
///
/// # Errors
/// [`Crossed`] if a lower bound exceeds an upper one, which is a fault of a method.
pub fn best(values: impl IntoIterator<Item = Value>) -> Result<Bracket, Crossed> {
    let (mut lower, mut upper) = (Lower::trivial(), Upper::trivial());
    for value in values {
        match value {
            Value::Lower(bound) => lower.tighten(bound),
            Value::Upper(bound) => upper.tighten(bound),
            Value::Both(both) => lower.tighten(both.lower()) | upper.tighten(both.upper()),
            Value::Estimate(_) => false,
        };
    }
    Bracket::new(lower, upper)
}
