//! Codes of many examples: `H = argmin J(H, W)` for a dictionary that stays as it is.

use forney_certify::Budget;
use ndarray::{Array2, ArrayView2, Axis, s};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::codes::Codes;
use super::coordinate_descent;
use super::dense::Dense;
use super::feature_sign::{self, FeatureSign};
use super::fista::{self, Momentum};
use super::lars::{self, Lars};
use super::lasso::{Example, Gap, Lasso, Sign};
use crate::{LatentError, check};

/// Examples whose correlations `Wᵀv` one matrix product computes.
const BLOCK: usize = 128;

/// The algorithm that solves the lasso problem of an example.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Solver {
    /// Feature-sign search (Lee et al. 2007): exact, and the fastest here.
    FeatureSign {
        /// The most atoms that become active in one step.
        activations: usize,
    },
    /// Coordinate descent with an active set.
    CoordinateDescent,
    /// Accelerated proximal gradient with restarts.
    Fista,
    /// The lasso path from zero down to the penalty (exact); it does not profit from a warm start.
    Lars,
}

/// How codes are inferred.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Inference {
    /// The algorithm; default feature-sign search with 8 activations.
    pub solver: Solver,
    /// The values a coefficient may take; default any.
    pub sign: Sign,
    /// The relative duality gap at which coordinate descent and FISTA stop; default `1e-12`.
    pub tolerance: f64,
    /// The most steps (passes over all atoms for coordinate descent); default 100,000. The gap that
    /// was reached is reported in any case.
    pub max_steps: usize,
}

impl Default for Inference {
    fn default() -> Self {
        Self {
            solver: Solver::FeatureSign { activations: 8 },
            sign: Sign::Any,
            tolerance: 1e-12,
            max_steps: 100_000,
        }
    }
}

/// Codes, and how good they are.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Encoding {
    /// The codes `H`.
    pub codes: Codes,
    /// `½‖v − W h‖² + λ‖h‖₁` of each example.
    pub objectives: Vec<f64>,
    /// The relative duality gap of each example: the objective exceeds the least possible one by no
    /// more than this share.
    pub gaps: Vec<f64>,
}

/// Infers codes by one dictionary.
///
/// # Example
/// ```
/// use forney_latent::sparse_coding::{Encoder, Inference};
/// use ndarray::array;
/// // Atoms are columns: (1, 0), (0, 1) and their normalised sum.
/// let dictionary = array![[1.0, 0.0, 0.6], [0.0, 1.0, 0.8]];
/// let encoder = Encoder::new(dictionary.view(), 0.1, &Inference::default())?;
/// let encoding = encoder.encode(array![[0.6, 0.8], [0.0, 0.05]].view(), None)?;
/// let (atoms, values) = encoding.codes.row(0);
/// assert_eq!(atoms, [2]);
/// assert!((values[0] - 0.9).abs() < 1e-12);
/// assert_eq!(encoding.codes.row(1).0.len(), 0);
/// assert!(encoding.gaps.iter().all(|&gap| gap < 1e-12));
/// # Ok::<(), forney_latent::LatentError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Encoder {
    dictionary: Array2<f64>,
    lasso: Lasso,
    inference: Inference,
    /// The largest eigenvalue of the Gram matrix, where the solver needs it.
    lipschitz: f64,
}

/// Memory of one thread.
#[derive(Clone, Debug, Default)]
struct Scratch {
    feature_sign: FeatureSign,
    dense: Dense,
    momentum: Momentum,
    lars: Lars,
}

impl Encoder {
    /// Prepares a dictionary with one atom in each column (`D × K`) and the penalty `λ`.
    ///
    /// # Errors
    /// NaN or an infinity in the dictionary, a penalty or tolerance that is not above 0.
    ///
    /// # Complexity
    /// `O(D K²)`, with FISTA `O(K³)`; memory `K²`.
    pub fn new(
        dictionary: ArrayView2<'_, f64>,
        lambda: f64,
        inference: &Inference,
    ) -> Result<Self, LatentError> {
        check::positive("the tolerance", inference.tolerance)?;
        let lasso = Lasso::new(dictionary, lambda, inference.sign)?;
        let lipschitz = match inference.solver {
            Solver::Fista => largest_eigenvalue(&lasso),
            _ => 0.0,
        };
        Ok(Self {
            dictionary: dictionary.as_standard_layout().into_owned(),
            lasso,
            inference: inference.clone(),
            lipschitz,
        })
    }

    /// Number of atoms `K`.
    #[must_use]
    pub fn atoms(&self) -> usize {
        self.lasso.atoms
    }

    /// The codes of the rows of `data`, from the codes `warm` if there are any.
    ///
    /// # Errors
    /// NaN or an infinity in the data, or sizes that do not fit the dictionary.
    ///
    /// # Panics
    /// Never: a budget without limits does not end before all codes are inferred.
    ///
    /// # Complexity
    /// `O(D K)` for each example and, with `A` non-zeros, a few times `O(K A + A³)`; examples run
    /// in parallel.
    pub fn encode(
        &self,
        data: ArrayView2<'_, f64>,
        warm: Option<&Codes>,
    ) -> Result<Encoding, LatentError> {
        let everything = self.encode_within(data, warm, &Budget::unlimited())?;
        Ok(everything.expect("an unlimited budget does not end"))
    }

