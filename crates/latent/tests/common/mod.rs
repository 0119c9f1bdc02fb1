//! What the suites of the models share.

#![allow(dead_code)]

use forney_certify::Budget;
use forney_latent::em::{Examples, LatentModel, Rows, Scatter};
use forney_latent::learn::Fit;
use ndarray::{Array1, Array2};

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
