//! `wmbe-g`: gauged mini-buckets, at higher and higher ibounds or again and again at one.

use forney_bounds::race::Account;
use forney_bounds::wmbe::{CliqueLimit, MiniBuckets, WeightMap, bytes};
use forney_bounds::{Activity, BoundError, ELIMINATION};
use forney_certify::{Above, Below, Bound, Budget, Lower, Stop, Upper};
use forney_exact::{Order, Pace, Schedule, frontier};
use forney_gauge::{
    GaugeOptions, GaugeReport, Gauges, NAME, candidate_bytes, gauged_wmbe_below_within,
    gauged_wmbe_within,
};
use forney_model::FactorGraph;

use super::wmbe::{self, IBOUND_STEP, first_ibound, least_gain};
use crate::{ExactOn, Gives, Inapplicable, Job, Method, Slice, Turn, Work};

/// With fewer variables in exactly two factors than this share there is too little to gauge.
const LEAST_SHARE: f64 = 0.2;

/// Orders that race at one ibound.
const CANDIDATES: usize = 32;

/// Entries of an elimination that take as long as one of an evaluation without gauges.
const COST: f64 = 10.0;

/// Evaluations of each candidate in rounds of fewer and fewer: 8 n (1 + 2/3 + …). Gauges wait for the winner
/// where time is short.
const RACE_EVALUATIONS: f64 = 16.0;

/// The share of the iterations that are left for a level that is one of many.
const PART: f64 = 0.4;

/// Gauges with shifts and weights: an iteration is a gradient evaluation.
pub(crate) struct GaugedMiniBuckets;

impl Method for GaugedMiniBuckets {
    fn name(&self) -> &'static str {
        NAME
    }

    fn gives(&self) -> &'static [Gives] {
        &[Gives::Upper, Gives::Lower]
    }

    fn exact_on(&self) -> Option<ExactOn> {
        Some(ExactOn::Trees)
    }

    fn takes_part(&self, graph: &FactorGraph) -> bool {
        is_gaugeable(graph)
    }

    fn simplifies(&self) -> bool {
        true
    }

    fn begin<'j>(&self, job: &'j Job<'_>, side: Gives) -> Result<Box<dyn Work + 'j>, Inapplicable> {
        if let Some(ibound) = job.options.ibound {
            CliqueLimit::admit(ibound, job.graph)?;
        }
        Ok(match side {
            Gives::Upper => Box::new(Ladder::<Above>::new(job, gauged_wmbe_within)),
            _ => Box::new(Ladder::<Below>::new(job, gauged_wmbe_below_within)),
        })
    }
}

/// Are enough variables in exactly two factors, of those in any?
pub(super) fn is_gaugeable(graph: &FactorGraph) -> bool {
    let free = graph.variables().filter(|&v| graph.card(v) > 1);
    let degrees = free.map(|v| graph.factors_of(v).count());
    let degrees: Vec<usize> = degrees.filter(|&degree| degree > 0).collect();
    let in_two = degrees.iter().filter(|&&degree| degree == 2).count();
    // Written so that NaN, of a model without variables, is too little.
    in_two as f64 / degrees.len() as f64 >= LEAST_SHARE
}

/// The search of one side.
type Search<S> =
    fn(&FactorGraph, &GaugeOptions, &mut Account<'_, '_>) -> Result<GaugeReport<S>, BoundError>;

/// What goes on from level to level.
struct Ladder<'j, S: WeightMap> {
    job: &'j Job<'j>,
    search: Search<S>,
    ibound: usize,
    round: u64,
    /// The best witness so far, as a start for the next level.
    found: Option<Found<S>>,
    /// Mini-buckets, where gauges prove nothing and nothing else is at work.
    plain: Option<wmbe::Ladder<'j, S>>,
}

struct Found<S: WeightMap> {
    bound: Bound<S>,
    limit: CliqueLimit,
    known: (Order, Gauges),
}

/// What fits.
struct Fit {
    limit: CliqueLimit,
    candidates: usize,
    bytes: f64,
    /// Is it smaller than the ibound asked for?
    capped: bool,
    schedule: Schedule,
}

impl<'j, S: WeightMap> Ladder<'j, S> {
    fn new(job: &'j Job<'_>, search: Search<S>) -> Self {
        Self {
            job,
            search,
            ibound: job
                .options
                .ibound
                .unwrap_or_else(|| first_ibound(job.graph)),
            round: 0,
            found: None,
            plain: None,
        }
    }

