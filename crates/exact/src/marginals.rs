//! All marginals in one upward-downward pass.

use std::sync::Arc;

use forney_certify::DoubleDouble;
use forney_model::{FactorGraph, VarId};

use crate::layout::expand;
use crate::{Engine, Keep, Order, Schedule, TooLarge, Whole};

/// `p(x_v)` for every variable and `p(x_a)` for every factor.
#[derive(Clone, Debug, PartialEq)]
pub struct Marginals {
    /// `ln Z`, in nats.
    pub ln_z: f64,
    /// `ln Z − Σ_a ln max f_a`, in nats: what the relative entries of the tables add up to. It keeps
    /// the digits that the scale of the model would take from `ln Z`.
    pub ln_relative: f64,
    /// By variable: one probability for each state. All zero if `Z = 0`.
    pub variables: Vec<Vec<f64>>,
    /// By factor: the joint of its scope, laid out as the factor's table. All zero if `Z = 0`.
    pub factors: Vec<Vec<f64>>,
}

/// Every single-variable and factor marginal, by one forward and one backward pass:
/// `p(x_a) = ∂ ln Z / ∂ ln f_a(x_a)`.
///
/// # Errors
/// [`TooLarge`] if the order needs more than `memory` bytes, before anything is allocated.
///
/// # Panics
/// If the order belongs to another model.
///
/// # Complexity
/// Time: about three passes of [`ln_z`](crate::ln_z). Memory: all messages,
/// [`Demand::kept_bytes`](crate::Demand).
///
/// # Example
/// ```
/// use forney_exact::{Heuristic, greedy, marginals};
/// use forney_model::{FactorGraph, Table, VarId};
/// let coin = Table::from_values(vec![VarId(0)], vec![2], &[1.0, 3.0])?;
/// let model = FactorGraph::new(vec![2, 2], vec![coin])?;
/// let order = greedy(&model, Heuristic::MinFill, None);
/// let found = marginals(&model, &order, f64::INFINITY)?;
/// assert!((found.variables[0][1] - 0.75).abs() < 1e-12);
/// assert!((found.variables[1][1] - 0.5).abs() < 1e-12);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn marginals(graph: &FactorGraph, order: &Order, memory: f64) -> Result<Marginals, TooLarge> {
    let schedule = Schedule::compile(graph, order, &mut Whole)?;
    let demand = schedule.demand();
    demand.admit(demand.kept_bytes, memory)?;
    Ok(Marginals::along(&schedule.into(), graph))
}

impl Marginals {
    /// As [`marginals`], along a schedule that was compiled for a model of the same scopes.
    ///
    /// # Panics
    /// If the schedule was compiled for other scopes, or splits buckets.
    #[must_use]
    pub fn along(schedule: &Arc<Schedule>, graph: &FactorGraph) -> Self {
        assert!(schedule.is_exact(), "a split schedule has no marginals");
        let mut engine = Engine::new(Arc::clone(schedule), graph, Keep::All);
        let ln_z = engine.forward_unrounded(&[], &[]);
        engine.backward(&[], &[], true, &mut [], &mut []);
        collect(graph, &engine, ln_z)
    }
}

fn collect(graph: &FactorGraph, engine: &Engine, ln_z: DoubleDouble) -> Marginals {
    let mass = if ln_z == DoubleDouble::NEG_INFINITY {
        0.0
    } else {
        1.0
    };
    let mut variables: Vec<Vec<f64>> = graph
        .cards()
        .iter()
        .map(|&card| vec![mass / card as f64; card])
        .collect();
    let mut factors: Vec<Vec<f64>> = graph
        .factors()
        .iter()
        .map(|factor| vec![mass; factor.num_entries()])
        .collect();
    let mut known = vec![false; graph.num_variables()];
    let schedule = engine.schedule();
    for (base, belief) in schedule.bases().iter().zip(engine.base_beliefs()) {
        for &v in &base.scope {
            if !std::mem::replace(&mut known[v.index()], true) {
                variables[v.index()] = normalised(project(graph, &base.scope, belief, &[v]), mass);
            }
        }
        for &a in &base.factors {
            let scope = graph.factors()[a.index()].scope();
            factors[a.index()] = normalised(project(graph, &base.scope, belief, scope), mass);
        }
    }
    Marginals {
        ln_z: ln_z.value(),
        ln_relative: (ln_z - graph.ln_scale()).value(),
        variables,
        factors,
    }
}

/// Sums a belief over `from` to the scope `to`.
fn project(graph: &FactorGraph, from: &[VarId], belief: &[f64], to: &[VarId]) -> Vec<f64> {
    let axes = |scope: &[VarId]| -> Vec<(usize, usize)> {
        scope.iter().map(|&v| (v.index(), graph.card(v))).collect()
    };
    let mut sums = vec![0.0; to.iter().map(|&v| graph.card(v)).product()];
    for (at, p) in expand(&axes(from), &axes(to)).into_iter().zip(belief) {
        sums[at] += p;
    }
    sums
}

/// Takes the rounding out of a distribution that sums to 1 but for it.
fn normalised(mut p: Vec<f64>, mass: f64) -> Vec<f64> {
    let sum: f64 = p.iter().sum();
    let factor = if sum > 0.0 { mass / sum } else { 0.0 };
    for x in &mut p {
        *x *= factor;
    }
    p
}
