//! A variable, its parents, and its table.

use forney_model::{ModelError, Table, VarId};
use serde::{Deserialize, Serialize};

use crate::LatentError;

/// `p(child | parents)`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Family {
    /// Parents, then the child.
    pub(super) scope: Vec<usize>,
    /// States of the child.
    pub(super) states: usize,
    /// Child fastest.
    pub(super) probabilities: Vec<f64>,
}

impl Family {
    pub(super) fn of(factor: &Table) -> Result<Self, LatentError> {
        let Some(&states) = factor.cards().last() else {
            return Err(LatentError::NotBayesNet {
                variable: 0,
                problem: "cannot be the child of a factor without variables",
            });
        };
        Ok(Self {
            scope: factor.scope().iter().map(|v| v.index()).collect(),
            states,
            probabilities: (0..factor.num_entries())
                .map(|at| factor.value(at))
                .collect(),
        })
    }

    /// The factor, with these cardinalities of all variables.
    ///
    /// # Errors
    /// A scope or probabilities that make no table.
    pub(super) fn table(&self, cards: &[usize]) -> Result<Table, ModelError> {
        let scope: Vec<VarId> = self.scope.iter().map(|&v| VarId::new(v)).collect();
        // The graph refuses a variable that it does not have.
        let card = |&v: &usize| cards.get(v).copied().unwrap_or(1);
        let cards = self.scope.iter().map(card).collect();
        Table::from_values(scope, cards, &self.probabilities)
    }

    pub(super) fn child(&self) -> usize {
        self.scope[self.scope.len() - 1]
    }
}

/// The families in an order in which parents come before their children.
///
/// # Errors
/// A variable that is the child of no factor or of two, or that is among its own ancestors.
pub(super) fn topological_order(
    variables: usize,
    families: &[Family],
) -> Result<Vec<usize>, LatentError> {
    let refuse = |variable, problem| Err(LatentError::NotBayesNet { variable, problem });
    let mut family_of = vec![None; variables];
    for (at, family) in families.iter().enumerate() {
        if family_of[family.child()].replace(at).is_some() {
            return refuse(family.child(), "is the child of two factors");
        }
    }
    if let Some(variable) = family_of.iter().position(Option::is_none) {
        return refuse(variable, "is the child of no factor");
    }
    let mut children = vec![Vec::new(); variables];
    let mut waiting = vec![0usize; families.len()];
    for (at, family) in families.iter().enumerate() {
        for &parent in &family.scope[..family.scope.len() - 1] {
            children[parent].push(at);
            waiting[at] += 1;
        }
    }
    let mut order: Vec<usize> = (0..families.len()).filter(|&at| waiting[at] == 0).collect();
    let mut next = 0;
    while let Some(&at) = order.get(next) {
        next += 1;
        for &child in &children[families[at].child()] {
            waiting[child] -= 1;
            if waiting[child] == 0 {
                order.push(child);
            }
        }
    }
    match waiting.iter().position(|&parents| parents > 0) {
        Some(at) => refuse(families[at].child(), "is on a cycle, or below one"),
        None => Ok(order),
    }
}
