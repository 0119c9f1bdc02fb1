//! The model as tree reweighting takes it, and why it may not.

use forney_model::{Domains, FactorGraph, ModelError, VarId, simplify};

/// Why tree reweighting does not apply to a model.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum ForestError {
    /// `Z = 0`.
    #[error("hard zeros forbid every assignment: Z = 0, and there is nothing to bound")]
    NoAssignment,
    /// Negative weights with zeros on a cycle.
    #[error(
        "the factors with hard zeros close a cycle, one of them over {scope:?}; negative weights \
         need them all in one forest: use mean field or conditioning instead"
    )]
    ZerosOnCycle {
        /// The variables of a factor that is left over.
        scope: Vec<VarId>,
    },
    /// Factors cannot be merged.
    #[error(transparent)]
    Model(#[from] ModelError),
}

/// The model pruned and merged; `None` if that proves `Z = 0`.
pub(super) fn prepare(graph: &FactorGraph) -> Result<Option<FactorGraph>, ModelError> {
    let mut domains = Domains::full(graph);
    if domains.prune(graph).is_err() {
        return Ok(None);
    }
    simplify(domains.restrict(graph).graph()).map(Some)
}
