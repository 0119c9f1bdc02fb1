//! `wmbe-theta-w`: weighted mini-buckets with cost shifts and weights.

use std::borrow::Cow;

use forney_bounds::{BoundOptions, Method as Brackets, Sides, bracket};
use forney_certify::{Budget, Lower, Upper};
use forney_model::FactorGraph;

use crate::{ExactOn, Inapplicable, Method, Options, Outcome, Point, Side, Value, Watch};

/// Weighted mini-buckets with shifts and weights, [`bracket`] at one ibound: an iteration is a
/// gradient evaluation.
pub(crate) struct WeightedMiniBuckets;

impl Method for WeightedMiniBuckets {
    fn name(&self) -> &'static str {
        "wmbe-theta-w"
    }

    fn sides(&self) -> &'static [Side] {
        &[Side::Upper, Side::Lower]
    }

    fn exact_on(&self) -> ExactOn {
        ExactOn::Trees
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
            method: Brackets::Wmbe,
            order: options.order.clone(),
            ..BoundOptions::default()
        };
        let found = bracket(graph, &own, budget, &mut |progress| {
            let value = if upper {
                Upper::new(progress.upper).map(Value::Upper)
            } else {
                Lower::new(progress.lower).map(Value::Lower)
            };
            let Ok(value) = value else { return };
            watch(Point {
                value,
                iterations: progress.iterations,
                elapsed_s: progress.elapsed_s,
            });
        })?;
        Ok(Outcome {
            value: if upper {
                Value::Upper(found.bracket.upper())
            } else {
                Value::Lower(found.bracket.lower())
            },
            iterations: found.iterations,
            stop: found.stop,
            note: Cow::Borrowed(if found.exact {
                "exact: nothing was split"
            } else {
                ""
            }),
        })
    }
}
