//! Generalised arc consistency (Mackworth 1977), kept up to date while states are removed and
//! given back.
//!
//! A state is removed when in some factor every entry that agrees with the present domains is
//! zero. Each state of each axis of a factor watches one entry that supports it, and looks for
//! another only when that one dies, never at an entry before it (as in AC-2001, Bessière & Régin):
//! while domains shrink, no entry that was passed over comes back. A table with few zeros costs
//! next to nothing, as nearly every entry is a support.

use crate::bits::Bits;
use crate::{Domains, FactorGraph, FactorId, Table, VarId};

/// Every assignment is forbidden: `Z = 0`, `ln Z = −∞`. An answer, seldom an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("every assignment has weight 0: Z = 0, ln Z = -inf")]
pub struct Contradiction;

/// Domains that stay arc consistent while states are removed, with the way back.
///
/// # Complexity
/// Time at most linear in the entries of the factors that hold zeros, times the square of their
/// scope size, for any sequence of removals without [`undo`](Propagation::undo), and mostly far
/// less: only entries that agree with the present domains are looked at, up to the first support.
/// Undoing costs what it takes back. One bit for each of these entries, and 8 bytes for each state
/// of each axis.
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
    domains: Domains,
    /// Only factors that hold zeros: the others never remove a state.
    factors: Vec<Watched>,
    axes: Vec<Axis>,
    /// Which entries are not zero, factor by factor.
    nonzero: Bits,
    /// For each state of each axis the entry that supports it.
    watches: Vec<usize>,
    /// Where each variable occurs: (index in `factors`, index in `axes`).
    places: Vec<Vec<(usize, usize)>>,
    /// Removed states, oldest first; those from `revised` on are not yet taken account of.
    removed: Vec<Removal>,
    revised: usize,
    /// A variable without a state.
    empty: Option<VarId>,
    /// Watches that moved, oldest first: (index in `watches`, where it was).
    moved: Vec<(usize, usize)>,
    work: usize,
}

/// A point to which [`Propagation::undo`] can return.
#[derive(Clone, Copy, Debug)]
pub struct Mark {
    removed: usize,
    moved: usize,
}

/// How a propagation came to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// No further state can be removed.
    Fixpoint,
    /// Something is left to do: what was removed is rightly gone, nothing else can be relied on.
    Stopped,
}

/// Is asked from time to time whether to go on.
pub(crate) type GoOn<'a> = &'a mut dyn FnMut(&Propagation) -> bool;

#[derive(Clone, Copy, Debug)]
struct Removal {
    v: VarId,
    state: usize,
    /// The factor that allowed it no longer; `None` for a decision of the caller.
    cause: Option<FactorId>,
}

#[derive(Clone, Debug)]
struct Watched {
    id: FactorId,
    axes: std::ops::Range<usize>,
    /// Its part of `nonzero`.
    entries: std::ops::Range<usize>,
}