    /// Cliques and candidates within time and memory.
    fn fit(&self, budget: &Budget) -> Result<Fit, BoundError> {
        let job = self.job;
        let first = match &job.options.order {
            Some(order) => order.clone(),
            None => frontier(job.graph, None),
        };
        let left = budget.remaining().map(|left| left.as_secs_f64());
        let factors = job.graph.factors().iter().map(|f| f.num_entries());
        let least = factors.max().unwrap_or(1) as f64;
        let mut limit = CliqueLimit {
            ibound: self.ibound,
            entries: job.memory / 8.0,
        };
        let mut capped = false;
        loop {
            let mut rule = MiniBuckets::new(limit, None);
            let schedule = Schedule::compile(job.graph, &first, &mut rule)?;
            let demand = schedule.demand();
            let threads = rayon::current_num_threads() as f64;
            let race = Pace::of(budget).seconds(COST * RACE_EVALUATIONS * demand.total_entries);
            let in_time = left.map_or(f64::INFINITY, |left| 0.5 * left * threads / race);
            // Mini-buckets may come first.
            let bytes = candidate_bytes(&schedule).max(bytes(&schedule));
            let in_memory = job.memory / bytes;
            let fit = in_time.min(in_memory);
            // What cannot be smaller has to do, if there is room for it.
            let smallest = limit.entries <= least || budget.stop().is_some();
            if fit >= 1.0 || (smallest && in_memory >= 1.0) {
                let candidates = CANDIDATES.min(fit as usize).max(1);
                return Ok(Fit {
                    limit,
                    candidates,
                    bytes: candidates as f64 * bytes,
                    capped,
                    schedule,
                });
            }
            if smallest {
                return Err(BoundError::MiniBucketsTooLarge {
                    // Each side has its share.
                    bytes: bytes * job.options.memory / job.memory,
                    limit: job.options.memory,
                });
            }
            limit.entries = (demand.max_entries / 4.0)
                .min(limit.entries / 2.0)
                .max(least);
            capped = true;
        }
    }

    fn options(&self, fit: &Fit, slice: &Slice<'_, '_>) -> GaugeOptions {
        let options = self.job.options;
        let ascending = options.ibound.is_none();
        let limit = fit.limit;
        let smaller = |found: &&Found<S>| {
            let before = found.limit;
            before.ibound < limit.ibound || before.entries < limit.entries
        };
        GaugeOptions {
            limit,
            order: options.order.clone(),
            // What an earlier level found goes on for a while.
            known: (self.found.as_ref().filter(smaller)).map(|found| found.known.clone()),
            candidates: fit.candidates,
            // Where higher ibounds follow, they gain more than other orders.
            once: ascending && !fit.capped,
            // Where higher ibounds follow they deserve their part of the iterations, too.
            iterations: slice.iterations.map(|left| match ascending {
                true => (PART * left as f64).ceil() as usize,
                false => left,
            }),
            least_gain: least_gain(self.job, fit.capped, slice),
            memory: self.job.memory,
            seed: (options.seed).wrapping_add(self.round.wrapping_mul(0x9e37_79b9)),
        }
    }
}

impl<S: WeightMap> Work for Ladder<'_, S> {
    fn go_on(&mut self, slice: &Slice<'_, '_>) -> Result<Turn, Inapplicable> {
        if slice.iterations == Some(0) {
            return Ok(Turn::Over(Stop::SweepLimit));
        }
        let (job, ibound) = (self.job, self.ibound);
        let few = self.round == 0 && job.alone && slice.is_timed() && !is_gaugeable(job.graph);
        if few && self.plain.is_none() {
            // Where hardly anything can be gauged larger cliques gain more: on a 30 × 30 grid 6 nats against 16.
            self.plain = Some(wmbe::Ladder::new(job)?);
        }
        if let Some(plain) = &mut self.plain {
            return plain.go_on(slice);
        }
        let fixed = job.options.ibound.is_some();
        slice.board.say(Activity::MiniBuckets { ibound });
        let budget = match fixed && job.alone {
            true => slice.whole.clone(),
            false => slice.if_timed(slice.time()),
        };
        let fit = self.fit(&budget)?;
        let schedule = &fit.schedule;
        if schedule.is_exact()
            && job.exact_fits(schedule, 0.5, slice.whole)
            && job.eliminate(schedule, slice.board, slice.whole)?
        {
            return Ok(Turn::Over(Stop::Converged));
        }
        slice.board.begin(fit.limit.ibound, fit.bytes);
        let options = self.options(&fit, slice);
        self.round += 1;
        let mut account = Account::new(slice.board, &budget, job.memory, options.iterations);
        let search = self.search;
        let next = search(job.graph, &options, &mut account);
        let endless = !slice.is_timed() && slice.iterations.is_none();
        let next = match next {
            Ok(next) => next,
            // No gauge may keep a model with hard zeros positive, or tables span more than numbers hold.
            Err(_) if self.found.is_some() => return Ok(Turn::Over(Stop::Converged)),
            Err(_) if job.alone => {
                return self.plain.insert(wmbe::Ladder::new(job)?).go_on(slice);
            }
            Err(error) => return Err(error.into()),
        };
        if next.exact {
            let (ln, width) = (next.bound.ln(), next.witness.schedule.demand().width);
            let (lower, upper) = (Lower::new(ln), Upper::new(ln));
            let both = lower.and_then(|lower| Ok((lower, upper?)));
            let (lower, upper) = both.map_err(BoundError::from)?;
            slice.board.post_exact(lower, upper, width, ELIMINATION);
            return Ok(Turn::Over(Stop::Converged));
        }
        let known = self.found.as_ref().map(|found| found.bound);
        if known.is_none_or(|mut known| known.tighten(next.bound)) {
            self.found = Some(Found {
                bound: next.bound,
                limit: options.limit,
                known: (next.order, next.witness.gauges),
            });
        }
        Ok(match (fixed, fit.capped) {
            (true, _) => Turn::Again,
            (false, true) if endless => Turn::Over(Stop::MemoryLimit),
            (false, true) => Turn::Open,
            (false, false) => {
                self.ibound += IBOUND_STEP;
                Turn::Open
            }
        })
    }
}
