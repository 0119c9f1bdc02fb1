//! Learning: one interface of all estimators, and the loop that runs any of them.
//!
//! A [`Learner`] is what does not change: checked data, options, and how a state follows from the one
//! before. [`Learning`] is what does: the state of the present start, the objectives so far, and the best
//! of the starts before. It is all there is to save, and goes on as if it had never stopped.

use std::ops::ControlFlow;

use forney_certify::{Budget, Stop};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::error::LatentError;

/// Where learning is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct At {
    /// Number of the start, from 0.
    pub start: usize,
    /// Iterations of it that are complete.
    pub iteration: usize,
}

/// A way to learn a model from data, iteration by iteration.
///
/// A step makes a new state from the old one, so it completes or leaves no trace. No random generator is
/// part of a state: what a step draws, it draws from the seed of the learner and from [`At`].
pub trait Learner {
    /// What an iteration needs of the one before, such as parameters and statistics.
    type State: Serialize + DeserializeOwned;
    /// What is learned.
    type Model: Serialize + DeserializeOwned;

    /// Whether the evaluation of a start is an iteration of its own.
    const START_COUNTS: bool = false;

    /// Number of examples.
    fn examples(&self) -> usize;

    /// Independent starts, of which the best is kept.
    fn starts(&self) -> usize {
        1
    }

    /// The most iterations of a start; starts differ, if at all, by whether their number is even.
    fn limit(&self, start: usize) -> usize;

    /// The state of a start; `None` if the budget ends first.
    ///
    /// # Errors
    /// What the model refuses.
    fn begin(&self, start: usize, budget: &Budget) -> Result<Option<Self::State>, LatentError>;

    /// Refuses a state that was saved with other data or options, or whose parts do not fit together.
    ///
    /// # Errors
    /// Sizes that do not fit.
    fn check(&self, state: &Self::State) -> Result<(), LatentError>;

    /// The state after the next iteration, or after a part of it, see [`share`](Self::share); `None` if
    /// the budget ends first.
    ///
    /// # Errors
    /// What the model refuses.
    fn step(
        &self,
        state: &Self::State,
        at: At,
        budget: &Budget,
    ) -> Result<Option<Self::State>, LatentError>;

    /// The share of the present iteration that is done, below 1.
    fn share(&self, _: &Self::State) -> f64 {
        0.0
    }

    /// What learning improves, after the last complete iteration.
    fn objective(&self, state: &Self::State) -> f64;

    /// Whether one objective is better than another: larger, unless the learner says otherwise.
    fn better(&self, new: f64, old: f64) -> bool {
        new > old
    }

    /// Whether the iteration that led from one objective to the next was the last that is worth it.
    fn converged(&self, at: At, before: f64, now: f64) -> bool;

    /// What was learned.
    fn model(&self, state: Self::State) -> Self::Model;

    /// Learns to the end.
    ///
    /// # Errors
    /// What the model refuses.
    fn fit(&self) -> Result<Fit<Self::Model>, LatentError>
    where
        Self: Sized,
    {
        self.fit_within(&Budget::unlimited(), &mut |_| ControlFlow::Continue(()))
    }

    /// Learns until the end, or that of the budget; the first start is evaluated in any case.
    ///
    /// # Errors
    /// What the model refuses.
    fn fit_within(
        &self,
        budget: &Budget,
        watch: Watch<'_, Self>,
    ) -> Result<Fit<Self::Model>, LatentError>
    where
        Self: Sized,
    {
        let (learning, stop) = Learning::begin(self)?.run(self, budget, watch)?;
        Ok(learning.finish(self, stop))
    }
}

/// What a caller does before the first step and after each: draw a progress bar, save, or ask to stop.
pub type Watch<'w, L> = &'w mut dyn FnMut(&Learning<L>) -> ControlFlow<()>;

/// A learned model, and how learning went.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Fit<M> {
    /// The model.
    pub model: M,
    /// Its objective, such as `L(v, θ, q)` in nats per example.
    pub objective: f64,
    /// The objective after each iteration of the start that was kept.
    pub trace: Vec<f64>,
    /// Why that start ended.
    pub stop: Stop,
}

/// Learning between two steps: all that has to be saved to go on.
///
/// # Example
/// ```
/// use forney_certify::Budget;
/// use forney_latent::em::GaussianMixtureParams;
/// use forney_latent::learn::{Learner, Learning};
/// use ndarray::array;
/// let data = array![[0.1], [0.0], [-0.2], [5.0], [5.3], [4.9]];
/// let learner = GaussianMixtureParams::default().learner(data.view())?;
/// let mut learning = Learning::begin(&learner)?;
/// let stop = loop {
///     // Here it could be saved, and loaded.
///     if let Some(stop) = learning.step(&learner, &Budget::unlimited())? {
///         break stop;
///     }
/// };
/// assert_eq!(learning.finish(&learner, stop), learner.fit()?);
/// # Ok::<(), forney_latent::LatentError>(())
/// ```
#[derive(Serialize, Deserialize)]
#[serde(bound = "")]
pub struct Learning<L: Learner> {
    start: usize,
    state: L::State,
    /// Of the present start.
    trace: Vec<f64>,
    /// Iterations of the starts that have ended.
    earlier: usize,
    /// The best of them.
    best: Option<Fit<L::Model>>,
    /// Whether the last step completed an iteration.
    #[serde(skip)]
    fresh: bool,
}

