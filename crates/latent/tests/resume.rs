//! Learning that is saved as JSON after every step and resumed gives the bits of learning that is not.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use forney_certify::{Budget, Stop};
use forney_latent::LatentError;
use forney_latent::binary_sparse_coding::{
    BinarySparseCoding, BinarySparseCodingParams, Truncated,
};
use forney_latent::continuous::LinearGaussianParams;
use forney_latent::em::{
    BayesNetParams, CategoricalHmmParams, Covariance, Em, FactorAnalysisParams, GaussianHmmParams,
    GaussianMixtureParams, MISSING, Variant,
};
use forney_latent::learn::{At, Fit, Learner, Learning};
use forney_latent::sparse_coding::{SparseCodingParams, Turns};
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

/// What is learned, saved and loaded after every step or not at all; every step within this time,
/// at first.
fn run<L: Learner>(learner: &L, saved: bool, mut time: Option<Duration>) -> Fit<L::Model> {
    let mut learning = Learning::begin(learner).unwrap();
    loop {
        if saved {
            learning = reloaded(&learning);
            learning.check(learner).unwrap();
        }
        let always = Budget::unlimited();
        let budget = time.map_or(always.clone(), |time| always.capped(time));
        match learning.step(learner, &budget).unwrap() {
            // One that was cut off comes again.
            Some(Stop::TimeLimit) if time.is_some() => time = time.map(|time| time * 2),
            Some(stop) => return learning.finish(learner, stop),
            None => {}
        }
    }
}

fn same<L: Learner>(learner: &L) {
    let whole = run(learner, false, None);
    let text = |fit: &Fit<L::Model>| serde_json::to_string(fit).unwrap();
    for time in [None, Some(Duration::from_micros(300))] {
        assert_eq!(text(&whole), text(&run(learner, true, time)));
    }
    assert_eq!(text(&whole), text(&learner.fit().unwrap()));
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
            same(&params.learner(data.view()).unwrap());
        }
        let params = FactorAnalysisParams {
            restarts: 2,
            em,
            ..Default::default()
        };
        same(&params.learner(data.view()).unwrap());
        let params = GaussianHmmParams {
            em,
            ..Default::default()
        };
        same(&params.learner(data.view(), &[60, 40]).unwrap());
        let params = CategoricalHmmParams {
            symbols: 3,
            restarts: 2,
            em,
            ..Default::default()
        };
        same(&params.learner(symbols.view(), &[30; 3]).unwrap());
        let params = BayesNetParams {
            smoothing: 0.5,
            em,
            ..Default::default()
        };
        same(&params.learner(&graph, states.view()).unwrap());
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
    let (short, long) = (few.learner(data.view()), many.learner(data.view()));
    let (short, long) = (short.unwrap(), long.unwrap());
    let budget = Budget::unlimited();
    let mut learning = Learning::begin(&short).unwrap();
    while learning.step(&short, &budget).unwrap().is_none() {}
    assert_eq!(learning.iterations(), 2);
    while learning.step(&long, &budget).unwrap().is_none() {}
    assert_eq!(
        learning.finish(&long, Stop::SweepLimit),
        long.fit().unwrap()
    );
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
    let e_step = Truncated::default();
    let learner = params.learner(data.view(), &e_step).unwrap();
    same(&learner);
    let (mut seen, mut iterations) = (0, 0);
    let watch = &mut |learning: &Learning<_>| {
        seen += usize::from(learning.news().is_some());
        iterations = learning.iterations();
        ControlFlow::Continue(())
    };
    learner.fit_within(&Budget::unlimited(), watch).unwrap();
    assert_eq!(seen, iterations);
}

#[test]
fn factor_analysis_by_mean_field() {
    let data = rows(60, 4);
    let params = LinearGaussianParams {
        iterations: 20,
        ..LinearGaussianParams::new(2)
    };
    same(&params.learner(data.view()).unwrap());
}

#[test]
fn sparse_coding_between_passes_and_within() {
    let data = rows(100, 6);
    let online = Turns::Online {
        batch: 16,
        forgetting: 5.0,
    };
    for schedule in [Turns::Batch, online, Turns::Incremental { batch: 16 }] {
        let params = SparseCodingParams {
            lambda: 0.2,
            passes: 4,
            tolerance: 0.0,
            schedule,
            learn_bias: true,
            ..SparseCodingParams::new(8)
        };
        let learner = params.learner(data.view()).unwrap();
        same(&learner);
        // What the budget interrupts leaves no trace.
        let mut learning = Learning::begin(&learner).unwrap();
        let before = learning.state().clone();
        let over = Budget::new(None, Arc::new(AtomicBool::new(true)));
        let stop = learning.step(&learner, &over).unwrap();
        assert_eq!(stop, Some(Stop::Interrupted));
        assert_eq!(learning.state(), &before);
    }
}

/// Halves a number, and then loses it.
struct Halving {
    lost: usize,
}

impl Learner for Halving {
    type State = f64;
    type Model = f64;

    fn examples(&self) -> usize {
        1
    }

    fn starts(&self) -> usize {
        2
    }

    fn limit(&self, _: usize) -> usize {
        10
    }

    fn begin(&self, _: usize, _: &Budget) -> Result<Option<f64>, LatentError> {
        Ok(Some(if self.lost == 0 { f64::NAN } else { -1.0 }))
    }

    fn check(&self, _: &f64) -> Result<(), LatentError> {
        Ok(())
    }

    fn step(&self, state: &f64, at: At, _: &Budget) -> Result<Option<f64>, LatentError> {
        let lost = at.iteration + 1 == self.lost;
        Ok(Some(if lost { f64::NAN } else { state / 2.0 }))
    }

    fn objective(&self, state: &f64) -> f64 {
        *state
    }

    fn converged(&self, _: At, _: f64, _: f64) -> bool {
        false
    }

    fn model(&self, state: f64) -> f64 {
        state
    }
}

#[test]
fn a_lost_objective_is_told_and_what_was_before_is_kept() {
    let fit = Halving { lost: 3 }.fit().unwrap();
    assert_eq!((fit.stop, fit.model), (Stop::Diverged, -0.25));
    assert_eq!(fit.trace, [-0.5, -0.25]);
    assert_eq!(Halving { lost: 0 }.fit().unwrap().stop, Stop::Diverged);
    let whole = Halving { lost: 99 }.fit().unwrap();
    assert_eq!((whole.stop, whole.trace.len()), (Stop::SweepLimit, 10));
}
