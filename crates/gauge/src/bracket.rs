//! Gauged mini-buckets in the bracket: beside all other methods, or alone.

use std::sync::{Mutex, PoisonError};

use forney_bounds::wmbe::{CliqueLimit, MiniBuckets};
use forney_bounds::{
    Allowance, BoundError, BoundOptions, BoundReport, Contender, Method, Prospect, Turn, Watch,
    bracket_with,
};
use forney_certify::{Above, Below, Bound, Budget, Side};
use forney_exact::{Order, Schedule, frontier};
use forney_model::FactorGraph;

use crate::Gauges;
use crate::gauged_lower::STRUCTURED;
use crate::lower_contender::GaugedBlocks;
use crate::optimiser::{Ascent, Descent, Optimiser};
use crate::racer::bytes;
use crate::search::{GaugeOptions, search};

/// The name of the method in reports.
pub const NAME: &str = "wmbe-g";

/// From this share of variables in exactly two factors on, gauges win nearly everywhere.
const LEADING_SHARE: f64 = 0.9;

/// Below this share there is too little to gauge.
const LEAST_SHARE: f64 = 0.2;

/// Orders that race at one ibound.
const CANDIDATES: usize = 32;

/// Seconds that an evaluation without gauges takes for one clique entry, for predictions.
const SECONDS_PER_ENTRY: f64 = 1e-8;

/// Proves `lower ≤ ln Z ≤ upper` as [`forney_bounds::bracket`] does, with gauges among its methods.
///
/// [`Method::Auto`](forney_bounds::Method::Auto) gives gauges a share of the time where enough
/// variables lie in exactly two factors, and most of it where they prove the better bound; below,
/// [structured mean field in a gauge](crate::gauged_structured_mean_field) is part of it.
/// [`Method::Contender`](forney_bounds::Method::Contender) is gauges alone, or mini-buckets without
/// them where they prove nothing; the other methods are those of `forney-bounds`.
///
/// # Errors
/// As [`forney_bounds::bracket`].
///
/// # Example
/// ```
/// use forney_bounds::{BoundOptions, Method};
/// use forney_certify::Budget;
/// use forney_gauge::bracket;
/// use forney_model::generate::mobius;
/// use rand::SeedableRng;
/// let model = mobius(12, 1.0, &mut rand_pcg::Pcg64::seed_from_u64(1));
/// let options = BoundOptions {
///     ibound: Some(3),
///     iterations: Some(100),
///     method: Method::Contender,
///     ..Default::default()
/// };
/// let report = bracket(&model, &options, &Budget::unlimited(), &mut |_| {})?;
/// assert!(report.bracket.gap() < 1.0);
/// assert_eq!(report.upper_method, forney_gauge::NAME);
/// # Ok::<(), forney_bounds::BoundError>(())
/// ```
pub fn bracket(
    graph: &FactorGraph,
    options: &BoundOptions,
    budget: &Budget,
    watch: &mut Watch<'_>,
) -> Result<BoundReport, BoundError> {
    let contender = GaugedMiniBuckets {
        // The method asked for by name is mini-buckets alone.
        blocks: (options.method == Method::Auto).then(|| GaugedBlocks::new(options.ibound)),
        ..GaugedMiniBuckets::default()
    };
    bracket_with(&contender, graph, options, budget, watch)
}

/// Gauged mini-buckets that remember what they found at smaller ibounds.
#[derive(Default)]
struct GaugedMiniBuckets {
    above: Mutex<Option<Found<Above>>>,
    below: Mutex<Option<Found<Below>>>,
    /// Mean field in a gauge, for its part of the turns below.
    blocks: Option<GaugedBlocks>,
}

/// The best witness so far, as a start for the next level.
struct Found<S: Side> {
    bound: Bound<S>,
    limit: CliqueLimit,
    known: (Order, Gauges),
}

impl Contender for GaugedMiniBuckets {
    fn name(&self) -> &'static str {
        NAME
    }

    fn owns(&self, name: &str) -> bool {
        name == NAME || name == STRUCTURED
    }

    fn prospect(&self, graph: &FactorGraph) -> Prospect {
        let mentioned = |degree: &usize| *degree > 0;
        let free = graph.variables().filter(|&v| graph.card(v) > 1);
        let degrees = free.map(|v| graph.factors_of(v).count()).filter(mentioned);
        let degrees: Vec<usize> = degrees.collect();
        let in_two = degrees.iter().filter(|&&degree| degree == 2).count();
        let share = in_two as f64 / degrees.len() as f64;
        // Written so that NaN, of a model without variables, promises nothing.
        if share >= LEADING_SHARE {
            Prospect::Lead
        } else if share >= LEAST_SHARE {
            Prospect::Trial
        } else {
            Prospect::None
        }
    }

    fn compete(&self, turn: &Turn<'_, '_>) {
        rayon::join(
            || side::<Descent>(turn, turn.upper.as_ref(), &self.above),
            || {
                let left = turn
                    .lower
                    .as_ref()
                    .map(|allowed| self.compete_below(turn, allowed));
                side::<Ascent>(turn, left.as_ref(), &self.below);
            },
        );
    }
}

