//! Pruning by hard zeros: domains shrink without any change of the distribution.
//!
//! A state that goes has marginal probability 0, so `Z`, all marginals and all maximising
//! assignments stay the same.

use forney_certify::Budget;

use crate::propagation::{Contradiction, End, GoOn, Propagation};
use crate::{Domains, FactorGraph, FactorId, VarId};

/// [`Domains::probe`] does at most so many steps for each entry of the factors that hold zeros …
const PROBE_EFFORT: usize = 4;

/// … but so many in any case: they take a few milliseconds.
const LEAST_EFFORT: usize = 1 << 20;

/// Steps between two looks at the clock, a small part of a millisecond.
const GLANCE: usize = 1 << 12;

impl Domains {
    /// Removes every state that some factor forbids whatever the other variables do within their
    /// domains, until nothing changes; says how many states went.
    ///
    /// # Errors
    /// [`Contradiction`] if nothing is left: `Z = 0`, which is an answer. The domains are then as
    /// they were.
    ///
    /// # Panics
    /// If the domains belong to another model.
    ///
    /// # Complexity
    /// That of [`Propagation`]: linear in the entries of the factors that hold zeros.
    ///
    /// # Example
    /// ```
    /// use forney_model::{Domains, Evidence, FactorGraph, Table, VarId};
    /// let equal = |a, b| Table::from_values(vec![VarId(a), VarId(b)], vec![2, 2], &[1., 0., 0., 1.]);
    /// let model = FactorGraph::new(vec![2; 3], vec![equal(0, 1)?, equal(1, 2)?])?;
    /// let mut evidence = Evidence::default();
    /// evidence.observe(VarId(0), 1)?;
    /// let mut domains = Domains::observed(&model, &evidence)?;
    /// assert_eq!(domains.prune(&model), Ok(2));
    /// assert!((0..3).all(|v| domains.states(VarId(v)).eq([1])));
    /// # Ok::<(), forney_model::ModelError>(())
    /// ```
    pub fn prune(&mut self, graph: &FactorGraph) -> Result<usize, Contradiction> {
        let pruned = Propagation::new(graph, self)?;
        Ok(self.shrink_to(pruned.into_domains()))
    }

    /// [Prunes](Self::prune), and removes also every state whose assignment alone would leave
    /// nothing after pruning (singleton consistency, Debruyne & Bessière 1997); says how many
    /// states went.
    ///
    /// What hard zeros forbid need not be known to the last state: where the budget ends or the
    /// effort is spent, it keeps what it has removed so far.
    ///
    /// # Errors
    /// As [`prune`](Self::prune).
    ///
    /// # Panics
    /// If the domains belong to another model.
    ///
    /// # Complexity
    /// That of [`prune`](Self::prune), and at most 4 steps for each entry of the factors that hold
    /// zeros, or 2²⁰.
    ///
    /// # Example
    /// ```
    /// use forney_certify::Budget;
    /// use forney_model::{Domains, FactorGraph, Table, VarId};
    /// // State 0 of the last variable asks for state 0 of both others, which exclude each other.
    /// let pair = |a, b, values: [f64; 4]| {
    ///     Table::from_values(vec![VarId(a), VarId(b)], vec![2, 2], &values)
    /// };
    /// let factors = vec![
    ///     pair(2, 0, [1.0, 0.0, 1.0, 1.0])?,
    ///     pair(2, 1, [1.0, 0.0, 1.0, 1.0])?,
    ///     pair(0, 1, [0.0, 1.0, 1.0, 1.0])?,
    /// ];
    /// let model = FactorGraph::new(vec![2; 3], factors)?;
    /// let mut domains = Domains::full(&model);
    /// assert_eq!(domains.prune(&model), Ok(0));
    /// assert_eq!(domains.probe(&model, &Budget::unlimited()), Ok(1));
    /// assert!(domains.states(VarId(2)).eq([1]));
    /// # Ok::<(), forney_model::ModelError>(())
    /// ```
    pub fn probe(&mut self, graph: &FactorGraph, budget: &Budget) -> Result<usize, Contradiction> {
        let mut glance = 0;
        let mut in_time = |propagation: &Propagation| {
            if propagation.work() < glance {
                return true;
            }
            glance = propagation.work() + GLANCE;
            budget.stop().is_none()
        };
        let mut pruned = Propagation::unpropagated(graph, self);
        let all = (0..graph.num_factors()).map(FactorId::new);
        if pruned.begin(graph, all, &mut in_time)? == End::Fixpoint {
            let effort = pruned.num_entries().saturating_mul(PROBE_EFFORT);
            let effort = effort.max(LEAST_EFFORT);
            let effort = pruned.work().saturating_add(effort);
            pruned.probe(&mut |pruned| pruned.work() < effort && in_time(pruned))?;
        }
        Ok(self.shrink_to(pruned.into_domains()))
    }
}

impl Propagation {
    /// Removes the states that cannot be assigned, until none is left or it may not go on.
    fn probe(&mut self, go_on: GoOn<'_>) -> Result<(), Contradiction> {
        loop {
            let before = self.mark();
            for v in (0..self.num_variables()).map(VarId::new) {
                if !self.is_constrained(v) {
                    continue;
                }
                let mut from = 0;
                while let Some(state) = self.next_allowed(v, from) {
                    from = state + 1;
                    if self.num_allowed(v) == 1 {
                        break;
                    }
                    let mark = self.mark();
                    let end = self.assign_while(v, state, go_on);
                    self.undo(mark);
                    match end {
                        Ok(End::Fixpoint) => {}
                        Ok(End::Stopped) => return Ok(()),
                        Err(Contradiction) => {
                            if self.remove_while(v, state, go_on)? == End::Stopped {
                                return Ok(());
                            }
                        }
                    }
                }
            }
            if self.changed_since(before).next().is_none() {
                return Ok(());
            }
        }
    }
}
