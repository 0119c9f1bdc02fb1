//! `mf`: naive mean field.

use forney_bounds::mean_field;
use forney_certify::{Budget, Certificate, Limits};
use forney_model::FactorGraph;

use crate::restarts::{Round, restarts};
use crate::{ExactOn, Inapplicable, Method, Options, Outcome, Side, Watch};

/// Starts of a round, and the most sweeps of each.
const STARTS: usize = 8;
const SWEEPS: usize = 500;

/// Rounds without improvement that end it.
const PATIENCE: usize = 10;

/// Naive mean field from annealed starts, [`mean_field`]: an iteration is a sweep.
pub(crate) struct NaiveMeanField;

impl Method for NaiveMeanField {
    fn name(&self) -> &'static str {
        "mf"
    }

    fn sides(&self) -> &'static [Side] {
        &[Side::Lower]
    }

    fn exact_on(&self) -> Option<ExactOn> {
        Some(ExactOn::IndependentVariables)
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
        // Where more rounds follow, the first is there to have something soon.
        let quick = options.iterations.is_none() && budget.remaining().is_some();
        restarts(options, budget, PATIENCE, watch, |number, _| {
            let seed = options.seed.wrapping_add(number);
            let starts = if quick && number == 0 { 1 } else { STARTS };
            let run = mean_field(graph, seed, starts, &limits, budget);
            Ok(Round {
                bound: run.point.verify(graph)?,
                iterations: run.trace.len(),
                stop: run.stop,
                exact: false,
            })
        })
    }
}
