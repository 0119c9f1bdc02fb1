//! `mbe`, `wmbe-uniform`, `wmbe-w`, `wmbe-theta`, `wmbe-theta-w`: mini-buckets of one order and one partition
//! with nothing, weights, shifts or both moved.

use forney_bounds::wmbe::{
    CliqueLimit, Partition, Variant, VariantOptions, WeightMap, mini_buckets,
};
use forney_certify::{Above, Below, Bound, Budget};
use forney_exact::{Heuristic, Order, greedy};
use forney_model::FactorGraph;
use rand::SeedableRng;
use rand_pcg::Pcg64;

use crate::restarts::{Round, restarts};
use crate::{ExactOn, Inapplicable, Method, Options, Outcome, Side, Value, Watch};

/// Searches without improvement that end it.
const PATIENCE: usize = 32;

/// Mini-buckets, [`mini_buckets`]: an iteration is an evaluation of the bound.
///
/// Orders and partitions are tried one after the other while time lasts.
pub(crate) struct MiniBuckets {
    pub(crate) name: &'static str,
    pub(crate) variant: Variant,
}

impl Method for MiniBuckets {
    fn name(&self) -> &'static str {
        self.name
    }

    fn sides(&self) -> &'static [Side] {
        &[Side::Upper, Side::Lower]
    }

    fn exact_on(&self) -> Option<ExactOn> {
        Some(ExactOn::Trees)
    }

    fn search(
        &self,
        graph: &FactorGraph,
        side: Side,
        options: &Options,
        budget: &Budget,
        watch: &mut Watch<'_>,
    ) -> Result<Outcome, Inapplicable> {
        match side {
            Side::Upper => self.one_side::<Above>(graph, options, budget, watch),
            _ => self.one_side::<Below>(graph, options, budget, watch),
        }
    }
}

impl MiniBuckets {
    fn one_side<S>(
        &self,
        graph: &FactorGraph,
        options: &Options,
        budget: &Budget,
        watch: &mut Watch<'_>,
    ) -> Result<Outcome, Inapplicable>
    where
        S: WeightMap,
        Bound<S>: Into<Value>,
    {
        restarts::<S>(options, budget, PATIENCE, watch, |number, tell| {
            let own = VariantOptions {
                variant: self.variant,
                steps: options.steps,
                partition: match number % 2 {
                    0 => Partition::Scope,
                    _ => Partition::Content,
                },
                limit: CliqueLimit {
                    ibound: options.ibound,
                    entries: options.memory / 64.0,
                },
                order: Some(order(graph, options, number)),
                iterations: options.iterations,
                memory: options.memory,
            };
            let report = mini_buckets(graph, &own, budget, tell)?;
            Ok(Round {
                bound: report.bound,
                iterations: report.iterations,
                stop: report.stop,
                exact: report.exact,
            })
        })
    }
}

/// The fixed order, or min-fill and then others, each for both partitions.
fn order(graph: &FactorGraph, options: &Options, number: u64) -> Order {
    if let Some(order) = &options.order {
        return order.clone();
    }
    let pair = number / 2;
    let heuristics = Heuristic::ALL.len() as u64;
    let heuristic = Heuristic::ALL[(pair % heuristics) as usize];
    if pair < heuristics {
        return greedy(graph, heuristic, None);
    }
    let mut ties = Pcg64::seed_from_u64(options.seed.wrapping_add(pair));
    greedy(graph, heuristic, Some(&mut ties))
}
