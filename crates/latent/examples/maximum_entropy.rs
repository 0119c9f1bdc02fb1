//! The density of greatest entropy under more and more constraints (chapter 19.4.2):
//! `cargo run --release --example maximum_entropy`.

#![allow(clippy::print_stdout)]

use forney_latent::LatentError;
use forney_latent::variations::{Grid, MaximumEntropy};

fn main() -> Result<(), LatentError> {
    let grid = Grid::new(-10.0, 10.0, 401)?;
    let mean = MaximumEntropy::new(grid).moment(|x| x, 0.0);
    let gaussian = mean.clone().moment(|x| x * x, 1.0);
    let peaked = gaussian.clone().moment(|x| x.powi(4), 2.0);
    for (name, problem) in [
        ("mean 0", mean),
        ("mean 0, variance 1", gaussian),
        ("mean 0, variance 1, fourth moment 2", peaked),
    ] {
        let solution = problem.solve()?;
        println!("{name}: entropy {:.6} nats", solution.entropy);
        println!("  multipliers {:.6?}", solution.multipliers);
    }
    println!(
        "½ ln 2πe = {:.6} nats",
        0.5 * (2.0 * std::f64::consts::PI * std::f64::consts::E).ln()
    );
    Ok(())
}
