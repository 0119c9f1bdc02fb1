//! Generalised arc consistency (Mohr & Masini 1988), kept up to date while states are removed and
//! given back.
//!
//! A state is removed when in some factor every entry that agrees with the present domains is
//! zero. As in AC-4, each factor counts the live entries of each of its states, so that an entry
//! is looked at once when it dies and not again.

use crate::{Domains, FactorGraph, Table, VarId};

/// Every assignment is forbidden: `Z = 0`, `ln Z = −∞`. An answer, seldom an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("every assignment has weight 0: Z = 0, ln Z = -inf")]
pub struct Contradiction;

/// Domains that stay arc consistent while states are removed, with the way back.
///
/// # Complexity
/// Time linear in the entries of the factors that hold zeros, times their scope size, for any
/// sequence of removals without [`undo`](Propagation::undo); undoing costs what it takes back.
/// About one byte for each of these entries, and 16 for each that has died.
///
/// # Example
/// ```
/// use forney_model::{Domains, FactorGraph, Propagation, Table, VarId};
/// let equal = |a, b| Table::from_values(vec![VarId(a), VarId(b)], vec![2, 2], &[1., 0., 0., 1.]);
/// let model = FactorGraph::new(vec![2; 3], vec![equal(0, 1)?, equal(1, 2)?])?;
/// let mut propagation = Propagation::new(&model, &Domains::full(&model)).expect("Z > 0");
/// let mark = propagation.mark();
/// propagation.assign(VarId(0), 1).expect("this is possible");
/// assert!(propagation.allowed(VarId(2)).eq([1]));
/// assert!(propagation.remove(VarId(2), 1).is_err());
/// propagation.undo(mark);
/// assert!(propagation.allowed(VarId(2)).eq([0, 1]));
/// # Ok::<(), forney_model::ModelError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Propagation {
    /// Place of the first state of each variable in `allowed`, and the number of all states.
    first: Vec<usize>,
    allowed: Vec<bool>,
    /// Allowed states of each variable.
    left: Vec<usize>,
    /// Only factors that hold zeros: the others never remove a state.
    factors: Vec<Counted>,
    axes: Vec<Axis>,
    /// Nonzero entries whose states are all allowed, as far as struck out; factor by factor.
    live: Vec<bool>,
    /// Live entries for each state of each axis.
    counts: Vec<usize>,
    /// Where each variable occurs: (index in `factors`, index in `axes`).
    places: Vec<Vec<(usize, usize)>>,
    /// Removed states, oldest first; those from `struck` on still have live entries.
    removed: Vec<(VarId, usize)>,
    struck: usize,
    /// Is some domain empty?
    empty: bool,
    /// Dead entries, oldest first: (index in `factors`, entry).
    dead: Vec<(usize, usize)>,
}

/// A point to which [`Propagation::undo`] can return.
#[derive(Clone, Copy, Debug)]
pub struct Mark {
    removed: usize,
    dead: usize,
}

#[derive(Clone, Debug)]
struct Counted {
    axes: std::ops::Range<usize>,
    live: std::ops::Range<usize>,
}

#[derive(Clone, Copy, Debug)]
struct Axis {
    var: VarId,
    card: usize,
    stride: usize,
    /// Place of its first state in `counts`.
    counts: usize,
}

impl Axis {
    fn state(self, entry: usize) -> usize {
        entry / self.stride % self.card
    }
}

impl Propagation {
    /// The largest arc consistent domains within `domains`.
    ///
    /// # Errors
    /// [`Contradiction`] if there are none.
    ///
    /// # Panics
    /// If the domains belong to another model.
    pub fn new(graph: &FactorGraph, domains: &Domains) -> Result<Self, Contradiction> {
        assert_eq!(
            domains.states().len(),
            graph.num_variables(),
            "domains of another model"
        );
        let mut first = vec![0];
        for card in graph.cards() {
            first.push(first[first.len() - 1] + card);
        }
        let mut allowed = vec![false; first[first.len() - 1]];
        for (at, states) in first.iter().zip(domains.states()) {
            for state in states {
                allowed[at + state] = true;
            }
        }
        let mut propagation = Self {
            first,
            allowed,
            left: domains.states().iter().map(Vec::len).collect(),
            factors: Vec::new(),
            axes: Vec::new(),
            live: Vec::new(),
            counts: Vec::new(),
            places: vec![Vec::new(); graph.num_variables()],
            removed: Vec::new(),
            struck: 0,
            empty: false,
            dead: Vec::new(),
        };
        for table in graph.factors() {
            if table.relative().contains(&f64::NEG_INFINITY) {
                propagation.count(table)?;
            }
        }
        for at in 0..propagation.axes.len() {
            let Axis { var, card, .. } = propagation.axes[at];
            for state in 0..card {
                if propagation.counts[propagation.axes[at].counts + state] == 0 {
                    propagation.strike(var, state);
                }
            }
        }
        propagation.propagate()?;
        Ok(propagation)
    }