impl GaugedMiniBuckets {
    /// The part of mean field in a gauge; returns what it leaves of the turn.
    fn compete_below(&self, turn: &Turn<'_, '_>, allowed: &Allowance) -> Allowance {
        let Some(blocks) = &self.blocks else {
            return allowed.clone();
        };
        let spent = blocks.compete(turn, allowed);
        turn.count::<Below>(spent);
        Allowance {
            budget: allowed.budget.clone(),
            iterations: allowed.iterations.map(|left| left.saturating_sub(spent)),
        }
    }
}

/// One side of a turn.
fn side<C: Optimiser>(
    turn: &Turn<'_, '_>,
    allowed: Option<&Allowance>,
    found: &Mutex<Option<Found<C::Side>>>,
) {
    let Some(allowed) = allowed else {
        return;
    };
    let Some(mut options) = plan(turn, allowed) else {
        return;
    };
    let mut found = found.lock().unwrap_or_else(PoisonError::into_inner);
    let smaller = |found: &&Found<C::Side>| {
        let (before, now) = (found.limit, options.limit);
        before.ibound < now.ibound || before.entries < now.entries
    };
    // What an earlier level found goes on for a while.
    options.known = (found.as_ref().filter(smaller)).map(|found| found.known.clone());
    // No gauge may keep a model with hard zeros positive, or tables span more than numbers hold.
    let Ok(next) = search::<C>(turn.graph, &options, &mut turn.account(allowed)) else {
        return;
    };
    let known = found.as_ref().map(|found| found.bound);
    if known.is_none_or(|mut known| known.tighten(next.bound)) {
        *found = Some(Found {
            bound: next.bound,
            limit: options.limit,
            known: (next.order, next.witness.gauges),
        });
    }
}

/// Cliques and candidates within time, memory and evaluations; `None` if not even one fits.
fn plan(turn: &Turn<'_, '_>, allowed: &Allowance) -> Option<GaugeOptions> {
    let first = match turn.order {
        Some(order) => order.clone(),
        None => frontier(turn.graph, None),
    };
    // Rounds of fewer and fewer candidates: 8 n (1 + 2/3 + …). Gauges wait for the winner where time is
    // short.
    let race_evaluations = 16.0;
    let left = allowed.budget.remaining().map(|left| left.as_secs_f64());
    let mut limit = turn.limit;
    let factors = turn
        .graph
        .factors()
        .iter()
        .map(|factor| factor.num_entries());
    let least = factors.max().unwrap_or(1) as f64;
    let (fit, bytes) = loop {
        let mut rule = MiniBuckets::new(limit, None);
        let schedule = Schedule::compile(turn.graph, &first, &mut rule).ok()?;
        let entries = schedule.demand().total_entries;
        let threads = rayon::current_num_threads() as f64;
        let race = race_evaluations * entries * SECONDS_PER_ENTRY;
        let in_time = left.map_or(f64::INFINITY, |left| 0.5 * left * threads / race);
        let bytes = bytes(&schedule);
        let in_memory = turn.memory / bytes;
        let fit = in_time.min(in_memory);
        // What cannot be smaller has to do, if there is room for it.
        let smallest = limit.entries <= least || allowed.budget.stop().is_some();
        if fit >= 1.0 || (smallest && in_memory >= 1.0) {
            break (fit, bytes);
        }
        if smallest {
            return None;
        }
        limit.entries = (schedule.demand().max_entries / 4.0)
            .min(limit.entries / 2.0)
            .max(least);
    };
    let candidates = CANDIDATES.min(fit as usize).max(1);
    turn.note_bytes(candidates as f64 * bytes);
    Some(GaugeOptions {
        limit,
        order: turn.order.cloned(),
        candidates,
        // Where higher ibounds follow, they gain more than other orders.
        once: turn.ascending,
        iterations: allowed.iterations,
        least_gain: turn.least_gain,
        memory: turn.memory,
        seed: turn.seed,
        ..GaugeOptions::default()
    })
}
