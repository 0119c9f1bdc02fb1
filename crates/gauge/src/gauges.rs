//! Gauge transformations: changes of the tables that leave `Z` as it is.
//!
//! ```text
//! f_{a,G}(x_a) = Σ_{x'_a} f_a(x'_a) Π_{v∈a} G_va(x_v, x'_v) ,   G_vaᵀ G_vb = I      (eqs. 2 and 3
//! ```
//!
//! of Ahn, Chertkov, Weller & Shin 2018). The sum over `x_v` puts `G_vaᵀ G_vb` between the two
//! factors of `v`, so `Z` stays; single entries may become negative.
//!
//! | symbol | name | shape |
//! |---|---|---|
//! | `G_va` | gauge of `v` at the first of its two factors, [`Gauges::matrix`] | `\|X_v\| × \|X_v\|` |
//! | `G_vb = G_va^{-T}` | gauge at the second | the same |
//! | `f_{a,G}` | [`SignedTable`] | as `f_a` |

use forney_certify::DoubleDouble;
use forney_model::{FactorGraph, FactorId, Table, VarId};
use nalgebra::DMatrix;

use crate::axis;

/// Gauges worse conditioned than this are refused: their rounding errors would swamp the bound.
pub const MAX_CONDITION: f64 = 1e8;

/// One invertible matrix for each gauged variable; the other side of each is derived from it, so
/// that `G_vaᵀ G_vb = I` holds by construction.
///
/// A variable can be gauged if it lies in exactly two factors; in Forney form all can.
///
/// # Example
/// ```
/// use forney_gauge::Gauges;
/// use forney_model::{FactorGraph, Table, VarId};
/// use nalgebra::DMatrix;
/// let single = |values: &[f64]| Table::from_values(vec![VarId(0)], vec![2], values);
/// let model = FactorGraph::new(vec![2], vec![single(&[1.0, 2.0])?, single(&[3.0, 4.0])?])?;
/// let gauge = DMatrix::from_row_slice(2, 2, &[1.0, 1.0, -1.0, 2.0]);
/// let gauges = Gauges::new(&model, vec![(VarId(0), gauge)])?;
/// let [a, b] = &gauges.transform(&model)[..] else { unreachable!() };
/// let z: f64 = a.values.iter().zip(&b.values).map(|(a, b)| a * b).sum();
/// assert!((z * (a.ln_scale + b.ln_scale).exp() - 11.0).abs() < 1e-12);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Gauges {
    gauges: Vec<Option<Gauge>>,
}

#[derive(Clone, Debug)]
struct Gauge {
    factors: [FactorId; 2],
    /// At the first factor and at the second.
    matrices: [DMatrix<f64>; 2],
    condition: f64,
}

/// A factor after a gauge transformation: `f = exp(ln_scale) · values`, where values may be negative.
#[derive(Clone, Debug, PartialEq)]
pub struct SignedTable {
    /// The variables, slowest first.
    pub scope: Vec<VarId>,
    /// Their cardinalities.
    pub cards: Vec<usize>,
    /// Plain numbers, last variable fastest.
    pub values: Vec<f64>,
    /// What was taken out, in nats.
    pub ln_scale: DoubleDouble,
}

/// Why a matrix is no gauge.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum GaugeError {
    /// A variable that does not lie in exactly two factors.
    #[error(
        "variable {var} lies in {degree} factors and cannot be gauged; bring the model into \
         Forney form first"
    )]
    Degree {
        /// The variable.
        var: VarId,
        /// Factors that mention it.
        degree: usize,
    },
    /// A matrix of the wrong size.
    #[error(
        "the gauge of variable {var} is {rows} × {cols}; its {card} states need {card} × {card}"
    )]
    Size {
        /// The variable.
        var: VarId,
        /// Rows given.
        rows: usize,
        /// Columns given.
        cols: usize,
        /// States of the variable.
        card: usize,
    },
    /// A matrix that is singular, nearly so, or not finite.
    #[error(
        "the gauge of variable {var} has condition number {condition:.1e}; at most {MAX_CONDITION:.0e} \
         is allowed: use a gauge further from singular"
    )]
    Condition {
        /// The variable.
        var: VarId,
        /// Its condition number.
        condition: f64,
    },
    /// A variable that the model does not have, or two gauges for one.
    #[error("variable {var} is not in the model, or has two gauges")]
    Variable {
        /// The variable.
        var: VarId,
    },
}

