//! The best gauged bound within a budget: structures race, the winner goes on, and while it does, others race.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use forney_bounds::race::{Account, Proof, Racer, Won, finish, tighter};
use forney_bounds::wmbe::{
    Candidates, ClimbOptions, Climbed, CliqueLimit, PlainField, PlainRacer, climb,
};
use forney_bounds::{Board, BoundError, Post, Progress};
use forney_certify::{Above, Below, Bound, Budget, Side, Stop};
use forney_exact::Order;
use forney_model::FactorGraph;

use crate::field::{CYCLE, Gaugeable, GaugedField};
use crate::optimiser::{Ascent, Descent, Optimiser};
use crate::racer::{GaugedRacer, held_bytes};
use crate::{GaugedWmbe, Gauges};

/// A winner goes alone for so many times the evaluations of a race, if as many races more are left: until then
/// it gains more than another one would.
const ALONE: usize = 3;
const LEFT: usize = 2;

/// What goes on beside a race may have this share of the evaluations.
const BESIDE: f64 = 0.25;

/// Gauges that were found before go on for this share of what there is.
const KNOWN: f64 = 0.25;

/// What [`gauged_wmbe`] works with.
#[derive(Clone, Debug)]
pub struct GaugeOptions {
    /// How large cliques may be.
    pub limit: CliqueLimit,
    /// The elimination order, of which partitions race; `None` lets orders race.
    pub order: Option<Order>,
    /// An order and its gauges to go on from first, for instance those that a smaller ibound found:
    /// [`GaugeReport::order`].
    pub known: Option<(Order, Gauges)>,
    /// Candidates that race at once: orders, and partitions of a fixed order.
    pub candidates: usize,
    /// Is one race without a local search enough? Else there are as many as time and evaluations allow.
    pub once: bool,
    /// At most so many gradient evaluations of all candidates together; `None` for no limit.
    pub iterations: Option<usize>,
    /// A winner has converged once an evaluation gains no more than this, in nats; if neither time nor
    /// evaluations have an end, the search has, too.
    pub least_gain: f64,
    /// Bytes that all candidates together may take.
    pub memory: f64,
    /// Seed of random orders.
    pub seed: u64,
}

/// A gauged bound with its witness.
#[derive(Clone, Debug)]
pub struct GaugeReport<S: Side> {
    /// The verified bound.
    pub bound: Bound<S>,
    /// Its witness.
    pub witness: GaugedWmbe<S>,
    /// The elimination order of the witness.
    pub order: Order,
    /// Gradient evaluations of all candidates.
    pub iterations: usize,
    /// Was nothing split, so that the bound is `ln Z` itself?
    pub exact: bool,
    /// Why it ended.
    pub stop: Stop,
}

/// Searches for the tightest gauged mini-bucket bound; `watch` sees every verified improvement with
/// the evaluations spent on it.
///
/// Best on a model in Forney form; in others only variables of degree 2 are gauged.
///
/// # Errors
/// A factor beyond the ibound, tables beyond the memory, or a model that spans more than plain
/// numbers hold, so that no witness verifies.
///
/// # Example
/// ```
/// use forney_bounds::wmbe::{CliqueLimit, Wmbe};
/// use forney_certify::Budget;
/// use forney_gauge::{GaugeOptions, gauged_wmbe};
/// use forney_model::{Forney, enumerate::enumerate, generate::ising_grid};
/// use rand::SeedableRng;
/// let grid = ising_grid(4, 1.0, 0.1, &mut rand_pcg::Pcg64::seed_from_u64(1));
/// let forney = Forney::of_grid(&grid, 4, 4)?;
/// let options = GaugeOptions {
///     limit: CliqueLimit { ibound: 3, entries: 1e6 },
///     iterations: Some(50),
///     ..GaugeOptions::default()
/// };
/// let report = gauged_wmbe(forney.graph(), &options, &Budget::unlimited(), &mut |_, _| {})?;
/// assert!(report.bound.ln() >= enumerate(&grid).ln_z - 1e-9);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn gauged_wmbe(
    graph: &FactorGraph,
    options: &GaugeOptions,
    budget: &Budget,
    watch: &mut (dyn FnMut(Bound<Above>, usize) + Send),
) -> Result<GaugeReport<Above>, BoundError> {
    watched::<Descent>(graph, options, budget, watch)
}

