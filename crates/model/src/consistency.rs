//! Pruning by hard zeros: domains shrink without any change of the distribution.
//!
//! A state that goes has marginal probability 0, so `Z`, all marginals and all maximising
//! assignments stay the same.

use crate::propagation::{Contradiction, Propagation};
use crate::{Domains, FactorGraph};

/// [`Domains::probe`] strikes out at most so many times the entries that all factors have.
const PROBE_EFFORT: usize = 16;

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
    /// assert_eq!(domains.states(), [[1], [1], [1]]);
    /// # Ok::<(), forney_model::ModelError>(())
    /// ```
    pub fn prune(&mut self, graph: &FactorGraph) -> Result<usize, Contradiction> {
        let pruned = Propagation::new(graph, self)?;
        Ok(self.keep(graph, &pruned))
    }

    /// [Prunes](Self::prune), and removes also every state whose assignment alone would leave
    /// nothing after pruning (singleton consistency, Debruyne & Bessière 1997); says how many
    /// states went.
    ///
    /// # Errors
    /// As [`prune`](Self::prune).
    ///
    /// # Panics
    /// If the domains belong to another model.
    ///
    /// # Complexity
    /// Linear in the entries of all factors: it ends early, with what it has removed so far, once
    /// it has struck out 16 times as many.
    pub fn probe(&mut self, graph: &FactorGraph) -> Result<usize, Contradiction> {
        let entries: usize = graph
            .factors()
            .iter()
            .map(|table| table.num_entries())
            .sum();
        let mut effort = entries.saturating_mul(PROBE_EFFORT);
        let mut pruned = Propagation::new(graph, self)?;
        loop {
            let before = pruned.mark();
            for v in graph.variables() {
                for state in 0..graph.card(v) {
                    if pruned.num_allowed(v) == 1 || !pruned.is_allowed(v, state) {
                        continue;
                    }
                    let mark = pruned.mark();
                    let impossible = pruned.assign(v, state).is_err();
                    // One more, so that a probe that strikes nothing is not free of charge.
                    let Some(rest) = effort.checked_sub(pruned.struck_since(mark) + 1) else {
                        pruned.undo(mark);
                        return Ok(self.keep(graph, &pruned));
                    };
                    effort = rest;
                    pruned.undo(mark);
                    if impossible {
                        pruned.remove(v, state)?;
                    }
                }
            }
            if pruned.changed_since(before).next().is_none() {
                return Ok(self.keep(graph, &pruned));
            }
        }
    }

    /// Keeps the states that are allowed; says how many were not.
    fn keep(&mut self, graph: &FactorGraph, pruned: &Propagation) -> usize {
        let mut removed = 0;
        for (v, states) in graph.variables().zip(&mut self.states) {
            removed += states.len();
            states.retain(|&state| pruned.is_allowed(v, state));
            removed -= states.len();
        }
        removed
    }
}
