//! The bars test of binary sparse coding: `cargo run --release -p forney-latent --example bars`.

#![allow(clippy::print_stdout)]

mod pictures;

use forney_latent::binary_sparse_coding::{
    BinarySparseCoding, BinarySparseCodingParams, Exact, Truncated,
};
use forney_plot::tiles_png;
use ndarray::{Axis, concatenate, s};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let truth = BinarySparseCoding::bars(5, 10.0, 2.0);
    let data = truth.sample(500, 1)?;
    let fit = BinarySparseCodingParams::new(10).fit(data.view(), &Truncated::default())?;
    for (name, model) in [("learned", &fit.model), ("generating", &truth)] {
        let score = model.score(data.view(), &Exact)?;
        println!("{name:<10}  ln p(v) = {score:.3} nats");
    }
    println!("components learned (a pixel of at least 5 is a #):");
    for y in 0..5 {
        let rows = fit.model.weights.columns().into_iter().map(|w| {
            let pixels = (0..5).map(|x| if w[5 * y + x] >= 5.0 { '#' } else { '.' });
            pixels.collect::<String>()
        });
        println!("  {}", rows.collect::<Vec<_>>().join("  "));
    }
    // Two rows of examples, one of components.
    let tiles = concatenate(Axis(0), &[data.slice(s![..20, ..]), fit.model.weights.t()])?;
    pictures::write("bars.png", tiles_png(tiles.view(), (5, 5), 10)?)?;
    Ok(())
}
