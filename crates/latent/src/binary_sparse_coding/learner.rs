//! Learning iteration by iteration, with a state that can be saved and resumed.

use forney_certify::{Budget, Stop};
use ndarray::ArrayView2;
use rand::SeedableRng;
use rand_pcg::Pcg64;
use serde::{Deserialize, Serialize};

use super::e_step::EStep;
use super::learn::{Annealing, BinarySparseCodingParams, Fit};
use super::m_step::Moments;
use super::model::{BinarySparseCoding, sigmoid};
use crate::{LatentError, check};

/// The state of learning between two iterations.
///
/// # Example
/// ```
/// use forney_certify::Budget;
/// use forney_latent::binary_sparse_coding::{
///     BinarySparseCoding, BinarySparseCodingParams, Truncated,
/// };
/// let data = BinarySparseCoding::bars(3, 10.0, 1.0).sample(100, 1)?;
/// let (params, e_step) = (BinarySparseCodingParams::new(6), Truncated::default());
/// let mut learner = params.begin(data.view(), &e_step)?;
/// let stop = loop {
///     let step = params.step(&mut learner, data.view(), &e_step, &Budget::unlimited())?;
///     if let Some(stop) = step {
///         break stop;
///     }
/// };
/// assert_eq!(learner.finish(stop), params.fit(data.view(), &e_step)?);
/// # Ok::<(), forney_latent::LatentError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Learner {
    start: usize,
    climb: Climb,
    /// Of the starts that have ended.
    best: Option<Fit>,
    /// Evaluations of the starts that have ended.
    earlier: usize,
}

/// One start: a model, the moments of its posteriors, and the bounds of the models so far.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Climb {
    model: BinarySparseCoding,
    moments: Moments,
    trace: Vec<f64>,
}

impl Climb {
    fn bound(&self) -> f64 {
        self.trace.last().copied().unwrap_or(f64::NEG_INFINITY)
    }

    fn into_fit(self, stop: Stop) -> Fit {
        Fit {
            bound: self.bound(),
            model: self.model,
            trace: self.trace,
            stop,
        }
    }
}

impl Learner {
    /// Number of the present start, from 0.
    #[must_use]
    pub fn start(&self) -> usize {
        self.start
    }

    /// The model of the present start.
    #[must_use]
    pub fn model(&self) -> &BinarySparseCoding {
        &self.climb.model
    }

    /// The mean bound of that model, in nats for each example.
    #[must_use]
    pub fn bound(&self) -> f64 {
        self.climb.bound()
    }

    /// The mean bounds of the models of the present start.
    #[must_use]
    pub fn trace(&self) -> &[f64] {
        &self.climb.trace
    }

    /// Models evaluated in all starts.
    #[must_use]
    pub fn evaluations(&self) -> usize {
        self.earlier + self.climb.trace.len()
    }

    /// The best start so far; `stop` says why the present one ended.
    #[must_use]
    pub fn finish(self, stop: Stop) -> Fit {
        better(self.best, self.climb.into_fit(stop))
    }
}

/// The better of two fits; the first of equals.
fn better(best: Option<Fit>, new: Fit) -> Fit {
    match best {
        Some(best) if new.bound > best.bound => new,
        Some(best) => best,
        None => new,
    }
}

impl BinarySparseCodingParams {
    /// The first start, its model evaluated.
    ///
    /// # Errors
    /// As [`fit`](Self::fit).
    pub fn begin(
        &self,
        data: ArrayView2<'_, f64>,
        e_step: &dyn EStep,
    ) -> Result<Learner, LatentError> {
        self.check(data)?;
        // The first model is always evaluated, so that there is a bound to return.
        let always = Budget::unlimited();
        let first = self.model_of(0, data);
        let first = self.evaluated(first, 0, Vec::new(), data, e_step, &always)?;
        Ok(Learner {
            start: 0,
            climb: first.expect("an unlimited budget does not end"),
            best: None,
            earlier: 0,
        })
    }

    /// Refuses a learner that was saved with other data or another number of units.
    ///
    /// # Errors
    /// Sizes that do not fit, or a start that was never evaluated.
    pub fn check_learner(
        &self,
        learner: &Learner,
        data: ArrayView2<'_, f64>,
    ) -> Result<(), LatentError> {
        let Climb {
            model,
            moments,
            trace,
        } = &learner.climb;
        model.check(data)?;
        check::shape("the number of units", self.units, model.units())?;
        moments.check(model)?;
        check::enough(trace.len(), 1)
    }

