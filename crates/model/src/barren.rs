//! Barren variables (Shachter 1986): those whose sum leaves nothing to couple.

use std::borrow::Cow;

use forney_certify::DoubleDouble;

use crate::simplify::{near, simplify, without_constant_axes};
use crate::walk::strides;
use crate::{FactorGraph, ModelError, Table, VarId};

/// Slices of a sum that differ by less are equal but for rounding, in nats: a row `0.1 0.7 0.2` of
/// a conditional table sums to 1 up to a few units in the last place.
const ROUNDING: f64 = 16.0 * f64::EPSILON;

/// Sums out every variable that lies in one factor only and whose sum no longer depends on some
/// other variable of that factor, until nothing changes; also says which variables went.
///
/// In a Bayesian network these are the unobserved variables without observed descendants:
/// `Σ_v p(v | parents) = 1`. They make the width larger, and `Z` does not depend on them.
///
/// A variable that went stays in the model, unmentioned, and a constant factor divides by its
/// cardinality. `Z` and the marginals of all other variables are the same; maximising assignments
/// are not.
///
/// # Errors
/// [`ModelError::BadEntry`] if a sum is beyond the largest `f64` in logarithms.
///
/// # Complexity
/// At most linear in the entries of the factors, times their scope size; of a table from which
/// nothing sums out, mostly a few rows are looked at.
///
/// # Example
/// ```
/// use forney_model::{without_barren, FactorGraph, Table, VarId};
/// let cause = Table::from_values(vec![VarId(0)], vec![2], &[0.2, 0.5])?;
/// let effect = Table::from_values(vec![VarId(0), VarId(1)], vec![2, 2], &[0.1, 0.9, 0.3, 0.7])?;
/// let (model, gone) = without_barren(&FactorGraph::new(vec![2, 2], vec![cause, effect])?)?;
/// assert_eq!(gone, [VarId(1)]);
/// assert!(model.factors().iter().all(|table| !table.scope().contains(&VarId(1))));
/// # Ok::<(), forney_model::ModelError>(())
/// ```
pub fn without_barren(graph: &FactorGraph) -> Result<(FactorGraph, Vec<VarId>), ModelError> {
    let mut factors = Cow::Borrowed(graph.factors());
    // With the numbers of its factors combined, a variable that has one left knows which it is.
    let mut places = vec![(0u32, 0u32); graph.num_variables()];
    for (a, table) in (0u32..).zip(factors.iter()) {
        for v in table.scope() {
            let (degree, combined) = &mut places[v.index()];
            *degree += 1;
            *combined ^= a;
        }
    }
    let mut gone = Vec::new();
    let mut constant = DoubleDouble::ZERO;
    let mut waiting: Vec<VarId> = graph.variables().collect();
    while let Some(v) = waiting.pop() {
        let (1, number) = places[v.index()] else {
            continue;
        };
        let a = number as usize;
        if needs_all(&factors[a], v) {
            continue;
        }
        let scope = factors[a].scope();
        let rest = without_constant_axes(&sum_out(&factors[a], v)?, ROUNDING)?;
        if rest.scope().len() + 1 == scope.len() {
            continue;
        }
        for w in scope.iter().filter(|w| !rest.scope().contains(w)) {
            let (degree, combined) = &mut places[w.index()];
            *degree -= 1;
            *combined ^= number;
        }
        waiting.extend(scope.iter().filter(|&&w| w != v));
        constant -= DoubleDouble::ln(graph.card(v) as f64);
        gone.push(v);
        factors.to_mut()[a] = rest;
    }
    if gone.is_empty() {
        return Ok((graph.clone(), gone));
    }
    let mut factors = factors.into_owned();
    factors.push(Table::constant(constant)?);
    Ok((FactorGraph::sharing(graph.shared_cards(), factors)?, gone))
}

/// A smaller model with the same `Z`: [`simplify`] after [`without_barren`], so that also what sums
/// out is gone. Marginals and maximising assignments are not those of the model.
///
/// # Errors
/// As [`simplify`].
///
/// # Example
/// ```
/// use forney_model::{simplify_sum, FactorGraph, Table, VarId};
/// let cause = Table::from_values(vec![VarId(0)], vec![2], &[0.2, 0.8])?;
/// let effect = Table::from_values(vec![VarId(0), VarId(1)], vec![2, 2], &[0.1, 0.9, 0.3, 0.7])?;
/// let simple = simplify_sum(&FactorGraph::new(vec![2, 2], vec![cause, effect])?)?;
/// assert!(simple.factors().iter().all(|table| !table.scope().contains(&VarId(1))));
/// # Ok::<(), forney_model::ModelError>(())
/// ```
pub fn simplify_sum(graph: &FactorGraph) -> Result<FactorGraph, ModelError> {
    simplify(&without_barren(graph)?.0)
}

/// Do a few of its rows already show that `Σ_v f` depends on all of the other variables?
///
/// This spares the whole sum in most tables that are large, in which nothing sums out.
fn needs_all(table: &Table, v: VarId) -> bool {
    let strides = strides(table.cards());
    let Some(own) = table.scope().iter().position(|&w| w == v) else {
        return false;
    };
    let last = table.num_entries() - 1;
    // The first row and the last, and those beside them along each axis.
    let first = [0, last - strides[own] * (table.cards()[own] - 1)];
    let sum = |row: usize| {
        let entries = table.relative()[row..].iter().step_by(strides[own]);
        ln_sum(entries.take(table.cards()[own]).copied())
    };
    let sums = first.map(sum);
    (0..strides.len()).filter(|&axis| axis != own).all(|axis| {
        let step = strides[axis];
        table.cards()[axis] > 1
            && (!near(sum(first[0] + step), sums[0], ROUNDING)
                || !near(sum(first[1] - step), sums[1], ROUNDING))
    })
}

/// `ln Σ exp`.
fn ln_sum(row: impl Iterator<Item = f64> + Clone) -> f64 {
    let most = row.clone().fold(f64::NEG_INFINITY, f64::max);
    if most == f64::NEG_INFINITY {
        return most;
    }
    most + row.map(|ln| (ln - most).exp()).sum::<f64>().ln()
}

/// `ln Σ_v f`.
fn sum_out(table: &Table, v: VarId) -> Result<Table, ModelError> {
    let mut scope: Vec<VarId> = table.scope().iter().copied().filter(|&w| w != v).collect();
    scope.push(v);
    let last = table.permuted(&scope);
    let (&card, cards) = last.cards().split_last().expect("v is in the scope");
    let rows = last.relative().chunks_exact(card);
    let ln = rows.map(|row| ln_sum(row.iter().copied()));
    scope.pop();
    Table::from_ln(scope, cards.to_vec(), ln.collect())?.scaled(table.ln_scale())
}