#[derive(Clone, Copy, Debug)]
struct Axis {
    var: VarId,
    stride: usize,
    /// Place of its first state in `watches`.
    watches: usize,
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
        let mut propagation = Self::unpropagated(graph, domains);
        propagation.begin(
            graph,
            (0..graph.num_factors()).map(FactorId::new),
            &mut |_| true,
        )?;
        Ok(propagation)
    }

    /// The domains as they are given, without any factor.
    pub(crate) fn unpropagated(graph: &FactorGraph, domains: &Domains) -> Self {
        assert_eq!(
            domains.num_variables(),
            graph.num_variables(),
            "domains of another model"
        );
        Self {
            domains: domains.clone(),
            factors: Vec::new(),
            axes: Vec::new(),
            nonzero: Bits::new(0),
            watches: Vec::new(),
            places: vec![Vec::new(); graph.num_variables()],
            removed: Vec::new(),
            revised: 0,
            empty: (graph.variables()).find(|&v| domains.num_states(v) == 0),
            moved: Vec::new(),
            work: 0,
        }
    }

    /// Adds factors and propagates what they forbid.
    pub(crate) fn begin(
        &mut self,
        graph: &FactorGraph,
        factors: impl Iterator<Item = FactorId>,
        go_on: GoOn<'_>,
    ) -> Result<End, Contradiction> {
        for id in factors {
            let table = &graph.factors()[id.index()];
            self.work += 1 + table.num_entries() / 64;
            if table.relative().contains(&f64::NEG_INFINITY) {
                if table.scope().is_empty() {
                    return Err(Contradiction);
                }
                self.watch(id, table);
            }
            if !go_on(self) {
                return Ok(End::Stopped);
            }
        }
        for factor in 0..self.factors.len() {
            for axis in self.factors[factor].axes.clone() {
                let Axis { var, watches, .. } = self.axes[axis];
                let mut from = 0;
                while let Some(state) = self.next_allowed(var, from) {
                    let slice = self.watches[watches + state];
                    self.seek(factor, axis, state, slice);
                    from = state + 1;
                }
                // No mark is older than this: nobody can ask for these moves back.
                self.moved.clear();
                if !go_on(self) {
                    return Ok(End::Stopped);
                }
            }
        }
        let end = self.propagate(go_on);
        self.moved = Vec::new();
        end
    }

    /// Adds one factor, whose states watch the first entries of their slices.
    fn watch(&mut self, id: FactorId, table: &Table) {
        let (index, first_axis) = (self.factors.len(), self.axes.len());
        let mut stride = table.num_entries();
        for (&var, &card) in table.scope().iter().zip(table.cards()) {
            stride /= card;
            self.places[var.index()].push((index, self.axes.len()));
            self.axes.push(Axis {
                var,
                stride,
                watches: self.watches.len(),
            });
            self.watches.extend((0..card).map(|state| state * stride));
        }
        let entries = self.nonzero.len()..self.nonzero.len() + table.num_entries();
        self.nonzero
            .extend(table.relative().iter().map(|&ln| ln > f64::NEG_INFINITY));
        self.factors.push(Watched {
            id,
            axes: first_axis..self.axes.len(),
            entries,
        });
    }

    /// The domains that are left.
    pub(crate) fn into_domains(self) -> Domains {
        self.domains
    }

    fn card(&self, v: VarId) -> usize {
        self.domains.card(v)
    }

    /// Is the state left?
    #[must_use]
    pub fn is_allowed(&self, v: VarId, state: usize) -> bool {
        self.domains.contains(v, state)
    }

    /// The states that are left, ascending.
    pub fn allowed(&self, v: VarId) -> impl Iterator<Item = usize> + '_ {
        self.domains.states(v)
    }

    /// The least allowed state that is at least `from`.
    pub(crate) fn next_allowed(&self, v: VarId, from: usize) -> Option<usize> {
        self.domains.next(v, from)
    }

    /// How many states are left, at least one unless a contradiction was met.
    #[must_use]
    pub fn num_allowed(&self, v: VarId) -> usize {
        self.domains.num_states(v)
    }

    pub(crate) fn num_variables(&self) -> usize {
        self.domains.num_variables()
    }

    /// Entries of the factors that hold zeros.
    pub(crate) fn num_entries(&self) -> usize {
        self.nonzero.len()
    }

    /// Can some factor forbid states of the variable?
    pub(crate) fn is_constrained(&self, v: VarId) -> bool {
        !self.places[v.index()].is_empty()
    }

    /// Removes a state, and all that then lose their support.
    ///
    /// # Errors
    /// [`Contradiction`] if nothing is left; only [`undo`](Self::undo) makes sense then.
    pub fn remove(&mut self, v: VarId, state: usize) -> Result<(), Contradiction> {
        self.remove_while(v, state, &mut |_| true).map(|_| ())
    }

    /// As [`remove`](Self::remove), as long as it may go on.
    pub(crate) fn remove_while(
        &mut self,
        v: VarId,
        state: usize,
        go_on: GoOn<'_>,
    ) -> Result<End, Contradiction> {
        self.strike(v, state, None);
        self.propagate(go_on)
    }

    /// Removes all states but one, and all that then lose their support.
    ///
    /// # Errors
    /// As [`remove`](Self::remove).
    pub fn assign(&mut self, v: VarId, state: usize) -> Result<(), Contradiction> {
        self.assign_while(v, state, &mut |_| true).map(|_| ())
    }

    /// As [`assign`](Self::assign), as long as it may go on.
    pub(crate) fn assign_while(
        &mut self,
        v: VarId,
        state: usize,
        go_on: GoOn<'_>,
    ) -> Result<End, Contradiction> {
        let mut from = 0;
        while let Some(other) = self.next_allowed(v, from) {
            if other != state {
                self.strike(v, other, None);
            }
            from = other + 1;
        }
        self.propagate(go_on)
    }

    /// Remembers the present domains.
    #[must_use]
    pub fn mark(&self) -> Mark {
        Mark {
            removed: self.removed.len(),
            moved: self.moved.len(),
        }
    }

    /// Returns to the domains of an earlier mark; marks made after it are void.
    pub fn undo(&mut self, mark: Mark) {
        self.work += self.moved.len() - mark.moved + self.removed.len() - mark.removed;
        // A watch that moved twice goes back to where it was first.
        for (watch, entry) in self.moved.drain(mark.moved..).rev() {
            self.watches[watch] = entry;
        }
        for Removal { v, state, .. } in self.removed.drain(mark.removed..) {
            self.domains.insert(v, state);
        }
        self.revised = mark.removed;
        self.empty = None;
    }

    /// The variables that lost a state since the mark, once for each state, oldest loss first.
    pub fn changed_since(&self, mark: Mark) -> impl Iterator<Item = VarId> + '_ {
        self.removed[mark.removed..].iter().map(|removal| removal.v)
    }

    /// The work done so far: watches, entries and states looked at, undoing included. It never
    /// decreases.
    #[must_use]
    pub fn work(&self) -> usize {
        self.work
    }

    /// After a contradiction: factors and variables with smaller domains than they could have,
    /// which together are enough for it.
    pub(crate) fn causes(&self) -> (Vec<FactorId>, Vec<VarId>) {
        let mut needed = vec![false; self.num_variables()];
        let mut factors = Vec::new();
        if let Some(v) = self.empty {
            needed[v.index()] = true;
        }
        // From the last removal to the first: a removal matters if the variable that lost a state
        // does, and then so do all earlier removals around the factor that caused it.
        for removal in self.removed.iter().rev() {
            if let (true, Some(cause)) = (needed[removal.v.index()], removal.cause) {
                let at = self
                    .factors
                    .binary_search_by_key(&cause, |factor| factor.id)
                    .expect("a cause is a factor");
                for axis in &self.axes[self.factors[at].axes.clone()] {
                    needed[axis.var.index()] = true;
                }
                factors.push(cause);
            }
        }
        factors.sort_unstable();
        factors.dedup();
        let variables = (0..needed.len()).filter(|&v| needed[v]).map(VarId::new);
        (factors, variables.collect())
    }

    /// Takes the state out of its domain; its neighbours are not yet told.
    fn strike(&mut self, v: VarId, state: usize, cause: Option<FactorId>) {
        if self.is_allowed(v, state) {
            self.work += 1;
            self.domains.remove(v, state);
            if self.num_allowed(v) == 0 {
                self.empty = Some(v);
            }
            self.removed.push(Removal { v, state, cause });
        }
    }

    /// Tells the neighbours of removed states, until none is removed or nothing is left.
    fn propagate(&mut self, go_on: GoOn<'_>) -> Result<End, Contradiction> {
        while self.empty.is_none() && self.revised < self.removed.len() {
            if !go_on(self) {
                return Ok(End::Stopped);
            }
            let v = self.removed[self.revised].v;
            // States that went together are told of together.
            while (self.removed.get(self.revised)).is_some_and(|removal| removal.v == v) {
                self.revised += 1;
            }
            for place in 0..self.places[v.index()].len() {
                let (factor, axis) = self.places[v.index()][place];
                for other in self.factors[factor].axes.clone() {
                    if other != axis {
                        self.revise(factor, axis, other);
                    }
                }
                if self.empty.is_some() {
                    return Err(Contradiction);
                }
                if !go_on(self) {
                    return Ok(End::Stopped);
                }
            }
        }
        match self.empty {
            Some(_) => Err(Contradiction),
            None => Ok(End::Fixpoint),
        }
    }

    /// Finds new supports for the states of `axis` whose watches died with a state of `changed`.
    fn revise(&mut self, factor: usize, changed: usize, axis: usize) {
        let lost = self.axes[changed];
        let card = self.card(lost.var);
        let Axis { var, watches, .. } = self.axes[axis];
        let mut from = 0;
        while let Some(state) = self.next_allowed(var, from) {
            self.work += 1;
            let entry = self.watches[watches + state];
            if !self.is_allowed(lost.var, entry / lost.stride % card) {
                self.seek(factor, axis, state, entry + 1);
            }
            from = state + 1;
        }
    }

    /// Moves the watch of a state to its first support from an entry on; strikes the state if
    /// there is none.
    fn seek(&mut self, factor: usize, axis: usize, state: usize, from: usize) {
        let Axis { var, watches, .. } = self.axes[axis];
        match self.support(factor, axis, state, from) {
            Some(entry) => {
                let before = std::mem::replace(&mut self.watches[watches + state], entry);
                self.moved.push((watches + state, before));
            }
            None => self.strike(var, state, Some(self.factors[factor].id)),
        }
    }

    /// The first nonzero entry from `from` on that has this state and agrees with all domains.
    fn support(&mut self, factor: usize, axis: usize, state: usize, from: usize) -> Option<usize> {
        let Watched { axes, entries, .. } = self.factors[factor].clone();
        let mut from = from;
        'entries: while let Some(at) = self.nonzero.next(entries.start + from, entries.end) {
            self.work += 1;
            let entry = at - entries.start;
            let mut rest = entry;
            for at in axes.clone() {
                let Axis { var, stride, .. } = self.axes[at];
                let own = rest / stride;
                let next = match at == axis {
                    true => (own <= state).then_some(state),
                    false => self.next_allowed(var, own),
                };
                if next != Some(own) {
                    // Nothing before the next state of this axis agrees.
                    let next = next.unwrap_or(self.card(var));
                    from = entry - rest + next * stride;
                    continue 'entries;
                }
                rest -= own * stride;
            }
            return Some(entry);
        }
        None
    }
}
