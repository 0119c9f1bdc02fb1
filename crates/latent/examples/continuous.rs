//! Mean field with continuous latents (chapter 19.4.3): the chapter's example, and factor analysis whose
//! factors turn until mean field is exact. `cargo run --release --example continuous`.

#![allow(clippy::print_stdout)]

use forney_latent::LatentError;
use forney_latent::continuous::{FactorAnalysis, FixedPoint, LinearGaussian, Term};
use forney_latent::variations::Grid;
use ndarray::{Array1, Array2, array};
use rand::{RngExt, SeedableRng};
use rand_distr::StandardNormal;

fn main() -> Result<(), LatentError> {
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

    let mut rng = rand_pcg::Pcg64::seed_from_u64(1);
    let mut normal = |rows, columns| -> Array2<f64> {
        Array2::from_shape_simple_fn((rows, columns), || rng.sample(StandardNormal))
    };
    let data = normal(1000, 3).dot(&normal(10, 3).t()) + normal(1000, 10) * 0.5;
    let params = FactorAnalysis {
        iterations: 5000,
        ..FactorAnalysis::new(3)
    };
    let fit = params.fit(data.view())?;
    let exact = fit.model.posterior(data.view())?.ln_likelihood;
    println!("factor analysis: {} iterations", fit.trace.len());
    println!(
        "  bound {:.4}, ln p(v) {:.4} nats",
        fit.trace[fit.trace.len() - 1],
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
