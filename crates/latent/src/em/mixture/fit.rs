//! Learning a mixture from data.

use forney_certify::Budget;
use ndarray::{Array1, ArrayView2};
use serde::{Deserialize, Serialize};

use super::model::GaussianMixture;
use crate::LatentError;
use crate::check::{enough, some};
use crate::em::e_step::demand;
use crate::em::gaussian::{Covariance, sizes};
use crate::em::kmeans;
use crate::em::learner::EmLearner;
use crate::em::options::Em;
use crate::em::rows::{Columns, Rows};
use crate::learn::{Fit, Learner};

/// How to learn a [`GaussianMixture`].
///
/// Each run starts from k-means, with distances in units of each column's standard deviation.
///
/// The likelihood of a mixture has no maximum: a component may shrink onto one example. So every
/// covariance is kept above a floor, `Σ_k ⪰ variance_floor · diag(var)`, with the variances of the
/// columns; the M-step maximises under that constraint, so EM stays monotone. A component that loses
/// all its examples keeps its shape and has weight 0.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct GaussianMixtureParams {
    /// Number of components `K`; 2 by default.
    pub components: usize,
    /// What the covariances share; full by default.
    pub covariance: Covariance,
    /// The least variance, as a part of each column's variance, from 1e-12 to below 1; 1e-6 by default.
    pub variance_floor: f64,
    /// Runs from different starts, of which the best is kept; 1 by default.
    pub restarts: usize,
    /// Seed of the starts and of the order of batches; 0 by default.
    pub seed: u64,
    /// The loop.
    pub em: Em,
}

impl Default for GaussianMixtureParams {
    fn default() -> Self {
        Self {
            components: 2,
            covariance: Covariance::Full,
            variance_floor: 1e-6,
            restarts: 1,
            seed: 0,
            em: Em::default(),
        }
    }
}

impl GaussianMixtureParams {
    /// Learns a mixture from the rows of `data`.
    ///
    /// # Errors
    /// A value that is not finite, a constant column, fewer rows than components, parameters outside
    /// their ranges.
    ///
    /// # Complexity
    /// Time for each sweep `O(N K D²)`, without the square if the covariances are diagonal or
    /// spherical. Memory: `O(N)` for the start, and 64 sets of moments.
    pub fn fit(&self, data: ArrayView2<'_, f64>) -> Result<Fit<GaussianMixture>, LatentError> {
        self.learner(data)?.fit()
    }

    /// Bytes that learning takes beside so many rows of so many columns, about: 64 sets of moments, and three numbers for each row and one more for each row and candidate
    /// of the start.
    ///
    /// A caller with a limit compares them with it before it begins.
    #[must_use]
    pub fn demand(&self, rows: usize, columns: usize) -> f64 {
        let (statistics, model) = sizes(self.covariance, self.components, columns);
        demand(&self.em, rows, statistics, model) + kmeans::demand(rows, self.components)
    }

    /// What learns: to be run within a budget, watched, saved and resumed.
    ///
    /// # Errors
    /// As [`fit`](Self::fit).
    pub fn learner<'d>(
        &self,
        data: ArrayView2<'d, f64>,
    ) -> Result<EmLearner<'d, GaussianMixture>, LatentError> {
        self.em.check()?;
        let rows = Rows::new(data, self.em.batch(), self.seed)?;
        let params = self.clone();
        let start =
            move |_: &Rows<'d>, seed, budget: &Budget| params.start_within(data, seed, budget);
        EmLearner::new(rows, self.em, self.restarts, self.seed, start)
    }

    /// The mixture from which a run with `seed` starts.
    ///
    /// # Errors
    /// As [`fit`](Self::fit).
    pub fn start(
        &self,
        data: ArrayView2<'_, f64>,
        seed: u64,
    ) -> Result<GaussianMixture, LatentError> {
        self.start_within(data, seed, &Budget::unlimited())
    }

    /// As [`start`](Self::start); any mixture once the budget has ended.
    fn start_within(
        &self,
        data: ArrayView2<'_, f64>,
        seed: u64,
        budget: &Budget,
    ) -> Result<GaussianMixture, LatentError> {
        some("the number of components", self.components)?;
        enough(data.nrows(), self.components)?;
        Rows::new(data, None, 0)?;
        let columns = Columns::of(data)?;
        let shape = (self.components, self.covariance, self.variance_floor);
        let (labels, gaussians) = kmeans::gaussians(data, &columns, shape, seed, budget)?;
        let mut weights = Array1::zeros(self.components);
        for label in labels {
            weights[label] += 1.0 / data.nrows() as f64;
        }
        Ok(GaussianMixture { weights, gaussians })
    }
}
