//! `forney learn bsc`.

use forney_certify::{Budget, Stop};
use forney_latent::binary_sparse_coding::{
    Annealing, BinarySparseCodingParams, EStep, Exact, Learner, MeanField, StructuredMeanField,
    Truncated,
};
use ndarray::Array2;
use serde_json::{Map, Value, json};

use super::args::{BscArgs, EStepChoice};
use super::learned::Learned;
use super::training::{Job, Now};
use crate::error::Failure;

pub(super) struct BscJob<'a> {
    params: BinarySparseCodingParams,
    e_step: Box<dyn EStep>,
    data: &'a Array2<f64>,
}

impl<'a> BscJob<'a> {
    pub(super) fn new(args: &BscArgs, data: &'a Array2<f64>) -> Self {
        let params = BinarySparseCodingParams {
            active: args.active,
            isotropic: args.isotropic,
            annealing: Annealing {
                temperature: args.temperature,
                iterations: args.annealing,
            },
            starts: args.restarts,
            iterations: args.iterations,
            tolerance: args.tolerance,
            seed: args.run.seed,
            ..BinarySparseCodingParams::new(args.units)
        };
        let e_step: Box<dyn EStep> = match args.e_step {
            EStepChoice::Truncated => Box::new(Truncated::default()),
            EStepChoice::Mf => Box::new(MeanField::default()),
            EStepChoice::StructuredMf => Box::new(StructuredMeanField::default()),
            EStepChoice::Exact => Box::new(Exact),
        };
        Self {
            params,
            e_step,
            data,
        }
    }

    /// Bytes that learning takes beside the data.
    pub(super) fn demand(&self) -> f64 {
        self.params.demand(self.data.nrows(), self.data.ncols())
    }
}

impl Job for BscJob<'_> {
    type State = Learner;

    fn kind(&self) -> &'static str {
        "bsc"
    }

    fn measure(&self) -> &'static str {
        "nats per example, a lower bound on ln p(v)"
    }

    fn examples(&self) -> usize {
        self.data.nrows()
    }

    fn options(&self) -> Value {
        let BinarySparseCodingParams {
            units,
            active,
            isotropic,
            annealing,
            seed,
            ..
        } = &self.params;
        json!({
            "units": units,
            "e_step": self.e_step.name(),
            "active": active,
            "isotropic": isotropic,
            "temperature": annealing.temperature,
            "annealing": annealing.iterations,
            "seed": seed,
        })
    }

    fn begin(&self) -> Result<Learner, Failure> {
        Ok(self.params.begin(self.data.view(), &*self.e_step)?)
    }

    fn resume(&self, learner: Learner) -> Result<Learner, Failure> {
        self.params.check_learner(&learner, self.data.view())?;
        Ok(learner)
    }

    fn step(&self, learner: &mut Learner, budget: &Budget) -> Result<Option<Stop>, Failure> {
        let (data, e_step) = (self.data.view(), &*self.e_step);
        Ok(self.params.step(learner, data, e_step, budget)?)
    }

    fn now(&self, learner: &Learner) -> Now {
        let BinarySparseCodingParams {
            starts,
            iterations,
            annealing,
            ..
        } = self.params;
        // Every other start is annealed, and each begins with an evaluation.
        let annealed = starts.div_ceil(2).saturating_mul(annealing.iterations);
        let rest = starts.saturating_mul(iterations.saturating_add(1));
        Now {
            iteration: learner.evaluations(),
            share: 0.0,
            limit: annealed.saturating_add(rest),
            objective: Some(learner.bound()),
            start: learner.start(),
            starts,
        }
    }

    fn learned(&self, learner: Learner, stop: Stop) -> Result<Learned, Failure> {
        let fit = learner.finish(stop);
        let model = fit.model;
        let active: f64 = model.bias.iter().map(|b| 1.0 / (1.0 + (-b).exp())).sum();
        let mut facts = Map::new();
        facts.insert("active_units".to_owned(), json!(active));
        Ok(Learned {
            kind: self.kind(),
            model: serde_json::to_value(&model)
                .map_err(|error| Failure::Internal(error.to_string()))?,
            center_rows: false,
            arrays: vec![
                ("weights", model.weights.clone().into_dyn()),
                ("bias", model.bias.clone().into_dyn()),
                ("precision", model.precision.clone().into_dyn()),
            ],
            uai: None,
            objective: fit.bound,
            curve: fit.trace,
            atoms: Some(model.weights.t().as_standard_layout().into_owned()),
            facts,
        })
    }
}
