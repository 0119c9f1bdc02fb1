//! Brackets ln Z of a bundled model with the libraries behind the program.
#![allow(clippy::print_stdout)]

use std::time::Duration;

use forney_bounds::{BoundOptions, bracket};
use forney_certify::Budget;
use forney_uai::{read_file, read_model};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let model = read_file("examples/models/ising15.uai", read_model)?.to_graph()?;
    let budget = Budget::unlimited().capped(Duration::from_secs(10));
    let options = BoundOptions {
        ibound: Some(8),
        ..BoundOptions::default()
    };
    let report = bracket(&model, &options, &budget, &mut |progress| {
        println!("{:.4} ≤ ln Z ≤ {:.4}", progress.lower, progress.upper);
    })?;
    println!("the gap is {} nats", report.bracket.gap());
    Ok(())
}
