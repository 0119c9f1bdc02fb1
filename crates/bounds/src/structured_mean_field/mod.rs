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
mod starts;
mod subtree;

use forney_certify::{Budget, Limits, Refine, Run, Stop};
use forney_model::{Domains, FactorGraph};

pub use ascent::{StartError, StructuredAscent};
pub use forest::ForestAscent;
pub use starts::BlockStarts;

use crate::elbo::Tractable;
use crate::mean_field::{MeanField, mean_field};
use lift::lift;

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
/// # Panics
/// Never: the first start is finished whatever the budget.
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
    let naive = mean_field(inner, seed, starts, limits, budget).point;
    let mut all = BlockStarts::new(inner, seed, memory, *limits);
    all.begin(0..starts.max(1), ibound, &naive, budget.remaining(), budget)?;
    all.courses.go_on(budget);
    let mut best = all.courses.finish(budget).expect("the first start");
    best.point = lift(&best.point, graph, restriction.domains());
    Ok(best)
}
