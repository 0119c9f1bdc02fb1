//! The best bound at one clique size: structures race, the winner climbs, a local search follows.

use std::sync::Arc;

use forney_certify::{Bound, Budget, Certificate};
use forney_exact::{Order, Schedule, TooLarge};
use forney_model::FactorGraph;

use super::racer::{Racer, bytes};
use super::search::Search;
use super::tournament::{Race, race};
use super::{Candidate, Candidates, CliqueLimit, WeightMap};
use crate::Progress;
use crate::board::{Board, Post};

/// Before a local search as many races are held within this share of the time: winners of races with
/// other seeds differ by more than a short search repairs.
const RACES: u64 = 8;
const RACING: f64 = 0.3;

/// What [`best_mini_buckets`] works with.
#[derive(Clone, Debug)]
pub struct BestOptions<'o> {
    /// How large cliques may be.
    pub limit: CliqueLimit,
    /// Which structures race.
    pub candidates: Candidates<'o>,
    /// Does a local search over structures follow the race?
    pub local: bool,
    /// Bytes that all tables together may take.
    pub memory: f64,
    /// At most so many gradient evaluations, after a race that takes about 24 for each candidate.
    pub iterations: usize,
    /// Ends once an evaluation gains no more than this, in nats.
    pub least_gain: f64,
}

/// The best weighted mini-bucket bound that was found, with what it came from.
#[derive(Clone, Debug)]
pub struct BestMiniBuckets<S: WeightMap> {
    /// The verified bound; trivial if no point verifies.
    pub bound: Bound<S>,
    /// The elimination order.
    pub order: Order,
    /// What is computed in that order.
    pub schedule: Arc<Schedule>,
    /// Shifts and logits of the weights, as [`WmbeObjective`](super::WmbeObjective) takes them.
    pub point: Vec<f64>,
    /// `±ln Z_w` there, lower is tighter.
    pub value: f64,
    /// Gradient evaluations in all.
    pub evaluations: usize,
}

/// The tightest weighted mini-bucket bound that a budget allows at one clique size; `watch` sees every
/// verified improvement with the evaluations spent on it.
///
/// # Errors
/// [`TooLarge`] if the memory holds not even one candidate.
///
/// # Example
/// ```
/// use forney_bounds::wmbe::{BestOptions, Candidates, CliqueLimit, best_mini_buckets};
/// use forney_certify::{Above, Budget};
/// use forney_model::{enumerate::enumerate, generate::ising_grid};
/// use rand::SeedableRng;
/// let model = ising_grid(4, 1.0, 0.1, &mut rand_pcg::Pcg64::seed_from_u64(1));
/// let options = BestOptions {
///     limit: CliqueLimit { ibound: 2, entries: 1e6 },
///     candidates: Candidates { fixed: None, count: 8, seed: 0 },
///     local: true,
///     memory: 1e9,
///     iterations: 2_000,
///     least_gain: 1e-6,
/// };
/// let budget = Budget::unlimited();
/// let best = best_mini_buckets::<Above>(&model, &options, &budget, &mut |_, _| {})?;
/// assert!(best.bound.ln() >= enumerate(&model).ln_z);
/// # Ok::<(), forney_exact::TooLarge>(())
/// ```
pub fn best_mini_buckets<S>(
    graph: &FactorGraph,
    options: &BestOptions<'_>,
    budget: &Budget,
    watch: &mut (dyn FnMut(Bound<S>, usize) + Send),
) -> Result<BestMiniBuckets<S>, TooLarge>
where
    S: WeightMap + Post,
{
    let watch = &mut |progress: &Progress| {
        let above = S::SENSE > 0.0;
        let ln = if above {
            progress.upper
        } else {
            progress.lower
        };
        // It was verified before it was reported.
        if let Ok(bound) = Bound::new(ln) {
            watch(bound, progress.iterations);
        }
    };
    let board = Board::new(budget, watch);
    let winner = match climb::<S>(graph, options, Known::default(), budget, &board) {
        Race::Winner(winner) => *winner,
        Race::Exact(candidate) => Racer::new(*candidate, graph),
        Race::Nobody => {
            let BestOptions { limit, memory, .. } = *options;
            let first = (options.candidates).compile::<S>(graph, limit, 0, memory, budget)?;
            return Err(TooLarge {
                width: first.schedule.demand().width,
                bytes: bytes(&first.schedule),
                limit: memory,
            });
        }
    };
    let bound = winner.witness().verify(graph);
    Ok(BestMiniBuckets {
        bound: bound.unwrap_or_else(|_| Bound::trivial()),
        order: winner.structure.order.clone(),
        schedule: Arc::clone(winner.schedule()),
        point: winner.point(),
        value: winner.value(),
        evaluations: board.counted::<S>(),
    })
}

