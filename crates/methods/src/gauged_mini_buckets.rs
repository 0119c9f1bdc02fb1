//! `wmbe-g`: gauged weighted mini-buckets.

use std::borrow::Cow;

use forney_bounds::BoundOptions;
use forney_bounds::wmbe::{CliqueLimit, Steps};
use forney_certify::{Budget, Upper};
use forney_gauge::{
    GaugeOptions, GaugeReport, PublishedVariant, gauged_wmbe, gauged_wmbe_below, published_bracket,
};
use forney_model::FactorGraph;

use crate::restarts::{EXACT, Round, restarts};
use crate::{ExactOn, Inapplicable, Method, Options, Outcome, Point, Side, Watch};

/// Searches without improvement that end it.
const PATIENCE: usize = 4;

/// Gauged weighted mini-buckets, [`gauged_wmbe`]: an iteration is a gradient evaluation.
///
/// Gauges, shifts and weights move together; published steps move gauges alone, above.
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
        if options.steps == Steps::Published {
            return published(graph, side, options, budget, watch);
        }
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

/// The upper bound of published steps.
fn published(
    graph: &FactorGraph,
    side: Side,
    options: &Options,
    budget: &Budget,
    watch: &mut Watch<'_>,
) -> Result<Outcome, Inapplicable> {
    if side != Side::Upper {
        return Err(Inapplicable::NoPublishedSteps { side });
    }
    let own = BoundOptions {
        ibound: Some(options.ibound),
        memory: options.memory,
        iterations: options.iterations,
        seed: options.seed,
        order: options.order.clone(),
        ..BoundOptions::default()
    };
    let found = published_bracket(PublishedVariant::G, graph, &own, budget, &mut |progress| {
        if let Ok(bound) = Upper::new(progress.upper) {
            watch(Point {
                value: bound.into(),
                iterations: progress.iterations,
                elapsed_s: progress.elapsed_s,
            });
        }
    })?;
    Ok(Outcome {
        value: found.bracket.upper().into(),
        iterations: found.iterations,
        stop: found.stop,
        note: Cow::Borrowed(if found.exact { EXACT } else { "" }),
    })
}

fn round<S: forney_certify::Side>(report: GaugeReport<S>) -> Round<S> {
    Round {
        bound: report.bound,
        iterations: report.raced + report.iterations,
        stop: report.stop,
        exact: report.exact,
    }
}
