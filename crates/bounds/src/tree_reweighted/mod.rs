//! Tree reweighting: a mixture of forests as an upper or a lower bound.
//!
//! ```text
//! Σ_T w_T θ_T(x) = ln p̃(x),   Σ_T w_T = 1                        (see [`ForestMixture`])
//!
//! ln Z ≤ Σ_T w_T ln Z(θ_T)     all w_T ≥ 0                       (Wainwright, Jaakkola & Willsky 2005)
//! ln Z ≥ Σ_T w_T ln Z(θ_T)     one w_T > 0, the others < 0       (Liu & Ihler 2010)
//! ```
//!
//! | symbol | name | unit |
//! |---|---|---|
//! | `T` | forest: factors whose factor graph has no cycle | |
//! | `w_T` | its weight | |
//! | `ρ_a` | edge appearance probability of a factor | |
//! | `μ_{a→v}` | shifts; at the optimum they are the messages of tree-reweighted belief propagation | nats |
//! | `θ_v` | `Σ ln f` of the factors of `v` alone, part of every forest | nats |
//!
//! Factors of more than two variables need no conversion: a forest is then a set of factors, any
//! two of which share at most one variable, without a cycle. States that hard zeros forbid are
//! pruned first, and factors within others merged.

mod ascent;
mod forest;
mod mixture;
mod negative;
mod prepare;

use std::ops::ControlFlow;

use forney_certify::{Above, Below, Budget, Limits, Run, drive};
use forney_model::FactorGraph;

pub use ascent::TreeReweighted;
pub use mixture::ForestMixture;
pub use negative::NegativeTreeReweighted;
pub use prepare::ForestError;

/// The upper bound of tree-reweighted belief propagation, with optimised edge appearance
/// probabilities.
///
/// # Errors
/// [`ForestError`] if `Z = 0` is found out, or the numbers of the model cannot be multiplied.
///
/// # Example
/// ```
/// use forney_bounds::tree_reweighted;
/// use forney_certify::{Budget, Certificate, Limits};
/// use forney_model::{enumerate::enumerate, generate::ising_grid};
/// use rand::SeedableRng;
/// let model = ising_grid(4, 0.5, 0.5, &mut rand_pcg::Pcg64::seed_from_u64(3));
/// let limits = Limits { sweeps: Some(20), tolerance: 1e-6 };
/// let run = tree_reweighted(&model, &limits, &Budget::unlimited())?;
/// let gap = run.point.verify(&model)?.ln() - enumerate(&model).ln_z;
/// assert!(gap >= 0.0 && gap < 1.0);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn tree_reweighted(
    graph: &FactorGraph,
    limits: &Limits,
    budget: &Budget,
) -> Result<Run<ForestMixture<Above>>, ForestError> {
    let mut ignore = |_: &_| ControlFlow::Continue(());
    Ok(drive(
        TreeReweighted::new(graph)?,
        limits,
        budget,
        &mut ignore,
    ))
}

/// The lower bound of negative tree reweighting.
///
/// # Errors
/// [`ForestError`], also if factors with hard zeros close a cycle.
pub fn negative_tree_reweighted(
    graph: &FactorGraph,
    limits: &Limits,
    budget: &Budget,
) -> Result<Run<ForestMixture<Below>>, ForestError> {
    let mut ignore = |_: &_| ControlFlow::Continue(());
    let ascent = NegativeTreeReweighted::new(graph)?;
    Ok(drive(ascent, limits, budget, &mut ignore))
}
