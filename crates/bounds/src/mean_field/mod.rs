//! Naive mean field: the best product distribution as a lower bound.
//!
//! ```text
//! ln Z ≥ ELBO(q) = Σ_a E_q[ln f_a] + Σ_v H(q_v)        with 0 · ln 0 = 0
//! ```
//!
//! | symbol | name | unit |
//! |---|---|---|
//! | `q_v(x_v)` | one distribution for each variable, [`MeanField::q`] | |
//! | `H(q_v) = −Σ_x q_v ln q_v` | entropy | nats |
//! | `T` | temperature: annealing maximises `Σ_a E_q[ln f_a] + T · Σ_v H(q_v)` | |
//!
//! The bound has many local maxima. Starts that are annealed from a temperature above 1 find much
//! better ones than random starts; how far above is best differs between models, and grows with the
//! strength of their factors.

mod annealing;
mod ascent;
mod tables;
mod witness;

use std::ops::ControlFlow;
use std::sync::Arc;

use forney_certify::{Budget, Certificate, Limits, Run, Stop, drive};
use forney_model::{Domains, FactorGraph};
use rand::seq::SliceRandom;
use rand::{Rng, RngExt};
use rand_pcg::Pcg64;
use rayon::prelude::*;

pub use ascent::MeanFieldAscent;
pub use witness::MeanField;

use crate::AllowedSearch;
use annealing::{anneal, first_temperatures};
use tables::Tables;

/// Choice of states in the search for an allowed start, taken in turn by the starts.
const TEMPERATURES: [f64; 3] = [0.1, 0.3, 1.0];

/// Mean field from several starts in parallel; the best one wins, the earlier one of equals.
///
/// Without hard zeros a start is a perturbed uniform distribution. With them it is an
/// [allowed configuration](AllowedSearch), so that the bound is finite whenever one was found; if
/// none was, or if there is none, the witness proves `−∞`. The trace is that of the best start.
///
/// # Bound
/// Below, for any model and after any stop.
///
/// # Complexity
/// For each start and sweep, linear in the table entries, times the scope size. Memory: two
/// copies of the tables, and a few numbers for each state in each start.
///
/// # Example
/// ```
/// use forney_bounds::mean_field;
/// use forney_certify::{Budget, Certificate, Limits};
/// use forney_model::{enumerate::enumerate, generate::ising_grid};
/// use rand::SeedableRng;
/// let model = ising_grid(3, 1.0, 0.5, &mut rand_pcg::Pcg64::seed_from_u64(3));
/// let limits = Limits { sweeps: Some(1000), tolerance: 1e-6 };
/// let run = mean_field(&model, 7, 4, &limits, &Budget::unlimited());
/// let lower = run.point.verify(&model)?;
/// assert!(lower.ln() <= enumerate(&model).ln_z);
/// # Ok::<(), forney_certify::Flaw>(())
/// ```
#[must_use]
pub fn mean_field(
    graph: &FactorGraph,
    seed: u64,
    starts: usize,
    limits: &Limits,
    budget: &Budget,
) -> Run<MeanField> {
    let nothing = |stop| Run {
        point: MeanField::uniform(graph),
        trace: Vec::new(),
        stop,
    };
    let mut domains = Domains::full(graph);
    if domains.prune(graph).is_err() {
        return nothing(Stop::Converged);
    }
    let restriction = domains.restrict(graph);
    let graph = restriction.graph();
    let tables = Arc::new(Tables::new(graph));
    let temperatures = first_temperatures(graph);
    let runs: Vec<Option<(f64, Run<MeanField>)>> = (0..starts)
        .into_par_iter()
        .map(|number| {
            let mut rng = Pcg64::new(seed.into(), number as u128);
            let mut ascent = start(graph, &tables, number, &mut rng, budget)?;
            anneal(
                &mut ascent,
                temperatures[number % temperatures.len()],
                budget,
            );
            let mut ignore = |_: &_| ControlFlow::Continue(());
            let run = drive(ascent, limits, budget, &mut ignore);
            // Of a single start there is nothing to choose.
            let value = match starts {
                1 => f64::NEG_INFINITY,
                _ => run
                    .point
                    .verify(graph)
                    .map_or(f64::NEG_INFINITY, |l| l.ln()),
            };
            Some((value, run))
        })
        .collect();
    let best = runs
        .into_iter()
        .flatten()
        .reduce(|best, run| if run.0 > best.0 { run } else { best });
    let Some((_, mut best)) = best else {
        return nothing(budget.stop().unwrap_or(Stop::SweepLimit));
    };
    best.point.q = restriction.lift_marginals(&best.point.q);
    best
}

/// Where one start begins; `None` if no allowed configuration was found.
fn start(
    graph: &FactorGraph,
    tables: &Arc<Tables>,
    number: usize,
    rng: &mut impl Rng,
    budget: &Budget,
) -> Option<MeanFieldAscent> {
    let mut ascent = MeanFieldAscent::on(tables);
    ascent.order_mut().shuffle(rng);
    if tables.hold_zeros() {
        let search = AllowedSearch {
            temperature: TEMPERATURES[number % TEMPERATURES.len()],
            ..AllowedSearch::default()
        };
        let found = search.find(graph, rng, budget).ok()??;
        for (v, &own) in graph.variables().zip(&found.states) {
            ascent.set(v, (0..graph.card(v)).map(|state| f64::from(state == own)));
        }
    } else {
        for v in graph.variables() {
            ascent.set(v, (0..graph.card(v)).map(|_| 0.5 + rng.random::<f64>()));
        }
    }
    Some(ascent)
}