impl<L: Learner> Learning<L> {
    /// The first start.
    ///
    /// # Errors
    /// What the model refuses.
    ///
    /// # Panics
    /// If the learner has no start although there is no end to its budget.
    pub fn begin(learner: &L) -> Result<Self, LatentError> {
        // Whatever the budget, there is then a model to return.
        let first = learner.begin(0, &Budget::unlimited())?;
        let first = first.expect("an unlimited budget does not end");
        let mut learning = Self::at_start(0, first, 0);
        learning.started(learner);
        Ok(learning)
    }

    fn at_start(start: usize, state: L::State, earlier: usize) -> Self {
        Self {
            start,
            state,
            trace: Vec::new(),
            earlier,
            best: None,
            fresh: false,
        }
    }

    fn started(&mut self, learner: &L) {
        if L::START_COUNTS {
            self.trace.push(learner.objective(&self.state));
            self.fresh = true;
        }
    }

    /// Refuses what was saved with other data or options.
    ///
    /// # Errors
    /// Sizes that do not fit.
    pub fn check(&self, learner: &L) -> Result<(), LatentError> {
        learner.check(&self.state)
    }

    /// One iteration, a part of one, or the beginning of the next start; why learning has ended, if it
    /// has. What the budget interrupts leaves no trace, and neither does an iteration whose objective is
    /// NaN.
    ///
    /// # Errors
    /// What the model refuses.
    pub fn step(&mut self, learner: &L, budget: &Budget) -> Result<Option<Stop>, LatentError> {
        self.fresh = false;
        let ended = self.ended(learner);
        if ended == Some(Stop::Diverged) || ended.is_some() && self.is_last(learner) {
            return Ok(ended);
        }
        if let Some(stop) = budget.stop() {
            return Ok(Some(stop));
        }
        if let Some(stop) = ended {
            let Some(next) = learner.begin(self.start + 1, budget)? else {
                return Ok(budget.stop());
            };
            let next = Self::at_start(self.start + 1, next, self.iterations());
            let ended = std::mem::replace(self, next);
            self.best = Some(ended.finish(learner, stop));
            self.started(learner);
        } else {
            let Some(next) = learner.step(&self.state, self.at(), budget)? else {
                return Ok(budget.stop());
            };
            if learner.share(&next) == 0.0 {
                let objective = learner.objective(&next);
                if objective.is_nan() {
                    return Ok(Some(Stop::Diverged));
                }
                self.trace.push(objective);
                self.fresh = true;
            }
            self.state = next;
        }
        // The end of the last start is told at once, not with the next step.
        Ok(self.ended(learner).filter(|_| self.is_last(learner)))
    }

    /// Steps to the end, or that of the budget; also why.
    ///
    /// # Errors
    /// What the model refuses.
    pub fn run(
        mut self,
        learner: &L,
        budget: &Budget,
        watch: Watch<'_, L>,
    ) -> Result<(Self, Stop), LatentError> {
        let mut go = watch(&self);
        while go.is_continue() {
            let stop = self.step(learner, budget)?;
            go = watch(&self);
            if let (Some(stop), true) = (stop, go.is_continue()) {
                return Ok((self, stop));
            }
        }
        Ok((self, Stop::Interrupted))
    }

    /// Why the present start has ended, if it has, whatever the budget.
    fn ended(&self, learner: &L) -> Option<Stop> {
        if self.objective(learner).is_nan() {
            return Some(Stop::Diverged);
        }
        if let [.., before, now] = self.trace[..]
            && learner.converged(self.at(), before, now)
        {
            return Some(Stop::Converged);
        }
        (self.trace.len() >= learner.limit(self.start)).then_some(Stop::SweepLimit)
    }

    fn is_last(&self, learner: &L) -> bool {
        self.start + 1 >= learner.starts()
    }

    fn at(&self) -> At {
        At {
            start: self.start,
            iteration: self.trace.len(),
        }
    }

    /// Number of the present start, from 0.
    #[must_use]
    pub fn start(&self) -> usize {
        self.start
    }

    /// Iterations of all starts so far.
    #[must_use]
    pub fn iterations(&self) -> usize {
        self.earlier + self.trace.len()
    }

    /// The state of the present start.
    #[must_use]
    pub fn state(&self) -> &L::State {
        &self.state
    }

    /// The objectives after the iterations of the present start.
    #[must_use]
    pub fn trace(&self) -> &[f64] {
        &self.trace
    }

    /// The objective of an iteration that the last step completed, if it did.
    #[must_use]
    pub fn news(&self) -> Option<f64> {
        self.trace.last().copied().filter(|_| self.fresh)
    }

    /// The objective of the present start.
    #[must_use]
    pub fn objective(&self, learner: &L) -> f64 {
        let last = self.trace.last().copied();
        last.unwrap_or_else(|| learner.objective(&self.state))
    }

    /// The best start so far; `stop` says why the present one ended.
    #[must_use]
    pub fn finish(self, learner: &L, stop: Stop) -> Fit<L::Model> {
        let objective = self.objective(learner);
        match self.best {
            // The first of equals.
            Some(best) if !learner.better(objective, best.objective) => best,
            _ => Fit {
                model: learner.model(self.state),
                objective,
                trace: self.trace,
                stop,
            },
        }
    }
}
