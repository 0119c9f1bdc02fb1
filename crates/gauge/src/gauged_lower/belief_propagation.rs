//! Gauged belief propagation (G-BP): one term of the sum that `Z` is, in the gauge that makes it
//! largest.
//!
//! ```text
//! Z = Σ_x Π_a f_{a,G}(x_a) ≥ max_G Π_a f_{a,G}(x⁰_a)      with all f_{a,G} ≥ 0
//! ```
//!
//! Without the constraint the stationary points are the fixed points of belief propagation and the
//! value is that of Bethe; with it, it is a bound. It is gauged mean field with all probability on
//! `x⁰`, so [`GaugedMeanField`](crate::GaugedMeanField) is its witness.

use forney_certify::Budget;
use forney_model::FactorGraph;

use super::family::{Family, search};
use super::report::{GaugedLowerError, GaugedLowerOptions, GaugedLowerReport, LowerWatch};

/// The lower bound of gauged belief propagation; `watch` sees every verified improvement with the
/// gradient evaluations spent on it, the value of an assignment first.
///
/// The first start takes for `x⁰` the most probable assignment of mean field, the others states that
/// leave little negative in the gauge of belief propagation.
///
/// # Bound
/// Below, and at least `ln Π_a f_a(x⁰_a)` of the first start.
///
/// # Errors
/// As [`gauged_mean_field`](crate::gauged_mean_field).
///
/// # Complexity
/// An evaluation is linear in the table entries, times the cardinalities of the scope.
///
/// # Example
/// ```
/// use forney_certify::Budget;
/// use forney_gauge::{GaugedLowerOptions, gauged_belief_propagation};
/// use forney_model::{enumerate::enumerate, generate::mobius};
/// use rand::SeedableRng;
/// let model = mobius(8, 1.0, &mut rand_pcg::Pcg64::seed_from_u64(1));
/// let options = GaugedLowerOptions { starts: 2, iterations: Some(400), ..Default::default() };
/// let report = gauged_belief_propagation(&model, &options, &Budget::unlimited(), &mut |_, _| {})?;
/// let gap = enumerate(&model).ln_z - report.bound.ln();
/// assert!(gap >= 0.0 && gap < 1.0);
/// # Ok::<(), forney_gauge::GaugedLowerError>(())
/// ```
pub fn gauged_belief_propagation(
    graph: &FactorGraph,
    options: &GaugedLowerOptions,
    budget: &Budget,
    watch: &mut LowerWatch<'_>,
) -> Result<GaugedLowerReport, GaugedLowerError> {
    search(Family::Assignment, graph, options, budget, watch)
}
