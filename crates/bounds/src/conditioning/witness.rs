//! A configuration of some variables, and the bound that exact elimination of the others gives.

use forney_certify::{Below, Certificate, Flaw, Lower};
use forney_exact::Order;
use forney_model::{Domains, Evidence, FactorGraph, ModelError, VarId, simplify};

/// Some variables fixed to states: a witness of `ln Z ≥ ln Σ_x Π_a f_a(x_C, x)`.
#[derive(Clone, Debug, PartialEq)]
pub struct Conditioned {
    /// The fixed variables `C` and their states.
    pub fixed: Vec<(VarId, usize)>,
    /// The order in which the other variables are eliminated.
    pub order: Order,
    /// Bytes that their elimination may take.
    pub memory: f64,
}

impl Conditioned {
    /// Everything fixed to one configuration.
    pub(super) fn whole(graph: &FactorGraph, states: &[usize], memory: f64) -> Self {
        Self {
            fixed: graph.variables().zip(states.iter().copied()).collect(),
            order: Order::new(graph.variables().collect(), graph)
                .expect("all variables, each once"),
            memory,
        }
    }
}

/// The model with some variables fixed, pruned and simplified; `None` if `Z = 0` then.
pub(super) fn fix(
    graph: &FactorGraph,
    fixed: &[(VarId, usize)],
) -> Result<Option<(FactorGraph, Domains)>, ModelError> {
    let mut evidence = Evidence::default();
    for &(v, state) in fixed {
        evidence.observe(v, state)?;
    }
    let mut domains = Domains::observed(graph, &evidence)?;
    if domains.prune(graph).is_err() {
        return Ok(None);
    }
    let restricted = domains.clone().restrict(graph);
    Ok(Some((simplify(restricted.graph())?, domains)))
}

impl Certificate<FactorGraph> for Conditioned {
    type Side = Below;

    /// `ln Z(x_C) = ln Σ_{x_V\C} Π_a f_a(x)`, by exact elimination: one of the summands of `Z`.
    ///
    /// # Errors
    /// [`Flaw::Invalid`] if a variable or state does not exist, a variable is fixed to two states,
    /// the order does not fit the model, or elimination needs more than the memory allowed.
    ///
    /// # Complexity
    /// That of exact elimination of the variables that are not fixed.
    fn verify(&self, graph: &FactorGraph) -> Result<Lower, Flaw> {
        let invalid = |error: &dyn std::error::Error| Flaw::Invalid(error.to_string());
        let order = Order::new(self.order.vars().to_vec(), graph).map_err(|e| invalid(&e))?;
        let Some((rest, _)) = fix(graph, &self.fixed).map_err(|e| invalid(&e))? else {
            return Ok(Lower::trivial());
        };
        Lower::new(forney_exact::ln_z(&rest, &order, self.memory).map_err(|e| invalid(&e))?)
    }
}
