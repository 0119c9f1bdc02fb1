//! Gauged mean field (G-MF): mean field of the best gauged model without negative entries.
//!
//! ```text
//! ln Z ≥ max_{G, q} Σ_a E_q[ln f_{a,G}] + H(q)      with all f_{a,G} ≥ 0
//! ```
//!
//! At identity gauges this is plain mean field, so it is never worse. Diagonal gauges cancel, so
//! cost shifts gain nothing here; only gauges off the diagonal do.

use forney_certify::Budget;
use forney_model::FactorGraph;

use super::family::{Family, search};
use super::report::{GaugedLowerError, GaugedLowerOptions, GaugedLowerReport, LowerWatch};

/// The lower bound of gauged mean field; `watch` sees every verified improvement with the
/// gradient evaluations spent on it, plain mean field first.
///
/// Variables in exactly two factors are gauged, all others keep the identity; so do those between
/// two factors that both hold hard zeros which a gauge might turn negative.
///
/// # Bound
/// Below, and at least that of plain mean field at the distribution where the search begins.
///
/// # Errors
/// [`GaugedLowerError`] if `Z = 0` is found out, if no variable can be gauged, or if no allowed
/// assignment is found.
///
/// # Complexity
/// An evaluation is linear in the table entries, times the cardinalities of the scope.
///
/// # Example
/// ```
/// use forney_bounds::mean_field;
/// use forney_certify::{Budget, Certificate, Limits};
/// use forney_gauge::{GaugedLowerOptions, gauged_mean_field};
/// use forney_model::{enumerate::enumerate, generate::mobius};
/// use rand::SeedableRng;
/// let model = mobius(8, 1.0, &mut rand_pcg::Pcg64::seed_from_u64(1));
/// let options = GaugedLowerOptions { starts: 2, iterations: Some(200), ..Default::default() };
/// let gauged = gauged_mean_field(&model, &options, &Budget::unlimited(), &mut |_, _| {})?;
/// let limits = Limits { sweeps: Some(300), tolerance: 1e-6 };
/// let plain = mean_field(&model, 0, 8, &limits, &Budget::unlimited()).point.verify(&model)?;
/// assert!(plain.ln() < gauged.bound.ln() && gauged.bound.ln() <= enumerate(&model).ln_z);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn gauged_mean_field(
    graph: &FactorGraph,
    options: &GaugedLowerOptions,
    budget: &Budget,
    watch: &mut LowerWatch<'_>,
) -> Result<GaugedLowerReport, GaugedLowerError> {
    search(Family::MeanField, graph, options, budget, watch)
}
