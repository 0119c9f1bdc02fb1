//! Learns a dictionary from synthetic patches of oriented edges and reports how sparse and how exact
//! the codes are: `cargo run --release --example sparse_coding`.

#![allow(clippy::print_stdout)]

use forney_latent::LatentError;
use forney_latent::sparse_coding::{Noise, SparseCodingParams};
use ndarray::Array2;
use rand::{RngExt, SeedableRng};

/// Each patch shows two edges, of any orientation and place.
fn edges(side: usize, examples: usize, seed: u64) -> Array2<f64> {
    let mut rng = rand_pcg::Pcg64::seed_from_u64(seed);
    let mut data = Array2::zeros((examples, side * side));
    for mut patch in data.rows_mut() {
        for _ in 0..2 {
            let angle: f64 = rng.random_range(0.0..std::f64::consts::PI);
            let offset = rng.random_range(-0.4..0.4) * side as f64;
            let contrast = rng.random_range(-1.0..1.0);
            for (pixel, value) in patch.iter_mut().enumerate() {
                let half = (side as f64 - 1.0) / 2.0;
                let (y, x) = ((pixel / side) as f64 - half, (pixel % side) as f64 - half);
                *value += contrast * (angle.cos() * x + angle.sin() * y - offset).tanh();
            }
        }
        let mean = patch.sum() / patch.len() as f64;
        patch -= mean;
    }
    data
}

fn main() -> Result<(), LatentError> {
    let (train, test) = (edges(8, 10_000, 1), edges(8, 1_000, 2));
    let params = SparseCodingParams {
        lambda: 0.1,
        passes: 5,
        ..SparseCodingParams::new(128)
    };
    let fit = params.fit(train.view())?;
    for (pass, objective) in fit.trace.iter().enumerate() {
        println!("pass {pass}: mean objective {objective:.4}");
    }
    let encoding = fit.model.transform(test.view())?;
    let used = encoding.codes.non_zeros() as f64 / (test.nrows() * fit.model.atoms()) as f64;
    let gap = encoding.gaps.iter().copied().fold(0.0, f64::max);
    println!("test: objective {:.4}", -fit.model.score(test.view())?);
    println!(
        "      {:.1} % of the coefficients are not zero",
        100.0 * used
    );
    println!("      largest relative duality gap {gap:.1e}");
    for noise in [Noise::Gaussian, Noise::Laplace] {
        let bounds = fit.model.elbo(test.view(), &encoding.codes, noise)?;
        let mean = bounds.sum() / bounds.len() as f64;
        println!("      ln p(v) ≥ {mean:.2} nats with {noise:?} noise around the codes");
    }
    Ok(())
}
