//! Learning that is saved as JSON after every step and resumed gives the bits of learning that is not.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use forney_certify::{Budget, Stop};
use forney_latent::binary_sparse_coding::{
    BinarySparseCoding, BinarySparseCodingParams, Truncated,
};
use forney_latent::em::{
    BayesNetParams, CategoricalHmmParams, Covariance, Em, FactorAnalysisParams, Fit,
    GaussianHmmParams, GaussianMixtureParams, LatentModel, MISSING, Task, Variant,
};
use forney_latent::sparse_coding::{Learner, Schedule, SparseCodingParams};
use forney_model::{FactorGraph, Table, VarId};
use ndarray::Array2;
use serde::Serialize;
use serde::de::DeserializeOwned;

fn reloaded<T: Serialize + DeserializeOwned>(state: &T) -> T {
    serde_json::from_str(&serde_json::to_string(state).unwrap()).unwrap()
}

const VARIANTS: [Variant; 3] = [
    Variant::Batch,
    Variant::Minibatch {
        examples: 16,
        decay: 0.7,
    },
    Variant::Incremental { examples: 16 },
];

fn loops() -> impl Iterator<Item = Em> {
    VARIANTS.into_iter().map(|variant| Em {
        variant,
        sweeps: 6,
        ..Em::default()
    })
}

/// The fit of a task, saved and loaded after every step or not at all.
fn run<M: LatentModel + Serialize + DeserializeOwned>(task: &Task<'_, M>, saved: bool) -> Fit<M> {
    let budget = Budget::unlimited();
    let mut learner = task.begin().unwrap();
    loop {
        if saved {
            learner = reloaded(&learner);
            task.check(&learner).unwrap();
        }
        if let Some(stop) = task.step(&mut learner, &budget).unwrap() {
            return learner.finish(stop);
        }
    }
}

fn same<M: LatentModel + Serialize + DeserializeOwned>(task: &Task<'_, M>) {
    let (whole, parts) = (run(task, false), run(task, true));
    let text = |fit: &Fit<M>| serde_json::to_string(&fit.model).unwrap();
    assert_eq!(text(&whole), text(&parts));
    assert_eq!(whole.free_energy.to_bits(), parts.free_energy.to_bits());
    assert_eq!(whole.stop, parts.stop);
    assert!(!whole.trace.is_empty());
}

fn rows(count: usize, columns: usize) -> Array2<f64> {
    Array2::from_shape_fn((count, columns), |(n, d)| {
        let n = n as f64;
        (0.7 * n + d as f64).sin() + if n % 3.0 < 1.0 { 4.0 } else { 0.1 * n.cos() }
    })
}

#[test]
fn em_of_every_model() {
    let data = rows(100, 3);
    let symbols = ndarray::Array1::from_shape_fn(90, |t| (t * t / 7) % 3);
    let table = |scope: &[usize], values: &[f64]| {
        let scope: Vec<VarId> = scope.iter().map(|&v| VarId::new(v)).collect();
        Table::from_values(scope.clone(), vec![2; scope.len()], values).unwrap()
    };
    let cause = table(&[0], &[0.5, 0.5]);
    let effects = [1, 2].map(|v| table(&[0, v], &[0.9, 0.1, 0.2, 0.8]));
    let factors = [cause].into_iter().chain(effects).collect();
    let graph = FactorGraph::new(vec![2; 3], factors).unwrap();
    let states = Array2::from_shape_fn((60, 3), |(n, v)| match (n * (v + 2) / 5) % 4 {
        _ if v == 0 => MISSING,
        3 => MISSING,
        state => (state % 2) as i32,
    });
    for em in loops() {
        for covariance in [Covariance::Full, Covariance::Tied] {
            let params = GaussianMixtureParams {
                covariance,
                restarts: 2,
                em,
                ..Default::default()
            };
            same(&params.task(data.view()).unwrap());
        }
        let params = FactorAnalysisParams {
            restarts: 2,
            em,
            ..Default::default()
        };
        same(&params.task(data.view()).unwrap());
        let params = GaussianHmmParams {
            em,
            ..Default::default()
        };
        same(&params.task(data.view(), &[60, 40]).unwrap());
        let params = CategoricalHmmParams {
            symbols: 3,
            restarts: 2,
            em,
            ..Default::default()
        };
        same(&params.task(symbols.view(), &[30; 3]).unwrap());
        let params = BayesNetParams {
            smoothing: 0.5,
            em,
            ..Default::default()
        };
        same(&params.task(&graph, states.view()).unwrap());
    }
}

