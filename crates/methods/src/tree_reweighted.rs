//! `trbp`: tree-reweighted belief propagation.

use forney_bounds::TreeReweighted;
use forney_certify::Budget;
use forney_model::FactorGraph;

use crate::climb::climb;
use crate::{ExactOn, Inapplicable, Method, Options, Outcome, Side, Watch};

/// Tree-reweighted belief propagation with optimised edge appearance probabilities,
/// [`TreeReweighted`]: an iteration is a step of conditional gradient.
pub(crate) struct TreeReweightedPropagation;

impl Method for TreeReweightedPropagation {
    fn name(&self) -> &'static str {
        "trbp"
    }

    fn sides(&self) -> &'static [Side] {
        &[Side::Upper]
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
        let messages = TreeReweighted::new(graph)?;
        Ok(climb(messages, graph, options, budget, watch)?)
    }
}
