//! Why nothing is allowed: a few factors and observations that contradict each other.

use forney_certify::Budget;

use crate::propagation::{Contradiction, Propagation};
use crate::{Domains, Evidence, FactorGraph, FactorId, VarId};

/// Factors and observations that leave no assignment, whatever the rest of the model says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conflict {
    /// The factors, ascending.
    pub factors: Vec<FactorId>,
    /// The observations, by variable.
    pub observed: Vec<(VarId, usize)>,
}

/// One part of a conflict.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    Factor(FactorId),
    Observed(VarId, usize),
}

/// Looks for factors and observations that together leave nothing, by propagation of their hard
/// zeros; `None` if propagation alone does not show it.
///
/// No part of the conflict can be left out, unless the budget ended before all were tried.
///
/// # Complexity
/// One [`Propagation`] over the whole model, and one over the parts for each part that its trace
/// leaves; the budget is looked at between them.
///
/// # Panics
/// If the evidence is about a variable or state that the model does not have.
///
/// # Example
/// ```
/// use forney_certify::Budget;
/// use forney_model::{Evidence, FactorGraph, FactorId, Table, VarId, conflict};
/// let equal = |a, b| Table::from_values(vec![VarId(a), VarId(b)], vec![2, 2], &[1., 0., 0., 1.]);
/// let model = FactorGraph::new(vec![2; 4], vec![equal(0, 1)?, equal(1, 2)?, equal(2, 3)?])?;
/// let mut evidence = Evidence::default();
/// for (v, state) in [(0, 0), (1, 0), (2, 1), (3, 1)] {
///     evidence.observe(VarId(v), state)?;
/// }
/// let found = conflict(&model, &evidence, &Budget::unlimited()).expect("they differ");
/// assert_eq!(found.factors, [FactorId(1)]);
/// assert_eq!(found.observed, [(VarId(1), 0), (VarId(2), 1)]);
/// # Ok::<(), forney_model::ModelError>(())
/// ```
#[must_use]
pub fn conflict(graph: &FactorGraph, evidence: &Evidence, budget: &Budget) -> Option<Conflict> {
    let zero = |id: &FactorId| {
        let table = &graph.factors()[id.index()];
        table.scope().is_empty() && table.relative() == [f64::NEG_INFINITY]
    };
    let all = (0..graph.num_factors()).map(FactorId::new);
    if let Some(id) = all.clone().find(zero) {
        return Some(Conflict {
            factors: vec![id],
            observed: Vec::new(),
        });
    }
    let observed = evidence.iter().map(|(v, state)| Part::Observed(v, state));
    let all: Vec<Part> = all.map(Part::Factor).chain(observed).collect();
    let mut parts = contradicting(graph, &all, budget)?;
    // Parts before this one cannot be left out, now or when there are fewer.
    let mut at = 0;
    while at < parts.len() && budget.stop().is_none() {
        let mut fewer = parts.clone();
        fewer.remove(at);
        match contradicting(graph, &fewer, budget) {
            Some(enough) => parts = enough,
            None => at += 1,
        }
    }
    let mut conflict = Conflict {
        factors: Vec::new(),
        observed: Vec::new(),
    };
    for part in parts {
        match part {
            Part::Factor(id) => conflict.factors.push(id),
            Part::Observed(v, state) => conflict.observed.push((v, state)),
        }
    }
    Some(conflict)
}

/// Those of the parts that already contradict each other, in the same order, if any do.
fn contradicting(graph: &FactorGraph, parts: &[Part], budget: &Budget) -> Option<Vec<Part>> {
    let mut evidence = Evidence::default();
    let mut factors = Vec::new();
    for &part in parts {
        match part {
            Part::Factor(id) => factors.push(id),
            // Each variable is observed at most once.
            Part::Observed(v, state) => evidence.observe(v, state).ok()?,
        }
    }
    let domains = Domains::observed(graph, &evidence).expect("evidence on this model");
    let mut propagation = Propagation::unpropagated(graph, &domains);
    let mut in_time = |_: &Propagation| budget.stop().is_none();
    match propagation.begin(graph, factors.into_iter(), &mut in_time) {
        Ok(_) => None,
        Err(Contradiction) => {
            let (factors, variables) = propagation.causes();
            let enough = |part: &Part| match part {
                Part::Factor(id) => factors.binary_search(id).is_ok(),
                Part::Observed(v, _) => variables.binary_search(v).is_ok(),
            };
            Some(parts.iter().copied().filter(enough).collect())
        }
    }
}
