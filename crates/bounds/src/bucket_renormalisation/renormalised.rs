//! A model in which variables have copies, with projections between them.

use std::sync::Arc;

use forney_certify::Estimate;
use forney_exact::{Engine, Keep, Marginals, Order, Schedule, Whole};
use forney_model::{FactorGraph, FactorId, Table, VarId};

use super::projection::eigen;
use crate::BoundError;

/// A renormalised model: its factors are those of the model, some of them over copies of their
/// variables, and the compensating factors of the copies.
#[derive(Clone, Debug)]
pub struct Renormalised {
    graph: FactorGraph,
    schedule: Arc<Schedule>,
    copies: Vec<Copied>,
}

/// A copy of a variable; its projection is the product of two factors.
#[derive(Clone, Copy, Debug)]
struct Copied {
    variable: VarId,
    /// `r̃`, over the variable.
    own: FactorId,
    /// `r`, over the copy.
    copied: FactorId,
}

impl Renormalised {
    /// `ln Z†`, in nats.
    #[must_use]
    pub fn ln_z(&self) -> Estimate {
        let mut engine = Engine::new(Arc::clone(&self.schedule), &self.graph, Keep::Live);
        Estimate {
            ln: engine.forward(&[], &[]),
        }
    }

    /// Has no variable a copy, so that [`Renormalised::ln_z`] is `ln Z` itself?
    #[must_use]
    pub fn is_exact(&self) -> bool {
        self.copies.is_empty()
    }

    /// Number of copies.
    #[must_use]
    pub fn num_copies(&self) -> usize {
        self.copies.len()
    }

    /// Replaces the projection of one copy by that on the leading eigenspace of what the rest of
    /// the model makes of it:
    ///
    /// ```text
    /// A(x, x') = Σ of all other factors,   A r = λ r,   r̃ᵀ A = λ r̃ᵀ,   r̃·r = 1,   then Z† = λ
    /// ```
    ///
    /// That is a stationary point of `Z†(r̃, r) = r̃ᵀ A r / r̃ᵀ r`. Where there is none, as for
    /// `Z† = 0`, the projection stays as it is.
    ///
    /// # Panics
    /// If there is no such copy.
    ///
    /// # Complexity
    /// One forward and one backward pass for each state of the variable.
    pub fn calibrate(&mut self, copy: usize) {
        let copy = self.copies[copy];
        let card = self.graph.card(copy.variable);
        let mut ln = Vec::with_capacity(card * card);
        for state in 0..card {
            let only = (0..card).map(|own| if own == state { 0.0 } else { f64::NEG_INFINITY });
            let cut = self.with(copy, vec![0.0; card], only.collect());
            let found = Marginals::along(&self.schedule, &cut);
            let marginal = &found.variables[copy.variable.index()];
            ln.extend(marginal.iter().map(|p| found.ln_relative + p.ln()));
        }
        // Rows are states of the copy: this is the transpose of A.
        if let Some([copied, own]) = eigen(&ln, card) {
            self.graph = self.with(copy, own, copied);
        }
    }

    /// The model with other compensating factors at one copy.
    fn with(&self, copy: Copied, own: Vec<f64>, copied: Vec<f64>) -> FactorGraph {
        let mut factors = self.graph.factors().to_vec();
        for (at, ln) in [(copy.own, own), (copy.copied, copied)] {
            let table = &mut factors[at.index()];
            let replaced = Table::from_ln(table.scope().to_vec(), table.cards().to_vec(), ln);
            *table = replaced.expect("logarithms of finite numbers");
        }
        FactorGraph::new(self.graph.cards().to_vec(), factors).expect("the same scopes")
    }
}

/// A renormalised model in the making.
pub(super) struct Draft {
    cards: Vec<usize>,
    /// The factors of the model, over the copies that they hold by now; then compensating ones.
    factors: Vec<Table>,
    order: Vec<VarId>,
    copies: Vec<Copied>,
}

impl Draft {
    pub(super) fn new(graph: &FactorGraph) -> Self {
        Self {
            cards: graph.cards().to_vec(),
            factors: graph.factors().to_vec(),
            order: Vec::with_capacity(graph.num_variables()),
            copies: Vec::new(),
        }
    }

    /// Copies a variable into some factors, with a projection between; eliminates the copy.
    pub(super) fn copy(&mut self, variable: VarId, factors: &[FactorId], projection: &[f64]) {
        let copy = VarId::new(self.cards.len());
        let card = self.cards[variable.index()];
        self.cards.push(card);
        self.order.push(copy);
        for a in factors {
            let table = &mut self.factors[a.index()];
            let renamed = |v: &VarId| if *v == variable { copy } else { *v };
            let scope = table.scope().iter().map(renamed).collect();
            *table = table.renamed(scope).expect("a renamed scope");
        }
        let own = FactorId::new(self.factors.len());
        for scope in [variable, copy] {
            let table = Table::from_ln(vec![scope], vec![card], projection.to_vec());
            self.factors
                .push(table.expect("logarithms of finite numbers"));
        }
        self.copies.push(Copied {
            variable,
            own,
            copied: FactorId::new(own.index() + 1),
        });
    }

    /// Eliminates a variable, after its copies.
    pub(super) fn eliminate(&mut self, variable: VarId) {
        self.order.push(variable);
    }

    pub(super) fn finish(self, memory: f64) -> Result<Renormalised, BoundError> {
        let graph = FactorGraph::new(self.cards, self.factors).expect("renamed scopes");
        let order = Order::new(self.order, &graph).expect("each variable and each copy once");
        let schedule = Schedule::compile(&graph, &order, &mut Whole)?;
        let demand = schedule.demand();
        demand.admit(demand.kept_bytes, memory)?;
        Ok(Renormalised {
            graph,
            schedule: Arc::new(schedule),
            copies: self.copies,
        })
    }
}
