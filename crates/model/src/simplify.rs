//! Fewer and smaller factors with the same product.

use std::borrow::Cow;
use std::collections::BTreeMap;

use forney_certify::DoubleDouble;

use crate::walk::{Offsets, strides_within};
use crate::{FactorGraph, ModelError, Table, VarId};

/// The same function of the same variables, written with fewer and smaller factors.
///
/// 1. A variable on which a table does not depend (all slices equal to the last bit) leaves its
///    scope; so does every variable of cardinality 1.
/// 2. A factor whose scope lies within that of another is multiplied into the smallest such one.
/// 3. Factors without variables become one, which is left out if it is 1.
///
/// Cardinalities and variable numbers stay, no scope grows, and the product of all factors is the
/// same for every assignment, up to the rounding of sums of logarithms: so are `Z`, marginals and
/// maximising assignments. Restriction to [pruned](crate::Domains::prune) domains creates most of
/// the opportunities.
///
/// # Errors
/// [`ModelError::BadEntry`] if a product of factors is beyond the largest `f64` in logarithms.
///
/// # Complexity
/// Linear in all entries, except that merging looks through the larger factors of one variable
/// for each factor.
///
/// # Example
/// ```
/// use forney_model::{simplify, FactorGraph, Table, VarId};
/// let pair = Table::from_values(vec![VarId(0), VarId(1)], vec![2, 2], &[1.0, 2.0, 1.0, 2.0])?;
/// let single = Table::from_values(vec![VarId(1)], vec![2], &[3.0, 4.0])?;
/// let simple = simplify(&FactorGraph::new(vec![2, 2], vec![pair, single])?)?;
/// assert_eq!(simple.num_factors(), 1);
/// assert_eq!(simple.factors()[0].scope(), &[VarId(1)]);
/// # Ok::<(), forney_model::ModelError>(())
/// ```
pub fn simplify(graph: &FactorGraph) -> Result<FactorGraph, ModelError> {
    let mut constant = DoubleDouble::ZERO;
    let mut tables = Vec::with_capacity(graph.num_factors());
    for table in graph.factors() {
        let table = without_constant_axes(table, 0.0)?;
        if table.scope().is_empty() {
            constant += table.ln_scale() + table.relative()[0];
        } else {
            tables.push(table);
        }
    }
    let mut factors = merged(tables, graph.num_variables())?;
    if constant != DoubleDouble::ZERO {
        factors.push(Table::constant(constant)?);
    }
    // Where nothing was to be done, the graph is shared as its tables are.
    let mut pairs = factors.iter().zip(graph.factors());
    if factors.len() == graph.num_factors() && pairs.all(|(a, b)| a.is_clone_of(b)) {
        return Ok(graph.clone());
    }
    FactorGraph::sharing(graph.shared_cards(), factors)
}

/// Are two logarithms equal, or no further apart than `tolerance` nats?
pub(crate) fn near(a: f64, b: f64, tolerance: f64) -> bool {
    (a - b).abs() <= tolerance || a.max(b) == f64::NEG_INFINITY
}

/// Drops the variables on which the table depends by no more than `tolerance` nats.
pub(crate) fn without_constant_axes(table: &Table, tolerance: f64) -> Result<Table, ModelError> {
    let (mut scope, mut cards) = (table.scope().to_vec(), table.cards().to_vec());
    let mut ln = Cow::Borrowed(table.relative());
    let mut stride = 1;
    for axis in (0..scope.len()).rev() {
        let block = cards[axis] * stride;
        let constant = ln.chunks_exact(block).all(|block| {
            let (first, others) = block.split_at(stride);
            others.chunks_exact(stride).all(|slice| {
                slice
                    .iter()
                    .zip(first)
                    .all(|(&a, &b)| near(a, b, tolerance))
            })
        });
        if constant {
            let rows = ln.chunks_exact(block);
            let first = rows.flat_map(|block| &block[..stride]).copied();
            ln = first.collect::<Vec<f64>>().into();
            scope.remove(axis);
            cards.remove(axis);
        } else {
            stride = block;
        }
    }
    match ln {
        Cow::Borrowed(_) => Ok(table.clone()),
        Cow::Owned(ln) => Table::from_ln(scope, cards, ln)?.scaled(table.ln_scale()),
    }
}

