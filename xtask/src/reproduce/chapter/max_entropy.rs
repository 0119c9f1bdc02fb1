//! The density of greatest entropy under a mean and a variance is the Gaussian (19.4.2).

use std::f64::consts::{E, PI};

use forney_latent::variations::{Grid, MaximumEntropy};
use forney_plot::{Axis, Chart, Point, Series, Style};

use crate::reproduce::context::Context;
use crate::reproduce::shown::{Claim, Figure, Shown};

/// Standard deviations to constrain to.
const SIGMAS: [f64; 3] = [0.5, 1.0, 2.0];
const MEAN: f64 = 0.75;

pub(crate) fn run(_: &Context<'_>) -> anyhow::Result<Shown> {
    let grid = Grid::new(-16.0, 16.0, 1601)?;
    let mut series = Vec::new();
    let mut table = Vec::new();
    let (mut density_off, mut entropy_off, mut multiplier_off) = (0f64, 0f64, 0f64);
    for sigma in SIGMAS {
        let variance = sigma * sigma;
        let solution = MaximumEntropy::new(grid.clone())
            .moment(|x| x, MEAN)
            .moment(|x| (x - MEAN).powi(2), variance)
            .solve()?;
        let gaussian =
            |x: f64| (-0.5 * (x - MEAN).powi(2) / variance).exp() / (2.0 * PI * variance).sqrt();
        let found = || {
            grid.points()
                .iter()
                .copied()
                .zip(solution.density.iter().copied())
        };
        let off = found()
            .map(|(x, p)| (p - gaussian(x)).abs())
            .fold(0.0, f64::max);
        let entropy = 0.5 * (2.0 * PI * E * variance).ln();
        // p = exp(λ₁ + λ₂ x + λ₃ (x − μ)² − 1) is the Gaussian with these multipliers.
        let expected = [1.0 - 0.5 * (2.0 * PI * variance).ln(), 0.0, -0.5 / variance];
        let multipliers = solution.multipliers.iter().zip(expected);
        let worst = multipliers.map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
        density_off = density_off.max(off);
        entropy_off = entropy_off.max((solution.entropy - entropy).abs());
        multiplier_off = multiplier_off.max(worst);
        table.push(vec![
            sigma.to_string(),
            format!("{:.9}", solution.entropy),
            format!("{entropy:.9}"),
            format!("{:.9}", solution.multipliers[0]),
            format!("{:.9}", solution.multipliers[1]),
            format!("{:.9}", solution.multipliers[2]),
        ]);
        let near = |x: f64| (x - MEAN).abs() <= 6.0;
        series.push(Series {
            name: format!("solved, σ = {sigma}"),
            points: found()
                .filter(|p| near(p.0))
                .map(|(x, p)| Point::new(x, p))
                .collect(),
            style: Style::Curve,
        });
        series.push(Series {
            name: format!("N({MEAN}, {sigma}²)"),
            points: (-24..=24)
                .map(|at| MEAN + 0.25 * f64::from(at))
                .map(|x| Point::new(x, gaussian(x)))
                .collect(),
            style: Style::Points,
        });
    }
    let claim = |says: &'static str, off: f64, most: f64| {
        Claim::new(says, (off <= most, format!("largest difference {off:.1e}")))
    };
    let chart = Chart {
        title: "Greatest entropy at a given mean and variance".into(),
        x: Axis::linear("x"),
        y: Axis::linear("p(x)"),
        series,
    };
    Ok(Shown {
        figures: vec![Figure::charts(
            "max-entropy",
            "Densities found by solving for the multipliers on a grid of 1601 points (lines), and the \
             Gaussians of the same mean and variance (markers).",
            &[chart],
        )?],
        header: vec![
            "sigma",
            "entropy_nats",
            "gaussian_entropy_nats",
            "lambda_1",
            "lambda_2",
            "lambda_3",
        ],
        table,
        claims: vec![
            claim(
                "The functional derivative vanishes at the Gaussian (19.54).",
                density_off,
                1e-8,
            ),
            claim("Its entropy is ½ ln 2πeσ².", entropy_off, 1e-8),
            claim(
                "The multipliers are λ₁ = 1 − ln σ√(2π), λ₂ = 0, λ₃ = −1/(2σ²).",
                multiplier_off,
                1e-6,
            ),
        ],
    })
}