impl Gauges {
    /// Gauges for some variables; all others keep the identity.
    ///
    /// Each matrix acts at the factor with the lower number, its inverse transpose at the other.
    ///
    /// # Errors
    /// A variable that is unknown, named twice or not in exactly two factors, or a matrix of the
    /// wrong size or conditioned worse than [`MAX_CONDITION`].
    ///
    /// # Complexity
    /// A singular value decomposition for each matrix.
    pub fn new(
        graph: &FactorGraph,
        matrices: Vec<(VarId, DMatrix<f64>)>,
    ) -> Result<Self, GaugeError> {
        let mut gauges: Vec<Option<Gauge>> = vec![None; graph.num_variables()];
        for (var, matrix) in matrices {
            let slot = gauges.get_mut(var.index());
            let Some(slot @ None) = slot else {
                return Err(GaugeError::Variable { var });
            };
            let Some(factors) = two_factors(graph, var) else {
                let degree = graph.factors_of(var).count();
                return Err(GaugeError::Degree { var, degree });
            };
            let (rows, cols, card) = (matrix.nrows(), matrix.ncols(), graph.card(var));
            if rows != card || cols != card {
                return Err(GaugeError::Size {
                    var,
                    rows,
                    cols,
                    card,
                });
            }
            let condition = condition(&matrix);
            let inverse = matrix.clone().try_inverse();
            // Written so that NaN fails.
            match inverse {
                Some(inverse) if condition <= MAX_CONDITION => {
                    *slot = Some(Gauge {
                        factors,
                        matrices: [matrix, inverse.transpose()],
                        condition,
                    });
                }
                _ => return Err(GaugeError::Condition { var, condition }),
            }
        }
        Ok(Self { gauges })
    }

    /// Identity everywhere.
    #[must_use]
    pub fn identity(graph: &FactorGraph) -> Self {
        Self {
            gauges: vec![None; graph.num_variables()],
        }
    }

    /// Is no variable gauged?
    pub(crate) fn is_identity(&self) -> bool {
        self.gauges.iter().all(Option::is_none)
    }

    /// Do these gauges belong to `graph`: the same factors on both sides, the same cardinalities?
    pub(crate) fn check(&self, graph: &FactorGraph) -> Result<(), GaugeError> {
        if self.gauges.len() != graph.num_variables() {
            let variables = self.gauges.len().min(graph.num_variables());
            return Err(GaugeError::Variable {
                var: VarId::new(variables),
            });
        }
        let gauges = self.gauges.iter().enumerate();
        let matrices = gauges.filter_map(|(v, gauge)| {
            let matrix = gauge.as_ref()?.matrices[0].clone();
            Some((VarId::new(v), matrix))
        });
        let again = Self::new(graph, matrices.collect())?;
        for (v, (ours, theirs)) in self.gauges.iter().zip(&again.gauges).enumerate() {
            if ours.as_ref().map(|g| g.factors) != theirs.as_ref().map(|g| g.factors) {
                return Err(GaugeError::Variable { var: VarId::new(v) });
            }
        }
        Ok(())
    }

    /// `G_va`, or `None` where it is the identity (or `v` does not lie in `a`).
    #[must_use]
    pub fn matrix(&self, v: VarId, a: FactorId) -> Option<&DMatrix<f64>> {
        let gauge = self.gauges.get(v.index())?.as_ref()?;
        let side = gauge.factors.iter().position(|&factor| factor == a)?;
        Some(&gauge.matrices[side])
    }

    /// `G_va` at the first factor of `v`, or `None` where it is the identity.
    pub(crate) fn first(&self, v: VarId) -> Option<&DMatrix<f64>> {
        let gauge = self.gauges[v.index()].as_ref()?;
        Some(&gauge.matrices[0])
    }

