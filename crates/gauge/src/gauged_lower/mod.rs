//! Lower bounds of gauged models that have no negative entry (Ahn, Chertkov & Shin 2017): gauged
//! mean field and gauged belief propagation.
//!
//! | symbol | name | where |
//! |---|---|---|
//! | `G`, `f_{a,G}` | gauges, transformed factors | [`Gauges`](crate::Gauges) |
//! | `q(x) = Π_v q_v(x_v)` | product distribution | [`GaugedMeanField`] |
//! | `x⁰` | an assignment, `q` with all probability on it | [`gauged_belief_propagation`] |
//! | `μ` | weight of the logarithmic barrier, falling | |
//!
//! Gauges and distribution move together, by quasi-Newton steps along the central path of a barrier
//! that falls. The problem has many local maxima; several starts race.

mod assignment;
mod belief_propagation;
mod bethe_gauge;
mod demand;
mod family;
mod mean_field;
mod objective;
mod product;
mod race;
mod report;
mod start;
mod structured;
mod witness;

use forney_certify::{Budget, Lower};
use forney_model::FactorGraph;

pub use belief_propagation::gauged_belief_propagation;
pub use mean_field::gauged_mean_field;
pub use report::{GaugedLowerError, GaugedLowerOptions, GaugedLowerReport, LowerWatch};
pub use structured::gauged_structured_mean_field;
pub use witness::{Gauged, GaugedMeanField};

/// The better of [`gauged_mean_field`] and [`gauged_belief_propagation`]; the report says which.
/// Each gets half of the time, and `watch` sees the improvements over both.
///
/// # Errors
/// As [`gauged_mean_field`].
///
/// # Example
/// ```
/// use forney_certify::Budget;
/// use forney_gauge::{GaugedLowerOptions, gauged_lower};
/// use forney_model::{enumerate::enumerate, generate::mobius};
/// use rand::SeedableRng;
/// let model = mobius(8, 1.0, &mut rand_pcg::Pcg64::seed_from_u64(1));
/// let options = GaugedLowerOptions { starts: 2, iterations: Some(200), ..Default::default() };
/// let report = gauged_lower(&model, &options, &Budget::unlimited(), &mut |_, _| {})?;
/// assert!(["g-mf", "g-bp"].contains(&report.method));
/// assert!(report.bound.ln() <= enumerate(&model).ln_z);
/// # Ok::<(), forney_gauge::GaugedLowerError>(())
/// ```
pub fn gauged_lower(
    graph: &FactorGraph,
    options: &GaugedLowerOptions,
    budget: &Budget,
    watch: &mut LowerWatch<'_>,
) -> Result<GaugedLowerReport, GaugedLowerError> {
    let mut best = Lower::trivial();
    let mut watch = |bound: Lower, iterations: usize| {
        if best.tighten(bound) {
            watch(bound, iterations);
        }
    };
    let half = budget.remaining().map(|left| budget.capped(left / 2));
    let first = gauged_mean_field(graph, options, half.as_ref().unwrap_or(budget), &mut watch);
    let second = gauged_belief_propagation(graph, options, budget, &mut watch);
    match (first, second) {
        (Ok(first), Ok(second)) if second.bound.ln() > first.bound.ln() => Ok(second),
        (Ok(report), _) | (Err(_), Ok(report)) => Ok(report),
        (Err(error), Err(_)) => Err(error),
    }
}
