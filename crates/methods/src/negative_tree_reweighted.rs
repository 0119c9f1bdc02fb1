//! `neg-trw`: tree reweighting with negative weights.

use forney_bounds::NegativeTreeReweighted;
use forney_certify::Budget;
use forney_model::FactorGraph;

use crate::climb::climb;
use crate::{ExactOn, Inapplicable, Method, Options, Outcome, Side, Watch};

/// Negative tree reweighting, [`NegativeTreeReweighted`]: an iteration is a quasi-Newton step.
pub(crate) struct NegativeTrees;

impl Method for NegativeTrees {
    fn name(&self) -> &'static str {
        "neg-trw"
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
        let ascent = NegativeTreeReweighted::new(graph)?;
        Ok(climb(ascent, graph, options, budget, watch)?)
    }
}