/// Multiplies every table into the smallest one that has all its variables, if there is one.
fn merged(tables: Vec<Table>, variables: usize) -> Result<Vec<Table>, ModelError> {
    let mut by_size: BTreeMap<usize, Vec<Table>> = BTreeMap::new();
    for table in tables {
        by_size.entry(table.scope().len()).or_default().push(table);
    }
    let mut kept: Vec<Table> = Vec::new();
    // For each variable the kept tables with more variables than the present ones.
    let mut larger: Vec<Vec<usize>> = vec![Vec::new(); variables];
    while let Some((_, tables)) = by_size.pop_last() {
        let mut rest = Vec::with_capacity(tables.len());
        for table in tables {
            match host(&table, &kept, &larger) {
                Some(host) => kept[host] = product(&kept[host], &table)?,
                None => rest.push(table),
            }
        }
        let start = kept.len();
        kept.extend(without_twins(rest)?);
        if by_size.is_empty() {
            break;
        }
        for (at, table) in kept.iter().enumerate().skip(start) {
            for v in table.scope() {
                larger[v.index()].push(at);
            }
        }
    }
    Ok(kept)
}

/// Multiplies every table into the first one with the same variables; all have equally many.
fn without_twins(tables: Vec<Table>) -> Result<Vec<Table>, ModelError> {
    let Some(len) = tables.first().map(|table| table.scope().len()) else {
        return Ok(tables);
    };
    // The sorted scopes one behind the other: there may be millions.
    let mut scopes: Vec<VarId> = Vec::with_capacity(tables.len() * len);
    for table in &tables {
        let start = scopes.len();
        scopes.extend(table.scope());
        scopes[start..].sort_unstable();
    }
    let scope = |at: u32| &scopes[at as usize * len..][..len];
    let mut order: Vec<u32> = (0..tables.len() as u32).collect();
    // The sort is stable, so of equal scopes the first table stays ahead.
    order.sort_by(|&a, &b| scope(a).cmp(scope(b)));
    let mut tables: Vec<Option<Table>> = tables.into_iter().map(Some).collect();
    for twins in order.chunk_by(|&a, &b| scope(a) == scope(b)) {
        let Some(mut first) = tables[twins[0] as usize].take() else {
            continue;
        };
        for twin in &twins[1..] {
            if let Some(table) = tables[*twin as usize].take() {
                first = product(&first, &table)?;
            }
        }
        tables[twins[0] as usize] = Some(first);
    }
    Ok(tables.into_iter().flatten().collect())
}

/// The smallest of the larger tables whose scope holds that of `table`.
fn host(table: &Table, kept: &[Table], larger: &[Vec<usize>]) -> Option<usize> {
    let rarest = (table.scope().iter()).min_by_key(|v| larger[v.index()].len())?;
    larger[rarest.index()]
        .iter()
        .copied()
        .filter(|&at| (table.scope().iter()).all(|v| kept[at].scope().contains(v)))
        .min_by_key(|&at| kept[at].num_entries())
}

/// `large · small` over the scope of `large`, which holds that of `small`.
pub(crate) fn product(large: &Table, small: &Table) -> Result<Table, ModelError> {
    let (scope, cards) = (large.scope(), large.cards());
    let steps = strides_within(scope, small.scope(), small.cards());
    let mut ln = large.relative().to_vec();
    for (entry, at) in ln.iter_mut().zip(Offsets::new(cards, &steps)) {
        *entry += small.relative()[at];
    }
    let product = Table::from_ln(scope.to_vec(), cards.to_vec(), ln)?;
    product.scaled(large.ln_scale() + small.ln_scale())
}
