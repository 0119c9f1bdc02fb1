//! Mean field with two continuous latents that explain one observation (19.4.3).

use forney_latent::continuous::{FixedPoint, LinearGaussian, Term};
use forney_latent::variations::Grid;
use forney_plot::{Axis, Chart, Series};
use ndarray::array;

use crate::reproduce::context::Context;
use crate::reproduce::shown::{Claim, Figure, Shown};

/// Observations and weights `w₁, w₂` of `v ~ N(wᵀh, 1)`.
const CASES: [(f64, [f64; 2]); 3] = [(1.5, [1.0, 0.5]), (1.5, [1.5, 1.5]), (1.5, [3.0, 0.1])];

pub(crate) fn run(_: &Context<'_>) -> anyhow::Result<Shown> {
    let mut shown = Shown {
        header: vec![
            "v",
            "w1",
            "w2",
            "latent",
            "mean_q",
            "mean_p",
            "variance_q",
            "variance_p",
        ],
        ..Shown::default()
    };
    let (mut mean_off, mut variance_off, mut narrower) = (0f64, 0f64, true);
    let mut charts = Vec::new();
    for (v, w) in CASES {
        let grid = Grid::new(-8.0, 8.0, 321)?;
        let terms = vec![
            Term::new(&[0], |h| -0.5 * h[0] * h[0]),
            Term::new(&[1], |h| -0.5 * h[0] * h[0]),
            Term::new(&[0, 1], move |h| {
                -0.5 * (v - h[0] * w[0] - h[1] * w[1]).powi(2)
            }),
        ];
        let run = FixedPoint::new(vec![grid.clone(), grid], terms)?.run(1e-13, 2000)?;
        let model = LinearGaussian::standard(array![[w[0], w[1]]], array![1.0])?;
        let exact = model.posterior(array![[v]].view())?;
        let covariance = &exact.covariance;
        for i in 0..2 {
            // The variance of q_i is the inverse of the i-th diagonal entry of the precision.
            let conditional = 1.0 / (1.0 + w[i] * w[i]);
            mean_off = mean_off.max((run.mean(i) - exact.means[[0, i]]).abs());
            variance_off = variance_off.max((run.variance(i) - conditional).abs());
            narrower &= run.variance(i) < covariance[[i, i]];
            shown.table.push(vec![
                v.to_string(),
                w[0].to_string(),
                w[1].to_string(),
                (i + 1).to_string(),
                format!("{:.9}", run.mean(i)),
                format!("{:.9}", exact.means[[0, i]]),
                format!("{:.9}", run.variance(i)),
                format!("{:.9}", covariance[[i, i]]),
            ]);
        }
        let determinant = covariance[[0, 0]] * covariance[[1, 1]] - covariance[[0, 1]].powi(2);
        let p = |x: f64, y: f64| {
            let (x, y) = (x - exact.means[[0, 0]], y - exact.means[[0, 1]]);
            let cross = 2.0 * covariance[[0, 1]] * x * y;
            ((covariance[[1, 1]] * x * x - cross + covariance[[0, 0]] * y * y) / determinant).sqrt()
        };
        let q = |x: f64, y: f64| {
            let (x, y) = (x - run.mean(0), y - run.mean(1));
            (x * x / run.variance(0) + y * y / run.variance(1)).sqrt()
        };
        let (across, up) = (-2.5..=3.5, -3.0..=3.0);
        charts.push(Chart {
            title: format!("v = {v}, w = ({}, {})", w[0], w[1]),
            x: Axis::linear("h₁"),
            y: Axis::linear("h₂"),
            series: vec![
                Series::contours(
                    "p(h | v), 1 and 2 σ",
                    p,
                    across.clone(),
                    up.clone(),
                    &[1.0, 2.0],
                ),
                Series::contours("mean field q(h), 1 and 2 σ", q, across, up, &[1.0, 2.0]),
            ],
        });
    }
    shown.figures = vec![Figure::charts(
        "gaussian-mean-field",
        "Two causes h₁, h₂ of one observation v: contours of the posterior and of the product that mean \
         field fits to it.",
        &charts,
    )?];
    shown.claims = vec![
        Claim::new(
            "The general fixed point (19.56) gives Gaussians without their form being assumed; \
                   their means are those of the posterior.",
            (
                mean_off <= 1e-6,
                format!("largest difference of the means {mean_off:.1e}"),
            ),
        ),
        Claim::new(
            "The variance of q(h_i) is 1/(1 + w_i²), what is left when the other latent is known.",
            (
                variance_off <= 1e-6,
                format!("largest difference {variance_off:.1e}"),
            ),
        ),
        Claim::new(
            "Mean field leaves out the dependence of the causes, and is too sure of each.",
            (
                narrower,
                "every variance of q against the marginal variance of p".into(),
            ),
        ),
    ];
    Ok(shown)
}