/// What is known before a climb.
pub(crate) struct Known<'k, S: WeightMap> {
    /// Candidate 0.
    pub(crate) first: Option<&'k Candidate>,
    /// The winner of an earlier climb.
    pub(crate) incumbent: Option<Box<Racer<S>>>,
}

impl<S: WeightMap> Default for Known<'_, S> {
    fn default() -> Self {
        Self {
            first: None,
            incumbent: None,
        }
    }
}

/// As [`best_mini_buckets`], entering every bound on the way; an incumbent of an earlier run stays unless
/// a better one is found, and the local search goes on from it. Without candidates the incumbent itself goes
/// on first.
pub(crate) fn climb<S>(
    graph: &FactorGraph,
    options: &BestOptions<'_>,
    known: Known<'_, S>,
    budget: &Budget,
    board: &Board<'_>,
) -> Race<S>
where
    S: WeightMap + Post,
{
    let BestOptions {
        limit,
        memory,
        least_gain,
        ..
    } = *options;
    let most = board.counted::<S>().saturating_add(options.iterations);
    let left = || most.saturating_sub(board.counted::<S>());
    // Without an end of time nothing may depend on how fast the machine is.
    let time = budget.remaining().map(|left| left.mul_f64(RACING));
    let time = time.map(|time| budget.capped(time));
    let races = match (options.local, &time) {
        _ if options.candidates.count == 0 => 0,
        (true, Some(_)) => RACES,
        _ => 1,
    };
    let mut best = known.incumbent;
    if options.candidates.count == 0
        && let Some(best) = &mut best
    {
        best.finish(graph, left(), least_gain, budget, board);
    }
    for round in 0..races {
        let candidates = Candidates {
            seed: options.candidates.seed.wrapping_add(round << 32),
            ..options.candidates
        };
        let spare = memory - best.as_ref().map_or(0.0, |best| best.bytes);
        // Only what stands in for nothing may take all of the time.
        let time = match (options.local, &best, &time) {
            (true, Some(_), Some(time)) => time,
            _ => budget,
        };
        if best.is_some() && (time.stop().is_some() || left() == 0) {
            break;
        }
        match race::<S>(graph, limit, &candidates, known.first, spare, time, board) {
            Race::Winner(mut other) => {
                let value = best.as_ref().map_or(f64::INFINITY, |best| best.value());
                if best.is_none() || other.value() < value {
                    other.prove(graph, board);
                }
                other.finish(graph, left(), least_gain, time, board);
                // NaN sorts last.
                if best.is_none() || other.value().total_cmp(&value).is_lt() {
                    best = Some(other);
                }
            }
            Race::Exact(candidate) => return Race::Exact(candidate),
            Race::Nobody => break,
        }
    }
    let Some(mut winner) = best else {
        return Race::Nobody;
    };
    if options.local {
        let search = Search {
            graph,
            limit,
            memory,
            fixed: options.candidates.fixed.is_some(),
            seed: options.candidates.seed,
            least_gain,
        };
        search.improve(&mut winner, left(), budget, board);
    }
    Race::Winner(winner)
}
