//! The bars test, and what the E-step does to the model that is learned (chapter 19.4.4):
//! `cargo run --release --example bars`.

#![allow(clippy::print_stdout)]

use forney_latent::LatentError;
use forney_latent::binary_sparse_coding::{
    BinarySparseCoding, BinarySparseCodingParams, Exact, MeanField, StructuredMeanField, Truncated,
    compare,
};

fn main() -> Result<(), LatentError> {
    let truth = BinarySparseCoding::bars(5, 10.0, 2.0);
    let data = truth.sample(500, 1);
    let params = BinarySparseCodingParams::new(10);
    let fit = params.fit(data.view(), &Truncated::default())?;
    println!(
        "learned:    ln p(v) = {:.3} nats",
        fit.model.score(data.view(), &Exact)?
    );
    println!(
        "generating: ln p(v) = {:.3} nats",
        truth.score(data.view(), &Exact)?
    );
    println!("components learned (a pixel of at least 5 is a #):");
    for y in 0..5 {
        let rows = fit.model.weights.columns().into_iter().map(|w| {
            let pixels = (0..5).map(|x| if w[5 * y + x] >= 5.0 { '#' } else { '.' });
            pixels.collect::<String>()
        });
        println!("  {}", rows.collect::<Vec<_>>().join("  "));
    }

    println!("\nweak bars, where components are easily confused:");
    println!(
        "{:<12} {:>9} {:>9} {:>11} {:>6} {:>6}",
        "E-step", "ELBO", "ln p(v)", "mean field", "modes", "peak"
    );
    let weak = BinarySparseCoding::bars(4, 1.5, 1.0).sample(1000, 2);
    let (mean_field, structured) = (MeanField::default(), StructuredMeanField::default());
    let truncated = Truncated::default();
    let params = BinarySparseCodingParams::new(8);
    for row in compare(
        &params,
        weak.view(),
        &[&Exact, &truncated, &structured, &mean_field],
    )? {
        println!(
            "{:<12} {:>9.3} {:>9.3} {:>11.3} {:>6.2} {:>6.3}",
            row.e_step,
            row.elbo,
            row.ln_likelihood,
            row.mean_field,
            row.shape.modes,
            row.shape.peak
        );
    }
    Ok(())
}
