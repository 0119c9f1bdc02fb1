//! What an approximate E-step does to the model that is learned with it (19.4.4).

use forney_latent::binary_sparse_coding::{
    BinarySparseCoding, BinarySparseCodingParams, EStep, Exact, MeanField, StructuredMeanField,
    Truncated, compare,
};
use forney_plot::{Axis, Style};

use crate::reproduce::context::{Context, Run};
use crate::reproduce::records::{Record, Reference};
use crate::reproduce::shown::{Claim, Figure, Shown};

/// Amplitudes of the bars, in standard deviations of the noise.
const STRENGTHS: [f64; 6] = [0.75, 1.0, 1.25, 1.5, 2.0, 3.0];
/// Names in the figure, in the order of the E-steps.
const NAMES: [&str; 4] = ["exact", "truncated", "structured mean field", "mean field"];

/// What is measured: panel, label of the axis.
const MEASURES: [(&str, &str); 4] = [
    (
        "Likelihood lost by learning",
        "exact E-step − this one, ln p(v) [nats per example]",
    ),
    (
        "How far posteriors are from a product",
        "KL(q ‖ p), q mean field [nats per example]",
    ),
    ("Modes of the posterior", "modes per example"),
    ("Bound and likelihood", "ln p(v) − ELBO [nats per example]"),
];

/// Learns bars of one strength with every E-step.
fn learn(strength: f64, seed: u64, examples: usize) -> anyhow::Result<Vec<Record>> {
    let truth = BinarySparseCoding::bars(4, strength, 1.0);
    let data = truth.sample(examples, seed)?;
    let params = BinarySparseCodingParams {
        starts: 6,
        seed,
        ..BinarySparseCodingParams::new(truth.units())
    };
    let structured = StructuredMeanField {
        block: 4,
        ..StructuredMeanField::default()
    };
    let (truncated, mean_field) = (Truncated::default(), MeanField::default());
    let e_steps: [&dyn EStep; 4] = [&Exact, &truncated, &structured, &mean_field];
    let rows = compare(&params, data.view(), &e_steps)?;
    let mut records = Vec::new();
    for (row, name) in rows.iter().zip(NAMES) {
        let values = [
            rows[0].ln_likelihood - row.ln_likelihood,
            row.ln_likelihood - row.mean_field,
            row.shape.modes,
            row.ln_likelihood - row.elbo,
        ];
        for ((panel, _), value) in MEASURES.iter().zip(values) {
            records.push(Record {
                panel: (*panel).into(),
                series: name.into(),
                x: strength,
                seed,
                value: Some(value),
                ln_bound: Some(row.elbo),
                reference: Some(Reference::Exact(row.ln_likelihood)),
                iterations: 0,
                options: format!("bars 4×4, {examples} examples, 6 starts"),
            });
        }
    }
    Ok(records)
}

pub(crate) fn run(context: &Context<'_>) -> anyhow::Result<Shown> {
    let strengths = context.pick(&STRENGTHS[1..4], &STRENGTHS[..]);
    let (seeds, examples) = context.pick((1, 300), (5, 1000));
    let cases = strengths
        .iter()
        .flat_map(|&s| (1..=seeds).map(move |seed| (s, seed)));
    let runs = cases.map(|(strength, seed)| Run {
        key: format!("strength {strength}, seed {seed}, {examples} examples"),
        work: Box::new(move || learn(strength, seed, examples)),
    });
    let records = context.runs(runs.collect())?;
    let mut shown = records.shown();
    let charts: Vec<_> = MEASURES
        .iter()
        .map(|&(panel, label)| {
            let x = Axis::linear("strength of a bar [σ]");
            records.chart(panel, x, Axis::linear(label), Style::Line)
        })
        .collect();
    for (name, charts) in [
        ("e-steps", &charts[..2]),
        ("e-steps-posteriors", &charts[2..]),
    ] {
        let caption = "Binary sparse coding of bars learned with four E-steps from the same starts, measured \
                       by enumeration; bars are standard errors over seeds.";
        shown.figures.push(Figure::charts(name, caption, charts)?);
    }
    let mean = |panel: usize, name: &str| {
        let values = records
            .0
            .iter()
            .filter(|r| r.panel == MEASURES[panel].0 && r.series == name);
        let values: Vec<f64> = values.filter_map(|r| r.value).collect();
        values.iter().sum::<f64>() / values.len() as f64
    };
    let slack = records
        .0
        .iter()
        .filter(|r| r.panel == MEASURES[3].0)
        .filter_map(|r| r.value);
    let least = slack.fold(f64::INFINITY, f64::min);
    let lost = NAMES.map(|name| mean(0, name));
    let apart = NAMES.map(|name| mean(1, name));
    shown.claims = vec![
        Claim::new(
            "Every E-step gives a lower bound on the likelihood of the model it learns.",
            (
                least >= -1e-9,
                format!("least ln p(v) − ELBO {least:.1e} nats"),
            ),
        ),
        Claim::new(
            "Learning with mean field changes the model until the assumption holds better: its posteriors \
             are closer to a product than those learned exactly.",
            (
                apart[3] < apart[0],
                format!(
                    "mean KL of mean field from the posterior {:.4} against {:.4} nats",
                    apart[3], apart[0]
                ),
            ),
        ),
        Claim::new(
            "What is left out costs likelihood: E-steps with more interactions lose less.",
            (
                lost[1] <= lost[3] && lost[2] <= lost[3],
                format!(
                    "mean loss: truncated {:.4}, structured {:.4}, mean field {:.4} nats",
                    lost[1], lost[2], lost[3]
                ),
            ),
        ),
    ];
    Ok(shown)
}
