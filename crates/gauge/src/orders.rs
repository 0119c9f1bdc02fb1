//! Which orders and partitions race.

use std::sync::Arc;

use forney_bounds::BoundError;
use forney_bounds::wmbe::{Candidates, WeightMap};
use forney_certify::Budget;
use forney_exact::{Heuristic, Order, Schedule, frontier, greedy};
use forney_model::FactorGraph;
use rand::SeedableRng;
use rand_pcg::Pcg64;

use crate::partition::Loosened;
use crate::search::GaugeOptions;

/// Gauges on fewer than one in so many variables, such as the corners of a grid, wait until shifts and
/// weights have gained what they can.
const FEW: usize = 16;

/// How likely a bucket that fits is split all the same, where only the partition is free: candidate
/// by candidate.
const LOOSE: [f64; 4] = [0.05, 0.03, 0.1, 0.2];

/// How much of a model can be gauged, and so when gauges move.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Half of the variables or more, as in Forney form: from the start in some races; in others, and
    /// where time is short, once shifts and weights alone have found the best order.
    Full,
    /// Some variables, as in Linkage: once shifts and weights alone have found the best order.
    Mixed,
    /// Hardly any: when shifts and weights gain no more.
    Plain,
}

impl Kind {
    pub(crate) fn of(graph: &FactorGraph) -> Self {
        let wide = graph.variables().filter(|&v| graph.card(v) > 1);
        let (mut all, mut gaugeable) = (0, 0);
        for v in wide {
            all += 1;
            gaugeable += usize::from(graph.factors_of(v).count() == 2);
        }
        if 2 * gaugeable >= all {
            Self::Full
        } else if FEW * gaugeable >= all {
            Self::Mixed
        } else {
            Self::Plain
        }
    }

    /// Evaluations of the first cycle of the winner, at least.
    pub(crate) fn first_cycle(self) -> usize {
        match self {
            Self::Full | Self::Mixed => 150,
            Self::Plain => 50,
        }
    }

    /// Gradient evaluations of a race of so many: the first round, then twice as many for a quarter,
    /// until one is left.
    pub(crate) fn race_evaluations(self, mut candidates: usize) -> usize {
        let (mut round, mut sum) = (first_round(self != Self::Full), candidates);
        while candidates > 1 {
            sum += round * candidates;
            candidates = candidates.div_ceil(4);
            round *= 2;
        }
        sum
    }

    /// The share of time and evaluations that shifts and weights have for themselves at first.
    pub(crate) fn plain_share(self) -> f64 {
        match self {
            Self::Full | Self::Mixed => 0.5,
            Self::Plain => 0.9,
        }
    }
}

/// Evaluations of every candidate in the first round; each later round doubles them.
pub(crate) fn first_round(plain: bool) -> usize {
    // Quasi-Newton steps on shifts and weights alone show early what an order is worth.
    if plain { 8 } else { 25 }
}

/// What races, before anything is computed.
pub(crate) struct Candidate {
    pub(crate) order: Order,
    pub(crate) schedule: Arc<Schedule>,
}

/// What all candidates of a search share.
#[derive(Clone, Copy)]
pub(crate) struct Field<'f> {
    pub(crate) graph: &'f FactorGraph,
    pub(crate) kind: Kind,
    pub(crate) options: &'f GaugeOptions,
    /// How many race at once.
    pub(crate) count: usize,
}

impl Field<'_> {
    /// Candidate `number` of a plain or a gauged race for the side of `S`, within `memory` bytes for
    /// all of its race; numbers from `count` on are those of further races.
    ///
    /// # Errors
    /// As [`Schedule::compile`].
    pub(crate) fn compile<S: WeightMap>(
        &self,
        number: usize,
        plain: bool,
        memory: f64,
        budget: &Budget,
    ) -> Result<Candidate, BoundError> {
        let (graph, options) = (self.graph, self.options);
        // Neighbouring seeds of a search share no candidate.
        let seed = options.seed.wrapping_mul(0x9e37_79b9);
        if plain {
            let candidates = Candidates {
                fixed: options.order.as_ref(),
                count: self.count,
                seed,
            };
            let found = candidates.compile::<S>(graph, options.limit, number, memory, budget)?;
            return Ok(Candidate {
                order: found.structure.order,
                schedule: found.schedule,
            });
        }
        let seed = seed.wrapping_add(number as u64);
        let (order, noisy, share) = match &options.order {
            Some(order) if number == 0 => (order.clone(), false, 0.0),
            Some(order) => (order.clone(), true, LOOSE[number % LOOSE.len()]),
            None => {
                let noisy = number % self.count >= self.count.div_ceil(2).max(4);
                let mut ties = Pcg64::seed_from_u64(seed);
                (gauged_order(graph, number, &mut ties), noisy, 0.0)
            }
        };
        let mut rule = Loosened::new(options.limit, noisy.then_some(seed), share);
        Ok(Candidate {
            schedule: Schedule::compile(graph, &order, &mut rule)?.into(),
            order,
        })
    }
}

/// Orders for gauges: three deterministic ones, then mostly frontier orders, which win most races.
fn gauged_order(graph: &FactorGraph, number: usize, ties: &mut Pcg64) -> Order {
    match number {
        0 => frontier(graph, None),
        1 => greedy(graph, Heuristic::MinFill, None),
        2 => greedy(graph, Heuristic::MinSize, None),
        n if n % 4 == 3 => greedy(graph, Heuristic::MinFill, Some(ties)),
        n if n % 8 == 6 => greedy(graph, Heuristic::MinSize, Some(ties)),
        _ => frontier(graph, Some(ties)),
    }
}
