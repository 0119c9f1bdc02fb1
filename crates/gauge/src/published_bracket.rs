//! The published method in the bracket, so that its curves can be drawn beside others.

use std::sync::Arc;

use forney_bounds::wmbe::MiniBuckets;
use forney_bounds::{
    BoundError, BoundOptions, BoundReport, Contender, Method, Prospect, Sides, Turn, Watch,
    bracket_with,
};
use forney_certify::{Above, Budget, Certificate, Refine};
use forney_exact::{Schedule, frontier};
use forney_model::FactorGraph;

use crate::{Published, PublishedVariant};

/// The iterations of the paper.
pub const PUBLISHED_ITERATIONS: usize = 150;

/// The ibound of the paper.
pub const PUBLISHED_IBOUND: usize = 4;

/// Upper bounds by [`Published`] steps at one ibound along one order.
///
/// The order is that of the options, else a frontier order; [`PUBLISHED_IBOUND`] and
/// [`PUBLISHED_ITERATIONS`] stand in for what the options leave open. Each bound is recomputed from
/// the witness of its iteration, where signs are kept below the first split, so it may be a little
/// lower than the published value.
///
/// # Errors
/// As [`forney_bounds::bracket`].
pub fn published_bracket(
    variant: PublishedVariant,
    graph: &FactorGraph,
    options: &BoundOptions,
    budget: &Budget,
    watch: &mut Watch<'_>,
) -> Result<BoundReport, BoundError> {
    let options = BoundOptions {
        ibound: options.ibound.or(Some(PUBLISHED_IBOUND)),
        iterations: options.iterations.or(Some(PUBLISHED_ITERATIONS)),
        sides: Sides::Upper,
        method: Method::Contender,
        ..options.clone()
    };
    bracket_with(&FixedSteps(variant), graph, &options, budget, watch)
}

struct FixedSteps(PublishedVariant);

impl Contender for FixedSteps {
    fn name(&self) -> &'static str {
        self.0.method()
    }

    fn prospect(&self, _: &FactorGraph) -> Prospect {
        Prospect::Trial
    }

    fn compete(&self, turn: &Turn<'_, '_>) {
        let Some(allowed) = &turn.upper else { return };
        let order = match turn.order {
            Some(order) => order.clone(),
            None => frontier(turn.graph, None),
        };
        let mut rule = MiniBuckets::new(turn.limit, None);
        let Ok(schedule) = Schedule::compile(turn.graph, &order, &mut rule) else {
            return;
        };
        let bytes = crate::racer::bytes(&schedule);
        if bytes > turn.memory {
            return;
        }
        turn.note_bytes(bytes);
        let mut descent = Published::new(Arc::new(schedule), turn.graph, self.0);
        for _ in 0..allowed.iterations.unwrap_or(PUBLISHED_ITERATIONS) {
            if allowed.budget.stop().is_some() || !descent.sweep().is_finite() {
                return;
            }
            turn.count::<Above>(1);
            // A gauge that went astray proves nothing, and a later one may be sound again.
            if let Ok(witness) = descent.objective().witness(&descent.point(), turn.graph)
                && let Ok(bound) = witness.verify(turn.graph)
            {
                turn.post(bound);
            }
        }
    }
}