/// As [`gauged_wmbe`], from below: gauges that keep every table positive, and reverse Hölder weights.
///
/// Only variables between two tables without zeros are gauged.
///
/// # Errors
/// As [`gauged_wmbe`].
pub fn gauged_wmbe_below(
    graph: &FactorGraph,
    options: &GaugeOptions,
    budget: &Budget,
    watch: &mut (dyn FnMut(Bound<Below>, usize) + Send),
) -> Result<GaugeReport<Below>, BoundError> {
    watched::<Ascent>(graph, options, budget, watch)
}

/// A search with a board of its own.
fn watched<C: Optimiser>(
    graph: &FactorGraph,
    options: &GaugeOptions,
    budget: &Budget,
    watch: &mut (dyn FnMut(Bound<C::Side>, usize) + Send),
) -> Result<GaugeReport<C::Side>, BoundError> {
    let mut watch = |progress: &Progress| {
        // It was verified before it was reported.
        if let Ok(bound) = Bound::new(<C::Side as Post>::of(progress)) {
            watch(bound, progress.iterations);
        }
    };
    let board = Board::new(budget, &mut watch);
    // Without one evaluation there is nothing to report.
    let most = options.iterations.map(|most| most.max(1));
    let mut account = Account::new(&board, budget, options.memory, most);
    search::<C>(graph, options, &mut account)
}

/// The best bound that an account allows.
pub(crate) fn search<C: Optimiser>(
    graph: &FactorGraph,
    options: &GaugeOptions,
    account: &mut Account<'_, '_>,
) -> Result<GaugeReport<C::Side>, BoundError> {
    CliqueLimit::admit(options.limit.ibound, graph)?;
    let gaugeable = Gaugeable::of(graph);
    let mut best: Option<Won<GaugedRacer<C>>> = None;
    let (mut known, mut number) = (options.known.as_ref(), 0);
    let stop = loop {
        let spent = account.spent();
        let again = known.is_some();
        let round = Round {
            graph,
            options,
            gaugeable,
            known: known.take(),
            number,
        };
        number += usize::from(!again);
        let next = beside(&round, &mut best, account);
        best = match (best, next) {
            (Some(mut held), Ok(mut next)) => {
                let proof = tighter(held.proof.take(), next.proof.take());
                // NaN sorts last.
                let ahead = next.racer.value().total_cmp(&held.racer.value()).is_lt();
                let won = if ahead { next } else { held };
                Some(Won { proof, ..won })
            }
            (None, Ok(next)) => Some(next),
            (held, Err(_)) if held.is_some() => held,
            (_, Err(error)) => return Err(error),
        };
        let exact = |won: &Won<GaugedRacer<C>>| won.racer.schedule().is_exact();
        if let Some(stop) = account.budget().stop() {
            break stop;
        }
        if account.left() == 0 && !best.as_ref().is_some_and(exact) {
            break Stop::SweepLimit;
        }
        let over = !again && (options.once || !account.is_limited());
        if over || best.as_ref().is_some_and(exact) || account.spent() == spent {
            break Stop::Converged;
        }
    };
    let best = best.expect("the first round has a winner");
    let exact = best.racer.schedule().is_exact();
    let proof = best.proof.map_or_else(|| best.racer.proof(), Ok)?;
    let Proof { bound, witness, .. } = proof;
    let (witness, order) = witness;
    Ok(GaugeReport {
        bound,
        witness,
        order,
        iterations: account.spent(),
        exact,
        stop,
    })
}

