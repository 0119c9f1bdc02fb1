//! Forney form: every variable lies in exactly two factors, the form that gauges need.
//!
//! | symbol | name | where |
//! |---|---|---|
//! | `d` | degree of a variable: factors that mention it | |
//! | `v_1 … v_d` | copies of a variable, equal to it | [`Forney::copies`] |
//! | `[v_1 = … = v_d]` | equality factor: 1 if all agree, else a hard zero | a factor |
//!
//! [`Forney::new`] turns any factor graph into one (Forney 2001): a variable of degree `d > 2`
//! becomes `d` copies joined by equality factors, a lower degree is filled up with unit factors.
//! [`Forney::of_grid`] turns a grid into one without any copy (Levin & Nave 2007): every second
//! plaquette of the checkerboard becomes one factor of four variables.

use std::collections::BTreeMap;

use crate::simplify::product;
use crate::{FactorGraph, ModelError, Table, VarId, table_len};

/// A model in Forney form with the way back to the model it was made of; both have the same `Z`.
///
/// The first copy of variable `v` has the number `v`, so the marginal of `v` is read off there.
///
/// # Example
/// ```
/// use forney_model::{FactorGraph, Forney, Table, VarId, check_forney, enumerate::enumerate};
/// let link = |a, b| Table::from_ln(vec![VarId(a), VarId(b)], vec![2, 2], vec![1.0, 0.0, 0.0, 1.0]);
/// let star = FactorGraph::new(vec![2; 4], vec![link(0, 1)?, link(0, 2)?, link(0, 3)?])?;
/// let forney = Forney::new(&star, usize::MAX)?;
/// check_forney(forney.graph())?;
/// assert_eq!(forney.copies(VarId(0)), &[VarId(0), VarId(4), VarId(5)]);
/// assert!((enumerate(forney.graph()).ln_z - enumerate(&star).ln_z).abs() < 1e-12);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Forney {
    graph: FactorGraph,
    copies: Vec<Vec<VarId>>,
    originals: Vec<VarId>,
}

/// Why a model is not, or has no, Forney form of the kind asked for.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ForneyError {
    /// A variable that does not lie in exactly two factors.
    #[error(
        "variable {var} lies in {degree} factors; in Forney form each lies in exactly two: \
         bring the model into Forney form first"
    )]
    Degree {
        /// The variable.
        var: VarId,
        /// Factors that mention it.
        degree: usize,
    },
    /// A model that is no grid with row-major numbering.
    #[error(
        "factor {factor} over {scope:?} does not fit a {rows} × {cols} grid whose variables are \
         numbered row by row; use the equality form instead"
    )]
    NotAGrid {
        /// The first factor that does not fit.
        factor: usize,
        /// Its scope.
        scope: Vec<VarId>,
        /// Rows of the grid.
        rows: usize,
        /// Columns of the grid.
        cols: usize,
    },
    /// A grid with another number of variables than the model.
    #[error("a {rows} × {cols} grid does not have the {variables} variables of the model")]
    WrongGrid {
        /// Rows of the grid.
        rows: usize,
        /// Columns of the grid.
        cols: usize,
        /// Variables of the model.
        variables: usize,
    },
    /// A table that cannot be made.
    #[error(transparent)]
    Model(#[from] ModelError),
}

/// Checks that every variable lies in exactly two factors.
///
/// # Errors
/// [`ForneyError::Degree`] for the first variable that does not.
///
/// # Complexity
/// Linear in the scope entries.
pub fn check_forney(graph: &FactorGraph) -> Result<(), ForneyError> {
    for var in graph.variables() {
        let degree = graph.factors_of(var).count();
        if degree != 2 {
            return Err(ForneyError::Degree { var, degree });
        }
    }
    Ok(())
}

