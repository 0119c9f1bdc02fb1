//! Learning: expectation maximisation with annealing and restarts.

use forney_certify::Budget;
use ndarray::ArrayView2;
use rand::SeedableRng;
use rand_pcg::Pcg64;
use serde::{Deserialize, Serialize};

use super::e_step::EStep;
use super::m_step::{Moments, improve};
use super::model::{BinarySparseCoding, sigmoid};
use super::params::{Annealing, BinarySparseCodingParams};
use crate::learn::{At, Fit, Learner};
use crate::{LatentError, check};

/// Binary sparse coding from a matrix, with an E-step; the objective is the mean bound for each example,
/// in nats.
///
/// The iterations of annealing are not monotone; those after it are if the E-step is exact or finds the
/// best of its kind.
pub struct BinarySparseCodingLearner<'d> {
    params: BinarySparseCodingParams,
    data: ArrayView2<'d, f64>,
    e_step: &'d dyn EStep,
}

/// A model, the moments of its posteriors, and its bound.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BinarySparseCodingState {
    model: BinarySparseCoding,
    moments: Moments,
    /// The mean for each example, in nats, of exactly these parameters.
    bound: f64,
}

impl BinarySparseCodingState {
    /// The model at present.
    #[must_use]
    pub fn model(&self) -> &BinarySparseCoding {
        &self.model
    }
}

impl BinarySparseCodingParams {
    /// Learns a model from the rows of `data` with an E-step.
    ///
    /// # Errors
    /// NaN or infinities, fewer than two examples, a constant column, a parameter out of range, or
    /// what the E-step refuses.
    ///
    /// # Complexity
    /// For each iteration the E-step and `O(N D H + D H² + H³)`.
    ///
    /// # Example
    /// ```
    /// use forney_latent::binary_sparse_coding::{
    ///     BinarySparseCoding, BinarySparseCodingParams, Exact, Truncated,
    /// };
    /// let truth = BinarySparseCoding::bars(3, 10.0, 1.0);
    /// let data = truth.sample(300, 1)?;
    /// let fit = BinarySparseCodingParams::new(6).fit(data.view(), &Truncated::default())?;
    /// assert!(fit.model.score(data.view(), &Exact)? > truth.score(data.view(), &Exact)?);
    /// # Ok::<(), forney_latent::LatentError>(())
    /// ```
    pub fn fit(
        &self,
        data: ArrayView2<'_, f64>,
        e_step: &dyn EStep,
    ) -> Result<Fit<BinarySparseCoding>, LatentError> {
        self.learner(data, e_step)?.fit()
    }

    /// What learns: to be run within a budget, watched, saved and resumed.
    ///
    /// # Errors
    /// As [`fit`](Self::fit).
    pub fn learner<'d>(
        &self,
        data: ArrayView2<'d, f64>,
        e_step: &'d dyn EStep,
    ) -> Result<BinarySparseCodingLearner<'d>, LatentError> {
        self.check(data)?;
        Ok(BinarySparseCodingLearner {
            params: self.clone(),
            data,
            e_step,
        })
    }
}

impl BinarySparseCodingLearner<'_> {
    /// The E-step of a model; `None` if the budget ends first.
    fn evaluated(
        &self,
        model: BinarySparseCoding,
        at: At,
        budget: &Budget,
    ) -> Result<Option<BinarySparseCodingState>, LatentError> {
        let hottest = self.annealing_of(at.start).temperature;
        let temperature = hottest.powf(self.annealing_left(at));
        let posteriors = model.infer_within(self.data, self.e_step, temperature, budget)?;
        let Some(posteriors) = posteriors else {
            return Ok(None);
        };
        Ok(Some(BinarySparseCodingState {
            bound: model.bound(self.data, &posteriors)? / self.data.nrows() as f64,
            moments: Moments::new(self.data, &posteriors)?,
            model,
        }))
    }

    /// Every other start goes without annealing.
    fn annealing_of(&self, start: usize) -> Annealing {
        if start.is_multiple_of(2) {
            self.params.annealing
        } else {
            Annealing::NONE
        }
    }

    /// The share of the annealing that is still to come.
    fn annealing_left(&self, at: At) -> f64 {
        let annealed = self.annealing_of(at.start).iterations;
        annealed.saturating_sub(at.iteration) as f64 / annealed.max(1) as f64
    }
}

impl Learner for BinarySparseCodingLearner<'_> {
    type State = BinarySparseCodingState;
    type Model = BinarySparseCoding;

    const START_COUNTS: bool = true;

    fn examples(&self) -> usize {
        self.data.nrows()
    }

    fn starts(&self) -> usize {
        self.params.starts
    }

    fn limit(&self, start: usize) -> usize {
        let annealed = self.annealing_of(start).iterations;
        let rest = self.params.iterations.saturating_add(1);
        annealed.saturating_add(rest)
    }

    fn begin(
        &self,
        start: usize,
        budget: &Budget,
    ) -> Result<Option<BinarySparseCodingState>, LatentError> {
        // One generator draws the models of all starts, so the earlier ones are drawn again.
        let mut rng = Pcg64::seed_from_u64(self.params.seed);
        for _ in 0..start {
            self.params.first_model(self.data, &mut rng);
        }
        let first = self.params.first_model(self.data, &mut rng);
        let iteration = 0;
        self.evaluated(first, At { start, iteration }, budget)
    }

    fn check(&self, state: &BinarySparseCodingState) -> Result<(), LatentError> {
        state.model.check(self.data)?;
        let units = state.model.units();
        check::shape("the number of units", self.params.units, units)?;
        state.moments.check(&state.model)
    }

    fn step(
        &self,
        state: &BinarySparseCodingState,
        at: At,
        budget: &Budget,
    ) -> Result<Option<BinarySparseCodingState>, LatentError> {
        let mut model = state.model.clone();
        // That of the model at hand, whose evaluation was the last iteration.
        let annealing = self.annealing_of(at.start).iterations >= at.iteration;
        let isotropic = self.params.isotropic || annealing;
        improve(self.params.m_step, &state.moments, isotropic, &mut model);
        if annealing {
            let shared = model.bias.mapv(sigmoid).sum() / self.params.units as f64;
            model.bias.fill((shared / (1.0 - shared)).ln());
        }
        self.evaluated(model, at, budget)
    }

    fn objective(&self, state: &BinarySparseCodingState) -> f64 {
        state.bound
    }

    fn converged(&self, at: At, before: f64, now: f64) -> bool {
        // The first bound at T = 1 has no other to be compared with.
        let annealed = self.annealing_of(at.start).iterations;
        at.iteration - 1 > annealed && now - before <= self.params.tolerance
    }

    fn model(&self, state: BinarySparseCodingState) -> BinarySparseCoding {
        state.model
    }
}
