//! Runs from several starts, which can be saved after any sweep and resumed.

use forney_certify::{Budget, Stop, Sweep};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::driver::{Em, Fit, Watch};
use super::model::{Examples, LatentModel};
use super::run::{Run, Step};
use crate::LatentError;
use crate::check::within;

/// The model from which a run with a seed starts; any model once the budget has ended.
type Start<'d, M> = Box<
    dyn Fn(&<M as LatentModel>::Data<'d>, u64, &Budget) -> Result<M, LatentError>
        + Send
        + Sync
        + 'd,
>;

/// Checked data, options, and a start for each seed: all that learning needs beside its state.
///
/// # Example
/// A [`Learner`] is all there is to save; with the same task it goes on as if it had never stopped.
/// ```
/// use forney_certify::Budget;
/// use forney_latent::em::GaussianMixtureParams;
/// use ndarray::array;
/// let data = array![[0.1], [0.0], [-0.2], [5.0], [5.3], [4.9]];
/// let task = GaussianMixtureParams::default().task(data.view())?;
/// let mut learner = task.begin()?;
/// let stop = loop {
///     if let Some(stop) = task.step(&mut learner, &Budget::unlimited())? {
///         break stop;
///     }
/// };
/// let fit = learner.finish(stop);
/// assert_eq!(fit.free_energy.to_bits(), GaussianMixtureParams::default().fit(data.view())?.free_energy.to_bits());
/// # Ok::<(), forney_latent::LatentError>(())
/// ```
pub struct Task<'d, M: LatentModel> {
    data: M::Data<'d>,
    em: Em,
    restarts: usize,
    seed: u64,
    start: Start<'d, M>,
}

/// The state of learning between two sweeps.
#[derive(Clone, Serialize, Deserialize)]
#[serde(bound(serialize = "M: Serialize", deserialize = "M: DeserializeOwned"))]
pub struct Learner<M: LatentModel> {
    restart: u64,
    run: Run<M>,
    /// Of the runs that have ended.
    best: Option<Fit<M>>,
    /// Sweeps of the runs that have ended.
    earlier: usize,
}

impl<'d, M: LatentModel> Task<'d, M> {
    pub(super) fn new(
        data: M::Data<'d>,
        em: Em,
        restarts: usize,
        seed: u64,
        start: Start<'d, M>,
    ) -> Result<Self, LatentError> {
        em.check()?;
        within("restarts", "at least 1", 0.0, restarts > 0)?;
        Ok(Self {
            data,
            em,
            restarts,
            seed,
            start,
        })
    }

    /// Number of examples.
    #[must_use]
    pub fn examples(&self) -> usize {
        self.data.total()
    }

    /// The first run, its start evaluated.
    ///
    /// # Errors
    /// As `fit` of the parameters.
    pub fn begin(&self) -> Result<Learner<M>, LatentError> {
        // The first start is always evaluated, so that there is a value to return.
        let first = self.run(0, &Budget::unlimited())?;
        Ok(Learner {
            restart: 0,
            run: first.expect("an unlimited budget does not end"),
            best: None,
            earlier: 0,
        })
    }

    /// A run at its start; `None` if the budget ends first.
    fn run(&self, restart: u64, budget: &Budget) -> Result<Option<Run<M>>, LatentError> {
        let model = (self.start)(&self.data, self.seed.wrapping_add(restart), budget);
        if budget.stop().is_some() {
            return Ok(None);
        }
        let model = model?;
        model.check_data(&self.data)?;
        Ok(Run::new(model, &self.data, &self.em, budget))
    }

    /// Refuses a learner that was saved by a task with data of another width.
    ///
    /// # Errors
    /// A model that the data do not fit.
    pub fn check(&self, learner: &Learner<M>) -> Result<(), LatentError> {
        learner.run.model().check_data(&self.data)
    }

    /// One sweep; why learning has ended, if it has. After the last sweep of a run the next one begins.
    ///
    /// # Errors
    /// As `fit` of the parameters.
    pub fn step(
        &self,
        learner: &mut Learner<M>,
        budget: &Budget,
    ) -> Result<Option<Stop>, LatentError> {
        Ok(self.advance(learner, budget)?.stop)
    }

    fn advance(&self, learner: &mut Learner<M>, budget: &Budget) -> Result<Step, LatentError> {
        let seed = self.seed.wrapping_add(learner.restart);
        let mut step = learner.run.step(&self.data, &self.em, seed, budget);
        let last = learner.restart + 1 >= self.restarts as u64;
        if let Some(stop @ (Stop::Converged | Stop::SweepLimit)) = step.stop
            && !last
        {
            // The sweep, if there was one, is told of before the run makes room for the next.
            if step.swept {
                step.stop = None;
                return Ok(step);
            }
            match self.run(learner.restart + 1, budget)? {
                None => step.stop = Some(budget.stop().unwrap_or(Stop::Interrupted)),
                Some(next) => {
                    let run = std::mem::replace(&mut learner.run, next);
                    learner.earlier += run.trace().len();
                    learner.restart += 1;
                    learner.best = Some(better(learner.best.take(), run.into_fit(stop)));
                    step.stop = None;
                }
            }
        }
        Ok(step)
    }

    /// Steps to the end, or that of the budget; the watcher sees the sweeps of all runs.
    pub(super) fn fit(&self, budget: &Budget, watch: Watch<'_>) -> Result<Fit<M>, LatentError> {
        let mut learner = self.begin()?;
        let stop = loop {
            let step = self.advance(&mut learner, budget)?;
            let seen = learner.run.trace().last().filter(|_| step.swept);
            if seen.is_some_and(|sweep| watch(sweep).is_break()) {
                break Stop::Interrupted;
            }
            if let Some(stop) = step.stop {
                break stop;
            }
        };
        Ok(learner.finish(stop))
    }
}

impl<M: LatentModel> Learner<M> {
    /// Sweeps of all runs so far.
    #[must_use]
    pub fn sweeps(&self) -> usize {
        self.earlier + self.run.trace().len()
    }

    /// Number of the present run, from 0.
    #[must_use]
    pub fn restart(&self) -> u64 {
        self.restart
    }

    /// The sweeps of the present run.
    #[must_use]
    pub fn trace(&self) -> &[Sweep] {
        self.run.trace()
    }

    /// `L(v, θ, q) + ln p(θ)` of the present run, in nats per example.
    #[must_use]
    pub fn free_energy(&self) -> f64 {
        self.run.free_energy()
    }

    /// The best run so far; `stop` says why the present one ended.
    #[must_use]
    pub fn finish(self, stop: Stop) -> Fit<M> {
        better(self.best, self.run.into_fit(stop))
    }
}

/// The better of two runs; the first of equals.
fn better<M>(best: Option<Fit<M>>, new: Fit<M>) -> Fit<M> {
    match best {
        Some(best) if new.free_energy > best.free_energy => new,
        Some(best) => best,
        None => new,
    }
}