impl Forney {
    /// The equality form of any factor graph: a variable of degree `d > 2` becomes `d` copies that
    /// equality factors of at most `legs` variables (at least 3) join, a single one if `d ≤ legs`
    /// and a chain with further copies between them otherwise. Unit factors fill up degrees 0 and 1.
    ///
    /// # Errors
    /// [`ModelError::TooLarge`] for an equality factor of more than 2^24 entries; fewer legs make
    /// smaller ones.
    ///
    /// # Complexity
    /// Linear in the entries of the tables, equality factors (`|X_v|^legs` entries) included.
    pub fn new(graph: &FactorGraph, legs: usize) -> Result<Self, ForneyError> {
        let legs = legs.max(3);
        let mut form = Builder::new(graph);
        let mut scopes: Vec<Vec<VarId>> =
            graph.factors().iter().map(|f| f.scope().to_vec()).collect();
        // `factors_of` gives the latest factor first; copies count from the first.
        for v in graph.variables() {
            let mut factors: Vec<usize> = graph.factors_of(v).map(|a| a.index()).collect();
            factors.sort_unstable();
            match factors.len() {
                0 | 1 => {
                    for _ in factors.len()..2 {
                        form.unit(vec![v])?;
                    }
                }
                2 => {}
                degree => {
                    let mut copies = vec![v];
                    copies.extend((1..degree).map(|_| form.copy(v)));
                    for (&factor, &copy) in factors.iter().zip(&copies) {
                        for u in scopes[factor].iter_mut().filter(|u| **u == v) {
                            *u = copy;
                        }
                    }
                    form.join(v, &copies, legs)?;
                }
            }
        }
        let pairs = graph.factors().iter().zip(scopes);
        let renamed = pairs.map(|(table, scope)| table.renamed(scope));
        let mut factors = renamed.collect::<Result<Vec<_>, _>>()?;
        factors.append(&mut form.factors);
        form.finish(factors)
    }

    /// The Levin–Nave cover of a `rows × cols` grid with variables numbered row by row: the
    /// plaquettes of one checkerboard colour, the one that leaves the first corner empty, become
    /// factors of four variables; edges in none of them stay factors of two. No variable is copied.
    ///
    /// Factors of one variable are multiplied into a factor that holds it. A corner whose plaquette
    /// is covered, which odd sides have, gets a unit factor. Missing edges count as 1.
    ///
    /// # Errors
    /// A factor that is neither a field nor an edge of this grid, or another number of variables.
    ///
    /// # Complexity
    /// Linear in the number of variables.
    pub fn of_grid(graph: &FactorGraph, rows: usize, cols: usize) -> Result<Self, ForneyError> {
        let variables = graph.num_variables();
        if rows.checked_mul(cols) != Some(variables) {
            return Err(ForneyError::WrongGrid {
                rows,
                cols,
                variables,
            });
        }
        if let Some(factor) = misfit(graph, cols) {
            let scope = graph.factors()[factor].scope().to_vec();
            return Err(ForneyError::NotAGrid {
                factor,
                scope,
                rows,
                cols,
            });
        }
        let covers = grid_cover(rows, cols);
        // Where each edge goes, and one factor for the field of each variable.
        let mut homes: BTreeMap<Vec<VarId>, usize> = BTreeMap::new();
        for (number, cover) in covers.iter().enumerate() {
            for (i, &u) in cover.iter().enumerate() {
                homes.entry(vec![u]).or_insert(number);
                for &v in &cover[i + 1..] {
                    homes.entry(vec![u, v]).or_insert(number);
                }
            }
        }
        let mut factors = Vec::with_capacity(covers.len());
        for cover in &covers {
            let cards: Vec<usize> = cover.iter().map(|&v| graph.card(v)).collect();
            factors.push(ones(cover.clone(), cards)?);
        }
        for factor in graph.factors() {
            let mut key = factor.scope().to_vec();
            key.sort_unstable();
            match homes.get(&key) {
                Some(&home) => factors[home] = product(&factors[home], factor)?,
                None => factors.push(factor.clone()),
            }
        }
        Self::new(&FactorGraph::new(graph.cards().to_vec(), factors)?, 3)
    }

    /// The model in Forney form.
    #[must_use]
    pub fn graph(&self) -> &FactorGraph {
        &self.graph
    }

    /// The variables that are equal to the original variable `v`, which is the first of them.
    #[must_use]
    pub fn copies(&self, v: VarId) -> &[VarId] {
        &self.copies[v.index()]
    }

    /// The original variable that a variable of the Forney form is equal to.
    #[must_use]
    pub fn original(&self, copy: VarId) -> VarId {
        self.originals[copy.index()]
    }

    /// A sequence of original variables with each replaced by its copies: an elimination order
    /// carried over.
    #[must_use]
    pub fn lift(&self, vars: &[VarId]) -> Vec<VarId> {
        let copies = vars.iter().flat_map(|v| &self.copies[v.index()]);
        copies.copied().collect()
    }
}

/// A Forney form while it grows.
struct Builder {
    cards: Vec<usize>,
    copies: Vec<Vec<VarId>>,
    originals: Vec<VarId>,
    factors: Vec<Table>,
}

impl Builder {
    fn new(graph: &FactorGraph) -> Self {
        Self {
            cards: graph.cards().to_vec(),
            copies: graph.variables().map(|v| vec![v]).collect(),
            originals: graph.variables().collect(),
            factors: Vec::new(),
        }
    }

