//! Expectation maximisation of any model as a job.

use forney_certify::{Budget, Stop};
use forney_latent::em::{Fit, LatentModel, Learner, Task};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::describe::Described;
use crate::error::Failure;
use crate::learn::learned::Learned;
use crate::learn::training::{Job, Now};

/// A model, and all that decides how it is learned.
pub(super) struct EmJob<'d, M: LatentModel> {
    pub(super) task: Task<'d, M>,
    pub(super) kind: &'static str,
    /// What the objective is.
    pub(super) measure: &'static str,
    /// What a checkpoint must agree in.
    pub(super) options: Value,
    pub(super) restarts: usize,
    /// The most of each run.
    pub(super) sweeps: usize,
    pub(super) describe: fn(&M) -> Result<Described, Failure>,
}

/// As JSON.
pub(super) fn plain(value: &impl Serialize) -> Result<Value, Failure> {
    serde_json::to_value(value).map_err(|error| Failure::Internal(error.to_string()))
}

impl<M: LatentModel + Serialize + DeserializeOwned> EmJob<'_, M> {
    /// Refuses a model that excludes an example: no step can mend that.
    fn possible(&self, learner: &Learner<M>) -> Result<(), Failure> {
        if learner.sweeps() > 0 && learner.free_energy() == f64::NEG_INFINITY {
            return Err(Failure::Usage(
                "the tables give some rows the probability 0, and learning keeps zeros: use \
                 --smoothing, or --start random"
                    .to_owned(),
            ));
        }
        Ok(())
    }
}

impl<M: LatentModel + Serialize + DeserializeOwned> Job for EmJob<'_, M> {
    type State = Learner<M>;

    fn kind(&self) -> &'static str {
        self.kind
    }

    fn measure(&self) -> &'static str {
        self.measure
    }

    fn examples(&self) -> usize {
        self.task.examples()
    }

    fn options(&self) -> Value {
        self.options.clone()
    }

    fn begin(&self) -> Result<Learner<M>, Failure> {
        Ok(self.task.begin()?)
    }

    fn resume(&self, learner: Learner<M>) -> Result<Learner<M>, Failure> {
        self.task.check(&learner)?;
        Ok(learner)
    }

    fn step(&self, learner: &mut Learner<M>, budget: &Budget) -> Result<Option<Stop>, Failure> {
        let stop = self.task.step(learner, budget)?;
        self.possible(learner)?;
        Ok(stop)
    }

    fn now(&self, learner: &Learner<M>) -> Now {
        Now {
            iteration: learner.sweeps(),
            share: 0.0,
            limit: self.restarts.saturating_mul(self.sweeps),
            objective: Some(learner.free_energy()).filter(|_| learner.sweeps() > 0),
            start: usize::try_from(learner.restart()).unwrap_or(usize::MAX),
            starts: self.restarts,
        }
    }

    fn learned(&self, learner: Learner<M>, stop: Stop) -> Result<Learned, Failure> {
        let fit: Fit<M> = learner.finish(stop);
        let (arrays, uai, facts) = (self.describe)(&fit.model)?;
        Ok(Learned {
            kind: self.kind(),
            model: plain(&fit.model)?,
            center_rows: false,
            arrays,
            uai,
            objective: fit.free_energy,
            curve: fit.trace.iter().map(|sweep| sweep.value).collect(),
            atoms: None,
            facts,
        })
    }
}