    /// First these gauges, then `later` ones: `G_va ← later_va G_va` for both factors.
    ///
    /// # Errors
    /// A product conditioned worse than [`MAX_CONDITION`].
    pub fn then(&self, later: &Self, graph: &FactorGraph) -> Result<Self, GaugeError> {
        let pairs = self.gauges.iter().zip(&later.gauges).enumerate();
        let products = pairs.filter_map(|(v, pair)| {
            let matrix = match pair {
                (Some(a), Some(b)) => &b.matrices[0] * &a.matrices[0],
                (Some(one), None) | (None, Some(one)) => one.matrices[0].clone(),
                (None, None) => return None,
            };
            Some((VarId::new(v), matrix))
        });
        Self::new(graph, products.collect())
    }

    /// Equation (2) for every factor; entries may become negative, `Z` stays.
    ///
    /// # Panics
    /// If the gauges belong to another model.
    ///
    /// # Complexity
    /// Entries of each table times the cardinality of each gauged variable of its scope.
    #[must_use]
    pub fn transform(&self, graph: &FactorGraph) -> Vec<SignedTable> {
        let factors = graph.factors().iter().enumerate();
        factors
            .map(|(a, factor)| self.transform_factor(FactorId::new(a), factor))
            .collect()
    }

    pub(crate) fn transform_factor(&self, a: FactorId, factor: &Table) -> SignedTable {
        let mut values = plain(factor);
        self.on_axes(a, factor, &mut values, |x| x);
        SignedTable {
            scope: factor.scope().to_vec(),
            cards: factor.cards().to_vec(),
            values,
            ln_scale: factor.ln_scale(),
        }
    }

    /// What [`Gauges::transform`] adds up for a factor, in absolute values, and the relative
    /// rounding error that this may carry.
    pub(crate) fn rounding(&self, a: FactorId, factor: &Table) -> (Vec<f64>, f64) {
        let mut values = plain(factor);
        self.on_axes(a, factor, &mut values, f64::abs);
        let legs = factor.scope().iter().zip(factor.cards());
        let error = |(v, &card): (&VarId, &usize)| {
            let gauge = self.gauges.get(v.index()).and_then(Option::as_ref);
            gauge.map_or(0.0, |gauge| 4.0 * card as f64 * gauge.condition)
        };
        (values, f64::EPSILON * (4.0 + legs.map(error).sum::<f64>()))
    }

    /// A transformed factor with every entry as small as it may be without rounding; `None` if one is then
    /// negative, or a NaN.
    pub(crate) fn at_least(&self, a: FactorId, factor: &Table) -> Option<SignedTable> {
        let mut table = self.transform_factor(a, factor);
        let (total, error) = self.rounding(a, factor);
        for (x, total) in table.values.iter_mut().zip(total) {
            *x -= error * total;
        }
        table.values.iter().all(|&x| x >= 0.0).then_some(table)
    }

    fn on_axes(
        &self,
        a: FactorId,
        factor: &Table,
        values: &mut Vec<f64>,
        entry: impl Fn(f64) -> f64,
    ) {
        let mut out = vec![0.0; values.len()];
        let mut stride = 1;
        for (&v, &card) in factor.scope().iter().zip(factor.cards()).rev() {
            if let Some(matrix) = self.matrix(v, a) {
                // nalgebra stores columns; the transpose gives rows.
                let rows: Vec<f64> = matrix.transpose().iter().map(|&x| entry(x)).collect();
                axis::apply(values, card, stride, &rows, &mut out);
                std::mem::swap(values, &mut out);
            }
            stride *= card;
        }
    }
}

/// The factors of a variable, ascending, if they are two: only then it can be gauged.
pub(crate) fn two_factors(graph: &FactorGraph, v: VarId) -> Option<[FactorId; 2]> {
    let mut factors: Vec<FactorId> = graph.factors_of(v).collect();
    factors.sort_unstable();
    factors.try_into().ok()
}

/// A table as plain numbers with largest entry 1.
pub(crate) fn plain(factor: &Table) -> Vec<f64> {
    factor.relative().iter().map(|ln| ln.exp()).collect()
}

/// Ratio of the extreme singular values; infinite or NaN for singular matrices.
fn condition(matrix: &DMatrix<f64>) -> f64 {
    if !matrix.iter().all(|x| x.is_finite()) {
        return f64::NAN;
    }
    let singular = matrix.singular_values();
    singular.max() / singular.min()
}
