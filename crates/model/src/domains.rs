//! The states that each variable may still take: evidence and hard zeros shrink them.

use crate::bits::Bits;
use crate::walk::advance;
use crate::{Evidence, FactorGraph, ModelError, Table, VarId};

/// For each variable the states that it may take: one bit for each state.
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
    /// Place of the first state of each variable in `allowed`, and the number of all states.
    first: Vec<usize>,
    allowed: Bits,
    /// Allowed states of each variable.
    left: Vec<usize>,
}

impl Domains {
    /// All states of all variables.
    #[must_use]
    pub fn full(graph: &FactorGraph) -> Self {
        let mut first = Vec::with_capacity(graph.num_variables() + 1);
        let mut states = 0;
        first.push(0);
        first.extend(graph.cards().iter().map(|card| {
            states += card;
            states
        }));
        Self {
            first,
            allowed: Bits::full(states),
            left: graph.cards().to_vec(),
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
            let Some(&card) = graph.cards().get(var.index()) else {
                return Err(ModelError::UnknownVariable { var, variables });
            };
            if state >= card {
                return Err(ModelError::UnknownState { var, state, card });
            }
            for other in (0..card).filter(|&other| other != state) {
                domains.remove(var, other);
            }
        }
        Ok(domains)
    }

    /// The allowed states of a variable, ascending.
    ///
    /// # Panics
    /// If there is no such variable.
    pub fn states(&self, v: VarId) -> impl Iterator<Item = usize> + '_ {
        let mut from = 0;
        std::iter::from_fn(move || {
            let state = self.next(v, from)?;
            from = state + 1;
            Some(state)
        })
    }

    /// Number of allowed states of a variable.
    ///
    /// # Panics
    /// If there is no such variable.
    #[must_use]
    pub fn num_states(&self, v: VarId) -> usize {
        self.left[v.index()]
    }

    /// Allowed state number `at` of a variable, from 0: what a state of the
    /// [restricted](Self::restrict) model is in the original one.
    ///
    /// # Panics
    /// If there are no so many.
    ///
    /// # Complexity
    /// At most linear in the number of states; constant if all are allowed.
    #[must_use]
    pub fn state(&self, v: VarId, at: usize) -> usize {
        if at < self.num_states(v) && self.num_states(v) == self.card(v) {
            return at;
        }
        self.states(v)
            .nth(at)
            .expect("a state of the restricted model")
    }

    /// Number of variables.
    pub(crate) fn num_variables(&self) -> usize {
        self.left.len()
    }

    /// Number of states before any was forbidden.
    pub(crate) fn card(&self, v: VarId) -> usize {
        self.first[v.index() + 1] - self.first[v.index()]
    }

    pub(crate) fn contains(&self, v: VarId, state: usize) -> bool {
        self.allowed.contains(self.first[v.index()] + state)
    }

    /// The least allowed state that is at least `from`.
    pub(crate) fn next(&self, v: VarId, from: usize) -> Option<usize> {
        let first = self.first[v.index()];
        let next = self.allowed.next(first + from, self.first[v.index() + 1])?;
        Some(next - first)
    }

    /// Allows a state that is forbidden.
    pub(crate) fn insert(&mut self, v: VarId, state: usize) {
        debug_assert!(!self.contains(v, state));
        self.allowed.insert(self.first[v.index()] + state);
        self.left[v.index()] += 1;
    }

    /// Forbids a state that is allowed.
    pub(crate) fn remove(&mut self, v: VarId, state: usize) {
        debug_assert!(self.contains(v, state));
        self.allowed.remove(self.first[v.index()] + state);
        self.left[v.index()] -= 1;
    }

    /// Becomes domains that lie within these; says how many states went.
    pub(crate) fn shrink_to(&mut self, fewer: Self) -> usize {
        let removed = (self.left.iter().zip(&fewer.left)).map(|(more, less)| more - less);
        let removed = removed.sum();
        *self = fewer;
        removed
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
            self.num_variables(),
            graph.num_variables(),
            "domains of another model"
        );
        assert!(
            self.left.iter().all(|&states| states > 0),
            "an empty domain"
        );
        let smaller = || {
            let factors = graph.factors().iter().map(|f| restricted(f, &self));
            let restricted = FactorGraph::new(self.left.clone(), factors.collect());
            restricted.expect("a restriction keeps scopes valid")
        };
        // Variables of one state leave all scopes.
        let whole = self.left == graph.cards() && !self.left.contains(&1);
        Restriction {
            graph: if whole { graph.clone() } else { smaller() },
            domains: self,
        }
    }
}

/// A model restricted to domains, with the way back to the original states.
#[derive(Clone, Debug)]
pub struct Restriction {
    graph: FactorGraph,
    domains: Domains,
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
        let states = (self.graph.variables()).zip(assignment);
        states.map(|(v, &at)| self.domains.state(v, at)).collect()
    }

    /// Single-variable marginals over the original states; excluded states get 0.
    #[must_use]
    pub fn lift_marginals(&self, marginals: &[Vec<f64>]) -> Vec<Vec<f64>> {
        let lift = |(v, marginal): (VarId, &Vec<f64>)| {
            let mut lifted = vec![0.0; self.domains.card(v)];
            for (&probability, state) in marginal.iter().zip(self.domains.states(v)) {
                lifted[state] = probability;
            }
            lifted
        };
        self.graph.variables().zip(marginals).map(lift).collect()
    }

    /// The same restriction with a smaller model in the place of its own, over the same variables.
    ///
    /// # Errors
    /// Those of `simplify`.
    pub fn simplified(
        mut self,
        simplify: impl FnOnce(&FactorGraph) -> Result<FactorGraph, ModelError>,
    ) -> Result<Self, ModelError> {
        self.graph = simplify(&self.graph)?;
        Ok(self)
    }
}

/// A table with every variable of its scope restricted to the states of its domain; a variable left
/// with one state leaves the scope.
fn restricted(table: &Table, domains: &Domains) -> Table {
    let whole = |(&v, &card): (&VarId, &usize)| card > 1 && domains.num_states(v) == card;
    if table.scope().iter().zip(table.cards()).all(whole) {
        return table.clone();
    }
    let states = table.scope().iter().map(|&v| domains.states(v).collect());
    let kept: Vec<Vec<usize>> = states.collect();
    let mut relative = Vec::with_capacity(kept.iter().map(Vec::len).product());
    let (mut at, lens) = (
        vec![0usize; kept.len()],
        kept.iter().map(Vec::len).collect::<Vec<_>>(),
    );
    loop {
        let states = at.iter().zip(&kept).map(|(&i, states)| states[i]);
        relative.push(table.relative()[table.flat_index(states)]);
        if !advance(&mut at, &lens, |_, _| ()) {
            break;
        }
    }
    let (scope, cards) = table
        .scope()
        .iter()
        .zip(&kept)
        .filter(|(_, states)| states.len() > 1)
        .map(|(&v, states)| (v, states.len()))
        .unzip();
    Table::normed(scope, cards, relative, table.ln_scale())
}
