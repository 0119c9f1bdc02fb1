//! `wmbe-g`: gauged weighted mini-buckets.

use forney_bounds::wmbe::CliqueLimit;
use forney_certify::Budget;
use forney_gauge::{GaugeOptions, GaugeReport, gauged_wmbe, gauged_wmbe_below};
use forney_model::FactorGraph;

use crate::restarts::{Round, restarts};
use crate::{ExactOn, Inapplicable, Method, Options, Outcome, Side, Watch};

/// Searches without improvement that end it.
const PATIENCE: usize = 4;

/// Gauged weighted mini-buckets with shifts and weights, [`gauged_wmbe`]: an iteration is a
/// gradient evaluation.
pub(crate) struct GaugedMiniBuckets;

impl Method for GaugedMiniBuckets {
    fn name(&self) -> &'static str {
        forney_gauge::NAME
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
        let of_round = |number: u64| GaugeOptions {
            limit: CliqueLimit {
                ibound: options.ibound,
                entries: options.memory / 64.0,
            },
            order: options.order.clone(),
            iterations: options.iterations,
            memory: 0.4 * options.memory,
            seed: options.seed.wrapping_add(number),
            ..GaugeOptions::default()
        };
        if side == Side::Upper {
            restarts(options, budget, PATIENCE, watch, |number, tell| {
                Ok(round(gauged_wmbe(graph, &of_round(number), budget, tell)?))
            })
        } else {
            restarts(options, budget, PATIENCE, watch, |number, tell| {
                let found = gauged_wmbe_below(graph, &of_round(number), budget, tell)?;
                Ok(round(found))
            })
        }
    }
}

fn round<S: forney_certify::Side>(report: GaugeReport<S>) -> Round<S> {
    Round {
        bound: report.bound,
        iterations: report.iterations,
        stop: report.stop,
        exact: report.exact,
    }
}
