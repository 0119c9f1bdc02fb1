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
mod start;
mod structured;
mod witness;

use forney_bounds::{MeanField, StartError};
use forney_certify::{Budget, Lower, Stop};
use forney_exact::human;
use forney_model::FactorGraph;

pub use belief_propagation::gauged_belief_propagation;
pub use mean_field::gauged_mean_field;
pub use structured::gauged_structured_mean_field;
pub use witness::{Gauged, GaugedMeanField};

/// What [`gauged_mean_field`] and its relatives work with.
#[derive(Clone, Debug, PartialEq)]
pub struct GaugedLowerOptions {
    /// Starts that race, or as many of them as memory and evaluations have room for; once the barrier is
    /// low, the better half goes on.
    pub starts: usize,
    /// At most so many gradient evaluations of all starts together; `None` for no limit.
    pub iterations: Option<usize>,
    /// Converged once a cycle gains no more than this, in nats.
    pub tolerance: f64,
    /// Seed of the starts.
    pub seed: u64,
    /// Bytes that all starts together may take; with structured mean field also those of the
    /// marginals of one block.
    pub memory: f64,
}

impl Default for GaugedLowerOptions {
    /// Eight starts, until nothing is gained, 4 GiB.
    fn default() -> Self {
        Self {
            starts: 8,
            iterations: None,
            tolerance: 1e-5,
            seed: 0,
            memory: 4.0 * 1024f64.powi(3),
        }
    }
}

/// Sees every verified improvement, with the gradient evaluations spent on it.
pub type LowerWatch<'w> = dyn FnMut(Lower, usize) + Send + 'w;

/// A gauged lower bound with its witness.
#[derive(Clone, Debug)]
pub struct GaugedLowerReport<Q = MeanField> {
    /// `"g-mf"`, `"g-bp"` or `"g-smf"`.
    pub method: &'static str,
    /// The verified bound.
    pub bound: Lower,
    /// Its witness.
    pub witness: Gauged<Q>,
    /// Gradient evaluations of all starts.
    pub iterations: usize,
    /// Why it ended.
    pub stop: Stop,
}

/// Why a gauged lower bound does not apply to a model.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum GaugedLowerError {
    /// `Z = 0`.
    #[error("hard zeros forbid every assignment: Z = 0, and there is nothing to bound")]
    NoAssignment,
    /// No variable can be gauged.
    #[error(
        "no variable can be gauged: gauges want a variable in exactly two factors, at least one of \
         which has no hard zero beside a positive entry; use plain mean field, or bring the model \
         into Forney form first"
    )]
    NothingToGauge,
    /// Not even one start fits.
    #[error(
        "the gauges take {} for one start, more than the {} allowed; allow more memory, or use \
         plain mean field",
        human(*bytes),
        human(*limit)
    )]
    TooLarge {
        /// Bytes that one start takes.
        bytes: f64,
        /// Bytes allowed.
        limit: f64,
    },
    /// No start with a finite bound.
    #[error(
        "no assignment was found that the hard zeros allow, so there is nowhere to begin; use \
         another seed or more time"
    )]
    NoStart,
    /// The blocks of structured mean field need too much memory.
    #[error(transparent)]
    Structured(#[from] StartError),
}

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
