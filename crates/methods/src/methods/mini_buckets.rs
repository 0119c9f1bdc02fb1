//! `mbe`, `wmbe-uniform`, `wmbe-w`, `wmbe-theta`, `wmbe-theta-w`: mini-buckets of one order and one partition
//! with nothing, weights, shifts or both moved, until they converge or, `published-…`, by the steps of the paper.

use forney_bounds::wmbe::{
    CliqueLimit, Partition, Steps, Variant, VariantOptions, WeightMap, mini_buckets,
};
use forney_certify::{Above, Below};
use forney_exact::{Heuristic, Order, greedy};
use rand::SeedableRng;
use rand_pcg::Pcg64;

use super::restarts::{Limits, Restarts, Round, Tell};
use crate::{ExactOn, Gives, Inapplicable, Job, Method, Work};

/// Searches without improvement that end it.
const PATIENCE: usize = 32;

/// The ibound where none is asked for.
const IBOUND: usize = 4;

/// Mini-buckets, [`mini_buckets`]: an iteration is an evaluation of the bound.
///
/// Orders and partitions are tried one after the other while time lasts.
pub(crate) struct MiniBuckets {
    pub(crate) name: &'static str,
    pub(crate) variant: Variant,
    pub(crate) steps: Steps,
}

impl Method for MiniBuckets {
    fn name(&self) -> &'static str {
        self.name
    }

    fn gives(&self) -> &'static [Gives] {
        &[Gives::Upper, Gives::Lower]
    }

    fn exact_on(&self) -> Option<ExactOn> {
        Some(ExactOn::Trees)
    }

    fn is_compared(&self) -> bool {
        self.steps == Steps::Best
    }

    fn begin<'j>(&self, job: &'j Job<'_>, side: Gives) -> Result<Box<dyn Work + 'j>, Inapplicable> {
        Ok(match side {
            Gives::Upper => self.one_side::<Above>(job),
            _ => self.one_side::<Below>(job),
        })
    }
}

impl MiniBuckets {
    fn one_side<'j, S: WeightMap>(&self, job: &'j Job<'_>) -> Box<dyn Work + 'j> {
        let (variant, steps) = (self.variant, self.steps);
        let ibound = job.options.ibound.unwrap_or(IBOUND);
        let patience = match steps {
            Steps::Best => PATIENCE,
            // The paper has one order and one partition.
            Steps::Published => 0,
        };
        let search = move |limits: &Limits<'_>, tell: &mut Tell<'_, S>| {
            let own = VariantOptions {
                variant,
                steps,
                partition: match limits.number % 2 {
                    0 => Partition::Scope,
                    _ => Partition::Content,
                },
                limit: CliqueLimit {
                    ibound,
                    entries: job.memory / 64.0,
                },
                order: Some(order(job, limits.number)),
                iterations: limits.iterations,
                memory: job.memory,
            };
            let report = mini_buckets(job.graph, &own, limits.budget, tell)?;
            Ok(Round {
                bound: report.bound,
                iterations: report.iterations,
                stop: report.stop,
                exact: report.exact,
            })
        };
        Restarts::boxed(self.name, patience, ibound, search)
    }
}

/// The fixed order, or min-fill and then others, each for both partitions.
fn order(job: &Job<'_>, number: u64) -> Order {
    let (graph, options) = (job.graph, job.options);
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