    /// As [`encode`](Self::encode); `None` if the budget ends before all codes are inferred.
    pub(super) fn encode_within(
        &self,
        data: ArrayView2<'_, f64>,
        warm: Option<&Codes>,
        budget: &Budget,
    ) -> Result<Option<Encoding>, LatentError> {
        let (rows, columns) = data.dim();
        check::shape("the number of columns", self.dictionary.nrows(), columns)?;
        check::finite("the data", data)?;
        if let Some(warm) = warm {
            let (codes, atoms) = (warm.len(), warm.atoms());
            check::shapes([
                ("the number of codes to start from", rows, codes),
                ("the atoms of the codes to start from", self.atoms(), atoms),
            ])?;
        }
        let blocks = data.nrows().div_ceil(BLOCK);
        let parts: Option<Vec<Encoding>> = (0..blocks)
            .into_par_iter()
            .map_init(Scratch::default, |scratch, block| {
                if budget.stop().is_some() {
                    return None;
                }
                let rows = block * BLOCK..data.nrows().min((block + 1) * BLOCK);
                let start = rows.start;
                Some(self.encode_block(data.slice(s![rows, ..]), start, warm, scratch))
            })
            .collect();
        let Some(parts) = parts else {
            return Ok(None);
        };
        let mut all = Encoding {
            codes: Codes::new(self.atoms()),
            ..Encoding::default()
        };
        for part in &parts {
            all.codes.append(&part.codes);
            all.objectives.extend_from_slice(&part.objectives);
            all.gaps.extend_from_slice(&part.gaps);
        }
        let numbers = all.objectives.iter().chain(&all.gaps);
        check::computed("the objective of a code", numbers)?;
        Ok(Some(all))
    }

    /// The codes of one block, whose first row is row `start` of the data.
    fn encode_block(
        &self,
        block: ArrayView2<'_, f64>,
        start: usize,
        warm: Option<&Codes>,
        scratch: &mut Scratch,
    ) -> Encoding {
        let correlations = block.dot(&self.dictionary);
        let mut encoding = Encoding {
            codes: Codes::new(self.atoms()),
            ..Encoding::default()
        };
        for (n, (v, c)) in block
            .rows()
            .into_iter()
            .zip(correlations.axis_iter(Axis(0)))
            .enumerate()
        {
            let c = c.to_slice().unwrap_or_default();
            let example = Example {
                c,
                energy: v.dot(&v),
            };
            let start = warm.map_or((&[][..], &[][..]), |codes| codes.row(start + n));
            let gap = self.encode_one(example, start, scratch, &mut encoding.codes);
            encoding.objectives.push(gap.objective);
            encoding.gaps.push(gap.relative);
        }
        encoding
    }

    /// Adds the code of one example to `codes`.
    fn encode_one(
        &self,
        example: Example<'_>,
        start: (&[usize], &[f64]),
        scratch: &mut Scratch,
        codes: &mut Codes,
    ) -> Gap {
        let Inference {
            tolerance,
            max_steps,
            ..
        } = self.inference;
        let lasso = &self.lasso;
        let Scratch {
            feature_sign: exact,
            dense,
            momentum,
            lars,
        } = scratch;
        match self.inference.solver {
            Solver::FeatureSign { activations } => {
                exact.start_from(start);
                feature_sign::solve(lasso, example.c, activations, max_steps, exact);
            }
            Solver::Lars => {
                lars::follow(lasso, example.c, max_steps, lars, &mut |_| {});
                // At the end of the path, feature-sign search confirms the active set and removes
                // the rounding errors of the many steps.
                exact.start_from((&lars.active, &lars.x));
                feature_sign::solve(lasso, example.c, 1, max_steps, exact);
            }
            approximate => {
                dense.begin(lasso, example.c, start);
                if approximate == Solver::Fista {
                    let rate = self.lipschitz;
                    fista::solve(lasso, example, rate, tolerance, max_steps, dense, momentum);
                } else {
                    coordinate_descent::solve(lasso, example, tolerance, max_steps, dense);
                }
                codes.push(&dense.indices, &dense.values);
                return dense.gap(lasso, example);
            }
        }
        codes.push(&exact.active, &exact.x);
        lasso.gap(example, &exact.r, &exact.active, &exact.x)
    }
}

/// The largest eigenvalue of the Gram matrix.
fn largest_eigenvalue(lasso: &Lasso) -> f64 {
    let gram = nalgebra::DMatrix::from_row_slice(lasso.atoms, lasso.atoms, &lasso.gram);
    gram.symmetric_eigenvalues()
        .iter()
        .fold(0.0, |most: f64, &value| most.max(value))
}
