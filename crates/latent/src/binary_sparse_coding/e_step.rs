//! What an E-step is given, and what it returns.

use forney_certify::Budget;
use forney_model::{FactorGraph, Table, VarId};
use ndarray::{Array2, ArrayView1, ArrayView2, Axis, concatenate, s};
use rayon::prelude::*;

use crate::LatentError;

/// Examples that one task infers.
const BLOCK: usize = 64;

/// The unnormalised posteriors of a few examples: `ln p̃(h) = Σ_i c_i h_i − Σ_{i<j} G_ij h_i h_j`.
#[derive(Clone, Copy, Debug)]
pub struct Problem<'a> {
    /// `c`, one row for each example.
    pub fields: ArrayView2<'a, f64>,
    /// `G`, symmetric, with zeros on the diagonal.
    pub couplings: ArrayView2<'a, f64>,
}

impl Problem<'_> {
    /// Number of hidden units `H`.
    #[must_use]
    pub fn units(&self) -> usize {
        self.couplings.nrows()
    }

    /// The posterior of example `n` as a factor graph, for an E-step that works on such.
    ///
    /// # Errors
    /// NaN or an infinity among the fields or couplings.
    ///
    /// # Panics
    /// If there is no such example.
    pub fn graph(&self, n: usize) -> Result<FactorGraph, LatentError> {
        boltzmann_machine(0.0, self.fields.row(n), self.couplings)
    }
}

/// `ln p̃(h) = constant + Σ_i c_i h_i − Σ_{i<j} G_ij h_i h_j` as a factor graph.
pub(super) fn boltzmann_machine(
    constant: f64,
    field: ArrayView1<'_, f64>,
    couplings: ArrayView2<'_, f64>,
) -> Result<FactorGraph, LatentError> {
    let mut factors = Vec::new();
    if constant != 0.0 {
        factors.push(Table::constant(constant)?);
    }
    for (i, &c) in field.iter().enumerate() {
        factors.push(Table::from_ln(vec![VarId::new(i)], vec![2], vec![0.0, c])?);
    }
    for ((i, j), &g) in couplings.indexed_iter() {
        if i < j && g != 0.0 {
            let ln = vec![0.0, 0.0, 0.0, -g];
            factors.push(Table::from_ln(
                vec![VarId::new(i), VarId::new(j)],
                vec![2, 2],
                ln,
            )?);
        }
    }
    Ok(FactorGraph::new(vec![2; field.len()], factors)?)
}

/// The moments of the distributions `q` of a few examples, all that learning needs of them.
#[derive(Clone, Debug, PartialEq)]
pub struct Posteriors {
    /// `E_q[h]`, one row for each example.
    pub means: Array2<f64>,
    /// `Σ_n E_q[h hᵀ]`; the diagonal is the sum of the means.
    pub second: Array2<f64>,
    /// `Σ_n H(q)`, in nats.
    pub entropy: f64,
}

/// A way to find `q ≈ p(h | v)`: any distribution of which the moments are known.
///
/// The bound is computed from the moments, so an E-step that does badly gives a loose bound and
/// never a false one.
pub trait EStep: Sync {
    /// A name for reports.
    fn name(&self) -> &'static str;

    /// The moments of `q` for every example of `problem`.
    ///
    /// # Errors
    /// A problem that the method does not take.
    fn infer(&self, problem: &Problem<'_>) -> Result<Posteriors, LatentError>;
}

/// Infers blocks of fixed size in parallel and joins them in order; `None` if the budget ends before.
pub(super) fn infer_blocks(
    e_step: &dyn EStep,
    problem: &Problem<'_>,
    budget: &Budget,
) -> Result<Option<Posteriors>, LatentError> {
    let (examples, units) = (problem.fields.nrows(), problem.units());
    let parts: Vec<Option<Posteriors>> = (0..examples.div_ceil(BLOCK))
        .into_par_iter()
        .map(|block| {
            if budget.stop().is_some() {
                return Ok(None);
            }
            let rows = block * BLOCK..examples.min((block + 1) * BLOCK);
            let problem = Problem {
                fields: problem.fields.slice(s![rows, ..]),
                couplings: problem.couplings,
            };
            e_step.infer(&problem).map(Some)
        })
        .collect::<Result<_, LatentError>>()?;
    let Some(parts) = parts.into_iter().collect::<Option<Vec<_>>>() else {
        return Ok(None);
    };
    let mut second = Array2::zeros((units, units));
    let mut entropy = 0.0;
    for part in &parts {
        second += &part.second;
        entropy += part.entropy;
    }
    let means: Vec<_> = parts.iter().map(|part| part.means.view()).collect();
    // Parts have the same number of columns; without any there are no rows.
    let means = concatenate(Axis(0), &means).unwrap_or_else(|_| Array2::zeros((0, units)));
    Ok(Some(Posteriors {
        means,
        second,
        entropy,
    }))
}
