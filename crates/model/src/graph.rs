//! The factor graph, on petgraph.

use forney_certify::DoubleDouble;
use petgraph::graph::{NodeIndex, UnGraph};

use crate::{FactorId, ModelError, Table, VarId};

/// The most states a variable may have, `2^24`: domains and marginals list them one by one, so a
/// header that claims 10^18 of them must not get that far.
pub const MAX_CARD: usize = 1 << 24;

/// A node of the bipartite graph of variables and factors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Node {
    /// A variable node.
    Variable(VarId),
    /// A factor node.
    Factor(FactorId),
}

/// A discrete graphical model: cardinalities, log tables, and the bipartite graph between them.
///
/// Variables that no factor mentions are part of the model: each multiplies `Z` by its cardinality.
///
/// # Example
/// ```
/// use forney_model::{FactorGraph, Table, VarId};
/// let ising = Table::from_ln(vec![VarId(0), VarId(1)], vec![2, 2], vec![1.0, -1.0, -1.0, 1.0])?;
/// let model = FactorGraph::new(vec![2, 2, 3], vec![ising])?;
/// assert_eq!(model.factors_of(VarId(1)).count(), 1);
/// assert_eq!(model.factors_of(VarId(2)).count(), 0);
/// # Ok::<(), forney_model::ModelError>(())
/// ```
#[derive(Clone, Debug)]
pub struct FactorGraph {
    cards: Vec<usize>,
    factors: Vec<Table>,
    ln_scale: DoubleDouble,
    graph: UnGraph<Node, ()>,
}

impl PartialEq for FactorGraph {
    fn eq(&self, other: &Self) -> bool {
        self.cards == other.cards && self.factors == other.factors
    }
}

impl FactorGraph {
    /// Joins cardinalities and factors.
    ///
    /// # Errors
    /// A cardinality of 0 or above [`MAX_CARD`], or a factor whose scope does not fit the variables.
    ///
    /// # Complexity
    /// Linear in the number of variables, factors and scope entries.
    pub fn new(cards: Vec<usize>, factors: Vec<Table>) -> Result<Self, ModelError> {
        if let Some(at) = cards.iter().position(|&card| card == 0) {
            return Err(ModelError::NoStates {
                var: VarId::new(at),
            });
        }
        if let Some(at) = cards.iter().position(|&card| card > MAX_CARD) {
            return Err(ModelError::TooManyStates {
                var: VarId::new(at),
                card: cards[at],
            });
        }
        let edges = factors.iter().map(|factor| factor.scope().len()).sum();
        let mut graph = UnGraph::with_capacity(cards.len() + factors.len(), edges);
        for v in 0..cards.len() {
            graph.add_node(Node::Variable(VarId::new(v)));
        }
        for (a, factor) in factors.iter().enumerate() {
            let node = graph.add_node(Node::Factor(FactorId::new(a)));
            for (&var, &found) in factor.scope().iter().zip(factor.cards()) {
                let Some(&expected) = cards.get(var.index()) else {
                    return Err(ModelError::UnknownVariable {
                        var,
                        variables: cards.len(),
                    });
                };
                if expected != found {
                    return Err(ModelError::WrongCardinality {
                        var,
                        expected,
                        found,
                    });
                }
                graph.add_edge(NodeIndex::new(var.index()), node, ());
            }
        }
        Ok(Self {
            ln_scale: factors.iter().map(Table::ln_scale).sum(),
            cards,
            factors,
            graph,
        })
    }

    /// Number of variables `n`.
    #[must_use]
    pub fn num_variables(&self) -> usize {
        self.cards.len()
    }

    /// Number of factors `m`.
    #[must_use]
    pub fn num_factors(&self) -> usize {
        self.factors.len()
    }

    /// All variables, in order.
    pub fn variables(&self) -> impl DoubleEndedIterator<Item = VarId> + ExactSizeIterator + use<> {
        (0..self.cards.len()).map(VarId::new)
    }

    /// Cardinality `|X_v|`.
    #[must_use]
    pub fn card(&self, v: VarId) -> usize {
        self.cards[v.index()]
    }

    /// All cardinalities, by variable.
    #[must_use]
    pub fn cards(&self) -> &[usize] {
        &self.cards
    }

    /// All factors, by [`FactorId`].
    #[must_use]
    pub fn factors(&self) -> &[Table] {
        &self.factors
    }

    /// The factors that mention `v`.
    pub fn factors_of(&self, v: VarId) -> impl Iterator<Item = FactorId> + '_ {
        let variables = self.cards.len();
        self.graph
            .neighbors(NodeIndex::new(v.index()))
            .map(move |node| FactorId::new(node.index() - variables))
    }

    /// The bipartite graph; node `v` is variable `v`, node `n + a` is factor `a`.
    #[must_use]
    pub fn graph(&self) -> &UnGraph<Node, ()> {
        &self.graph
    }

    /// Number of connected components, factors without variables not counted.
    #[must_use]
    pub fn num_components(&self) -> usize {
        let constants = self
            .factors
            .iter()
            .filter(|factor| factor.scope().is_empty())
            .count();
        petgraph::algo::connected_components(&self.graph) - constants
    }

    /// `Σ_a ln max f_a`, in nats: what is added once to a value that was computed from the
    /// [relative](Table::relative) entries.
    #[must_use]
    pub fn ln_scale(&self) -> DoubleDouble {
        self.ln_scale
    }

    /// `Σ_a ln f_a(x_a)` for one full assignment, in nats; `−∞` if a factor forbids it.
    ///
    /// # Panics
    /// If `assignment` does not have one state for each variable.
    #[must_use]
    pub fn ln_value(&self, assignment: &[usize]) -> f64 {
        (self.ln_scale + self.relative_value(assignment)).value()
    }

    /// `Σ_a ln (f_a(x_a) / max f_a)` for one full assignment, in nats.
    ///
    /// # Panics
    /// As [`ln_value`](Self::ln_value).
    #[must_use]
    pub fn relative_value(&self, assignment: &[usize]) -> DoubleDouble {
        assert_eq!(
            assignment.len(),
            self.cards.len(),
            "one state for each variable"
        );
        let own = |f: &Table| {
            let states = f.scope().iter().map(|v| assignment[v.index()]);
            f.relative()[f.flat_index(states)]
        };
        self.factors.iter().map(own).sum()
    }
}