    /// Adds the counters of one factor.
    fn count(&mut self, table: &Table) -> Result<(), Contradiction> {
        let (index, first_axis) = (self.factors.len(), self.axes.len());
        let mut stride = table.num_entries();
        for (&var, &card) in table.scope().iter().zip(table.cards()) {
            stride /= card;
            self.places[var.index()].push((index, self.axes.len()));
            self.axes.push(Axis {
                var,
                card,
                stride,
                counts: self.counts.len(),
            });
            self.counts.resize(self.counts.len() + card, 0);
        }
        let axes = first_axis..self.axes.len();
        let live = self.live.len()..self.live.len() + table.num_entries();
        let mut any = false;
        for (entry, &ln) in table.relative().iter().enumerate() {
            let axes = &self.axes[axes.clone()];
            let alive = ln > f64::NEG_INFINITY
                && (axes.iter()).all(|axis| self.is_allowed(axis.var, axis.state(entry)));
            self.live.push(alive);
            any |= alive;
            if alive {
                for axis in axes {
                    self.counts[axis.counts + axis.state(entry)] += 1;
                }
            }
        }
        self.factors.push(Counted { axes, live });
        any.then_some(()).ok_or(Contradiction)
    }

    /// Is the state left?
    #[must_use]
    pub fn is_allowed(&self, v: VarId, state: usize) -> bool {
        self.allowed[self.first[v.index()] + state]
    }

    /// The states that are left, ascending.
    pub fn allowed(&self, v: VarId) -> impl Iterator<Item = usize> + '_ {
        let states = &self.allowed[self.first[v.index()]..self.first[v.index() + 1]];
        (0..states.len()).filter(|&state| states[state])
    }

    /// How many states are left, at least one unless a contradiction was met.
    #[must_use]
    pub fn num_allowed(&self, v: VarId) -> usize {
        self.left[v.index()]
    }

    /// Removes a state, and all that then lose their support.
    ///
    /// # Errors
    /// [`Contradiction`] if nothing is left; only [`undo`](Self::undo) makes sense then.
    pub fn remove(&mut self, v: VarId, state: usize) -> Result<(), Contradiction> {
        self.strike(v, state);
        self.propagate()
    }

    /// Removes all states but one, and all that then lose their support.
    ///
    /// # Errors
    /// As [`remove`](Self::remove).
    pub fn assign(&mut self, v: VarId, state: usize) -> Result<(), Contradiction> {
        for other in 0..self.first[v.index() + 1] - self.first[v.index()] {
            if other != state {
                self.strike(v, other);
            }
        }
        self.propagate()
    }

    /// Remembers the present domains.
    #[must_use]
    pub fn mark(&self) -> Mark {
        Mark {
            removed: self.removed.len(),
            dead: self.dead.len(),
        }
    }

    /// Returns to the domains of an earlier mark; marks made after it are void.
    pub fn undo(&mut self, mark: Mark) {
        for (factor, entry) in self.dead.drain(mark.dead..) {
            let Counted { axes, live } = &self.factors[factor];
            self.live[live.start + entry] = true;
            for axis in &self.axes[axes.clone()] {
                self.counts[axis.counts + axis.state(entry)] += 1;
            }
        }
        for (v, state) in self.removed.drain(mark.removed..) {
            self.allowed[self.first[v.index()] + state] = true;
            self.left[v.index()] += 1;
        }
        self.struck = mark.removed;
        self.empty = false;
    }

    /// The variables that lost a state since the mark, once for each state, oldest loss first.
    pub fn changed_since(&self, mark: Mark) -> impl Iterator<Item = VarId> + '_ {
        self.removed[mark.removed..].iter().map(|&(v, _)| v)
    }

    /// How many entries were struck out since the mark: the work done.
    #[must_use]
    pub fn struck_since(&self, mark: Mark) -> usize {
        self.dead.len() - mark.dead
    }

    /// Takes the state out of its domain, not yet out of the factors.
    fn strike(&mut self, v: VarId, state: usize) {
        let allowed = &mut self.allowed[self.first[v.index()] + state];
        if *allowed {
            *allowed = false;
            self.left[v.index()] -= 1;
            self.empty |= self.left[v.index()] == 0;
            self.removed.push((v, state));
        }
    }

    /// Kills the entries of removed states and removes the states that lose their last entry.
    fn propagate(&mut self) -> Result<(), Contradiction> {
        while !self.empty && self.struck < self.removed.len() {
            let (v, state) = self.removed[self.struck];
            self.struck += 1;
            for place in 0..self.places[v.index()].len() {
                let (factor, axis) = self.places[v.index()][place];
                let Axis { card, stride, .. } = self.axes[axis];
                let entries = self.factors[factor].live.len();
                for block in (state * stride..entries).step_by(card * stride) {
                    for entry in block..block + stride {
                        self.kill(factor, entry);
                    }
                }
            }
        }
        if self.empty {
            Err(Contradiction)
        } else {
            Ok(())
        }
    }

    fn kill(&mut self, factor: usize, entry: usize) {
        let Counted { axes, live } = self.factors[factor].clone();
        if !std::mem::replace(&mut self.live[live.start + entry], false) {
            return;
        }
        self.dead.push((factor, entry));
        for axis in axes {
            let axis = self.axes[axis];
            let state = axis.state(entry);
            self.counts[axis.counts + state] -= 1;
            if self.counts[axis.counts + state] == 0 {
                self.strike(axis.var, state);
            }
        }
    }
}
