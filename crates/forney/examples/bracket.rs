//! Brackets ln Z of a bundled model with the library behind the program.
#![allow(clippy::print_stdout)]

use forney::{Limits, Problem};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let problem = Problem::read("examples/models/ising15.uai")?;
    let limits = Limits::seconds(10.0);
    let report = problem.bracket(&limits)?;
    let (lower, upper) = (report.bracket.lower().ln(), report.bracket.upper().ln());
    println!("{lower:.4} ≤ ln Z ≤ {upper:.4}");
    let p = problem.marginals(&limits)?;
    println!("the first variable is 1 with probability {:.4}", p[0][1]);
    Ok(())
}