/// The next round, and the best so far beside it.
fn beside<C: Optimiser>(
    round: &Round<'_>,
    best: &mut Option<Won<GaugedRacer<C>>>,
    account: &mut Account<'_, '_>,
) -> Result<Won<GaugedRacer<C>>, BoundError> {
    let over = Arc::new(AtomicBool::new(false));
    let until = account.budget().cancelled_by(Arc::clone(&over));
    let (memory, budget) = (account.memory(), account.budget().clone());
    let held = best.as_ref().map_or(0.0, |best| best.racer.bytes());
    let going = best.as_mut().filter(|best| !best.idle);
    let own = if going.is_some() {
        account.share(BESIDE).left()
    } else {
        0
    };
    let others = if account.is_counted() {
        account.left() - own
    } else {
        usize::MAX
    };
    let mut leading = account.part(own, &until, memory);
    let mut racing = account.part(others, &budget, memory - held);
    let ((), won) = rayon::join(
        || {
            if let Some(best) = going {
                finish(best, round.options.least_gain, &mut leading);
            }
        },
        || {
            let won = round.hold(&mut racing);
            over.store(true, Ordering::Relaxed);
            won
        },
    );
    account.settle(&leading);
    account.settle(&racing);
    won
}

/// A race, its winner, and what follows it.
struct Round<'r> {
    graph: &'r FactorGraph,
    options: &'r GaugeOptions,
    gaugeable: Gaugeable,
    known: Option<&'r (Order, Gauges)>,
    number: usize,
}

impl Round<'_> {
    fn hold<C: Optimiser>(
        &self,
        account: &mut Account<'_, '_>,
    ) -> Result<Won<GaugedRacer<C>>, BoundError> {
        let (graph, options) = (self.graph, self.options);
        // Neighbouring seeds of a search share no candidate.
        let seed = (options.seed.wrapping_mul(0x9e37_79b9)).wrapping_add(self.number as u64);
        let candidates = Candidates {
            fixed: options.order.as_ref(),
            count: options.candidates.max(1),
            seed,
        };
        let mut field = GaugedField::<C> {
            plain: PlainField::new(graph, options.limit, candidates),
            gaugeable: self.gaugeable,
            waits: false,
            limit: options.limit,
            fixed: options.order.as_ref(),
            known: self.known,
            candidates: if self.known.is_some() {
                1
            } else {
                candidates.count
            },
            round: self.number,
            seed,
        };
        // Gauges found before are the start wherever gauges matter; of other races every second one finds the
        // structure first.
        field.waits = self.known.is_none()
            && (!self.gaugeable.most || self.number % 2 == 1 || field.is_slow(account.budget()));
        let climbing = ClimbOptions {
            limit: options.limit,
            local: field.waits && !options.once,
            fixed: options.order.is_some(),
            seed,
            least_gain: options.least_gain,
        };
        let mut part = if field.waits {
            account.share(self.gaugeable.waiting)
        } else if self.known.is_some() {
            account.share(KNOWN)
        } else {
            let race = field.evaluations();
            let many = !options.once && account.left() > (ALONE + LEFT) * race;
            let most = if many { ALONE * race } else { usize::MAX };
            account.part(most, account.budget(), account.memory())
        };
        let climbed = climb(&field, &climbing, None, &mut part);
        account.settle(&part);
        let mut won = match climbed? {
            Climbed::Best(won) => *won,
            Climbed::Exact(candidate) => {
                let schedule = &candidate.schedule;
                (schedule.demand()).admit(held_bytes(schedule), account.memory())?;
                account.spend::<C::Side>(1);
                let racer = PlainRacer::new(*candidate, graph);
                let racer = GaugedRacer::plain(racer, graph, CYCLE);
                let proof = account.prove(&racer);
                return Ok(Won::new(racer, proof));
            }
        };
        if field.waits && !account.is_over() {
            let before = won.racer.evaluations();
            won.racer.take_over(account.memory());
            account.spend::<C::Side>(won.racer.evaluations() - before);
            won.idle = false;
            finish(&mut won, options.least_gain, account);
        }
        Ok(won)
    }
}

impl Default for GaugeOptions {
    /// ibound 10, races of 32 orders, until nothing is gained.
    fn default() -> Self {
        Self {
            limit: CliqueLimit {
                ibound: 10,
                entries: 1e7,
            },
            order: None,
            known: None,
            candidates: 32,
            once: false,
            iterations: None,
            least_gain: 1e-7,
            memory: 2e9,
            seed: 0,
        }
    }
}
