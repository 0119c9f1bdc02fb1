//! What the suites of the models share.

#![allow(dead_code)]

use std::fmt::Debug;

use forney_certify::Budget;
use forney_latent::LatentError;
use forney_latent::binary_sparse_coding::BinarySparseCoding;
use forney_latent::em::{Em, Examples, LatentModel, Rows, Scatter};
use forney_latent::learn::Fit;
use nalgebra::{DMatrix, DVector};
use ndarray::{Array1, Array2, ArrayView1};
use rand::RngExt;
use rand_distr::StandardNormal;
use rand_pcg::Pcg64;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// A matrix of standard normal numbers.
pub(crate) fn normal(rows: usize, columns: usize, rng: &mut Pcg64) -> Array2<f64> {
    Array2::from_shape_simple_fn((rows, columns), || rng.sample(StandardNormal))
}

/// A model of binary sparse coding.
pub(crate) fn random_bits(dimension: usize, units: usize, rng: &mut Pcg64) -> BinarySparseCoding {
    let mut vector = |length, scale: f64| normal(1, length, rng).row(0).to_owned() * scale;
    BinarySparseCoding {
        bias: vector(units, 1.0),
        precision: vector(dimension, 0.7).mapv(f64::exp),
        weights: normal(dimension, units, rng) * 1.5,
    }
}

/// `ln Σ exp x`.
pub(crate) fn ln_sum(x: &[f64]) -> f64 {
    let most = x.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    if most == f64::NEG_INFINITY {
        return most;
    }
    most + x.iter().map(|x| (x - most).exp()).sum::<f64>().ln()
}

/// `ln N(apart; 0, Σ)` by the textbook formula.
pub(crate) fn ln_gaussian(apart: ArrayView1<'_, f64>, covariance: &Array2<f64>) -> f64 {
    let columns = apart.len();
    let covariance = DMatrix::from_fn(columns, columns, |i, j| covariance[[i, j]]);
    let factor = covariance.cholesky().unwrap();
    let apart = DVector::from_fn(columns, |d, _| apart[d]);
    let whitened = factor.l().solve_lower_triangular(&apart).unwrap();
    let ln_det = 2.0 * factor.l().diagonal().map(f64::ln).sum();
    let constant = columns as f64 * (2.0 * std::f64::consts::PI).ln();
    -0.5 * (constant + ln_det + whitened.norm_squared())
}

/// So many sweeps, however little the last ones change.
pub(crate) fn sweeps(sweeps: usize) -> Em {
    Em {
        sweeps,
        tolerance: 0.0,
        ..Em::default()
    }
}

/// An error whose sentence says so.
#[track_caller]
pub(crate) fn refused<T>(result: Result<T, LatentError>, sentence: &str) {
    let Err(error) = result else {
        panic!("{sentence} is accepted");
    };
    assert!(error.to_string().contains(sentence), "{error}");
}

/// A model is read again as it was written, and not with these changes.
pub(crate) fn check_saved<M>(model: &M, changes: &[(&str, &str)])
where
    M: Serialize + DeserializeOwned + PartialEq + Debug,
{
    let text = serde_json::to_string(model).unwrap();
    assert_eq!(serde_json::from_str::<M>(&text).unwrap(), *model);
    for (from, to) in changes {
        let broken = text.replace(from, to);
        assert_ne!(text, broken);
        assert!(serde_json::from_str::<M>(&broken).is_err(), "{broken}");
    }
    assert!(serde_json::from_str::<M>(&text[..text.len() / 2]).is_err());
}

/// No value of the trace falls by more than rounding.
pub(crate) fn monotone(trace: &[f64], slack: f64) {
    assert!(!trace.is_empty());
    for (at, pair) in trace.windows(2).enumerate() {
        let (before, after) = (pair[0], pair[1]);
        assert!(
            after >= before - slack * before.abs().max(1.0),
            "sweep {}: {before} falls to {after}",
            at + 2
        );
    }
}

/// The last line of the trace is the value of the model.
pub(crate) fn check_fit<M>(fit: &Fit<M>) {
    assert_eq!(fit.trace.last().unwrap().to_bits(), fit.objective.to_bits());
}

/// All statistics of the data.
pub(crate) fn statistics<M: LatentModel>(model: &M, data: &M::Data<'_>) -> (f64, M::Statistics) {
    let mut statistics = model.no_statistics();
    let units = 0..data.units(data.batches() - 1).end;
    let value = M::collect(
        &model.posterior(),
        data,
        units,
        &Budget::unlimited(),
        &mut statistics,
    );
    (value, statistics)
}

/// The gradient against central differences; the M-step against the value before; the round trip of
/// the parameters; and `H(q) ≥ 0` is left to the models with discrete latent variables.
pub(crate) fn check_gradient<M: LatentModel>(model: &M, data: &M::Data<'_>) {
    let (_, statistics) = statistics(model, data);
    let value = |m: &M| m.expected_ln_joint(&statistics) + m.ln_prior();
    let here = value(model);
    let parameters = model.parameters();
    let back = model.with_parameters(&parameters).unwrap();
    assert!((value(&back) - here).abs() <= 1e-8 * here.abs().max(1.0));
    let gradient = model.gradient(&statistics);
    assert_eq!(gradient.len(), parameters.len());
    for at in 0..parameters.len() {
        if !parameters[at].is_finite() {
            continue;
        }
        let step = 1e-5 * parameters[at].abs().max(1.0);
        let moved = |by: f64| {
            let mut moved = parameters.clone();
            moved[at] += by;
            value(&model.with_parameters(&moved).unwrap())
        };
        let numeric = (moved(step) - moved(-step)) / (2.0 * step);
        let scale = here.abs().max(gradient[at].abs()).max(1.0);
        assert!(
            (numeric - gradient[at]).abs() <= 1e-5 * scale,
            "parameter {at}: {numeric} against {}",
            gradient[at]
        );
    }
    let best = value(&model.maximised(&statistics));
    assert!(best >= here - 1e-9 * here.abs().max(1.0), "{best} {here}");
}

/// Old Faithful: duration of 272 eruptions and waiting time to the next, both in minutes
/// (Azzalini & Bowman 1990).
pub(crate) fn faithful() -> Array2<f64> {
    let text = include_str!("../data/faithful.csv");
    let values: Vec<f64> = text
        .lines()
        .skip(1)
        .flat_map(|line| line.split(',').map(|x| x.trim().parse().unwrap()))
        .collect();
    Array2::from_shape_vec((values.len() / 2, 2), values).unwrap()
}

/// The second moments of some rows about 0.
pub(crate) fn scatter(data: &Array2<f64>) -> Scatter {
    let rows = Rows::new(data.view(), None, 0).unwrap();
    Scatter::about(&Array1::zeros(data.ncols()), &rows).unwrap()
}
