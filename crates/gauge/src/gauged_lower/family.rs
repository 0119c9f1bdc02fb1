//! Where the starts of the two families begin.

use forney_bounds::race::{Account, Proof};
use forney_bounds::{Board, MeanField, Progress, mean_field};
use forney_certify::{Below, Budget, Certificate, Limits, Lower};
use forney_model::{Domains, FactorGraph};
use rand::SeedableRng;
use rand_pcg::Pcg64;
use rayon::prelude::*;

use super::assignment;
use super::demand::admitted_bytes;
use super::objective::GaugedElbo;
use super::race::{Start, affordable, climb};
use super::report::{GaugedLowerError, GaugedLowerOptions, GaugedLowerReport, LowerWatch};
use super::start::{Gaugeable, gaugeable, lift};
use super::witness::{GaugedMeanField, gauged_model};
use crate::Gauges;

// All of these were set by hand, and not tuned.

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
pub(super) fn search(
    family: Family,
    graph: &FactorGraph,
    options: &GaugedLowerOptions,
    budget: &Budget,
    watch: &mut LowerWatch<'_>,
) -> Result<GaugedLowerReport, GaugedLowerError> {
    let gaugeable = gaugeable_in(graph)?;
    let bytes = admitted_bytes(graph, &gaugeable, options.memory)?;
    let mut watch = |progress: &Progress| {
        watch(progress.bracket.lower(), progress.iterations);
    };
    let board = Board::new(budget, &mut watch);
    let mut account = Account::new(&board, budget, options.memory, options.iterations);
    let field = Field {
        family,
        graph,
        gaugeable: &gaugeable,
        options,
        bytes,
        budget,
    };
    // Proved before anything that takes long.
    let plain = field.distribution(graph, 0);
    let witness = GaugedMeanField {
        gauges: Gauges::identity(graph),
        q: plain.clone(),
    };
    let plain_proof = Proof {
        bound: witness.verify(graph).unwrap_or(Lower::trivial()),
        witness,
        method: family.name(),
    };
    account.enter(&plain_proof);
    let starts = affordable(options.starts, &account).min((options.memory / bytes) as usize);
    let attempts = account.left() / starts;
    let begun: Vec<(usize, Option<Start<'_>>)> = (0..starts)
        .into_par_iter()
        .map(|number| {
            if budget.stop().is_some() {
                return (0, None);
            }
            field.start_at(number, &plain, attempts)
        })
        .collect();
    account.spend::<Below>(begun.iter().map(|(evaluations, _)| evaluations).sum());
    let starts = begun.into_iter().filter_map(|(_, start)| start).collect();
    let (best, stop) = climb(starts, plain_proof, &mut account);
    if best.bound.ln() == f64::NEG_INFINITY {
        return Err(GaugedLowerError::NoStart);
    }
    Ok(GaugedLowerReport {
        method: best.method,
        bound: best.bound,
        witness: best.witness,
        iterations: account.spent(),
        stop,
    })
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
    /// The name of its bounds in reports.
    fn name(self) -> &'static str {
        match self {
            Self::MeanField => "g-mf",
            Self::Assignment => "g-bp",
        }
    }
}

/// The most probable state, the first of equals.
fn mode(q: &[f64]) -> usize {
    (1..q.len()).fold(0, |best, x| if q[x] > q[best] { x } else { best })
}

/// What all starts share.
struct Field<'f> {
    family: Family,
    graph: &'f FactorGraph,
    gaugeable: &'f [Gaugeable],
    options: &'f GaugedLowerOptions,
    /// Bytes of one of them.
    bytes: f64,
    budget: &'f Budget,
}

impl<'f> Field<'f> {
    /// Where a start begins on a model: mean field, or an assignment near it. The first start gets the best
    /// of several, and its most probable assignment as it is.
    fn distribution(&self, graph: &FactorGraph, number: usize) -> MeanField {
        let starts = if number == 0 { MEAN_FIELD_STARTS } else { 1 };
        let seed = self.options.seed.wrapping_add(number as u64);
        let product = mean_field(graph, seed, starts, &MEAN_FIELD, self.budget).point;
        if self.family == Family::MeanField {
            return product;
        }
        let mut x0: Vec<usize> = product.q.iter().map(|q| mode(q)).collect();
        if number > 0 {
            let mut rng = Pcg64::seed_from_u64(seed);
            assignment::choose(graph, self.gaugeable, &mut x0, &mut rng, self.budget);
        }
        MeanField::point_mass(graph, &x0)
    }

    /// A start at identity gauges, or, with zeros, at a lift, and at the distribution that suits them: at
    /// identity gauges the first one at `plain`. None if the bound is not finite there; with the evaluations
    /// that this took, `attempts` at most.
    fn start_at(
        &self,
        number: usize,
        plain: &MeanField,
        attempts: usize,
    ) -> (usize, Option<Start<'f>>) {
        let lifted = self.gaugeable.iter().any(|own| own.lifted.is_some());
        let mut evaluations = 0;
        for attempt in 0..if lifted { ATTEMPTS } else { 1 } {
            let strength = STRENGTHS[number % STRENGTHS.len()] * WEAKER.powi(attempt);
            let Ok(gauges) = lift(self.graph, self.gaugeable, strength) else {
                continue;
            };
            let Ok(model) = gauged_model(&gauges, self.graph) else {
                continue;
            };
            if evaluations == attempts {
                break;
            }
            let q = match number {
                0 if !lifted => plain.clone(),
                _ => self.distribution(&model, number),
            };
            let fixed = self.family == Family::Assignment;
            let objective = GaugedElbo::new(self.graph, self.gaugeable, &q, fixed);
            let x = objective.start(&gauges);
            evaluations += 1;
            let (name, limits) = (self.family.name(), (self.bytes, self.options.tolerance));
            if let Some(start) = Start::new(self.graph, name, objective, x, limits) {
                return (evaluations, Some(start));
            }
        }
        (evaluations, None)
    }
}