    /// One iteration, or the beginning of the next start; why learning has ended, if it has. What the
    /// budget interrupts leaves no trace.
    ///
    /// # Errors
    /// As [`fit`](Self::fit).
    pub fn step(
        &self,
        learner: &mut Learner,
        data: ArrayView2<'_, f64>,
        e_step: &dyn EStep,
        budget: &Budget,
    ) -> Result<Option<Stop>, LatentError> {
        let ended = self.ended(learner);
        if ended.is_some() && learner.start + 1 >= self.starts {
            return Ok(ended);
        }
        let cut = || Ok(Some(budget.stop().unwrap_or(Stop::Interrupted)));
        if budget.stop().is_some() {
            return cut();
        }
        if let Some(stop) = ended {
            let start = learner.start + 1;
            let first = self.model_of(start, data);
            let first = self.evaluated(first, start, Vec::new(), data, e_step, budget)?;
            let Some(next) = first else {
                return cut();
            };
            let climb = std::mem::replace(&mut learner.climb, next);
            learner.start = start;
            learner.earlier += climb.trace.len();
            learner.best = Some(better(learner.best.take(), climb.into_fit(stop)));
        } else {
            let start = learner.start;
            let mut model = learner.climb.model.clone();
            let annealing = self.annealing_left(start, learner.climb.trace.len() - 1) > 0.0;
            let moments = &learner.climb.moments;
            let isotropic = self.isotropic || annealing;
            self.m_step.apply(moments, isotropic, &mut model);
            if annealing {
                let shared = model.bias.mapv(sigmoid).sum() / self.units as f64;
                model.bias.fill((shared / (1.0 - shared)).ln());
            }
            let trace = learner.climb.trace.clone();
            let Some(next) = self.evaluated(model, start, trace, data, e_step, budget)? else {
                return cut();
            };
            learner.climb = next;
        }
        // The end of the last start is told at once, not with the next step.
        let last = learner.start + 1 >= self.starts;
        Ok(self.ended(learner).filter(|_| last))
    }

    /// The E-step of a model, whose bound joins the trace; `None` if the budget ends first.
    fn evaluated(
        &self,
        model: BinarySparseCoding,
        start: usize,
        mut trace: Vec<f64>,
        data: ArrayView2<'_, f64>,
        e_step: &dyn EStep,
        budget: &Budget,
    ) -> Result<Option<Climb>, LatentError> {
        let hottest = self.annealing_of(start).temperature;
        let temperature = hottest.powf(self.annealing_left(start, trace.len()));
        let Some(posteriors) = model.infer_within(data, e_step, temperature, budget)? else {
            return Ok(None);
        };
        trace.push(model.bound(data, &posteriors)? / data.nrows() as f64);
        Ok(Some(Climb {
            moments: Moments::new(data, &posteriors)?,
            model,
            trace,
        }))
    }

    /// Why the present start has ended, if it has.
    fn ended(&self, learner: &Learner) -> Option<Stop> {
        let trace = &learner.climb.trace;
        let annealed = self.annealing_of(learner.start).iterations;
        let iteration = trace.len() - 1;
        // The first bound at T = 1 has no other to be compared with.
        if let [.., before, now] = trace.as_slice()
            && iteration > annealed
            && now - before <= self.tolerance
        {
            return Some(Stop::Converged);
        }
        (iteration >= annealed.saturating_add(self.iterations)).then_some(Stop::SweepLimit)
    }

    /// Every other start goes without annealing.
    fn annealing_of(&self, start: usize) -> Annealing {
        if start.is_multiple_of(2) {
            self.annealing
        } else {
            Annealing::NONE
        }
    }

    /// The share of the annealing that is still to come.
    fn annealing_left(&self, start: usize, iteration: usize) -> f64 {
        let annealed = self.annealing_of(start).iterations;
        annealed.saturating_sub(iteration) as f64 / annealed.max(1) as f64
    }

    /// The model that a start begins with. One generator draws those of all starts, so the earlier ones
    /// are drawn again.
    fn model_of(&self, start: usize, data: ArrayView2<'_, f64>) -> BinarySparseCoding {
        let mut rng = Pcg64::seed_from_u64(self.seed);
        for _ in 0..start {
            self.first_model(data, &mut rng);
        }
        self.first_model(data, &mut rng)
    }
}
