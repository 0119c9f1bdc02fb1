//! The best gauged bound within a budget: orders race, the winner is optimised on, and while it is,
//! others race.
//!
//! The leader runs in cycles of cosine decay, each twice as long as the one before and each from the
//! best point so far. The winner of a later race climbs the same cycles and takes the lead if it is
//! ahead after every one of them.

use forney_bounds::BoundError;
use forney_bounds::wmbe::CliqueLimit;
use forney_certify::{Above, Below, Bound, Budget, Side, Stop};
use forney_exact::Order;
use forney_model::FactorGraph;

use crate::climb::{Ascent, Climb, Descent};
use crate::leader::{Allowed, Leader};
use crate::orders::{Field, Kind};
use crate::race::Won;
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
    /// Gradient evaluations on the structure of the witness.
    pub iterations: usize,
    /// Gradient evaluations of all other candidates.
    pub raced: usize,
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
    search::<Descent>(graph, options, budget, watch)
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
    search::<Ascent>(graph, options, budget, watch)
}

fn search<C: Climb>(
    graph: &FactorGraph,
    options: &GaugeOptions,
    budget: &Budget,
    watch: &mut (dyn FnMut(Bound<C::Side>, usize) + Send),
) -> Result<GaugeReport<C::Side>, BoundError> {
    CliqueLimit::admit(options.limit.ibound, graph)?;
    let kind = Kind::of(graph);
    let field = Field {
        graph,
        kind,
        options,
        count: affordable(kind, options),
    };
    if options.gauges.is_none() && (kind != Kind::Full || field.is_slow(budget)?) {
        return field.plain_first::<C>(budget, watch);
    }
    // The first race gets no more than half of the time.
    let half = budget.remaining().map(|left| budget.capped(left / 2));
    let time = half.as_ref().unwrap_or(budget);
    let Won { winner, lost, pace } = field.race::<C>(0, options.memory, time)?;
    let mut leader = Leader::new(winner, pace, kind.first_cycle());
    // Evaluations of all candidates but the leader.
    let mut others = lost;
    let mut races = 1;
    let (mut bound, mut witness) = leader.racer.prove()?;
    let mut order = leader.racer.order.clone();
    watch(bound, others + leader.racer.evaluations());
    let limited = options.iterations.is_some() || budget.remaining().is_some();
    let stop = loop {
        let spent = others + leader.racer.evaluations();
        let left = options
            .iterations
            .map_or(usize::MAX, |most| most.saturating_sub(spent));
        if let Some(stop) = budget.stop() {
            break stop;
        }
        if leader.racer.schedule().is_exact() {
            break Stop::Converged;
        }
        if left == 0 {
            break Stop::SweepLimit;
        }
        let before = leader.racer.value();
        let cycle = leader.next_cycle(left, budget);
        let race = kind.race_evaluations(field.count) + kind.first_cycle();
        let soon = leader.racer.evaluations() + cycle < ALONE * race;
        let alone = soon && !leader.is_idle();
        let allowed = Allowed {
            races: match options.races {
                _ if alone => 0,
                Some(most) => most.saturating_sub(races),
                None => usize::MAX,
            },
            enough: cycle.saturating_mul(RACING),
            most: left - cycle,
            memory: options.memory - leader.racer.bytes(),
            budget,
        };
        let heights = leader.heights().to_vec();
        let ((), later) = rayon::join(
            || leader.cycle(cycle, options.tolerance, budget),
            || field.challenge::<C>(races, &heights, &allowed),
        );
        races += later.races;
        others += later.spent;
        if let Some(mut challenger) = later.challenger {
            if challenger.is_ahead_of(leader.racer.value()) {
                std::mem::swap(&mut leader, &mut challenger);
            }
            others += challenger.racer.evaluations();
        }
        let gained = leader.is_ahead_of(before);
        // A witness that does not verify is passed over.
        if gained
            && let Ok(proof) = leader.racer.prove()
            && bound.tighten(proof.0)
        {
            witness = proof.1;
            order.clone_from(&leader.racer.order);
            watch(bound, others + leader.racer.evaluations());
        }
        let over = later.races == 0 || (!limited && !gained);
        if leader.is_idle() && !alone && over && budget.stop().is_none() {
            break Stop::Converged;
        }
    };
    Ok(GaugeReport {
        bound,
        witness,
        iterations: leader.racer.evaluations(),
        raced: others,
        order,
        exact: leader.racer.schedule().is_exact(),
        stop,
    })
}

/// Candidates of a race that leaves half of the evaluations.
fn affordable(kind: Kind, options: &GaugeOptions) -> usize {
    let most = options.candidates.max(1);
    let Some(iterations) = options.iterations else {
        return most;
    };
    let fits = |&count: &usize| 2 * kind.race_evaluations(count) <= iterations;
    (1..=most).rev().find(fits).unwrap_or(1)
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
