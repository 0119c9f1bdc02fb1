//! The best gauged bound within a budget: orders race, the winner is optimised on, and while it is,
//! others race.
//!
//! The leader runs in cycles of cosine decay, each twice as long as the one before and each from the
//! best point so far. The winner of a later race climbs the same cycles and takes the lead if it is
//! ahead after every one of them.

use forney_bounds::race::{Account, Proof, Racer, tighter};
use forney_bounds::wmbe::CliqueLimit;
use forney_bounds::{Board, BoundError, Post, Progress};
use forney_certify::{Above, Below, Bound, Budget, Side, Stop};
use forney_exact::Order;
use forney_model::FactorGraph;

use crate::field::Field;
use crate::leader::Leader;
use crate::optimiser::{Ascent, Descent, Optimiser};
use crate::{GaugedWmbe, Gauges};

/// The leader goes alone until it has spent so many times the evaluations of a race: until then it
/// gains more than another one would.
const ALONE: usize = 2;

/// Evaluations of later races for one of the leader, which runs on one core while they have the rest.
const RACING: usize = 3;

/// What [`gauged_wmbe`] works with.
#[derive(Clone, Debug)]
pub struct GaugeOptions {
    /// How large cliques may be.
    pub limit: CliqueLimit,
    /// The elimination order, of which partitions race; `None` lets orders race.
    pub order: Option<Order>,
    /// Gauges to start from, for instance those that a smaller ibound found; `None` for identities.
    ///
    /// They suit the order that they were found on best: [`GaugeReport::order`].
    pub gauges: Option<Gauges>,
    /// Candidates that race at once: orders, and partitions of a fixed order.
    pub candidates: usize,
    /// Races at most; `None` for as many as time and evaluations allow.
    pub races: Option<usize>,
    /// At most so many gradient evaluations of all candidates together; `None` for no limit.
    pub iterations: Option<usize>,
    /// The leader has converged once a cycle gains no more than this, in nats.
    ///
    /// The search ends then if there is no race left to run, or if neither time nor evaluations have
    /// an end and a last race gained nothing.
    pub tolerance: f64,
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
    let field = Field::new(graph, options, account)?;
    let budget = account.budget().clone();
    // The first race gets no more than half of the time, where its candidates all move gauges.
    let time = account.time(if field.waits() { 1.0 } else { 0.5 });
    let mut leader = account.part(usize::MAX, &time, options.memory, |part| {
        field.lead::<C>(0, part)
    })?;
    let mut best = match tighter(leader.proof.take(), account.prove(&leader.racer)) {
        Some(proof) => proof,
        // Why it proves nothing.
        None => leader.racer.proof()?,
    };
    let mut races = 1;
    let stop = loop {
        if let Some(stop) = budget.stop() {
            break stop;
        }
        if leader.racer.schedule().is_exact() {
            break Stop::Converged;
        }
        if account.left() == 0 {
            break Stop::SweepLimit;
        }
        let before = leader.racer.value();
        let (left, spent) = (account.left(), leader.racer.evaluations());
        let cycle = leader.next_cycle(left, &budget);
        let soon = field.waits() || spent + cycle < ALONE * field.evaluations();
        let alone = soon && !leader.is_idle();
        let open = options.races.map_or(usize::MAX, |most| most - races);
        let challenge = Challenge {
            first: races,
            races: if alone { 0 } else { open },
            enough: cycle.saturating_mul(RACING),
            tolerance: options.tolerance,
        };
        let heights = leader.heights().to_vec();
        let rest = match account.is_counted() {
            true => left - cycle,
            false => usize::MAX,
        };
        let memory = options.memory - leader.racer.bytes();
        let ((), (held, challenger)) = rayon::join(
            || leader.cycle(cycle, options.tolerance, &budget),
            || {
                account.part(rest, &budget, memory, |part| {
                    challenge.hold(&field, heights, part)
                })
            },
        );
        account.spend::<C::Side>(leader.racer.evaluations() - spent);
        races += held;
        let mut proof = None;
        if let Some(mut challenger) = challenger
            && challenger.is_ahead_of(leader.racer.value())
        {
            proof = challenger.proof.take();
            leader = challenger;
        }
        let gained = leader.is_ahead_of(before);
        if gained {
            // A witness that does not verify is passed over.
            proof = tighter(proof, account.prove(&leader.racer));
        }
        best = tighter(Some(best), proof).expect("the first one, if no other");
        let over = held == 0 || (!account.is_limited() && !gained);
        if leader.is_idle() && !alone && over && budget.stop().is_none() {
            // With more evaluations there would have been another race.
            break match account.is_counted() && open > held {
                true => Stop::SweepLimit,
                false => Stop::Converged,
            };
        }
    };
    let Proof { bound, witness, .. } = best;
    let (witness, order) = witness;
    Ok(GaugeReport {
        bound,
        witness,
        order,
        iterations: account.spent(),
        exact: leader.racer.schedule().is_exact(),
        stop,
    })
}

/// Races for the lead.
struct Challenge {
    /// The number of the first one.
    first: usize,
    /// Races at most.
    races: usize,
    /// No further race begins after so many evaluations.
    enough: usize,
    /// A cycle that gains no more than this is the last one.
    tolerance: f64,
}

impl Challenge {
    /// Each winner climbs while it is ahead of what the leader was after as many cycles, and one cycle more;
    /// returns how many races there were, and the best winner that was ahead everywhere.
    fn hold<'f, C: Optimiser>(
        &self,
        field: &Field<'f>,
        mut heights: Vec<f64>,
        account: &mut Account<'_, '_>,
    ) -> (usize, Option<Leader<'f, C>>) {
        let budget = account.budget().clone();
        let (mut held, mut best) = (0, None);
        let mut memory = account.memory();
        // A race that leaves nothing for its winner is not worth its evaluations.
        while held < self.races
            && budget.stop().is_none()
            && account.left() >= 2 * field.evaluations()
            && (held == 0 || account.spent() < self.enough)
        {
            let lead = |part: &mut Account<'_, '_>| field.lead::<C>(self.first + held, part);
            let Ok(mut challenger) = account.part(usize::MAX, &budget, memory, lead) else {
                break;
            };
            held += 1;
            let mut ahead = true;
            for &height in &heights {
                ahead = challenger.is_ahead_of(height);
                let left = account.left();
                if !ahead || left == 0 {
                    break;
                }
                let before = challenger.racer.evaluations();
                let cycle = challenger.next_cycle(left, &budget);
                challenger.cycle(cycle, self.tolerance, &budget);
                account.spend::<C::Side>(challenger.racer.evaluations() - before);
            }
            if ahead {
                heights = challenger.heights().to_vec();
                memory = account.memory() - challenger.racer.bytes();
                best = Some(challenger);
            }
        }
        (held, best)
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
            gauges: None,
            candidates: 32,
            races: None,
            iterations: None,
            tolerance: 1e-5,
            memory: 2e9,
            seed: 0,
        }
    }
}
