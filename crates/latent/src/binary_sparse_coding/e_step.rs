//! What an E-step is given, and what it returns.

use forney_certify::Budget;
use forney_model::{FactorGraph, Table, VarId};
use ndarray::{Array2, ArrayView1, ArrayView2, Axis, concatenate, s};
use rayon::prelude::*;

use crate::{LatentError, check};

/// Examples that one task infers.
const BLOCK: usize = 64;

/// The unnormalised posteriors of a few examples: `ln p̃(h) = Σ_i c_i h_i − Σ_{i<j} G_ij h_i h_j`.
#[derive(Clone, Copy, Debug)]
pub struct Problem<'a> {
    pub(super) fields: ArrayView2<'a, f64>,
    pub(super) couplings: ArrayView2<'a, f64>,
    budget: Option<&'a Budget>,
}

impl<'a> Problem<'a> {
    /// The problem with the fields `c`, one row for each example, and the couplings `G`.
    ///
    /// # Errors
    /// Sizes that do not fit, NaN or an infinity, or couplings that are not symmetric or not zero on
    /// the diagonal.
    pub fn new(
        fields: ArrayView2<'a, f64>,
        couplings: ArrayView2<'a, f64>,
    ) -> Result<Self, LatentError> {
        let units = couplings.nrows();
        check::shape("the columns of the couplings", units, couplings.ncols())?;
        check::shape("the columns of the fields", units, fields.ncols())?;
        check::computed("the fields of the posterior", fields)?;
        check::computed("the couplings of the posterior", couplings)?;
        let largest = couplings.iter().fold(0.0, |most: f64, g| most.max(g.abs()));
        for ((i, j), &g) in couplings.indexed_iter() {
            let mirrored = if i == j { 0.0 } else { couplings[[j, i]] };
            let same = (g - mirrored).abs() <= SLACK * largest;
            let range = "symmetric, and zero on the diagonal";
            check::within("a coupling", range, g, same)?;
        }
        Ok(Self {
            fields,
            couplings,
            budget: None,
        })
    }

    /// `c`, one row for each example.
    #[must_use]
    pub fn fields(&self) -> ArrayView2<'a, f64> {
        self.fields
    }

    /// `G`, symmetric, with zeros on the diagonal.
    #[must_use]
    pub fn couplings(&self) -> ArrayView2<'a, f64> {
        self.couplings
    }

    /// Whether the time for an answer is over: an E-step may then return any posteriors of the right
    /// size, and nothing is made of them.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.budget.is_some_and(|budget| budget.stop().is_some())
    }

    /// Number of hidden units `H`.
    #[must_use]
    pub fn units(&self) -> usize {
        self.couplings.nrows()
    }

    /// The posterior of example `n` as a factor graph, for an E-step that works on such.
    ///
    /// # Errors
    /// No such example, or NaN or an infinity among the fields or couplings.
    pub fn graph(&self, n: usize) -> Result<FactorGraph, LatentError> {
        let examples = self.fields.nrows();
        check::within("an example", "one of the problem", n as f64, n < examples)?;
        boltzmann_machine(0.0, self.fields.row(n), self.couplings)
    }
}

/// `ln p̃(h) = constant + Σ_i c_i h_i − Σ_{i<j} G_ij h_i h_j` as a factor graph.
pub(super) fn boltzmann_machine(
    constant: f64,
    field: ArrayView1<'_, f64>,
    couplings: ArrayView2<'_, f64>,
) -> Result<FactorGraph, LatentError> {
    check::computed("ln p(h, v)", [&constant])?;
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
    pub(super) means: Array2<f64>,
    pub(super) second: Array2<f64>,
    pub(super) entropy: f64,
}

/// What rounding may do to moments.
const SLACK: f64 = 1e-9;

impl Posteriors {
    /// Moments that an E-step has found: `E_q[h]`, one row for each example, `Σ_n E_q[h hᵀ]`, and
    /// `Σ_n H(q)` in nats.
    ///
    /// # Errors
    /// Moments that no `q` has: sizes that do not fit, NaN, means that are no probabilities, a
    /// `Σ_n E_q[h hᵀ]` that does not lie between 0 and its diagonal, which is the sum of the means,
    /// or an entropy below 0 or above that of independent units with these means.
    ///
    /// # Complexity
    /// `O(N H + H²)`.
    ///
    /// # Example
    /// ```
    /// use forney_latent::binary_sparse_coding::Posteriors;
    /// use ndarray::array;
    /// // Two units that are always in the same state.
    /// let (means, second) = (array![[0.5, 0.5]], array![[0.5, 0.5], [0.5, 0.5]]);
    /// assert!(Posteriors::new(means.clone(), second.clone(), 2.0_f64.ln()).is_ok());
    /// assert!(Posteriors::new(means, second, 3.0_f64.ln() + 1.0).is_err());
    /// ```
    pub fn new(means: Array2<f64>, second: Array2<f64>, entropy: f64) -> Result<Self, LatentError> {
        let units = means.ncols();
        check::shape("the rows of the second moments", units, second.nrows())?;
        check::shape("the columns of the second moments", units, second.ncols())?;
        let near = |least: f64, most: f64, x: f64| {
            let slack = SLACK * (1.0 + most.abs());
            x >= least - slack && x <= most + slack
        };
        let mut most = 0.0;
        for &p in &means {
            check::within("a mean", "from 0 to 1", p, near(0.0, 1.0, p))?;
            let terms = [p, 1.0 - p].into_iter().filter(|&p| p > 0.0);
            most -= terms.map(|p| p * p.ln()).sum::<f64>();
        }
        let sums = means.sum_axis(Axis(0));
        for ((i, j), &moment) in second.indexed_iter() {
            let highest = sums[i].min(sums[j]);
            let lowest = if i == j { highest } else { 0.0 };
            let range =
                "the same both ways, from 0 to the sums of the means, which are its diagonal";
            let mirrored = near(second[[j, i]], second[[j, i]], moment);
            let admissible = mirrored && near(lowest, highest, moment);
            check::within("a second moment", range, moment, admissible)?;
        }
        let range = "from 0 to that of independent units with the same means";
        check::within("the entropy", range, entropy, near(0.0, most, entropy))?;
        Ok(Self {
            means,
            second,
            entropy,
        })
    }

    /// `E_q[h]`, one row for each example.
    #[must_use]
    pub fn means(&self) -> &Array2<f64> {
        &self.means
    }

    /// `Σ_n E_q[h hᵀ]`; the diagonal is the sum of the means.
    #[must_use]
    pub fn second(&self) -> &Array2<f64> {
        &self.second
    }

    /// `Σ_n H(q)`, in nats.
    #[must_use]
    pub fn entropy(&self) -> f64 {
        self.entropy
    }
}

/// A way to find `q ≈ p(h | v)`: any distribution of which the moments are known.
///
/// The bound is computed from the moments, so an E-step that does badly gives a loose bound and
/// never a false one. Its options say how long it looks for `q`; none of them enters the moments.
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
                budget: Some(budget),
            };
            let found = e_step.infer(&problem)?;
            let what = "the number of examples with posteriors";
            check::shape(what, problem.fields.nrows(), found.means.nrows())?;
            check::shape("the units of the posteriors", units, found.means.ncols())?;
            Ok((!problem.is_over()).then_some(found))
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
