//! Laws of every learner: learning that is saved as JSON after every step and resumed gives the bits of
//! learning that is not, and so do other numbers of threads; what is interrupted leaves no trace.

mod common;

use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use common::{refused, sweeps};
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
use ndarray::{Array1, Array2, ArrayView2, s};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// What holds for every learner.
trait Law {
    fn check<L: Learner + Sync>(&self, learner: &L)
    where
        L::Model: Send;
}

/// Holds a law against all learners, with so many rows, in batches of a sixth of them.
fn check(law: &impl Law, count: usize) {
    let data = rows(count, 3);
    let symbols = Array1::from_shape_fn(count, |t| (t * t / 7) % 3);
    let lengths = [count / 10; 10];
    let table = |scope: &[usize], values: &[f64]| {
        let scope: Vec<VarId> = scope.iter().map(|&v| VarId::new(v)).collect();
        Table::from_values(scope.clone(), vec![2; scope.len()], values).unwrap()
    };
    let cause = table(&[0], &[0.5, 0.5]);
    let effects = [1, 2].map(|v| table(&[0, v], &[0.9, 0.1, 0.2, 0.8]));
    let factors = [cause].into_iter().chain(effects).collect();
    let graph = FactorGraph::new(vec![2; 3], factors).unwrap();
    let states = Array2::from_shape_fn((count, 3), |(n, v)| match (n * (v + 2) / 5) % 4 {
        _ if v == 0 => MISSING,
        3 => MISSING,
        state => (state % 2) as i32,
    });
    let examples = count / 6;
    let decay = 0.7;
    for variant in [
        Variant::Batch,
        Variant::Minibatch { examples, decay },
        Variant::Incremental { examples },
    ] {
        let em = Em {
            variant,
            sweeps: 6,
            ..Em::default()
        };
        for covariance in [Covariance::Full, Covariance::Tied] {
            let params = GaussianMixtureParams {
                covariance,
                restarts: 2,
                em,
                ..Default::default()
            };
            law.check(&params.learner(data.view()).unwrap());
        }
        let params = FactorAnalysisParams {
            restarts: 2,
            em,
            ..Default::default()
        };
        law.check(&params.learner(data.view()).unwrap());
        let params = GaussianHmmParams {
            em,
            ..Default::default()
        };
        law.check(&params.learner(data.view(), &lengths).unwrap());
        let params = CategoricalHmmParams {
            symbols: 3,
            restarts: 2,
            em,
            ..Default::default()
        };
        law.check(&params.learner(symbols.view(), &lengths).unwrap());
        let params = BayesNetParams {
            smoothing: 0.5,
            em,
            ..Default::default()
        };
        law.check(&params.learner(&graph, states.view()).unwrap());
    }
    let bars = BinarySparseCoding::bars(3, 10.0, 2.0);
    let bars = bars.sample(count, 3).unwrap();
    let params = BinarySparseCodingParams {
        starts: 3,
        iterations: 10,
        ..BinarySparseCodingParams::new(6)
    };
    let e_step = Truncated::default();
    law.check(&params.learner(bars.view(), &e_step).unwrap());
    let params = LinearGaussianParams {
        iterations: 20,
        ..LinearGaussianParams::new(2)
    };
    law.check(&params.learner(data.view()).unwrap());
    let patches = rows(count, 6);
    let online = Turns::Online {
        batch: examples,
        forgetting: 5.0,
    };
    let incremental = Turns::Incremental { batch: examples };
    for schedule in [Turns::Batch, online, incremental] {
        let params = SparseCodingParams {
            lambda: 0.2,
            passes: 4,
            tolerance: 0.0,
            schedule,
            learn_bias: true,
            ..SparseCodingParams::new(8)
        };
        law.check(&params.learner(patches.view()).unwrap());
    }
}

fn rows(count: usize, columns: usize) -> Array2<f64> {
    Array2::from_shape_fn((count, columns), |(n, d)| {
        let n = n as f64;
        (0.7 * n + d as f64).sin() + if n % 3.0 < 1.0 { 4.0 } else { 0.1 * n.cos() }
    })
}

fn text(value: &impl Serialize) -> String {
    serde_json::to_string(value).unwrap()
}

