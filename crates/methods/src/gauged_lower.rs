//! `g-mf` and `g-bp`: mean field and belief propagation in the best gauge.

use forney_certify::{Below, Budget, Lower};
use forney_gauge::{GaugedLowerError, GaugedLowerOptions, GaugedLowerReport};
use forney_model::FactorGraph;

use crate::restarts::{Round, restarts};
use crate::{ExactOn, Inapplicable, Method, Options, Outcome, Side, Watch};

/// Searches without improvement that end it.
const PATIENCE: usize = 4;

/// A lower bound of the best gauge that leaves no entry negative: an iteration is a gradient
/// evaluation.
pub(crate) struct GaugedLower {
    pub(crate) name: &'static str,
    pub(crate) exact_on: Option<ExactOn>,
    pub(crate) climb: Climb,
}

type Climb = fn(
    &FactorGraph,
    &GaugedLowerOptions,
    &Budget,
    &mut dyn FnMut(Lower, usize),
) -> Result<GaugedLowerReport, GaugedLowerError>;

impl Method for GaugedLower {
    fn name(&self) -> &'static str {
        self.name
    }

    fn sides(&self) -> &'static [Side] {
        &[Side::Lower]
    }

    fn exact_on(&self) -> Option<ExactOn> {
        self.exact_on
    }

    fn search(
        &self,
        graph: &FactorGraph,
        _: Side,
        options: &Options,
        budget: &Budget,
        watch: &mut Watch<'_>,
    ) -> Result<Outcome, Inapplicable> {
        restarts::<Below>(options, budget, PATIENCE, watch, |number, tell| {
            let own = GaugedLowerOptions {
                iterations: options.iterations,
                seed: options.seed.wrapping_add(number),
                ..GaugedLowerOptions::default()
            };
            let report = (self.climb)(graph, &own, budget, tell)?;
            Ok(Round {
                bound: report.bound,
                iterations: report.iterations,
                stop: report.stop,
                exact: false,
            })
        })
    }
}
