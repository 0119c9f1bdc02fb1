//! Elimination orders: what eliminating the variables in turn costs, and the search for a cheap order.
//!
//! Eliminating `v` joins all tables that mention it, so the variables beside `v` become a clique.
//!
//! | symbol | name | unit |
//! |---|---|---|
//! | `N_v` | neighbours of `v` when its turn comes | variables |
//! | `C_v = {v} ∪ N_v` | clique of the bucket of `v` | variables |
//! | `Π_{u ∈ C_v} \|X_u\|` | entries of the bucket, one multiply-add each | entries |
//! | `max_v \|C_v\| − 1` | [`Cost::width`] | variables |
//!
//! Variables of cardinality 1 and variables that no factor mentions cost nothing anywhere.

mod anneal;
mod cost;
mod dissect;
mod fill;
mod frontier;
mod greedy;
mod live;
mod pool;
mod primal;
mod queue;
mod quotient;
mod reduce;
mod rules;
mod search;
mod tree;

pub use cost::Cost;
pub use dissect::dissection;
pub use frontier::{frontier, frontier_within};
pub use greedy::{Heuristic, greedy, greedy_within};
pub use search::{Effort, quick, search};

use forney_model::{FactorGraph, VarId};

use primal::Primal;

/// A permutation of all variables of a model: the order in which they are eliminated.
///
/// # Example
/// ```
/// use forney_exact::{Heuristic, greedy};
/// use forney_model::{FactorGraph, Table, VarId};
/// let link = |a, b| Table::from_ln(vec![VarId(a), VarId(b)], vec![2, 2], vec![0.0; 4]);
/// let cycle = FactorGraph::new(vec![2; 4], vec![link(0, 1)?, link(1, 2)?, link(2, 3)?, link(3, 0)?])?;
/// let order = greedy(&cycle, Heuristic::MinFill, None);
/// assert_eq!(order.cost(&cycle).width, 2);
/// # Ok::<(), forney_model::ModelError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    vars: Vec<VarId>,
}

/// Why a list of variables is not an elimination order of a model.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OrderError {
    /// A variable that the model does not have.
    #[error(
        "position {position} of the order names variable {var}, but the model has {variables} variables, numbered from 0"
    )]
    Unknown {
        /// Where in the order, from 0.
        position: usize,
        /// The variable.
        var: VarId,
        /// Number of variables of the model.
        variables: usize,
    },
    /// A variable that stands in two places.
    #[error(
        "position {position} of the order names variable {var} a second time; name each variable once"
    )]
    Repeated {
        /// Where in the order, from 0.
        position: usize,
        /// The variable.
        var: VarId,
    },
    /// A variable that is nowhere in the order.
    #[error(
        "variable {var} is not in the order; it must name each of the {variables} variables once"
    )]
    Missing {
        /// The first such variable.
        var: VarId,
        /// Number of variables of the model.
        variables: usize,
    },
}

impl Order {
    /// Checks that `vars` names each variable of `graph` exactly once.
    ///
    /// # Errors
    /// A variable that is unknown, repeated or missing.
    pub fn new(vars: Vec<VarId>, graph: &FactorGraph) -> Result<Self, OrderError> {
        let variables = graph.num_variables();
        let mut seen = vec![false; variables];
        for (position, &var) in vars.iter().enumerate() {
            match seen.get_mut(var.index()) {
                None => {
                    return Err(OrderError::Unknown {
                        position,
                        var,
                        variables,
                    });
                }
                Some(true) => return Err(OrderError::Repeated { position, var }),
                Some(seen) => *seen = true,
            }
        }
        match seen.iter().position(|seen| !seen) {
            Some(at) => Err(OrderError::Missing {
                var: VarId::new(at),
                variables,
            }),
            None => Ok(Self { vars }),
        }
    }

    /// The variables in the order of elimination.
    #[must_use]
    pub fn vars(&self) -> &[VarId] {
        &self.vars
    }

    /// The order in which `variable` stands in the place of another and what lies between moves up.
    ///
    /// # Panics
    /// If one of them is not in the order.
    #[must_use]
    pub fn moved(&self, variable: VarId, place: VarId) -> Self {
        let at = |v: VarId| {
            let found = self.vars.iter().position(|&u| u == v);
            found.expect("a variable of this model")
        };
        let (from, to) = (at(variable), at(place));
        let mut vars = self.vars.clone();
        vars.remove(from);
        vars.insert(to, variable);
        Self { vars }
    }

    /// What elimination in this order costs.
    ///
    /// # Complexity
    /// Almost linear in the edges of the primal graph: no clique is formed.
    #[must_use]
    pub fn cost(&self, graph: &FactorGraph) -> Cost {
        let order: Vec<u32> = self.vars.iter().map(|v| v.0).collect();
        Cost::of(&Primal::new(graph), &order).0
    }

    /// A permutation that this module made.
    fn from_permutation(order: Vec<u32>) -> Self {
        Self {
            vars: order.into_iter().map(VarId).collect(),
        }
    }
}
