//! Bucket elimination table by table, for decisions that need numbers while buckets are formed.
//!
//! It runs beside the compiler of [`Schedule`](forney_exact::Schedule)s: the tables of a bucket are
//! those of [`Bucket::scopes`](forney_exact::Bucket), in the same order.

use forney_exact::{Order, vmath};
use forney_model::walk::{Offsets, strides_within};
use forney_model::{FactorGraph, FactorId, VarId};

/// Entries of a product that are walked by one pattern.
const BLOCK: usize = 4096;

/// A table waiting in a bucket.
#[derive(Clone, Debug)]
pub(crate) struct Pending {
    /// Ascending in elimination position, slowest first; variables of one state left out.
    pub(crate) scope: Vec<VarId>,
    /// `ln f`, without the scales of the factors: decisions do not depend on them.
    pub(crate) ln: Vec<f64>,
    /// The factors of the model that went into it.
    pub(crate) factors: Vec<FactorId>,
}

/// The tables that are left, each in the bucket of its first variable.
#[derive(Clone, Debug)]
pub(crate) struct Buckets {
    /// What is done with them.
    pub(crate) algebra: Algebra,
    /// By variable.
    buckets: Vec<Vec<Pending>>,
}

impl Buckets {
    /// The factors of a model; those without variables of several states are left out.
    pub(crate) fn new(graph: &FactorGraph, order: &Order) -> Self {
        let mut buckets = Self {
            algebra: Algebra::new(graph, order),
            buckets: vec![Vec::new(); graph.num_variables()],
        };
        for a in 0..graph.num_factors() {
            buckets.post(buckets.algebra.factor(graph, FactorId::new(a)));
        }
        buckets
    }

    /// Puts a table into the bucket of its first variable; drops it if it has none.
    pub(crate) fn post(&mut self, table: Pending) {
        if let Some(first) = table.scope.first() {
            self.buckets[first.index()].push(table);
        }
    }

    /// Takes all tables out of the bucket of a variable.
    pub(crate) fn take(&mut self, variable: VarId) -> Vec<Pending> {
        std::mem::take(&mut self.buckets[variable.index()])
    }
}

/// Products and weighted sums of tables along one elimination order.
#[derive(Clone, Debug)]
pub(crate) struct Algebra {
    cards: Vec<usize>,
    position: Vec<usize>,
}

impl Algebra {
    /// For the tables of a model.
    pub(crate) fn new(graph: &FactorGraph, order: &Order) -> Self {
        let mut position = vec![0; graph.num_variables()];
        for (at, v) in order.vars().iter().enumerate() {
            position[v.index()] = at;
        }
        Self {
            cards: graph.cards().to_vec(),
            position,
        }
    }

    /// The variables of a factor in elimination order, those of one state left out.
    pub(crate) fn scope(&self, graph: &FactorGraph, a: FactorId) -> Vec<VarId> {
        let mut scope = graph.factors()[a.index()].scope().to_vec();
        scope.retain(|&v| graph.card(v) > 1);
        scope.sort_by_key(|v| self.position[v.index()]);
        scope
    }

    /// A factor as a table.
    pub(crate) fn factor(&self, graph: &FactorGraph, a: FactorId) -> Pending {
        let factor = &graph.factors()[a.index()];
        let scope = self.scope(graph, a);
        // Variables of one state come last, where they change no entry's place.
        let single = factor.scope().iter().filter(|&&v| graph.card(v) == 1);
        let whole: Vec<VarId> = scope.iter().chain(single).copied().collect();
        let ln = factor.permuted(&whole).relative().to_vec();
        Pending {
            scope,
            ln,
            factors: vec![a],
        }
    }

    /// Entries of a table over `scope`, as a float so that nothing overflows.
    pub(crate) fn entries(&self, scope: &[VarId]) -> f64 {
        scope.iter().map(|v| self.cards[v.index()] as f64).product()
    }

    /// The scope of a product of tables, in elimination order.
    pub(crate) fn union<'t>(&self, scopes: impl IntoIterator<Item = &'t [VarId]>) -> Vec<VarId> {
        let mut scope: Vec<VarId> = scopes.into_iter().flatten().copied().collect();
        scope.sort_by_key(|v| self.position[v.index()]);
        scope.dedup();
        scope
    }

    /// The product of tables.
    pub(crate) fn product<'t>(
        &self,
        tables: impl IntoIterator<Item = &'t Pending> + Clone,
    ) -> Pending {
        let scopes = tables.clone().into_iter();
        let scope = self.union(scopes.map(|table| &table.scope[..]));
        self.product_over(tables, scope)
    }

    /// The product of tables over `scope`, which holds theirs and is in elimination order.
    pub(crate) fn product_over<'t>(
        &self,
        tables: impl IntoIterator<Item = &'t Pending>,
        scope: Vec<VarId>,
    ) -> Pending {
        let cards: Vec<usize> = scope.iter().map(|v| self.cards[v.index()]).collect();
        let mut product = Pending {
            ln: vec![0.0; cards.iter().product()],
            factors: Vec::new(),
            scope,
        };
        // The last axes are walked by one pattern of offsets, the others by an odometer.
        let mut outer = cards.len();
        let mut block = 1;
        while outer > 0 && block * cards[outer - 1] <= BLOCK {
            outer -= 1;
            block *= cards[outer];
        }
        for table in tables {
            product.factors.extend(&table.factors);
            let own = table.scope.iter().map(|v| self.cards[v.index()]);
            let own: Vec<usize> = own.collect();
            let strides = strides_within(&product.scope, &table.scope, &own);
            let pattern = Offsets::new(&cards[outer..], &strides[outer..]);
            let pattern: Vec<usize> = pattern.collect();
            let blocks = product.ln.chunks_exact_mut(block);
            for (block, at) in blocks.zip(Offsets::new(&cards[..outer], &strides)) {
                for (ln, offset) in block.iter_mut().zip(&pattern) {
                    *ln += table.ln[at + offset];
                }
            }
        }
        product
    }

    /// `ln (Σ_x f^{1/w})^w` over the first variable of a table, `w ≠ 0`.
    pub(crate) fn eliminate(&self, table: &Pending, weight: f64) -> Pending {
        let rows = self.cards[table.scope[0].index()];
        let cols = table.ln.len() / rows;
        let power = 1.0 / weight;
        let mut most = vec![f64::NEG_INFINITY; cols];
        for row in table.ln.chunks_exact(cols) {
            for (most, ln) in most.iter_mut().zip(row) {
                *most = most.max(ln * power);
            }
        }
        let mut sums = vec![0.0; cols];
        let mut terms = vec![0.0; cols];
        for row in table.ln.chunks_exact(cols) {
            for ((term, ln), most) in terms.iter_mut().zip(row).zip(&most) {
                // Where the maximum is infinite it is the answer.
                *term = ln * power - if most.is_finite() { *most } else { 0.0 };
            }
            vmath::exp_in_place(&mut terms);
            for (sum, term) in sums.iter_mut().zip(&terms) {
                *sum += term;
            }
        }
        let ln = most.iter().zip(&sums).map(|(most, sum)| {
            if most.is_finite() {
                weight * (most + sum.ln())
            } else {
                // All entries are zero, or one of them under a negative weight.
                f64::NEG_INFINITY
            }
        });
        Pending {
            ln: ln.collect(),
            scope: table.scope[1..].to_vec(),
            factors: table.factors.clone(),
        }
    }
}
