//! The best gauged bound within a budget: orders race, the winner is optimised on.
//!
//! Candidates are scored by the bound that a few evaluations give. The winner runs in cycles of
//! cosine decay, each twice as long as the one before and each from the best point so far.

use forney_bounds::BoundError;
use forney_bounds::wmbe::CliqueLimit;
use forney_certify::{Above, Below, Bound, Budget, Certificate, Side, Stop};
use forney_exact::Order;
use forney_model::FactorGraph;
use rayon::prelude::*;

use crate::climb::{Ascent, Climb, Descent};
use crate::orders::{Candidate, Kind};
use crate::racer::{Racer, bytes};
use crate::{GaugedWmbe, Gauges};

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
    /// Candidates that race: orders, and partitions of a fixed order.
    pub candidates: usize,
    /// At most so many gradient evaluations of the winner; `None` for no limit.
    pub iterations: Option<usize>,
    /// Converged once a cycle gains no more than this, in nats.
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
    /// Gradient evaluations of the winner after the race.
    pub iterations: usize,
    /// Gradient evaluations of the race.
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
/// use forney_bounds::wmbe::CliqueLimit;
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
    watch: &mut dyn FnMut(Bound<Above>, usize),
) -> Result<GaugeReport<Above>, BoundError> {
    race::<Descent>(graph, options, budget, watch)
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
    watch: &mut dyn FnMut(Bound<Below>, usize),
) -> Result<GaugeReport<Below>, BoundError> {
    race::<Ascent>(graph, options, budget, watch)
}

fn race<C: Climb>(
    graph: &FactorGraph,
    options: &GaugeOptions,
    budget: &Budget,
    watch: &mut dyn FnMut(Bound<C::Side>, usize),
) -> Result<GaugeReport<C::Side>, BoundError>
where
    GaugedWmbe<C::Side>: Certificate<FactorGraph, Side = C::Side>,
{
    CliqueLimit::admit(options.limit.ibound, graph)?;
    let kind = Kind::of(graph);
    let candidates = compile(graph, kind, options, budget)?;
    let mut racers: Vec<Racer<'_, C>> = candidates
        .into_par_iter()
        .map(|candidate| Racer::new(candidate, graph, options.gauges.as_ref()))
        .collect();
    // The race gets no more than half of the time.
    let half = budget.remaining().map(|left| budget.capped(left / 2));
    let time = half.as_ref().unwrap_or(budget);
    let mut evaluations = kind.first_round();
    let mut raced = 0;
    while racers.len() > 1 {
        racers
            .par_iter_mut()
            .for_each(|racer| racer.cycle(evaluations, time));
        // NaN sorts last.
        racers.sort_by(|a, b| a.value().total_cmp(&b.value()));
        let kept = match time.stop() {
            Some(_) => 1,
            None => racers.len().div_ceil(4),
        };
        let out = racers.drain(kept..);
        raced += out.map(|racer| racer.evaluations()).sum::<usize>();
        evaluations *= 2;
    }
    // Long enough to gain something after the cycle that the winner of the race had last.
    let length = evaluations.max(kind.first_cycle());
    let mut winner = racers.remove(0);
    if kind == Kind::Mixed {
        winner.hand_over();
    }
    raced += winner.evaluations();
    let found = finish(winner, length, options, budget, watch)?;
    Ok(GaugeReport { raced, ..found })
}

impl Default for GaugeOptions {
    /// ibound 10, a race of 32 orders, until nothing is gained.
    fn default() -> Self {
        Self {
            limit: CliqueLimit {
                ibound: 10,
                entries: 1e7,
            },
            order: None,
            gauges: None,
            candidates: 32,
            iterations: None,
            tolerance: 1e-5,
            memory: 2e9,
            seed: 0,
        }
    }
}

/// The candidates; a single one if it splits nothing.
fn compile(
    graph: &FactorGraph,
    kind: Kind,
    options: &GaugeOptions,
    budget: &Budget,
) -> Result<Vec<Candidate>, BoundError> {
    let count = options.candidates.max(1);
    let compiled: Vec<_> = (0..count)
        .into_par_iter()
        .filter(|&number| number == 0 || budget.stop().is_none())
        .map(|number| Candidate::compile(graph, kind, options, number, count))
        .collect();
    let mut candidates = Vec::new();
    let mut spare = options.memory;
    let mut refused = None;
    for candidate in compiled {
        let admitted = candidate.and_then(|candidate| {
            let demand = candidate.schedule.demand();
            let bytes = bytes(&candidate.schedule);
            // Walks address tables by 32 bits.
            let addressed = if demand.max_entries < f64::from(u32::MAX) {
                spare
            } else {
                0.0
            };
            demand.admit(bytes, addressed)?;
            spare -= bytes;
            Ok(candidate)
        });
        match admitted {
            Ok(candidate) if candidate.schedule.is_exact() => {
                candidates = vec![candidate];
                break;
            }
            Ok(candidate) => candidates.push(candidate),
            Err(error) => refused = Some(error),
        }
    }
    if let (true, Some(error)) = (candidates.is_empty(), refused) {
        return Err(error);
    }
    Ok(candidates)
}

/// Cycles, each twice as long as the one before, until nothing is gained or something ends it.
fn finish<C: Climb>(
    mut winner: Racer<'_, C>,
    mut length: usize,
    options: &GaugeOptions,
    budget: &Budget,
    watch: &mut dyn FnMut(Bound<C::Side>, usize),
) -> Result<GaugeReport<C::Side>, BoundError>
where
    GaugedWmbe<C::Side>: Certificate<FactorGraph, Side = C::Side>,
{
    let exact = winner.schedule().is_exact();
    let before = winner.evaluations();
    let most = options.iterations.unwrap_or(usize::MAX);
    // A point that went astray must not cost the bound that no gauges give.
    let (mut bound, mut witness) = winner.prove().or_else(|_| winner.prove_start())?;
    watch(bound, 0);
    let stop = loop {
        let spent = winner.evaluations() - before;
        if let Some(stop) = budget.stop() {
            break stop;
        }
        if exact {
            break Stop::Converged;
        }
        if spent >= most {
            break Stop::SweepLimit;
        }
        let value = winner.value();
        winner.cycle(length.min(most - spent), budget);
        // A witness that does not verify, because its gauges went astray, is passed over.
        if let Ok(proved) = winner.prove()
            && bound.tighten(proved.0)
        {
            witness = proved.1;
            watch(bound, winner.evaluations() - before);
        }
        // Written so that NaN, which infinities give, has converged too.
        #[allow(clippy::neg_cmp_op_on_partial_ord)]
        let idle = !(value - winner.value() > options.tolerance);
        if idle && budget.stop().is_none() {
            break Stop::Converged;
        }
        length *= 2;
    };
    Ok(GaugeReport {
        bound,
        witness,
        iterations: winner.evaluations() - before,
        raced: 0,
        order: winner.order,
        exact,
        stop,
    })
}
