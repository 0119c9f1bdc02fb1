//! Dictionary learning as a [`Learner`].

use std::time::Duration;

use forney_certify::Budget;
use ndarray::ArrayView2;

use super::model::SparseCoding;
use super::params::SparseCodingParams;
use super::state::SparseCodingState;
use crate::learn::{At, Fit, Learner};
use crate::{LatentError, check};

/// A pass is left after so long, so that a caller can tell and save how far it has come.
const SLICE: Duration = Duration::from_millis(250);

/// Dictionary learning from a matrix; the objective is the mean of `J` over the examples, with the codes
/// as they were inferred, before the update of the dictionary that followed. Lower is better.
#[derive(Clone, Debug)]
pub struct SparseCodingLearner<'d> {
    params: SparseCodingParams,
    data: ArrayView2<'d, f64>,
}

impl SparseCodingParams {
    /// Learns a dictionary from the rows of `data`.
    ///
    /// # Errors
    /// NaN or an infinity in the data, fewer examples than one, no atoms, or a parameter out of range.
    ///
    /// # Complexity
    /// For each pass, [`Encoder::encode`](super::Encoder::encode) and, for each update, `O(D K²)` by coordinate descent.
    ///
    /// # Example
    /// ```
    /// use forney_latent::sparse_coding::SparseCodingParams;
    /// use ndarray::array;
    /// let data = array![[1.0, 0.0], [2.0, 0.0], [0.0, 3.0], [0.0, -1.0]];
    /// let params = SparseCodingParams { lambda: 0.01, passes: 100, ..SparseCodingParams::new(2) };
    /// let fit = params.fit(data.view())?;
    /// // Every example is close to a multiple of an atom.
    /// assert!(fit.model.score(data.view())? > -0.03);
    /// # Ok::<(), forney_latent::LatentError>(())
    /// ```
    pub fn fit(&self, data: ArrayView2<'_, f64>) -> Result<Fit<SparseCoding>, LatentError> {
        self.learner(data)?.fit()
    }

    /// What learns: to be run within a budget, watched, saved and resumed.
    ///
    /// # Errors
    /// As [`fit`](Self::fit).
    pub fn learner<'d>(
        &self,
        data: ArrayView2<'d, f64>,
    ) -> Result<SparseCodingLearner<'d>, LatentError> {
        self.check()?;
        check::enough(data.nrows(), 1)?;
        check::finite("the data", data)?;
        Ok(SparseCodingLearner {
            params: self.clone(),
            data,
        })
    }
}

impl Learner for SparseCodingLearner<'_> {
    type State = SparseCodingState;
    type Model = SparseCoding;

    fn examples(&self) -> usize {
        self.data.nrows()
    }

    fn limit(&self, _: usize) -> usize {
        self.params.passes
    }

    fn begin(&self, _: usize, _: &Budget) -> Result<Option<SparseCodingState>, LatentError> {
        SparseCodingState::new(&self.params, self.data).map(Some)
    }

    fn check(&self, state: &SparseCodingState) -> Result<(), LatentError> {
        state.check(&self.params, self.data)
    }

    fn step(
        &self,
        state: &SparseCodingState,
        at: At,
        budget: &Budget,
    ) -> Result<Option<SparseCodingState>, LatentError> {
        let mut next = state.clone();
        let time = budget.capped(SLICE);
        let went_on = next.go_on(&self.params, self.data, at.iteration, (budget, &time))?;
        Ok(went_on.then_some(next))
    }

    fn share(&self, state: &SparseCodingState) -> f64 {
        let batch = self.params.schedule.batch();
        let blocks = batch.map_or(1, |batch| self.data.nrows().div_ceil(batch));
        state.blocks as f64 / blocks.max(1) as f64
    }

    fn objective(&self, state: &SparseCodingState) -> f64 {
        state.objective.unwrap_or(f64::INFINITY)
    }

    fn better(&self, new: f64, old: f64) -> bool {
        new < old
    }

    fn converged(&self, _: At, before: f64, now: f64) -> bool {
        let small = before - now <= self.params.tolerance * before;
        small && !self.params.schedule.is_online()
    }

    fn model(&self, state: SparseCodingState) -> SparseCoding {
        state.model
    }
}
