//! `g-mf`, `g-bp` and `g-smf`: mean field, belief propagation and structured mean field in the best
//! gauge.

use forney_certify::{Below, Budget};
use forney_gauge::{
    GaugedLowerError, GaugedLowerOptions, GaugedLowerReport, gauged_belief_propagation,
    gauged_mean_field, gauged_structured_mean_field,
};
use forney_model::FactorGraph;

use crate::restarts::{Round, Tell, restarts};
use crate::{ExactOn, Inapplicable, Method, Options, Outcome, Side, Watch};

/// Searches without improvement that end it.
const PATIENCE: usize = 4;

/// A lower bound of the best gauge that leaves no entry negative: an iteration is a gradient
/// evaluation.
#[derive(Clone, Copy)]
pub(crate) enum GaugedLower {
    /// [`gauged_mean_field`].
    MeanField,
    /// [`gauged_belief_propagation`].
    BeliefPropagation,
    /// [`gauged_structured_mean_field`] with blocks within the ibound.
    StructuredMeanField,
}

impl Method for GaugedLower {
    fn name(&self) -> &'static str {
        match self {
            Self::MeanField => "g-mf",
            Self::BeliefPropagation => "g-bp",
            Self::StructuredMeanField => "g-smf",
        }
    }

    fn sides(&self) -> &'static [Side] {
        &[Side::Lower]
    }

    fn exact_on(&self) -> Option<ExactOn> {
        match self {
            // On trees the rounding that an ill-conditioned gauge may cost keeps it some 10⁻⁵ off.
            Self::MeanField | Self::StructuredMeanField => Some(ExactOn::IndependentVariables),
            Self::BeliefPropagation => None,
        }
    }

    fn search(
        &self,
        graph: &FactorGraph,
        _: Side,
        options: &Options,
        budget: &Budget,
        watch: &mut Watch<'_>,
    ) -> Result<Outcome, Inapplicable> {
        restarts(options, budget, PATIENCE, watch, |number, tell| {
            let own = GaugedLowerOptions {
                iterations: options.iterations,
                seed: options.seed.wrapping_add(number),
                memory: options.memory,
                ..GaugedLowerOptions::default()
            };
            Ok(self.round(graph, options.ibound, &own, budget, tell)?)
        })
    }
}

impl GaugedLower {
    fn round(
        self,
        graph: &FactorGraph,
        ibound: usize,
        options: &GaugedLowerOptions,
        budget: &Budget,
        tell: &mut Tell<'_, Below>,
    ) -> Result<Round<Below>, GaugedLowerError> {
        fn round<Q>(report: GaugedLowerReport<Q>) -> Round<Below> {
            Round {
                bound: report.bound,
                iterations: report.iterations,
                stop: report.stop,
                exact: false,
            }
        }
        match self {
            Self::MeanField => gauged_mean_field(graph, options, budget, tell).map(round),
            Self::BeliefPropagation => {
                gauged_belief_propagation(graph, options, budget, tell).map(round)
            }
            Self::StructuredMeanField => {
                gauged_structured_mean_field(graph, ibound, options, budget, tell).map(round)
            }
        }
    }
}
