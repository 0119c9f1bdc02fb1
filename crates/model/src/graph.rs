//! The factor graph: factors, and for each variable the factors that mention it.

use std::sync::Arc;

use forney_certify::DoubleDouble;
use petgraph::graph::{NodeIndex, UnGraph};
use petgraph::unionfind::UnionFind;

use crate::{FactorId, MAX_CARD, ModelError, Table, VarId};

/// A node of the bipartite graph.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Node {
    /// A variable.
    Variable(VarId),
    /// A factor.
    Factor(FactorId),
}

/// A discrete graphical model: cardinalities, log tables, and who mentions whom.
///
/// The edges of the bipartite graph lie in one list, four bytes each, sorted by variable: what a
/// factor mentions is its scope, so the other direction is all that has to be kept.
///
/// Variables that no factor mentions are part of the model: each multiplies `Z` by its cardinality.
///
/// A clone shares all of it, so a model and what evidence and simplification leave of it are held once
/// where they leave all of it.
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
    cards: Arc<[usize]>,
    factors: Arc<[Table]>,
    ln_scale: DoubleDouble,
    /// The mentions of variable `v` are `mentions[first[v]..first[v + 1]]`.
    first: Arc<[usize]>,
    mentions: Arc<[FactorId]>,
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
        Self::sharing(cards.into(), factors)
    }

    /// As [`FactorGraph::new`], with the cardinalities of another graph.
    pub(crate) fn sharing(cards: Arc<[usize]>, factors: Vec<Table>) -> Result<Self, ModelError> {
        // The list that a file was read into may have room for many more tables; this one has not.
        let factors = Arc::<[Table]>::from(factors);
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
        // Mentions are counted where the next variable begins, so that summing gives the places.
        let mut first = vec![0usize; cards.len() + 2];
        for factor in factors.iter() {
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
                first[var.index() + 2] += 1;
            }
        }
        for v in 2..first.len() {
            first[v] += first[v - 1];
        }
        let mut mentions = vec![FactorId(0); first[first.len() - 1]];
        for (a, factor) in factors.iter().enumerate() {
            for var in factor.scope() {
                let place = &mut first[var.index() + 1];
                mentions[*place] = FactorId::new(a);
                *place += 1;
            }
        }
        first.pop();
        Ok(Self {
            ln_scale: factors.iter().map(Table::ln_scale).sum(),
            cards,
            factors,
            first: first.into(),
            mentions: mentions.into(),
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

    /// The same list for one who keeps it: it is shared, not copied.
    #[must_use]
    pub fn shared_cards(&self) -> Arc<[usize]> {
        Arc::clone(&self.cards)
    }

    /// All factors, by [`FactorId`].
    #[must_use]
    pub fn factors(&self) -> &[Table] {
        &self.factors
    }

    /// The factors that mention `v`, the last one first.
    pub fn factors_of(&self, v: VarId) -> impl DoubleEndedIterator<Item = FactorId> + '_ {
        let (from, to) = (self.first[v.index()], self.first[v.index() + 1]);
        self.mentions[from..to].iter().rev().copied()
    }

    /// The bipartite graph for the algorithms of petgraph: node `v` is variable `v`, node `n + a` factor
    /// `a`, and each factor has an edge to every variable of its scope.
    ///
    /// # Complexity
    /// Linear in the number of variables, factors and scope entries, for every call.
    ///
    /// # Example
    /// ```
    /// use forney_model::generate::ising_grid;
    /// use petgraph::algo::is_cyclic_undirected;
    /// use rand::SeedableRng;
    /// let rng = &mut rand_pcg::Pcg64::seed_from_u64(1);
    /// assert!(is_cyclic_undirected(&ising_grid(3, 1.0, 0.1, rng).to_petgraph()));
    /// ```
    #[must_use]
    pub fn to_petgraph(&self) -> UnGraph<Node, ()> {
        let nodes = self.cards.len() + self.factors.len();
        let mut graph = UnGraph::with_capacity(nodes, self.mentions.len());
        for v in self.variables() {
            graph.add_node(Node::Variable(v));
        }
        for (a, factor) in self.factors.iter().enumerate() {
            let node = graph.add_node(Node::Factor(FactorId::new(a)));
            for v in factor.scope() {
                graph.add_edge(NodeIndex::new(v.index()), node, ());
            }
        }
        graph
    }

    /// Number of connected components, factors without variables not counted.
    ///
    /// # Complexity
    /// About linear in the number of variables and scope entries.
    #[must_use]
    pub fn num_components(&self) -> usize {
        let mut joined = UnionFind::<u32>::new(self.cards.len());
        let mut components = self.cards.len();
        for factor in self.factors.iter() {
            for pair in factor.scope().windows(2) {
                components -= usize::from(joined.union(pair[0].0, pair[1].0));
            }
        }
        components
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mentions_and_components_are_those_of_the_scopes() {
        let table = |scope: &[usize]| {
            let scope: Vec<VarId> = scope.iter().map(|&v| VarId::new(v)).collect();
            let (cards, entries) = (vec![2; scope.len()], 1 << scope.len());
            Table::from_ln(scope, cards, vec![0.0; entries]).unwrap()
        };
        let scopes: [&[usize]; 6] = [&[4, 1], &[], &[1, 2], &[1], &[5, 6], &[2, 4]];
        let graph = FactorGraph::new(vec![2; 8], scopes.map(table).to_vec()).unwrap();
        let of = |v| graph.factors_of(VarId(v)).map(FactorId::index).collect();
        let mentions: Vec<Vec<usize>> = (0..8).map(of).collect();
        let empty = vec![];
        let expected = [&empty, &vec![3, 2, 0], &vec![5, 2], &empty, &vec![5, 0]];
        assert!(mentions.iter().zip(expected).all(|(a, b)| a == b));
        assert_eq!(mentions[5..], [vec![4], vec![4], vec![]]);
        // {0}, {1, 2, 4}, {3}, {5, 6}, {7}
        assert_eq!(graph.num_components(), 5);
    }
}
