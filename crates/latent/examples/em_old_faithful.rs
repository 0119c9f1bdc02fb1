//! A mixture of two Gaussians on the eruptions of Old Faithful: the trace of EM in its three variants,
//! what it finds, and how the bound of an E-step touches the likelihood.
//!
//! `cargo run --release -p forney-latent --example em_old_faithful`

#![allow(clippy::print_stdout)]

mod pictures;

use std::ops::ControlFlow;

use forney_certify::Budget;
use forney_latent::em::{
    Em, Examples, GaussianMixture, GaussianMixtureParams, LatentModel, Rows, Variant,
};
use forney_latent::learn::{Learner, Learning};
use forney_plot::{Axis, Chart, Point, Series, Style, svg};
use ndarray::{Array2, s};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let values: Vec<f64> = include_str!("../tests/data/faithful.csv")
        .lines()
        .skip(1)
        .flat_map(|line| line.split(','))
        .map(|number| number.trim().parse())
        .collect::<Result<_, _>>()?;
    let data = Array2::from_shape_vec((values.len() / 2, 2), values)?;
    println!(
        "{} eruptions: minutes, and minutes to the next",
        data.nrows()
    );

    for (name, variant) in [
        ("batch", Variant::Batch),
        (
            "minibatch of 32",
            Variant::Minibatch {
                examples: 32,
                decay: 0.7,
            },
        ),
        ("incremental by 32", Variant::Incremental { examples: 32 }),
    ] {
        println!("\n{name}: free energy in nats per eruption");
        let em = Em {
            variant,
            ..Em::default()
        };
        let params = GaussianMixtureParams {
            em,
            ..Default::default()
        };
        let mut show = |learning: &Learning<_>| {
            if let Some(value) = learning.news() {
                println!("  {:3}  {value:.9}", learning.iterations());
            }
            ControlFlow::Continue(())
        };
        let learner = params.learner(data.view())?;
        let fit = learner.fit_within(&Budget::unlimited(), &mut show)?;
        let total = fit.model.score(data.view())? * data.nrows() as f64;
        println!("{}; ln p(data) = {total:.4} nats", fit.stop);
        let (weights, means) = (fit.model.weights(), fit.model.means());
        for (k, (weight, mean)) in weights.iter().zip(means.rows()).enumerate() {
            let covariance = fit.model.covariances().matrix(k, 2);
            println!("  weight {weight:.4}, mean {mean:.4}, covariance {covariance:.4}");
        }
    }
    let fit = GaussianMixtureParams::default().fit(data.view())?;
    let charts = [clusters(&data, &fit.model), bounds(&data)?];
    pictures::write("em.svg", svg(&charts)?)?;
    Ok(())
}

/// The eruptions, and ellipses of one and two standard deviations of each component.
fn clusters(data: &Array2<f64>, model: &GaussianMixture) -> Chart {
    let eruptions = Series {
        name: "eruption".into(),
        points: data
            .rows()
            .into_iter()
            .map(|row| Point::new(row[0], row[1]))
            .collect(),
        style: Style::Points,
    };
    let ellipses = (0..model.means().nrows()).map(|k| {
        let (mean, c) = (model.means().row(k), model.covariances().matrix(k, 2));
        let determinant = c[[0, 0]] * c[[1, 1]] - c[[0, 1]].powi(2);
        let radius = |x: f64, y: f64| {
            let (x, y) = (x - mean[0], y - mean[1]);
            let square = c[[1, 1]] * x * x - 2.0 * c[[0, 1]] * x * y + c[[0, 0]] * y * y;
            (square / determinant).sqrt()
        };
        Series::contours(
            format!("component {}", k + 1),
            radius,
            1.0..=6.0,
            40.0..=100.0,
            &[1.0, 2.0],
        )
    });
    Chart {
        title: "Old Faithful, two Gaussians".into(),
        x: Axis::linear("duration [min]"),
        y: Axis::linear("time to the next [min]"),
        series: std::iter::once(eruptions).chain(ellipses).collect(),
    }
}

/// Two Gaussians for the waiting times alone: as the mean of the lower one moves, `ln p(v; θ)` and the
/// bounds `L(v, θ, q)` with the posteriors at two values of it.
fn bounds(data: &Array2<f64>) -> Result<Chart, Box<dyn std::error::Error>> {
    let data = data.slice(s![.., 1..]);
    let best = GaussianMixtureParams::default().fit(data)?.model;
    let rows = Rows::new(data, None, 0)?;
    let n = data.nrows() as f64;
    let lower = usize::from(best.means()[[0, 0]] > best.means()[[1, 0]]);
    let at = |waiting: f64| {
        let mut means = best.means().clone();
        means[[lower, 0]] = waiting;
        let (weights, floor) = (best.weights().clone(), best.variance_floor().clone());
        GaussianMixture::new(weights, means, best.covariances().clone(), floor)
    };
    let places: Vec<f64> = (0..=60).map(|step| 45.0 + 0.6 * f64::from(step)).collect();
    let mut likelihood = Vec::new();
    for &t in &places {
        likelihood.push(Point::new(t, at(t)?.score(data)?));
    }
    let mut series = vec![Series {
        name: "ln p(v; θ)".into(),
        points: likelihood,
        style: Style::Curve,
    }];
    for anchor in [76.0, 68.0] {
        let model = at(anchor)?;
        let mut statistics = model.no_statistics();
        let units = rows.units(0);
        let touching = GaussianMixture::collect(
            &model.posterior(),
            &rows,
            units,
            &Budget::unlimited(),
            &mut statistics,
        );
        let entropy = touching - model.expected_ln_joint(&statistics);
        let mut points = Vec::new();
        for &t in &places {
            let bound = (at(t)?.expected_ln_joint(&statistics) + entropy) / n;
            points.push(Point::new(t, bound));
        }
        series.push(Series {
            name: format!("L, q of {anchor} min"),
            points,
            style: Style::Curve,
        });
    }
    Ok(Chart {
        title: "Bounds touch the likelihood".into(),
        x: Axis::linear("lower mean of the waiting times [min]"),
        y: Axis::linear("nats per eruption"),
        series,
    })
}
