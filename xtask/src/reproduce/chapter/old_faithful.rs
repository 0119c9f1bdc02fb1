//! EM on the eruptions of Old Faithful: the bound touches the likelihood after each E-step (19.2).

use forney_certify::Budget;
use forney_latent::em::{Examples, GaussianMixture, GaussianMixtureParams, LatentModel, Rows};
use forney_plot::{Axis, Chart, Point, Series, Style};
use ndarray::Array2;

use crate::reproduce::context::Context;
use crate::reproduce::shown::{Claim, Figure, Shown};

/// Duration of an eruption and the wait for the next, in minutes (Azzalini & Bowman 1990).
const DATA: &str = include_str!("../../../../crates/latent/tests/data/faithful.csv");

/// Iterations that are drawn.
const ITERATIONS: usize = 20;

fn data() -> anyhow::Result<Array2<f64>> {
    let values: Vec<f64> = DATA
        .lines()
        .skip(1)
        .flat_map(|line| line.split(','))
        .map(|number| number.trim().parse())
        .collect::<Result<_, _>>()?;
    Ok(Array2::from_shape_vec((values.len() / 2, 2), values)?)
}

/// A start that is far off: two wide components side by side.
fn start(fitted: &GaussianMixture) -> anyhow::Result<GaussianMixture> {
    let mut means = fitted.means().clone();
    let (left, right) = if means[[0, 0]] < means[[1, 0]] {
        (0, 1)
    } else {
        (1, 0)
    };
    means[[left, 0]] = 3.0;
    means[[right, 0]] = 3.8;
    means[[left, 1]] = 75.0;
    means[[right, 1]] = 66.0;
    let (weights, floor) = (fitted.weights().clone(), fitted.variance_floor().clone());
    Ok(GaussianMixture::new(
        weights,
        means,
        fitted.covariances().clone(),
        floor,
    )?)
}

pub(crate) fn run(_: &Context<'_>) -> anyhow::Result<Shown> {
    let data = data()?;
    let n = data.nrows() as f64;
    let fitted = GaussianMixtureParams::default().fit(data.view())?.model;
    let rows = Rows::new(data.view(), None, 0)?;
    let mut model = start(&fitted)?;
    let (mut likelihood, mut before, mut table) = (Vec::new(), Vec::new(), Vec::new());
    let (mut touching, mut rising) = (0f64, true);
    let mut kept: Option<f64> = None;
    for iteration in 0..ITERATIONS {
        let score = model.score(data.view())?;
        // E-step: with the exact posterior the bound is the likelihood.
        let mut statistics = model.no_statistics();
        let units = rows.units(0);
        let touched = GaussianMixture::collect(
            &model.posterior(),
            &rows,
            units,
            &Budget::unlimited(),
            &mut statistics,
        ) / n;
        touching = touching.max((touched - score).abs());
        if let Some(bound) = kept {
            // After the M-step, before this E-step: the old q under the new parameters.
            before.push(Point::new(iteration as f64, bound));
            rising &= touched >= bound - 1e-9;
        }
        // The likelihood of the start is so low that nothing else would be seen.
        if iteration > 0 {
            likelihood.push(Point::new(iteration as f64, touched));
        }
        table.push(vec![
            iteration.to_string(),
            format!("{score:.9}"),
            format!("{touched:.9}"),
            kept.map_or(String::new(), |bound| format!("{bound:.9}")),
        ]);
        let entropy = touched * n - model.expected_ln_joint(&statistics);
        let next = model.maximised(&statistics);
        let bound = (next.expected_ln_joint(&statistics) + entropy) / n;
        rising &= bound >= touched - 1e-9;
        kept = Some(bound);
        model = next;
    }
    let trace = GaussianMixtureParams::default().fit(data.view())?.trace;
    let monotone = trace.windows(2).all(|pair| pair[1] >= pair[0] - 1e-9);
    let chart = Chart {
        title: "EM on Old Faithful, two Gaussians".into(),
        x: Axis::linear("iteration"),
        y: Axis::linear("nats per eruption"),
        series: vec![
            Series {
                name: "L after the E-step = ln p(v; θ)".into(),
                points: likelihood,
                style: Style::Line,
            },
            Series {
                name: "L after the M-step, old q".into(),
                points: before,
                style: Style::Line,
            },
        ],
    };
    Ok(Shown {
        figures: vec![Figure::charts(
            "old-faithful",
            "EM from a poor start. Each E-step lifts the bound to the likelihood, each M-step lifts the \
             bound under the old posterior.",
            &[chart],
        )?],
        header: vec![
            "iteration",
            "ln_likelihood",
            "bound_after_e_step",
            "bound_after_m_step",
        ],
        table,
        claims: vec![
            Claim::new(
                "After each E-step the bound touches the likelihood.",
                (
                    touching <= 1e-9,
                    format!("largest distance {touching:.1e} nats per eruption"),
                ),
            ),
            Claim::new(
                "Neither step lowers the bound.",
                (
                    rising && monotone,
                    format!("{ITERATIONS} iterations from a poor start, and the trace of a fit"),
                ),
            ),
        ],
    })
}
