//! What an approximate E-step does to the model that is learned with it (chapter 19.4.4): binary sparse
//! coding learned from the same starts with four E-steps, and measured exactly.
//!
//! ```text
//! cargo run --release -p forney-latent --example e_steps [PATCHES.npy [UNITS]]
//! ```
//!
//! Without a file, bars of growing strength, drawn in `docs/pictures/e-steps.svg`.

#![allow(clippy::print_stdout)]

mod pictures;

use forney_latent::LatentError;
use forney_latent::binary_sparse_coding::{
    BinarySparseCoding, BinarySparseCodingParams, Comparison, EStep, Exact, MeanField,
    StructuredMeanField, Truncated, compare,
};
use forney_plot::{Axis, Chart, Point, Series, Style, svg};
use ndarray::{Array2, s};

/// Examples to learn from.
const EXAMPLES: usize = 1000;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    if let Some(path) = arguments.next() {
        let data: Array2<f64> = ndarray_npy::read_npy(path)?;
        let units = arguments.next().map_or(Ok(10), |text| text.parse())?;
        let data = data.slice(s![..EXAMPLES.min(data.nrows()), ..]);
        show("patches", &learn(&data.to_owned(), units)?);
        return Ok(());
    }
    let mut series: Vec<[Vec<Point>; 2]> = Vec::new();
    for strength in [0.75, 1.0, 1.25, 1.5, 2.0, 3.0] {
        let truth = BinarySparseCoding::bars(4, strength, 1.0);
        let rows = learn(&truth.sample(EXAMPLES, 2)?, truth.units())?;
        show(&format!("bars of strength {strength}"), &rows);
        series.resize_with(rows.len(), Default::default);
        for (series, row) in series.iter_mut().zip(&rows) {
            // What is left to gain, by the likelihood of the model that the exact E-step gives.
            let lost = rows[0].ln_likelihood - row.ln_likelihood;
            series[0].push(Point::new(strength, lost));
            let divergence = row.ln_likelihood - row.mean_field;
            series[1].push(Point::new(strength, divergence));
        }
    }
    let chart = |which: usize, title: &str, label: &str| Chart {
        title: title.into(),
        x: Axis::linear("strength of a bar, in σ"),
        y: Axis::linear(label),
        series: series
            .iter()
            .zip(NAMES)
            .map(|(points, name)| Series {
                name: name.into(),
                points: points[which].clone(),
                style: Style::Line,
            })
            .collect(),
    };
    let charts = [
        chart(0, "Likelihood lost", "exact − ln p(v) [nats]"),
        chart(
            1,
            "Distance from a product",
            "KL(q ‖ p), q mean field [nats]",
        ),
    ];
    pictures::write("e-steps.svg", svg(&charts)?)?;
    Ok(())
}

/// The E-steps that are compared.
const NAMES: [&str; 4] = ["exact", "truncated", "structured", "mean field"];

fn learn(data: &Array2<f64>, units: usize) -> Result<Vec<Comparison>, LatentError> {
    let params = BinarySparseCodingParams {
        starts: 6,
        ..BinarySparseCodingParams::new(units)
    };
    let structured = StructuredMeanField {
        block: 4,
        ..StructuredMeanField::default()
    };
    let (truncated, mean_field) = (Truncated::default(), MeanField::default());
    let e_steps: [&dyn EStep; 4] = [&Exact, &truncated, &structured, &mean_field];
    compare(&params, data.view(), &e_steps)
}

fn show(what: &str, rows: &[Comparison]) {
    println!("\n{what}, nats per example");
    println!(
        "{:<12} {:>10} {:>10} {:>10} {:>7} {:>7} {:>8}",
        "E-step", "ELBO", "ln p(v)", "mean field", "modes", "peak", "entropy"
    );
    for (row, name) in rows.iter().zip(NAMES) {
        println!(
            "{name:<12} {:>10.4} {:>10.4} {:>10.4} {:>7.3} {:>7.4} {:>8.4}",
            row.elbo,
            row.ln_likelihood,
            row.mean_field,
            row.shape.modes,
            row.shape.peak,
            row.shape.entropy
        );
    }
}
