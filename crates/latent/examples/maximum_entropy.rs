//! The density of greatest entropy under more and more constraints (chapter 19.4.2), beside the Gaussian
//! that calculus of variations promises: `cargo run --release -p forney-latent --example maximum_entropy`.

#![allow(clippy::print_stdout)]

mod pictures;

use std::f64::consts::{E, PI};

use forney_latent::variations::{Grid, MaximumEntropy};
use forney_plot::{Axis, Chart, Point, Series, Style, svg};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let grid = Grid::new(-10.0, 10.0, 401)?;
    let mean = MaximumEntropy::new(grid.clone()).moment(|x| x, 0.0);
    let gaussian = mean.clone().moment(|x| x * x, 1.0);
    let flat = gaussian.clone().moment(|x| x.powi(4), 2.0);
    let mut series = Vec::new();
    for (name, problem) in [
        ("mean 0", mean),
        ("mean 0, variance 1", gaussian),
        ("…, fourth moment 2", flat),
    ] {
        let solution = problem.solve()?;
        println!("{name}: entropy {:.6} nats", solution.entropy);
        println!("  multipliers {:.6?}", solution.multipliers);
        let points = grid.points().iter().zip(&solution.density);
        series.push(Series {
            name: name.into(),
            points: points
                .filter(|(x, _)| x.abs() <= 4.0)
                .map(|(&x, &p)| Point::new(x, p))
                .collect(),
            style: Style::Curve,
        });
    }
    println!("½ ln 2πe = {:.6} nats", 0.5 * (2.0 * PI * E).ln());
    series.push(Series {
        name: "N(0, 1)".into(),
        points: (-20..=20)
            .map(|at| 0.2 * f64::from(at))
            .map(|x| Point::new(x, (-0.5 * x * x).exp() / (2.0 * PI).sqrt()))
            .collect(),
        style: Style::Points,
    });
    let chart = Chart {
        title: "Densities of greatest entropy on [−10, 10]".into(),
        x: Axis::linear("x"),
        y: Axis::linear("p(x)"),
        series,
    };
    pictures::write("maximum-entropy.svg", svg(&[chart])?)?;
    Ok(())
}
