//! Structured mean field in the gauge of gauged mean field.
//!
//! The gauge that suits product distributions best leaves little between the variables, and what is
//! left a structured distribution can follow. Gauges are not moved again.

use forney_bounds::{Tractable, structured_mean_field};
use forney_certify::{Budget, Certificate, Limits, Stop};
use forney_model::FactorGraph;

use super::mean_field::gauged_mean_field;
use super::report::{GaugedLowerError, GaugedLowerOptions, GaugedLowerReport, LowerWatch};
use super::witness::{Gauged, gauged_model};
use crate::Gauges;

/// The name of its bounds in reports.
const STRUCTURED: &str = "g-smf";

/// Starts of structured mean field. Set by hand, as its sweeps; not tuned.
const STARTS: usize = 8;

/// Its sweeps for each.
const LIMITS: Limits = Limits {
    sweeps: Some(1000),
    tolerance: 1e-7,
};

/// The lower bound of [structured mean field](structured_mean_field) with cliques of at most
/// `ibound + 1` variables, in the gauge that [`gauged_mean_field`] finds in the first half of the
/// time. `watch` sees the improvements of both.
///
/// # Bound
/// Below. Not necessarily above that of structured mean field in the identity gauge.
///
/// # Errors
/// As [`gauged_mean_field`], and blocks that need more than the memory of the options.
///
/// # Example
/// ```
/// use forney_certify::Budget;
/// use forney_gauge::{GaugedLowerOptions, gauged_structured_mean_field};
/// use forney_model::{enumerate::enumerate, generate::mobius};
/// use rand::SeedableRng;
/// let model = mobius(8, 1.0, &mut rand_pcg::Pcg64::seed_from_u64(1));
/// let options = GaugedLowerOptions { starts: 2, iterations: Some(200), ..Default::default() };
/// let budget = Budget::unlimited();
/// let report = gauged_structured_mean_field(&model, 3, &options, &budget, &mut |_, _| {})?;
/// let gap = enumerate(&model).ln_z - report.bound.ln();
/// assert!(gap >= 0.0 && gap < 0.2);
/// # Ok::<(), forney_gauge::GaugedLowerError>(())
/// ```
pub fn gauged_structured_mean_field(
    graph: &FactorGraph,
    ibound: usize,
    options: &GaugedLowerOptions,
    budget: &Budget,
    watch: &mut LowerWatch<'_>,
) -> Result<GaugedLowerReport<Tractable>, GaugedLowerError> {
    let half = budget.remaining().map(|left| budget.capped(left / 2));
    let product = gauged_mean_field(graph, options, half.as_ref().unwrap_or(budget), watch)?;
    let gauges = product.witness.gauges;
    let (seed, memory) = (options.seed, options.memory);
    let run = structured_in_gauge(graph, gauges, ibound, seed, memory, budget)?;
    if run.bound.ln() > product.bound.ln() {
        watch(run.bound, product.iterations);
    }
    Ok(GaugedLowerReport {
        iterations: product.iterations,
        // With more evaluations the gauge would have been another.
        stop: match run.stop {
            Stop::Converged => product.stop,
            stop => stop,
        },
        ..run
    })
}

/// Structured mean field in these gauges, which leave no entry negative.
fn structured_in_gauge(
    graph: &FactorGraph,
    gauges: Gauges,
    ibound: usize,
    seed: u64,
    memory: f64,
    budget: &Budget,
) -> Result<GaugedLowerReport<Tractable>, GaugedLowerError> {
    // What was verified has such a model.
    let model = gauged_model(&gauges, graph).map_err(|_| GaugedLowerError::NoStart)?;
    let run = structured_mean_field(&model, ibound, seed, STARTS, memory, &LIMITS, budget)?;
    let witness = Gauged {
        gauges,
        q: run.point,
    };
    let bound = witness
        .verify(graph)
        .map_err(|_| GaugedLowerError::NoStart)?;
    Ok(GaugedLowerReport {
        method: STRUCTURED,
        bound,
        witness,
        iterations: 0,
        stop: run.stop,
    })
}
