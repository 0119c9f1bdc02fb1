//! `forney learn sparse-coding`.

use std::time::Duration;

use forney_certify::{Budget, Stop};
use forney_latent::sparse_coding::{Inference, Learner, Schedule, Sign, SparseCodingParams};
use ndarray::Array2;
use serde_json::{Map, Value, json};

use super::args::{LearnerChoice, SparseCodingArgs};
use super::learned::Learned;
use super::training::{Job, Now};
use crate::error::Failure;

/// A part of a pass after which progress is shown.
const SLICE: Duration = Duration::from_millis(250);

pub(super) struct SparseCodingJob<'a> {
    params: SparseCodingParams,
    center_rows: bool,
    data: &'a Array2<f64>,
}

impl<'a> SparseCodingJob<'a> {
    pub(super) fn new(args: &SparseCodingArgs, data: &'a Array2<f64>) -> Self {
        let batch = args.batch;
        let params = SparseCodingParams {
            lambda: args.lambda,
            beta: args.beta,
            inference: Inference {
                sign: if args.non_negative {
                    Sign::NonNegative
                } else {
                    Sign::Any
                },
                ..Inference::default()
            },
            schedule: match args.learner {
                LearnerChoice::Batch => Schedule::Batch,
                LearnerChoice::Online => Schedule::Online {
                    batch,
                    forgetting: 50.0,
                },
                LearnerChoice::Incremental => Schedule::Incremental { batch },
            },
            learn_bias: args.bias,
            passes: args.epochs,
            tolerance: args.tolerance,
            seed: args.run.seed,
            ..SparseCodingParams::new(args.atoms)
        };
        Self {
            params,
            center_rows: args.center_rows,
            data,
        }
    }

    /// Bytes that learning takes beside the data.
    pub(super) fn demand(&self) -> f64 {
        self.params.demand(self.data.nrows(), self.data.ncols())
    }
}

impl Job for SparseCodingJob<'_> {
    type State = Learner;

    fn kind(&self) -> &'static str {
        "sparse-coding"
    }

    fn measure(&self) -> &'static str {
        "mean of λ‖h‖₁ + β/2 ‖v − b − W h‖², lower is better"
    }

    fn examples(&self) -> usize {
        self.data.nrows()
    }

    fn options(&self) -> Value {
        let SparseCodingParams {
            atoms,
            lambda,
            beta,
            inference,
            schedule,
            learn_bias,
            seed,
            ..
        } = &self.params;
        json!({
            "atoms": atoms,
            "lambda": lambda,
            "beta": beta,
            "non_negative": inference.sign == Sign::NonNegative,
            "learner": schedule,
            "bias": learn_bias,
            "center_rows": self.center_rows,
            "seed": seed,
        })
    }

    fn begin(&self) -> Result<Learner, Failure> {
        Ok(Learner::new(self.params.clone(), self.data.view())?)
    }

    fn resume(&self, mut learner: Learner) -> Result<Learner, Failure> {
        learner.check(self.data.view())?;
        learner.set_limits(self.params.passes, self.params.tolerance);
        Ok(learner)
    }

    fn step(&self, learner: &mut Learner, budget: &Budget) -> Result<Option<Stop>, Failure> {
        if let Some(stop) = learner.ended() {
            return Ok(Some(stop));
        }
        // A batch is all or nothing.
        let slice = match self.params.schedule {
            Schedule::Batch => budget.clone(),
            _ => budget.capped(SLICE),
        };
        let cut = learner.pass(self.data.view(), &slice)?;
        Ok(cut.and_then(|_| budget.stop()))
    }

    fn now(&self, learner: &Learner) -> Now {
        Now {
            iteration: learner.trace().len(),
            share: learner.share(self.data.nrows()),
            limit: self.params.passes,
            objective: learner.trace().last().copied(),
            start: 0,
            starts: 1,
        }
    }

    fn learned(&self, learner: Learner, stop: Stop) -> Result<Learned, Failure> {
        let model = learner.model();
        let curve = learner.trace().to_vec();
        let mut facts = Map::new();
        // Someone who pressed Ctrl-C does not wait for another pass.
        let objective = if stop == Stop::Interrupted {
            curve.last().copied().unwrap_or(f64::INFINITY)
        } else {
            let encoding = model.transform(self.data.view())?;
            let entries = (self.data.nrows() * model.atoms()) as f64;
            let share = encoding.codes.non_zeros() as f64 / entries;
            facts.insert("non_zeros".to_owned(), json!(share));
            let gap = encoding.gaps.iter().copied().fold(0.0, f64::max);
            facts.insert("largest_gap".to_owned(), json!(gap));
            self.params.beta * encoding.objectives.iter().sum::<f64>() / self.data.nrows() as f64
        };
        Ok(Learned {
            kind: self.kind(),
            model: serde_json::to_value(model)
                .map_err(|error| Failure::Internal(error.to_string()))?,
            center_rows: self.center_rows,
            arrays: vec![
                ("dictionary", model.dictionary.clone().into_dyn()),
                ("bias", model.bias.clone().into_dyn()),
            ],
            uai: None,
            objective,
            curve,
            atoms: Some(model.dictionary.t().as_standard_layout().into_owned()),
            facts,
        })
    }
}
