//! Learns a dictionary of patches, reports how sparse and how exact the codes are and which share of the
//! atoms is close to a Gabor function, and draws the atoms.
//!
//! ```text
//! cargo run --release -p forney-latent --example sparse_coding [PATCHES.npy [LAMBDA [ATOMS]]]
//! ```
//!
//! The file holds one square patch in each row, for instance of whitened photographs (docs/latent.md
//! says how those were cut); without one, each patch shows two edges of any orientation and place.

#![allow(clippy::print_stdout)]

mod pictures;

use forney_latent::LatentError;
use forney_latent::sparse_coding::{CodeNoise, Gabor, SparseCodingParams};
use forney_plot::tiles_png;
use ndarray::{Array2, s};
use rand::{RngExt, SeedableRng};
use rayon::prelude::*;

/// Examples that are kept apart from learning.
const TEST: usize = 1000;

/// Each patch shows two edges.
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

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let (data, picture) = match arguments.next() {
        Some(path) => (ndarray_npy::read_npy(path)?, "dictionary.png"),
        None => (edges(8, 10_000 + TEST, 1), "dictionary-of-edges.png"),
    };
    let lambda = arguments.next().map_or(Ok(0.1), |text| text.parse())?;
    let atoms = arguments.next().map_or(Ok(128), |text| text.parse())?;
    let side = data.ncols().isqrt();
    let (test, train) = data
        .view()
        .split_at(ndarray::Axis(0), TEST.min(data.nrows()));
    let params = SparseCodingParams {
        lambda,
        passes: 5,
        ..SparseCodingParams::new(atoms)
    };
    let fit = params.fit(train)?;
    for (pass, objective) in fit.trace.iter().enumerate() {
        println!("pass {pass}: mean objective {objective:.4}");
    }
    let encoding = fit.model.transform(test)?;
    let used = encoding.codes.non_zeros() as f64 / (test.nrows() * fit.model.atoms()) as f64;
    let gap = encoding.gaps.iter().copied().fold(0.0, f64::max);
    println!("test: objective {:.4}", -fit.model.score(test)?);
    println!(
        "      {:.1} % of the coefficients are not zero",
        100.0 * used
    );
    println!("      largest relative duality gap {gap:.1e}");
    for noise in [CodeNoise::Gaussian, CodeNoise::Laplace] {
        let bounds = fit.model.elbo(test, &encoding.codes, noise)?;
        let mean = bounds.sum() / bounds.len() as f64;
        println!("      ln p(v) ≥ {mean:.2} nats with {noise:?} noise around the codes");
    }
    println!("{}", gabors("atoms", fit.model.dictionary.t(), side)?);
    println!(
        "{}",
        gabors(
            "patches",
            test.slice(s![..atoms.min(test.nrows()), ..]),
            side
        )?
    );
    let tiles = tiles_png(fit.model.dictionary.t(), (side, side), columns(atoms))?;
    pictures::write(picture, tiles)?;
    Ok(())
}

/// A picture that is about twice as wide as high.
fn columns(tiles: usize) -> usize {
    (2 * tiles).isqrt().max(1)
}

/// How many of the rows a Gabor function explains.
fn gabors(
    what: &str,
    rows: ndarray::ArrayView2<'_, f64>,
    side: usize,
) -> Result<String, LatentError> {
    let mut r2: Vec<f64> = (0..rows.nrows())
        .into_par_iter()
        .map(|row| {
            let patch = Array2::from_shape_fn((side, side), |(y, x)| rows[[row, y * side + x]]);
            Ok(Gabor::fit(patch.view())?.r2)
        })
        .collect::<Result<_, LatentError>>()?;
    r2.sort_by(f64::total_cmp);
    let above = |least: f64| 100.0 * r2.iter().filter(|r2| **r2 > least).count() as f64;
    let count = r2.len() as f64;
    Ok(format!(
        "a Gabor function explains R² > 0.8 of {:.1} % of the {what}, > 0.9 of {:.1} %; median {:.3}",
        above(0.8) / count,
        above(0.9) / count,
        r2[r2.len() / 2]
    ))
}
