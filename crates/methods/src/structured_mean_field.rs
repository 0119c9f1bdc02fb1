//! `structured-mf`: mean field over blocks.

use forney_bounds::structured_mean_field;
use forney_certify::{Budget, Certificate, Limits};
use forney_model::FactorGraph;

use crate::restarts::{Round, restarts};
use crate::{ExactOn, Inapplicable, Method, Options, Outcome, Side, Watch};

/// Starts of the first round, whose blocks are not random, and of the others.
const FIRST_STARTS: usize = 4;
const STARTS: usize = 8;
/// The most sweeps of a start.
const SWEEPS: usize = 100;

/// Rounds without improvement that end it.
const PATIENCE: usize = 3;

/// Structured mean field over blocks within the ibound, [`structured_mean_field`]: an iteration is
/// a sweep.
pub(crate) struct StructuredMeanField;

impl Method for StructuredMeanField {
    fn name(&self) -> &'static str {
        "structured-mf"
    }

    fn sides(&self) -> &'static [Side] {
        &[Side::Lower]
    }

    fn exact_on(&self) -> Option<ExactOn> {
        Some(ExactOn::Trees)
    }

    fn search(
        &self,
        graph: &FactorGraph,
        _: Side,
        options: &Options,
        budget: &Budget,
        watch: &mut Watch<'_>,
    ) -> Result<Outcome, Inapplicable> {
        let limits = Limits {
            sweeps: Some(options.iterations.unwrap_or(SWEEPS)),
            tolerance: 1e-6,
        };
        restarts(options, budget, PATIENCE, watch, |number, _| {
            let starts = if number == 0 { FIRST_STARTS } else { STARTS };
            let (ibound, seed) = (options.ibound, options.seed.wrapping_add(number));
            let memory = options.memory;
            let run = structured_mean_field(graph, ibound, seed, starts, memory, &limits, budget)?;
            Ok(Round {
                bound: run.point.verify(graph)?,
                iterations: run.trace.len(),
                stop: run.stop,
                exact: false,
            })
        })
    }
}