fn reloaded<T: Serialize + DeserializeOwned>(state: &T) -> T {
    serde_json::from_str(&text(state)).unwrap()
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

/// Saving changes nothing, neither of states nor of models.
struct Resumed;

impl Law for Resumed {
    fn check<L: Learner>(&self, learner: &L) {
        let whole = run(learner, false, None);
        for time in [None, Some(Duration::from_micros(300))] {
            assert_eq!(text(&whole), text(&run(learner, true, time)));
        }
        assert!(!whole.trace.is_empty());
        assert_eq!(text(&whole.model), text(&reloaded(&whole.model)));
        // Every iteration is told once.
        let (mut seen, mut iterations) = (0, 0);
        let watch = &mut |learning: &Learning<_>| {
            seen += usize::from(learning.news().is_some());
            iterations = learning.iterations();
            ControlFlow::Continue(())
        };
        let watched = learner.fit_within(&Budget::unlimited(), watch).unwrap();
        assert_eq!(text(&whole), text(&watched));
        assert_eq!(seen, iterations);
    }
}

#[test]
fn resumed_learning_gives_the_same_bits() {
    check(&Resumed, 100);
}

struct OnAnyThreads;

impl Law for OnAnyThreads {
    fn check<L: Learner + Sync>(&self, learner: &L)
    where
        L::Model: Send,
    {
        let fit = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
            pool.build().unwrap().install(|| learner.fit().unwrap())
        };
        assert_eq!(text(&fit(1)), text(&fit(3)));
    }
}

#[test]
fn numbers_do_not_depend_on_the_threads() {
    check(&OnAnyThreads, 4200);
}

/// The first start is evaluated, and nothing follows.
struct OutOfTime;

impl Law for OutOfTime {
    fn check<L: Learner>(&self, learner: &L) {
        let mut learning = Learning::begin(learner).unwrap();
        let objective = learning.objective(learner);
        let before = text(&learning);
        let interrupted = Budget::new(None, Arc::new(AtomicBool::new(true)));
        let stop = learning.step(learner, &interrupted).unwrap();
        assert_eq!(stop, Some(Stop::Interrupted));
        assert_eq!(before, text(&learning));
        let over = Budget::unlimited().capped(Duration::ZERO);
        let go = &mut |_: &_| ControlFlow::Continue(());
        let fit = learner.fit_within(&over, go).unwrap();
        assert_eq!(fit.trace.len(), usize::from(L::START_COUNTS));
        assert_eq!(fit.stop, Stop::TimeLimit);
        assert_eq!(fit.objective.to_bits(), objective.to_bits());
    }
}

#[test]
fn a_budget_that_is_over_leaves_the_start_with_its_value() {
    check(&OutOfTime, 100);
}

/// What each learner says to a matrix; the first one takes what is constant, too.
fn answers(data: ArrayView2<'_, f64>) -> [Result<(), LatentError>; 6] {
    let lengths = [data.nrows()];
    let bits = BinarySparseCodingParams::new(2);
    [
        SparseCodingParams::new(2).fit(data).map(drop),
        GaussianMixtureParams::default().fit(data).map(drop),
        FactorAnalysisParams::default().fit(data).map(drop),
        GaussianHmmParams::default().fit(data, &lengths).map(drop),
        bits.fit(data, &Truncated::default()).map(drop),
        LinearGaussianParams::new(1).fit(data).map(drop),
    ]
}

#[test]
fn data_that_nothing_can_be_learned_from() {
    let good = rows(20, 3);
    assert!(answers(good.view()).iter().all(Result::is_ok));
    let mut bad = good.clone();
    bad[[2, 1]] = f64::NAN;
    for answer in answers(bad.view()) {
        refused(answer, "has the value NaN at row 2, column 1");
    }
    let none = answers(good.slice(s![..0, ..]));
    assert!(none.iter().all(Result::is_err));
    let mut constant = good.clone();
    constant.column_mut(1).fill(7.0);
    for answer in answers(constant.view()).into_iter().skip(1) {
        refused(answer, "column 1 of the data is constant");
    }
    for answer in answers(good.slice(s![..1, ..])).into_iter().skip(1) {
        refused(answer, "1 examples are too few: 2 are needed");
    }
}

#[test]
fn more_sweeps_go_on_where_fewer_ended() {
    let data = rows(100, 3);
    let params = |count| GaussianMixtureParams {
        em: sweeps(count),
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