    fn copy(&mut self, v: VarId) -> VarId {
        let copy = VarId::new(self.cards.len());
        self.cards.push(self.cards[v.index()]);
        self.copies[v.index()].push(copy);
        self.originals.push(v);
        copy
    }

    fn unit(&mut self, scope: Vec<VarId>) -> Result<(), ModelError> {
        let cards = scope.iter().map(|v| self.cards[v.index()]).collect();
        self.factors.push(ones(scope, cards)?);
        Ok(())
    }

    /// Joins copies of `v` by equality factors of at most `legs` variables.
    fn join(&mut self, v: VarId, copies: &[VarId], legs: usize) -> Result<(), ModelError> {
        let mut waiting = copies;
        let mut link: Option<VarId> = None;
        while !waiting.is_empty() {
            let held = usize::from(link.is_some());
            let last = waiting.len() + held <= legs;
            let (now, later) = waiting.split_at(if last { waiting.len() } else { legs - held - 1 });
            let mut scope: Vec<VarId> = link.into_iter().chain(now.iter().copied()).collect();
            if !last {
                let next = self.copy(v);
                scope.push(next);
                link = Some(next);
            }
            waiting = later;
            self.factors.push(equality(scope, self.cards[v.index()])?);
        }
        Ok(())
    }

    fn finish(self, factors: Vec<Table>) -> Result<Forney, ForneyError> {
        Ok(Forney {
            graph: FactorGraph::new(self.cards, factors)?,
            copies: self.copies,
            originals: self.originals,
        })
    }
}

/// The largest equality factor, in entries.
const MAX_EQUALITY: usize = 1 << 24;

/// `[x_1 = … = x_k]`.
fn equality(scope: Vec<VarId>, card: usize) -> Result<Table, ModelError> {
    let variables = scope.len();
    let cards = vec![card; variables];
    let len = table_len(&cards).filter(|&len| len <= MAX_EQUALITY);
    let len = len.ok_or(ModelError::TooLarge { variables })?;
    let mut ln = vec![f64::NEG_INFINITY; len];
    // All-equal states lie evenly spaced, from the first entry to the last.
    let spacing = (len - 1).checked_div(card - 1).unwrap_or(1);
    for entry in ln.iter_mut().step_by(spacing) {
        *entry = 0.0;
    }
    Table::from_ln(scope, cards, ln)
}

fn ones(scope: Vec<VarId>, cards: Vec<usize>) -> Result<Table, ModelError> {
    let variables = scope.len();
    let len = table_len(&cards).filter(|&len| len <= MAX_EQUALITY);
    let len = len.ok_or(ModelError::TooLarge { variables })?;
    Table::from_ln(scope, cards, vec![0.0; len])
}

/// The first factor that is neither constant, nor a field, nor an edge of a grid with these columns.
fn misfit(graph: &FactorGraph, cols: usize) -> Option<usize> {
    graph.factors().iter().position(|factor| {
        let mut scope: Vec<usize> = factor.scope().iter().map(|v| v.index()).collect();
        scope.sort_unstable();
        match scope[..] {
            [] | [_] => false,
            [u, v] => !((v == u + 1 && !v.is_multiple_of(cols)) || v == u + cols),
            _ => true,
        }
    })
}

/// Scopes that cover every edge of a grid once and every variable at most twice.
fn grid_cover(rows: usize, cols: usize) -> Vec<Vec<VarId>> {
    let at = |row: usize, col: usize| VarId::new(row * cols + col);
    let filled = |row: usize, col: usize| (row + col) % 2 == 1;
    let inside = |row: usize, col: usize| row + 1 < rows && col + 1 < cols && filled(row, col);
    let mut covers = Vec::new();
    for row in 0..rows {
        for col in 0..cols {
            if inside(row, col) {
                let corners = [(0, 0), (0, 1), (1, 0), (1, 1)];
                covers.push(corners.map(|(r, c)| at(row + r, col + c)).to_vec());
            }
            // The plaquettes on both sides of an edge: below and above, right and left.
            let above = row > 0 && inside(row - 1, col);
            if col + 1 < cols && !inside(row, col) && !above {
                covers.push(vec![at(row, col), at(row, col + 1)]);
            }
            let left = col > 0 && inside(row, col - 1);
            if row + 1 < rows && !inside(row, col) && !left {
                covers.push(vec![at(row, col), at(row + 1, col)]);
            }
        }
    }
    covers
}
