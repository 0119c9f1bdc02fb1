//! `g-mf`, `g-bp` and `g-smf`: mean field, belief propagation and structured mean field in the best
//! gauge.

use forney_certify::{Below, Bound};
use forney_gauge::{
    GaugedLowerError, GaugedLowerOptions, GaugedLowerReport, gauged_belief_propagation,
    gauged_mean_field, gauged_structured_mean_field,
};
use forney_model::FactorGraph;

use super::restarts::{Limits, Restarts, Round, Tell, seed};
use super::wmbe_g::is_gaugeable;
use crate::{ExactOn, Gives, Inapplicable, Job, Method, Work};

/// Searches without improvement that end it.
const PATIENCE: usize = 4;

/// Blocks of this width are quick, and follow much more of a model than narrower ones.
const IBOUND: usize = 8;

/// A lower bound of the best gauge that leaves no entry negative: an iteration is a gradient
/// evaluation.
#[derive(Clone, Copy, PartialEq)]
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

    fn gives(&self) -> &'static [Gives] {
        &[Gives::Lower]
    }

    fn exact_on(&self) -> Option<ExactOn> {
        match self {
            // On trees the rounding that an ill-conditioned gauge may cost keeps it some 10⁻⁵ off.
            Self::MeanField | Self::StructuredMeanField => Some(ExactOn::IndependentVariables),
            Self::BeliefPropagation => None,
        }
    }

    fn takes_part(&self, graph: &FactorGraph) -> bool {
        *self == Self::StructuredMeanField && is_gaugeable(graph)
    }

    fn begin<'j>(&self, job: &'j Job<'_>, _: Gives) -> Result<Box<dyn Work + 'j>, Inapplicable> {
        let method = *self;
        let search = move |limits: &Limits<'_>, tell: &mut Tell<'_, Below>| {
            let mut options = GaugedLowerOptions {
                iterations: limits.iterations,
                seed: seed(job, limits),
                memory: job.memory,
                ..GaugedLowerOptions::default()
            };
            if !job.alone {
                // One start that converges is worth more than many that do not.
                options.starts = 1;
            }
            Ok(method.round(job, &options, limits, tell)?)
        };
        let ibound = match self {
            Self::StructuredMeanField => job.options.ibound.unwrap_or(IBOUND),
            _ => 0,
        };
        Ok(Restarts::boxed(self.name(), PATIENCE, ibound, search))
    }
}

impl GaugedLower {
    fn round(
        self,
        job: &Job<'_>,
        options: &GaugedLowerOptions,
        limits: &Limits<'_>,
        tell: &mut (dyn FnMut(Bound<Below>, usize) + Send),
    ) -> Result<Round<Below>, GaugedLowerError> {
        fn round<Q>(report: GaugedLowerReport<Q>) -> Round<Below> {
            Round {
                bound: report.bound,
                iterations: report.iterations,
                stop: report.stop,
                exact: false,
            }
        }
        let (graph, budget) = (job.graph, limits.budget);
        match self {
            Self::MeanField => gauged_mean_field(graph, options, budget, tell).map(round),
            Self::BeliefPropagation => {
                gauged_belief_propagation(graph, options, budget, tell).map(round)
            }
            Self::StructuredMeanField => {
                let ibound = job.options.ibound.unwrap_or(IBOUND);
                gauged_structured_mean_field(graph, ibound, options, budget, tell).map(round)
            }
        }
    }
}
