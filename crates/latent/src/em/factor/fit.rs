//! Learning factor analysis from data.

use forney_certify::Budget;
use ndarray::{Array1, Array2, ArrayView2};
use rand::SeedableRng;
use rand_distr::{Distribution, StandardNormal};
use rand_pcg::Pcg64;
use serde::{Deserialize, Serialize};

use super::model::{FactorAnalysis, Noise};
use super::scatter::Scatter;
use crate::LatentError;
use crate::check::{enough, floor, within};
use crate::dense::matrix;
use crate::em::e_step::demand;
use crate::em::learner::EmLearner;
use crate::em::options::Em;
use crate::em::rows::{Columns, Rows};
use crate::learn::{Fit, Learner};

/// How to learn a [`FactorAnalysis`].
///
/// Each run starts from random loadings. A noise variance may tend to 0 (a Heywood case): it is kept at
/// or above `noise_floor · var` of its column, and the M-step maximises under that constraint.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct FactorAnalysisParams {
    /// Number of factors `H`; 1 by default.
    pub factors: usize,
    /// Factor analysis or probabilistic PCA; factor analysis by default.
    pub noise: Noise,
    /// The least noise, as a part of each column's variance, from 1e-12 to below 1; 1e-6 by default.
    pub noise_floor: f64,
    /// Runs from different starts, of which the best is kept; 1 by default.
    pub restarts: usize,
    /// Seed of the starts and of the order of batches; 0 by default.
    pub seed: u64,
    /// The loop.
    pub em: Em,
}

impl Default for FactorAnalysisParams {
    fn default() -> Self {
        Self {
            factors: 1,
            noise: Noise::Diagonal,
            noise_floor: 1e-6,
            restarts: 1,
            seed: 0,
            em: Em::default(),
        }
    }
}

impl FactorAnalysisParams {
    /// Learns the loadings and the noise from the rows of `data`; `μ` is their mean.
    ///
    /// # Errors
    /// A value that is not finite, a constant column, fewer than two rows, more factors than columns,
    /// parameters outside their ranges.
    ///
    /// # Complexity
    /// Time `O(N D²)` once and `O(D² H)` for each sweep; memory `O(D²)` for each batch.
    pub fn fit(&self, data: ArrayView2<'_, f64>) -> Result<Fit<FactorAnalysis>, LatentError> {
        self.learner(data)?.fit()
    }

    /// Bytes that learning takes beside so many rows of so many columns, about: a few matrices, and a scatter for each batch.
    ///
    /// A caller with a limit compares them with it before it begins.
    #[must_use]
    pub fn demand(&self, rows: usize, columns: usize) -> f64 {
        let (d, h) = (columns as f64, self.factors as f64);
        let batches = self
            .em
            .batch()
            .map_or(1, |batch| rows.div_ceil(batch.max(1)));
        let chunks = rows as f64 / 4096.0;
        demand(&self.em, rows, d + d * h + h * h, d * h + 2.0 * d + h * h)
            + 8.0 * d * d * (batches as f64 + chunks + 4.0)
    }

    /// What learns: to be run within a budget, watched, saved and resumed.
    ///
    /// # Errors
    /// As [`fit`](Self::fit).
    pub fn learner(
        &self,
        data: ArrayView2<'_, f64>,
    ) -> Result<EmLearner<'static, FactorAnalysis>, LatentError> {
        self.em.check()?;
        let (columns, rows) = self.check(data)?;
        let scatter = Scatter::about(&columns.mean, &rows)?;
        let params = self.clone();
        let start = move |_: &Scatter, seed, _: &Budget| Ok(params.start(&columns, seed));
        EmLearner::new(scatter, self.em, self.restarts, self.seed, start)
    }

    /// The maximum of the likelihood of probabilistic PCA in closed form (Tipping & Bishop 1999):
    /// `σ²` is the mean of the `D − H` smallest eigenvalues of the covariance, and
    /// `W = U (Λ − σ² I)^{1/2}` of the `H` largest.
    ///
    /// # Errors
    /// As [`fit`](Self::fit), and as many factors as columns.
    ///
    /// # Complexity
    /// Time `O(N D² + D³)`.
    pub fn principal_components(
        &self,
        data: ArrayView2<'_, f64>,
    ) -> Result<FactorAnalysis, LatentError> {
        let (columns, _) = self.check(data)?;
        let (range, admissible) = ("below the number of columns", self.factors < data.ncols());
        within(
            "the number of factors",
            range,
            self.factors as f64,
            admissible,
        )?;
        let scatter = Scatter::about(&columns.mean, &Rows::new(data, None, 0)?)?;
        let covariance = &scatter.batches[0].1 / data.nrows() as f64;
        let eigen = matrix(covariance.view()).symmetric_eigen();
        let mut order: Vec<usize> = (0..data.ncols()).collect();
        order.sort_by(|&a, &b| eigen.eigenvalues[b].total_cmp(&eigen.eigenvalues[a]));
        let rest = &order[self.factors..];
        let noise = rest.iter().map(|&i| eigen.eigenvalues[i]).sum::<f64>() / rest.len() as f64;
        let floor = &columns.variance * self.noise_floor;
        let noise = noise.max(floor.sum() / floor.len() as f64);
        let loadings = Array2::from_shape_fn((data.ncols(), self.factors), |(d, h)| {
            let at = order[h];
            eigen.eigenvectors[(d, at)] * (eigen.eigenvalues[at] - noise).max(0.0).sqrt()
        });
        let noise = Array1::from_elem(data.ncols(), noise);
        FactorAnalysis::new(columns.mean, loadings, noise, Noise::Isotropic, floor)
    }

    fn check<'d>(&self, data: ArrayView2<'d, f64>) -> Result<(Columns, Rows<'d>), LatentError> {
        let rows = Rows::new(data, self.em.batch(), self.seed)?;
        enough(data.nrows(), 2)?;
        let range = "from 1 to the number of columns";
        let admissible = (1..=data.ncols()).contains(&self.factors);
        within(
            "the number of factors",
            range,
            self.factors as f64,
            admissible,
        )?;
        floor("the noise floor", self.noise_floor)?;
        Ok((Columns::of(data)?, rows))
    }

    /// Random loadings that explain half of each column's variance, and the other half noise.
    fn start(&self, columns: &Columns, seed: u64) -> FactorAnalysis {
        let mut rng = Pcg64::seed_from_u64(seed);
        let variance = &columns.variance;
        let loadings = Array2::from_shape_fn((variance.len(), self.factors), |(d, _)| {
            let drawn: f64 = StandardNormal.sample(&mut rng);
            drawn * (0.5 * variance[d] / self.factors as f64).sqrt()
        });
        let noise = match self.noise {
            Noise::Diagonal => variance * 0.5,
            Noise::Isotropic => {
                Array1::from_elem(variance.len(), 0.5 * variance.sum() / variance.len() as f64)
            }
        };
        FactorAnalysis {
            mean: columns.mean.clone(),
            loadings,
            noise,
            kind: self.noise,
            floor: variance * self.noise_floor,
        }
    }
}
