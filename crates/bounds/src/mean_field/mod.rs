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
mod starts;
mod tables;
mod witness;

use forney_certify::{Budget, Limits, Run, Stop};
use forney_model::{Domains, FactorGraph};

pub use ascent::MeanFieldAscent;
pub use starts::{CooledAscent, MeanFieldStarts};
pub use witness::MeanField;

/// Mean field from several starts in parallel; the best one wins, the earlier one of equals.
///
/// Without hard zeros a start is a perturbed uniform distribution. With them it is an
/// [allowed configuration](crate::AllowedSearch), so that the bound is finite whenever one was found; if
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
    let mut all = MeanFieldStarts::new(restriction.graph(), seed, *limits);
    all.begin(starts, budget);
    all.courses.go_on(budget);
    let Some(mut best) = all.courses.finish(budget) else {
        return nothing(budget.stop().unwrap_or(Stop::SweepLimit));
    };
    best.point.q = restriction.lift_marginals(&best.point.q);
    best
}
