//! Where the starts of the two families begin.

use forney_bounds::{MeanField, mean_field};
use forney_certify::{Budget, Certificate, Limits, Lower, Stop};
use forney_model::{Domains, FactorGraph};
use rand::SeedableRng;
use rand_pcg::Pcg64;
use rayon::prelude::*;

use super::demand::affordable_starts;
use super::objective::GaugedElbo;
use super::race::{Climb, race};
use super::start::{Gaugeable, gaugeable, lift};
use super::witness::{GaugedMeanField, gauged_model};
use super::{GaugedLowerError, GaugedLowerOptions, GaugedLowerReport, assignment};
use crate::Gauges;

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

/// Over which distributions a gauged lower bound is maximised.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Family {
    /// All product distributions.
    MeanField,
    /// One assignment, which each start chooses for itself.
    Assignment,
}

/// Lets the starts of a family race.
pub(super) fn climb(
    family: Family,
    graph: &FactorGraph,
    options: &GaugedLowerOptions,
    budget: &Budget,
    watch: &mut dyn FnMut(Lower, usize),
) -> Result<GaugedLowerReport, GaugedLowerError> {
    let gaugeable = gaugeable_in(graph)?;
    let starts = affordable_starts(graph, &gaugeable, options)?;
    // Proved before anything that takes long.
    let plain = family.distribution(graph, &gaugeable, 0, options, budget);
    let witness = GaugedMeanField {
        gauges: Gauges::identity(graph),
        q: plain.clone(),
    };
    let best = GaugedLowerReport {
        method: match family {
            Family::MeanField => "g-mf",
            Family::Assignment => "g-bp",
        },
        bound: witness.verify(graph).unwrap_or(Lower::trivial()),
        witness,
        iterations: 0,
        stop: Stop::Converged,
    };
    if best.bound.ln().is_finite() {
        watch(best.bound, 0);
    }
    let climbs = (0..starts).into_par_iter().filter_map(|number| {
        if budget.stop().is_some() {
            return None;
        }
        let plain = (number == 0).then_some(&plain);
        start_at(family, graph, &gaugeable, number, plain, options, budget)
    });
    race(climbs.collect(), best, graph, options, budget, watch)
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
            assignment::choose(graph, gaugeable, &mut x0, &mut rng, budget);
        }
        MeanField::point_mass(graph, &x0)
    }
}

/// The most probable state, the first of equals.
fn mode(q: &[f64]) -> usize {
    (1..q.len()).fold(0, |best, x| if q[x] > q[best] { x } else { best })
}

/// A search that begins at identity gauges, or, with zeros, at a lift, and at the distribution
/// that suits them: at identity gauges `plain`, if it is known. `None` if the bound is not finite
/// there.
fn start_at(
    family: Family,
    graph: &FactorGraph,
    gaugeable: &[Gaugeable],
    number: usize,
    plain: Option<&MeanField>,
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
        let q = match plain {
            Some(plain) if !lifted => plain.clone(),
            _ => family.distribution(&model, gaugeable, number, options, budget),
        };
        let fixed = family == Family::Assignment;
        let objective = GaugedElbo::new(graph, gaugeable, &q, fixed);
        let start = objective.start(&gauges);
        if let Some(climb) = Climb::new(objective, start) {
            return Some(climb);
        }
    }
    None
}
