//! Structured mean field: the best product of distributions of *blocks* as a lower bound.
//!
//! ```text
//! ln Z ≥ ELBO(q),     q(x) = Π_B q_B(x_B)
//! ```
//!
//! | symbol | name | |
//! |---|---|---|
//! | `B` | block: variables that induce a graph of width ≤ ibound | together a partition |
//! | `q_B(x_B)` | any distribution of the block, [`Tractable`](crate::Tractable) | |
//!
//! Factors inside a block are in `q_B`; the others enter through their expectation. So the bound
//! loses only what the cut factors correlate, and the blocks are chosen to cut weak ones. Every
//! update is a global maximum over one block, found by exact elimination; an ibound of 0 is naive
//! mean field, one of the width of the model is exact.
//!
//! | choice of `q` | |
//! |---|---|
//! | blocks of width ≤ ibound, chosen | [`structured_mean_field`], [`StructuredAscent::new`] |
//! | blocks, given | [`StructuredAscent::over`] |
//! | a spanning forest | [`ForestAscent`] |

mod ascent;
mod forest;
mod lift;
mod partition;
mod subtree;

use std::ops::ControlFlow;

use forney_certify::{Budget, Certificate, Limits, Refine, Run, Stop, drive};
use forney_model::{Domains, FactorGraph};
use rand_pcg::Pcg64;
use rayon::prelude::*;

pub use ascent::{StartError, StructuredAscent};
pub use forest::ForestAscent;

use crate::belief_propagation::{BeliefPropagation, MessageSchedule};
use crate::elbo::Tractable;
use crate::mean_field::{MeanField, mean_field};
use ascent::clique_limit;
use lift::lift;
use partition::{partition, total_correlation};

/// Seconds that an update takes for one clique entry at worst, for predictions.
const SECONDS_PER_ENTRY: f64 = 2e-8;
/// Cliques are so small that at least so many sweeps fit in the time, all starts together.
const LEAST_SWEEPS: f64 = 6.0;

/// Sweeps of belief propagation before blocks are chosen.
const SWEEPS: usize = 20;

/// Structured mean field from several starts in parallel; the best one wins, the earlier one of
/// equals.
///
/// The first start is the result of naive [`mean_field`] with the same arguments, so the bound is
/// never below that one. Where there are no hard zeros every second start is uniform. How strong
/// a factor is, by which blocks are chosen, is judged in turn by the beliefs of a few sweeps of
/// belief propagation and by its table alone; from the fifth start on random numbers have a say,
/// too. Cliques are kept so small that some sweeps fit in the time of the budget. `memory` is in bytes, for
/// all starts together. The trace is that of the best start.
///
/// # Bound
/// Below, for any model and after any stop.
///
/// # Errors
/// [`StartError::TooLarge`] if the first blocks need more than their share of `memory`; a
/// smaller ibound fits.
///
/// # Complexity
/// For each start and sweep, exact marginals of cliques of at most `ibound + 1` variables.
///
/// # Example
/// ```
/// use forney_bounds::structured_mean_field;
/// use forney_certify::{Budget, Certificate, Limits};
/// use forney_model::{enumerate::enumerate, generate::ising_grid};
/// use rand::SeedableRng;
/// let model = ising_grid(3, 1.0, 0.5, &mut rand_pcg::Pcg64::seed_from_u64(3));
/// let limits = Limits { sweeps: Some(100), tolerance: 1e-9 };
/// let run = structured_mean_field(&model, 3, 7, 2, 1e9, &limits, &Budget::unlimited())?;
/// // A 3 × 3 grid has width 3: there is one block, and the bound is exact.
/// assert!((run.point.verify(&model)?.ln() - enumerate(&model).ln_z).abs() < 1e-9);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn structured_mean_field(
    graph: &FactorGraph,
    ibound: usize,
    seed: u64,
    starts: usize,
    memory: f64,
    limits: &Limits,
    budget: &Budget,
) -> Result<Run<Tractable>, StartError> {
    let mut domains = Domains::full(graph);
    if domains.prune(graph).is_err() {
        let start = StructuredAscent::new(graph, &MeanField::uniform(graph), 0, memory)?;
        return Ok(Run {
            point: start.point(),
            trace: Vec::new(),
            stop: Stop::Converged,
        });
    }
    let restriction = domains.restrict(graph);
    let inner = restriction.graph();
    // The starts run side by side on as many threads as there are, and have the same share on one.
    let memory = memory / starts.max(1) as f64;
    let naive = mean_field(inner, seed, starts, limits, budget).point;
    let uniform = MeanField::uniform(inner);
    let zeros = uniform.verify(inner)?.ln() == f64::NEG_INFINITY;
    let mut limit = clique_limit(inner, ibound, memory);
    if let Some(left) = budget.remaining() {
        let cliques = SECONDS_PER_ENTRY * inner.num_variables().max(1) as f64;
        let sweep = left.as_secs_f64() / LEAST_SWEEPS;
        limit.entries = limit.entries.min(sweep / cliques);
    }
    let tables: Vec<f64> = inner.factors().iter().map(total_correlation).collect();
    let beliefs = believed_correlation(inner, budget);
    // So many starts differ without random numbers.
    let plain = if zeros { 2 } else { 4 };
    let run = |number: usize| {
        let believed = number % plain < plain / 2;
        let strengths = if believed { &beliefs } else { &tables };
        let mut rng = Pcg64::new(seed.into(), number as u128);
        let blocks = partition(
            inner,
            limit,
            strengths,
            (number >= plain).then_some(&mut rng),
        );
        let start = if zeros || number.is_multiple_of(2) {
            &naive
        } else {
            &uniform
        };
        let ascent = StructuredAscent::over(inner, start, &blocks, memory)?;
        let mut ignore = |_: &_| ControlFlow::Continue(());
        let run = drive(ascent, limits, budget, &mut ignore);
        let lower = run.point.verify(inner);
        Ok((lower.map_or(f64::NEG_INFINITY, |lower| lower.ln()), run))
    };
    let runs: Vec<Option<Result<_, StartError>>> = (0..starts.max(1))
        .into_par_iter()
        .map(|number| (number == 0 || budget.stop().is_none()).then(|| run(number)))
        .collect();
    let mut runs = runs.into_iter().flatten();
    let (mut value, mut best) = runs.next().expect("the first start")?;
    // Blocks of another start may be too large where the first ones were not.
    for (next_value, next) in runs.flatten() {
        if next_value > value {
            (value, best) = (next_value, next);
        }
    }
    best.point = lift(&best.point, graph, restriction.domains());
    Ok(best)
}

/// What the variables of each factor tell of each other, by belief propagation.
fn believed_correlation(graph: &FactorGraph, budget: &Budget) -> Vec<f64> {
    let mut messages = BeliefPropagation::new(graph, MessageSchedule::Residual, 0.0);
    for _ in 0..SWEEPS {
        if budget.stop().is_some() {
            break;
        }
        messages.sweep();
    }
    messages.information(graph.num_factors())
}
