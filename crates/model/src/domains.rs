//! The states that each variable may still take: evidence and hard zeros shrink them.

use crate::{Evidence, FactorGraph, ModelError};

/// For each variable the states that it may take, ascending.
///
/// Evidence leaves one state; hard zeros may forbid some. A model restricted to its domains keeps
/// its variables and their numbers: an observed variable has cardinality 1 and leaves all scopes.
///
/// # Example
/// ```
/// use forney_model::{Domains, Evidence, FactorGraph, Table, VarId};
/// let pair = Table::from_values(vec![VarId(0), VarId(1)], vec![2, 2], &[1.0, 2.0, 3.0, 4.0])?;
/// let model = FactorGraph::new(vec![2, 2], vec![pair])?;
/// let mut evidence = Evidence::default();
/// evidence.observe(VarId(0), 1)?;
/// let restriction = Domains::observed(&model, &evidence)?.restrict(&model);
/// assert_eq!(restriction.graph().cards(), &[1, 2]);
/// assert_eq!(restriction.graph().factors()[0].scope(), &[VarId(1)]);
/// assert_eq!(restriction.lift_assignment(&[0, 1]), vec![1, 1]);
/// # Ok::<(), forney_model::ModelError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Domains {
    pub(crate) states: Vec<Vec<usize>>,
}

impl Domains {
    /// All states of all variables.
    #[must_use]
    pub fn full(graph: &FactorGraph) -> Self {
        Self {
            states: graph
                .cards()
                .iter()
                .map(|&card| (0..card).collect())
                .collect(),
        }
    }

    /// All states that agree with the evidence.
    ///
    /// # Errors
    /// A variable or state that the model does not have.
    pub fn observed(graph: &FactorGraph, evidence: &Evidence) -> Result<Self, ModelError> {
        let mut domains = Self::full(graph);
        for (var, state) in evidence.iter() {
            let variables = graph.num_variables();
            let Some(states) = domains.states.get_mut(var.index()) else {
                return Err(ModelError::UnknownVariable { var, variables });
            };
            if state >= states.len() {
                return Err(ModelError::UnknownState {
                    var,
                    state,
                    card: states.len(),
                });
            }
            *states = vec![state];
        }
        Ok(domains)
    }

    /// The allowed states of each variable, ascending.
    #[must_use]
    pub fn states(&self) -> &[Vec<usize>] {
        &self.states
    }

    /// The model with every variable limited to its allowed states.
    ///
    /// # Panics
    /// If a domain is empty or belongs to another model.
    ///
    /// # Complexity
    /// Linear in the entries that are kept.
    #[must_use]
    pub fn restrict(self, graph: &FactorGraph) -> Restriction {
        assert_eq!(
            self.states.len(),
            graph.num_variables(),
            "domains of another model"
        );
        assert!(
            self.states.iter().all(|states| !states.is_empty()),
            "an empty domain"
        );
        let cards = self.states.iter().map(Vec::len).collect();
        let factors = graph
            .factors()
            .iter()
            .map(|f| f.restricted(&self.states))
            .collect();
        let restricted =
            FactorGraph::new(cards, factors).expect("a restriction keeps scopes valid");
        let original_cards = graph.cards().to_vec();
        Restriction {
            graph: restricted,
            domains: self,
            original_cards,
        }
    }
}

/// A model restricted to domains, with the way back to the original states.
#[derive(Clone, Debug)]
pub struct Restriction {
    graph: FactorGraph,
    domains: Domains,
    original_cards: Vec<usize>,
}

impl Restriction {
    /// The restricted model; its variables have the numbers of the original.
    #[must_use]
    pub fn graph(&self) -> &FactorGraph {
        &self.graph
    }

    /// The domains it was restricted to.
    #[must_use]
    pub fn domains(&self) -> &Domains {
        &self.domains
    }

    /// An assignment of the restricted model in the states of the original one.
    #[must_use]
    pub fn lift_assignment(&self, assignment: &[usize]) -> Vec<usize> {
        assignment
            .iter()
            .zip(&self.domains.states)
            .map(|(&state, states)| states[state])
            .collect()
    }

    /// Single-variable marginals over the original states; excluded states get 0.
    #[must_use]
    pub fn lift_marginals(&self, marginals: &[Vec<f64>]) -> Vec<Vec<f64>> {
        marginals
            .iter()
            .zip(&self.domains.states)
            .zip(&self.original_cards)
            .map(|((marginal, states), &card)| {
                let mut lifted = vec![0.0; card];
                for (&probability, &state) in marginal.iter().zip(states) {
                    lifted[state] = probability;
                }
                lifted
            })
            .collect()
    }
}
