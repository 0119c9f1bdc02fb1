//! `forney learn bsc`.

use forney_latent::binary_sparse_coding::{
    Annealing, BinarySparseCoding, BinarySparseCodingParams, EStep, Exact, MeanField,
    StructuredMeanField, Truncated,
};
use serde_json::json;

use super::args::{BscArgs, EStepChoice};
use super::job::Job;
use super::learned::{Described, named};
use super::report::Report;
use super::session::Session;
use crate::done::Done;
use crate::error::Failure;

pub(super) fn run(args: &BscArgs, session: &Session<'_>) -> Result<Done<Report>, Failure> {
    session.check_outputs(&["json", "npz"], Some(&args.picture))?;
    let data = session.finite_data()?;
    session.check_patch(&args.picture, &data)?;
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
    session.admit(&data, params.demand(data.nrows(), data.ncols()))?;
    let e_step: &dyn EStep = match args.e_step {
        EStepChoice::Truncated => &Truncated::default(),
        EStepChoice::Mf => &MeanField::default(),
        EStepChoice::StructuredMf => &StructuredMeanField::default(),
        EStepChoice::Exact => &Exact,
    };
    Job {
        learner: params.learner(data.view(), e_step)?,
        kind: "bsc",
        measure: "nats per example, a lower bound on ln p(v)",
        options: json!({
            "units": params.units,
            "e_step": e_step.name(),
            "active": params.active,
            "isotropic": params.isotropic,
            "temperature": params.annealing.temperature,
            "annealing": params.annealing.iterations,
            "seed": params.seed,
        }),
        center_rows: false,
        picture: Some(&args.picture),
        describe: |model: &BinarySparseCoding, _| Ok(described(model)),
    }
    .run(session, &data)
}

fn described(model: &BinarySparseCoding) -> Described {
    let active: f64 = model.bias.iter().map(|b| 1.0 / (1.0 + (-b).exp())).sum();
    let arrays = vec![
        named("weights", &model.weights),
        named("bias", &model.bias),
        named("precision", &model.precision),
    ];
    let told = Described::new(arrays).with_atoms(&model.weights);
    told.with_fact("active_units", json!(active))
}
