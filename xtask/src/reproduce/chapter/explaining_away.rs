//! Two aligned components explain one example: two modes, of which mean field takes one (19.4.1).

use forney_latent::binary_sparse_coding::{
    BinarySparseCoding, EStep, Exact, MeanField, StructuredMeanField,
};
use forney_model::enumerate::enumerate;
use forney_plot::{Axis, Chart, Point, Series, Style};
use ndarray::{Array1, Array2, Axis as Along};

use crate::reproduce::context::Context;
use crate::reproduce::shown::{Claim, Figure, Shown};

/// Angles between the two weight vectors, in degrees.
const ANGLES: [f64; 10] = [0.0, 10.0, 20.0, 30.0, 40.0, 50.0, 60.0, 70.0, 80.0, 90.0];
/// Length of the weight vectors, in standard deviations of the noise.
const LENGTH: f64 = 4.0;
/// Log odds of a component.
const BIAS: f64 = -1.0;

/// Two components at an angle; the example lies midway, so that either explains it.
fn model(angle: f64) -> (BinarySparseCoding, Array2<f64>) {
    let half = 0.5 * angle.to_radians();
    let (along, across) = (LENGTH * half.cos(), LENGTH * half.sin());
    let model = BinarySparseCoding {
        weights: ndarray::array![[along, along], [across, -across]],
        bias: Array1::from_elem(2, BIAS),
        precision: Array1::ones(2),
    };
    (model, ndarray::array![[along, 0.0]])
}

pub(crate) fn run(_: &Context<'_>) -> anyhow::Result<Shown> {
    let mut shown = Shown {
        header: vec![
            "angle_degrees",
            "p_00",
            "p_01",
            "p_10",
            "p_11",
            "q_h1",
            "q_h2",
            "gap_mean_field_nats",
            "gap_structured_nats",
        ],
        ..Shown::default()
    };
    let mut lines: [Vec<Point>; 5] = Default::default();
    let (mut one_mode, mut symmetric, mut covers) = (true, true, 0f64);
    for angle in ANGLES {
        let (model, example) = model(angle);
        let graph = model.posterior(example.row(0))?;
        let ln_z = enumerate(&graph).ln_z;
        let p = |h: [usize; 2]| (graph.ln_value(&h) - ln_z).exp();
        let means = model.transform(example.view(), &MeanField::default())?;
        let q = means.index_axis(Along(0), 0);
        let gap = |e_step: &dyn EStep| anyhow::Ok(ln_z - model.score(example.view(), e_step)?);
        let (mean_field, structured) = (
            gap(&MeanField::default())?,
            gap(&StructuredMeanField::default())?,
        );
        let exact = model.transform(example.view(), &Exact)?;
        symmetric &= (exact[[0, 0]] - exact[[0, 1]]).abs() < 1e-9;
        if angle <= 20.0 {
            let modes = p([0, 1]).min(p([1, 0])) > 10.0 * p([0, 0]).max(p([1, 1]));
            one_mode &= modes && q[0].max(q[1]) > 0.9 && q[0].min(q[1]) < 0.1;
        }
        covers = covers.max(structured.abs());
        shown.table.push(vec![
            angle.to_string(),
            format!("{:.6}", p([0, 0])),
            format!("{:.6}", p([0, 1])),
            format!("{:.6}", p([1, 0])),
            format!("{:.6}", p([1, 1])),
            format!("{:.6}", q[0]),
            format!("{:.6}", q[1]),
            format!("{mean_field:.6}"),
            format!("{structured:.6}"),
        ]);
        let values = [
            p([0, 1]) + p([1, 0]),
            q[0].max(q[1]),
            q[0].min(q[1]),
            mean_field,
            structured,
        ];
        for (line, value) in lines.iter_mut().zip(values) {
            line.push(Point::new(angle, value));
        }
    }
    let [either, larger, smaller, gap, structured] = lines;
    let line = |name: &str, points| Series {
        name: name.into(),
        points,
        style: Style::Line,
    };
    let x = || Axis::linear("angle between the components [degrees]");
    let charts = [
        Chart {
            title: "One of two causes".into(),
            x: x(),
            y: Axis::linear("probability"),
            series: vec![
                line("p(exactly one is on | v)", either),
                line("mean field, the cause it takes", larger),
                line("mean field, the other", smaller),
            ],
        },
        Chart {
            title: "What the bound loses".into(),
            x: x(),
            y: Axis::linear("ln p(v) − L [nats]"),
            series: vec![
                line("mean field", gap),
                line("structured, both in one block", structured),
            ],
        },
    ];
    shown.figures = vec![Figure::charts(
        "explaining-away",
        "Two components at an angle and an example midway between them: the exact posterior, what mean \
         field makes of it, and what its bound loses.",
        &charts,
    )?];
    shown.claims = vec![
        Claim::new(
            "With nearly the same weights the posterior has one mode for each cause, and mean field takes \
             one of them.",
            (
                one_mode,
                "angles up to 20 degrees: both states with one cause are ten times as probable as the \
                 others; q gives one cause more than 0.9 and the other less than 0.1"
                    .into(),
            ),
        ),
        Claim::new(
            "The posterior itself prefers neither cause.",
            (symmetric, "E[h₁ | v] = E[h₂ | v] at every angle".into()),
        ),
        Claim::new(
            "A q that keeps the interaction of the two loses nothing.",
            (
                covers <= 1e-9,
                format!("largest gap of the structured bound {covers:.1e} nats"),
            ),
        ),
    ];
    Ok(shown)
}
