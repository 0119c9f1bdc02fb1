//! The tables that elimination passes on, worked out only when somebody looks at them.

use forney_exact::Order;
use forney_model::{FactorGraph, FactorId, VarId};

use crate::buckets::{Algebra, Pending};

/// The tables of a bucket elimination, each in the bucket of its first variable.
///
/// Only scopes are followed at first. [`Messages::look`] works out the numbers of the tables that it
/// is asked for and of what went into them, and keeps them until they go into another.
#[derive(Clone, Debug)]
pub(super) struct Messages<'g> {
    graph: &'g FactorGraph,
    pub(super) algebra: Algebra,
    tables: Vec<Promise>,
    /// By variable, the tables that wait in its bucket.
    buckets: Vec<Vec<usize>>,
    /// Entries of the tables that are worked out.
    held: usize,
}

/// A table that may not have been worked out yet.
#[derive(Clone, Debug)]
struct Promise {
    /// In elimination order.
    scope: Vec<VarId>,
    origin: Origin,
    table: Option<Pending>,
}

#[derive(Clone, Debug)]
enum Origin {
    Factor(FactorId),
    /// The weighted sum of a product over its first variable.
    Message {
        members: Vec<usize>,
        weight: f64,
    },
}

impl<'g> Messages<'g> {
    /// The factors of a model; those without variables of several states are left out.
    pub(super) fn new(graph: &'g FactorGraph, order: &Order) -> Self {
        let mut messages = Self {
            graph,
            algebra: Algebra::new(graph, order),
            tables: Vec::new(),
            buckets: vec![Vec::new(); graph.num_variables()],
            held: 0,
        };
        for a in (0..graph.num_factors()).map(FactorId::new) {
            let scope = messages.algebra.scope(graph, a);
            messages.promise(scope, Origin::Factor(a));
        }
        messages
    }

    fn promise(&mut self, scope: Vec<VarId>, origin: Origin) {
        if let Some(first) = scope.first() {
            self.buckets[first.index()].push(self.tables.len());
            self.tables.push(Promise {
                scope,
                origin,
                table: None,
            });
        }
    }

    /// Takes all tables out of the bucket of a variable.
    pub(super) fn take(&mut self, variable: VarId) -> Vec<usize> {
        std::mem::take(&mut self.buckets[variable.index()])
    }

    /// Posts the message of the product of these tables, `(Σ_x Π f^{1/w})^w` over its first variable.
    pub(super) fn post(&mut self, members: Vec<usize>, weight: f64) {
        let scopes = members.iter().map(|&at| self.scope(at));
        let scope = self.algebra.union(scopes)[1..].to_vec();
        self.promise(scope, Origin::Message { members, weight });
    }

    pub(super) fn scope(&self, table: usize) -> &[VarId] {
        &self.tables[table].scope
    }

    /// Entries of what is held and of all that [`Messages::look`] would have to work out.
    pub(super) fn demand(&self, tables: &[usize]) -> f64 {
        let missing = self.missing(tables);
        let entries = missing
            .iter()
            .map(|&at| self.algebra.entries(self.scope(at)));
        self.held as f64 + entries.sum::<f64>()
    }

    /// The tables without numbers among these and what goes into them.
    fn missing(&self, tables: &[usize]) -> Vec<usize> {
        let mut missing = Vec::new();
        let mut open = tables.to_vec();
        while let Some(at) = open.pop() {
            let Promise { origin, table, .. } = &self.tables[at];
            if table.is_none() {
                missing.push(at);
                if let Origin::Message { members, .. } = origin {
                    open.extend(members);
                }
            }
        }
        missing
    }

    /// Works out these tables.
    pub(super) fn look(&mut self, tables: &[usize]) {
        let mut missing = self.missing(tables);
        // What goes into a message was there before it.
        missing.sort_unstable();
        for at in missing {
            let table = match &self.tables[at].origin {
                Origin::Factor(a) => self.algebra.factor(self.graph, *a),
                Origin::Message { members, weight } => {
                    let (members, weight) = (members.clone(), *weight);
                    let tables = || members.iter().map(|&member| self.table(member));
                    let message = self
                        .algebra
                        .eliminate(&self.algebra.product(tables()), weight);
                    for member in members {
                        let spent = self.tables[member].table.take();
                        self.held -= spent.map_or(0, |table| table.ln.len());
                    }
                    message
                }
            };
            self.held += table.ln.len();
            self.tables[at].table = Some(table);
        }
    }

    /// A table that was looked at.
    ///
    /// # Panics
    /// If it was not.
    pub(super) fn table(&self, table: usize) -> &Pending {
        let table = self.tables[table].table.as_ref();
        table.expect("a table that was worked out before")
    }
}