#[test]
fn more_sweeps_go_on_where_fewer_ended() {
    let data = rows(100, 3);
    let params = |sweeps| GaussianMixtureParams {
        em: Em {
            sweeps,
            tolerance: 0.0,
            ..Em::default()
        },
        ..Default::default()
    };
    let (few, many) = (params(2), params(5));
    let short = few.task(data.view()).unwrap();
    let long = many.task(data.view()).unwrap();
    let budget = Budget::unlimited();
    let mut learner = short.begin().unwrap();
    while short.step(&mut learner, &budget).unwrap().is_none() {}
    assert_eq!(learner.sweeps(), 2);
    while long.step(&mut learner, &budget).unwrap().is_none() {}
    let whole = many.fit(data.view()).unwrap();
    assert_eq!(learner.finish(Stop::SweepLimit).model, whole.model);
}

#[test]
fn binary_sparse_coding() {
    let data = BinarySparseCoding::bars(3, 10.0, 2.0)
        .sample(80, 3)
        .unwrap();
    let params = BinarySparseCodingParams {
        starts: 3,
        iterations: 10,
        ..BinarySparseCodingParams::new(6)
    };
    let (e_step, budget) = (Truncated::default(), Budget::unlimited());
    let mut learner = params.begin(data.view(), &e_step).unwrap();
    let stop = loop {
        learner = reloaded(&learner);
        let stop = params.step(&mut learner, data.view(), &e_step, &budget);
        if let Some(stop) = stop.unwrap() {
            break stop;
        }
    };
    let evaluations = learner.evaluations();
    let mut seen = 0;
    let whole = params.fit_within(data.view(), &e_step, &budget, &mut |_, _, _| seen += 1);
    assert_eq!(learner.finish(stop), whole.unwrap());
    assert_eq!(seen, evaluations);
}

#[test]
fn sparse_coding_between_passes_and_within() {
    let data = rows(100, 6);
    for schedule in [
        Schedule::Batch,
        Schedule::Online {
            batch: 16,
            forgetting: 5.0,
        },
        Schedule::Incremental { batch: 16 },
    ] {
        let params = SparseCodingParams {
            lambda: 0.2,
            passes: 4,
            tolerance: 0.0,
            schedule,
            learn_bias: true,
            ..SparseCodingParams::new(8)
        };
        let mut whole = Learner::new(params.clone(), data.view()).unwrap();
        whole
            .run(data.view(), &Budget::unlimited(), &mut |_| {})
            .unwrap();
        let mut parts = Learner::new(params, data.view()).unwrap();
        while parts.ended().is_none() {
            parts = reloaded(&parts);
            // A budget that ends at some time within the pass, or does not.
            let short = Budget::unlimited().capped(std::time::Duration::from_micros(300));
            parts.pass(data.view(), &short).unwrap();
            parts = reloaded(&parts);
            let over = Budget::new(None, Arc::new(AtomicBool::new(true)));
            let before = parts.clone();
            assert_eq!(
                parts.pass(data.view(), &over).unwrap(),
                Some(Stop::Interrupted)
            );
            assert_eq!(parts, before);
            // The short budget may have been long enough for the last pass.
            if parts.ended().is_none() {
                parts.pass(data.view(), &Budget::unlimited()).unwrap();
            }
        }
        assert_eq!(parts, whole);
    }
}
