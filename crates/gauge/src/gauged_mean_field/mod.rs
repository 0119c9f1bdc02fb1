//! Gauged mean field (G-MF): mean field of the best gauged model whose entries are not negative.
//!
//! ```text
//! ln Z ≥ max_{G, q} Σ_a E_q[ln f_{a,G}] + H(q)      with all f_{a,G} ≥ 0
//! ```
//!
//! (Ahn, Chertkov & Shin 2017.) At identity gauges this is plain mean field, so it is never worse.
//! Diagonal gauges cancel, so cost shifts gain nothing here; only gauges off the diagonal do.
//!
//! | symbol | name | where |
//! |---|---|---|
//! | `G`, `f_{a,G}` | gauges, transformed factors | [`Gauges`] |
//! | `q(x) = Π_v q_v(x_v)` | product distribution | [`GaugedMeanField::q`] |
//! | `μ` | weight of the logarithmic barrier, falling | |
//!
//! Gauges and distribution move together, by quasi-Newton steps under a barrier that falls. The
//! problem has many local maxima; several starts race.

mod assignment;
mod objective;
mod race;
mod start;
mod witness;

use forney_bounds::{MeanField, mean_field};
use forney_certify::{Budget, Limits, Lower, Stop};
use forney_model::{Domains, FactorGraph};
use rand::SeedableRng;
use rand_pcg::Pcg64;
use rayon::prelude::*;

pub use witness::GaugedMeanField;

use crate::Gauges;
use objective::GaugedElbo;
use race::{Climb, race};
use start::{Gaugeable, gaugeable, lift};
use witness::gauged_model;

/// Strengths of lifts off hard zeros, taken in turn by the starts.
const STRENGTHS: [f64; 3] = [0.3, 0.05, 0.7];

/// A lift that leaves an entry negative is weakened by this factor, so many times.
const WEAKER: f64 = 0.3;
const ATTEMPTS: i32 = 8;

/// Mean field, before gauges move.
const MEAN_FIELD: Limits = Limits {
    sweeps: Some(300),
    tolerance: 1e-6,
};

/// Starts of mean field behind the first start of the gauges.
const MEAN_FIELD_STARTS: usize = 8;

/// What [`gauged_mean_field`] and [`gauged_belief_propagation`](crate::gauged_belief_propagation)
/// work with.
#[derive(Clone, Debug, PartialEq)]
pub struct GaugedLowerOptions {
    /// Starts that race; once the barrier is low, the better half goes on after each cycle.
    pub starts: usize,
    /// No step begins after so many gradient evaluations of a start; `None` for no limit.
    pub iterations: Option<usize>,
    /// Converged once a cycle gains no more than this, in nats.
    pub tolerance: f64,
    /// Seed of the starts.
    pub seed: u64,
}

impl Default for GaugedLowerOptions {
    /// Eight starts, until nothing is gained.
    fn default() -> Self {
        Self {
            starts: 8,
            iterations: None,
            tolerance: 1e-5,
            seed: 0,
        }
    }
}

/// A gauged lower bound with its witness.
#[derive(Clone, Debug)]
pub struct GaugedLowerReport {
    /// `"g-mf"` or `"g-bp"`.
    pub method: &'static str,
    /// The verified bound.
    pub bound: Lower,
    /// Its witness.
    pub witness: GaugedMeanField,
    /// Gradient evaluations of the longest start.
    pub iterations: usize,
    /// Why it ended.
    pub stop: Stop,
}

/// Why a gauged lower bound does not apply to a model.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
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
    /// No start with a finite bound.
    #[error(
        "no assignment was found that the hard zeros allow, so there is nowhere to begin; use \
         another seed or more time"
    )]
    NoStart,
}

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
    watch: &mut dyn FnMut(Lower, usize),
) -> Result<GaugedLowerReport, GaugedLowerError> {
    climb(Family::MeanField, graph, options, budget, watch)
}

/// Over which distributions a gauged lower bound is maximised.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Family {
    /// All product distributions.
    MeanField,
    /// One assignment, which each start chooses for itself.
    Assignment,
}

/// Lets the starts of a family race.
pub(crate) fn climb(
    family: Family,
    graph: &FactorGraph,
    options: &GaugedLowerOptions,
    budget: &Budget,
    watch: &mut dyn FnMut(Lower, usize),
) -> Result<GaugedLowerReport, GaugedLowerError> {
    let gaugeable = gaugeable_in(graph)?;
    let starts = (0..options.starts.max(1)).into_par_iter();
    let climbs =
        starts.filter_map(|number| start_at(family, graph, &gaugeable, number, options, budget));
    let climbs = climbs.collect();
    let plain = GaugedMeanField {
        gauges: Gauges::identity(graph),
        q: family.distribution(graph, &gaugeable, 0, options, budget),
    };
    let name = match family {
        Family::MeanField => "g-mf",
        Family::Assignment => "g-bp",
    };
    race(name, graph, climbs, plain, options, budget, watch)
}

/// The variables that can be gauged.
fn gaugeable_in(graph: &FactorGraph) -> Result<Vec<Gaugeable>, GaugedLowerError> {
    if Domains::full(graph).prune(graph).is_err() {
        return Err(GaugedLowerError::NoAssignment);
    }
    let gaugeable = gaugeable(graph);
    if gaugeable.is_empty() {
        return Err(GaugedLowerError::NothingToGauge);
    }
    Ok(gaugeable)
}

impl Family {
    /// Where a start begins: mean field, or an assignment near it. The first start gets the best of
    /// several, and its most probable assignment as it is.
    fn distribution(
        self,
        graph: &FactorGraph,
        gaugeable: &[Gaugeable],
        number: usize,
        options: &GaugedLowerOptions,
        budget: &Budget,
    ) -> MeanField {
        let starts = if number == 0 { MEAN_FIELD_STARTS } else { 1 };
        let seed = options.seed.wrapping_add(number as u64);
        let product = mean_field(graph, seed, starts, &MEAN_FIELD, budget).point;
        if self == Self::MeanField {
            return product;
        }
        let mut x0: Vec<usize> = product.q.iter().map(|q| mode(q)).collect();
        if number > 0 {
            let mut rng = Pcg64::seed_from_u64(seed);
            assignment::choose(graph, gaugeable, &mut x0, &mut rng);
        }
        MeanField::point_mass(graph, &x0)
    }
}

/// The most probable state, the first of equals.
fn mode(q: &[f64]) -> usize {
    (1..q.len()).fold(0, |best, x| if q[x] > q[best] { x } else { best })
}

/// A search that begins at identity gauges, or, with zeros, at a lift, and at the distribution
/// that suits them; `None` if the bound is not finite there.
fn start_at(
    family: Family,
    graph: &FactorGraph,
    gaugeable: &[Gaugeable],
    number: usize,
    options: &GaugedLowerOptions,
    budget: &Budget,
) -> Option<Climb> {
    let lifted = gaugeable.iter().any(|own| own.lifted.is_some());
    for attempt in 0..if lifted { ATTEMPTS } else { 1 } {
        let strength = STRENGTHS[number % STRENGTHS.len()] * WEAKER.powi(attempt);
        let Ok(gauges) = lift(graph, gaugeable, strength) else {
            continue;
        };
        let Ok(model) = gauged_model(&gauges, graph) else {
            continue;
        };
        let q = family.distribution(&model, gaugeable, number, options, budget);
        let fixed = family == Family::Assignment;
        let objective = GaugedElbo::new(graph, gaugeable, &q, fixed);
        let start = objective.start(&gauges);
        if let Some(climb) = Climb::new(objective, start) {
            return Some(climb);
        }
    }
    None
}
