//! `wmbe` and `wmbe-g`: what `forney bound` does under these names, on one side.

use std::borrow::Cow;

use forney_bounds::wmbe::Steps;
use forney_bounds::{BoundError, BoundOptions, BoundReport, Method as Brackets, Progress, Sides};
use forney_certify::{Budget, Lower, Upper};
use forney_gauge::{PublishedVariant, bracket, published_bracket};
use forney_model::FactorGraph;

use crate::restarts::EXACT;
use crate::{ExactOn, Inapplicable, Method, Options, Outcome, Point, Side, Value, Watch};

/// Weighted mini-buckets whose orders and partitions race, [`bracket`]: an iteration is a gradient evaluation.
pub(crate) enum Bracketed {
    /// Shifts and weights move.
    MiniBuckets,
    /// And gauges with them; published steps move gauges alone, above.
    Gauged,
}

impl Method for Bracketed {
    fn name(&self) -> &'static str {
        match self {
            Self::MiniBuckets => Brackets::Wmbe.name(),
            Self::Gauged => forney_gauge::NAME,
        }
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
        let upper = side == Side::Upper;
        let own = BoundOptions {
            ibound: Some(options.ibound),
            memory: options.memory,
            iterations: options.iterations,
            seed: options.seed,
            sides: if upper { Sides::Upper } else { Sides::Lower },
            method: match self {
                Self::MiniBuckets => Brackets::Wmbe,
                Self::Gauged => Brackets::Contender,
            },
            order: options.order.clone(),
            ..BoundOptions::default()
        };
        let mut see = |progress: &Progress| {
            let (value, method) = if upper {
                let value = Upper::new(progress.upper).map(Value::Upper);
                (value, progress.upper_method)
            } else {
                let value = Lower::new(progress.lower).map(Value::Lower);
                (value, progress.lower_method)
            };
            let Ok(value) = value else { return };
            // What holds for any model is no point of the method, which may not even apply.
            if method == "maxima" {
                return;
            }
            watch(Point {
                value,
                iterations: progress.iterations,
                elapsed_s: progress.elapsed_s,
            });
        };
        let found = match (self, options.steps) {
            (Self::Gauged, Steps::Published) if !upper => {
                return Err(Inapplicable::NoPublishedSteps { side });
            }
            (Self::Gauged, Steps::Published) => {
                published_bracket(PublishedVariant::G, graph, &own, budget, &mut see)
            }
            _ => bracket(graph, &own, budget, &mut see),
        };
        let found = fitting(found?)?;
        Ok(Outcome {
            value: if upper {
                Value::Upper(found.bracket.upper())
            } else {
                Value::Lower(found.bracket.lower())
            },
            iterations: found.iterations,
            stop: found.stop,
            note: Cow::Borrowed(if found.exact { EXACT } else { "" }),
        })
    }
}

/// Where the method could not run, what stands in for it is no value of its own.
fn fitting(found: BoundReport) -> Result<BoundReport, BoundError> {
    match found.refused {
        Some(error) => Err(error),
        None => Ok(found),
    }
}
