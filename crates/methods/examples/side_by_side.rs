//! Every method on one model for a second each:
//! `cargo run --release -p forney-methods --example side_by_side [MODEL.uai]`.
#![allow(clippy::print_stdout)]

use std::time::Duration;

use forney_certify::Budget;
use forney_methods::{METHODS, Options, entrants};
use forney_uai::{read_file, read_model};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let file = std::env::args().nth(1);
    let file = file.unwrap_or_else(|| "examples/models/ising15.uai".to_owned());
    let model = read_file(file, read_model)?.to_graph()?;
    for one in entrants(METHODS) {
        let second = Budget::unlimited().capped(Duration::from_secs(1));
        let options = Options::default();
        let found = (one.method).run(&model, one.side, &options, &second, &mut |_| {});
        match found {
            Ok(found) => println!(
                "{:13} {:8} {:.4}",
                one.method.name(),
                one.side,
                found.value.ln()
            ),
            Err(reason) => println!("{:13} {:8} {reason}", one.method.name(), one.side),
        }
    }
    Ok(())
}
