//! Mean field with continuous latents (chapter 19.4.3): the chapter's example, and factor analysis whose
//! factors turn until mean field is exact. `cargo run --release -p forney-latent --example continuous`.

#![allow(clippy::print_stdout)]

mod pictures;

use forney_latent::continuous::{FixedPoint, LinearGaussian, LinearGaussianParams, Term};
use forney_latent::variations::Grid;
use forney_plot::{Axis, Chart, Series, svg};
use ndarray::{Array1, Array2, array};
use rand::{RngExt, SeedableRng};
use rand_distr::StandardNormal;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (v, w) = (1.5, [1.0, 0.5]);
    let grid = Grid::new(-8.0, 8.0, 161)?;
    let terms = vec![
        Term::new(&[0], |h| -0.5 * h[0] * h[0]),
        Term::new(&[1], |h| -0.5 * h[0] * h[0]),
        Term::new(&[0, 1], move |h| {
            -0.5 * (v - h[0] * w[0] - h[1] * w[1]).powi(2)
        }),
    ];
    let run = FixedPoint::new(vec![grid.clone(), grid], terms)?.run(1e-12, 500)?;
    let model = LinearGaussian::standard(array![[w[0], w[1]]], array![1.0])?;
    let exact = model.posterior(array![[v]].view())?;
    for i in 0..2 {
        println!(
            "h{i}: mean field N({:.4}, {:.4}), exact N({:.4}, {:.4})",
            run.mean(i),
            run.variance(i),
            exact.means[[0, i]],
            exact.covariance[[i, i]]
        );
    }

    // Ellipses of one and two standard deviations of either density.
    let covariance = &exact.covariance;
    let determinant = covariance[[0, 0]] * covariance[[1, 1]] - covariance[[0, 1]].powi(2);
    let p = |x: f64, y: f64| {
        let (x, y) = (x - exact.means[[0, 0]], y - exact.means[[0, 1]]);
        let cross = 2.0 * covariance[[0, 1]] * x * y;
        ((covariance[[1, 1]] * x * x - cross + covariance[[0, 0]] * y * y) / determinant).sqrt()
    };
    let q = |x: f64, y: f64| {
        let (x, y) = (x - run.mean(0), y - run.mean(1));
        (x * x / run.variance(0) + y * y / run.variance(1)).sqrt()
    };
    let (across, up) = (-1.5..=3.0, -2.0..=2.5);
    let chart = Chart {
        title: "Posterior of two causes of one observation".into(),
        x: Axis::linear("h₁"),
        y: Axis::linear("h₂"),
        series: vec![
            Series::contours("p(h | v)", p, across.clone(), up.clone(), &[1.0, 2.0]),
            Series::contours("mean field q(h)", q, across, up, &[1.0, 2.0]),
        ],
    };
    pictures::write("continuous.svg", svg(&[chart])?)?;

    let mut rng = rand_pcg::Pcg64::seed_from_u64(1);
    let mut normal = |rows, columns| -> Array2<f64> {
        Array2::from_shape_simple_fn((rows, columns), || rng.sample(StandardNormal))
    };
    let data = normal(1000, 3).dot(&normal(10, 3).t()) + normal(1000, 10) * 0.5;
    let params = LinearGaussianParams {
        iterations: 5000,
        ..LinearGaussianParams::new(3)
    };
    let fit = params.fit(data.view())?;
    let exact = fit.model.posterior(data.view())?.ln_likelihood;
    println!("factor analysis: {} iterations", fit.trace.len());
    println!(
        "  bound {:.4}, ln p(v) {:.4} nats",
        fit.objective,
        exact.sum() / 1000.0
    );
    let scaled = &fit.model.weights
        * &fit
            .model
            .noise_precision
            .view()
            .insert_axis(ndarray::Axis(1));
    let gram: Array1<f64> = fit.model.weights.t().dot(&scaled).into_iter().collect();
    println!("  Wᵀ β W, diagonal where mean field is exact: {gram:.2}");
    Ok(())
}
