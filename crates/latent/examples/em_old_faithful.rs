//! A mixture of two Gaussians on the eruptions of Old Faithful: the trace of EM in its three variants,
//! and what it finds.
//!
//! `cargo run --release -p forney-latent --example em_old_faithful`

#![allow(clippy::print_stdout)]

use std::ops::ControlFlow;

use forney_certify::{Budget, Sweep};
use forney_latent::em::{Em, GaussianMixtureParams, Variant};
use ndarray::Array2;

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
        let params = GaussianMixtureParams {
            em: Em {
                variant,
                ..Em::default()
            },
            ..Default::default()
        };
        let mut show = |sweep: &Sweep| {
            println!("  {:3}  {:.9}", sweep.number, sweep.value);
            ControlFlow::Continue(())
        };
        let fit = params.fit_within(data.view(), &Budget::unlimited(), &mut show)?;
        let total = fit.model.score(data.view())? * data.nrows() as f64;
        println!("{}; ln p(data) = {total:.4} nats", fit.stop);
        for (k, (weight, mean)) in fit
            .model
            .weights()
            .iter()
            .zip(fit.model.means().rows())
            .enumerate()
        {
            let covariance = fit.model.covariances().matrix(k, 2);
            println!("  weight {weight:.4}, mean {mean:.4}, covariance {covariance:.4}");
        }
    }
    Ok(())
}
