//! `forney learn sparse-coding`.

use forney_certify::Stop;
use forney_latent::sparse_coding::{Inference, Sign, SparseCoding, SparseCodingParams, Turns};
use ndarray::Array2;
use serde_json::json;

use super::args::{LearnerChoice, SparseCodingArgs};
use super::job::Job;
use super::learned::{Described, named};
use super::report::Report;
use super::session::Session;
use crate::done::Done;
use crate::error::Failure;

pub(super) fn run(args: &SparseCodingArgs, session: &Session<'_>) -> Result<Done<Report>, Failure> {
    session.check_outputs(&["json", "npz"], Some(&args.picture))?;
    let mut data = session.finite_data()?;
    if args.center_rows {
        for mut row in data.rows_mut() {
            let mean = row.mean().unwrap_or(0.0);
            row -= mean;
        }
    }
    session.check_patch(&args.picture, &data)?;
    let params = params(args);
    session.admit(&data, params.demand(data.nrows(), data.ncols()))?;
    Job {
        learner: params.learner(data.view())?,
        kind: "sparse-coding",
        measure: "mean of λ‖h‖₁ + β/2 ‖v − b − W h‖², lower is better",
        options: json!({
            "atoms": params.atoms,
            "lambda": params.lambda,
            "beta": params.beta,
            "non_negative": args.non_negative,
            "learner": params.schedule,
            "bias": params.learn_bias,
            "center_rows": args.center_rows,
            "seed": params.seed,
        }),
        center_rows: args.center_rows,
        picture: Some(&args.picture),
        describe: |model: &SparseCoding, stop| described(model, stop, &data),
    }
    .run(session, &data)
}

fn params(args: &SparseCodingArgs) -> SparseCodingParams {
    let batch = args.batch;
    SparseCodingParams {
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
            LearnerChoice::Batch => Turns::Batch,
            LearnerChoice::Online => Turns::Online {
                batch,
                forgetting: 50.0,
            },
            LearnerChoice::Incremental => Turns::Incremental { batch },
        },
        learn_bias: args.bias,
        passes: args.epochs,
        tolerance: args.tolerance,
        seed: args.run.seed,
        ..SparseCodingParams::new(args.atoms)
    }
}

fn described(model: &SparseCoding, stop: Stop, data: &Array2<f64>) -> Result<Described, Failure> {
    let arrays = vec![
        named("dictionary", &model.dictionary),
        named("bias", &model.bias),
    ];
    let mut told = Described::new(arrays).with_atoms(&model.dictionary);
    // The objective of the last pass is of dictionaries before this one; but someone who pressed Ctrl-C
    // does not wait for another pass.
    if stop != Stop::Interrupted {
        let encoding = model.transform(data.view())?;
        let share = encoding.codes.non_zeros() as f64 / (data.nrows() * model.atoms()) as f64;
        let gap = encoding.gaps.iter().copied().fold(0.0, f64::max);
        told = told.with_fact("non_zeros", json!(share));
        told = told.with_fact("largest_gap", json!(gap));
        let sum: f64 = encoding.objectives.iter().sum();
        told.objective = Some(model.beta * sum / data.nrows() as f64);
    }
    Ok(told)
}
