//! Figures 1 and 3: conversions to Forney form and the split of a bucket, drawn from the objects.

use std::f64::consts::TAU;
use std::fmt::Write as _;

use anyhow::Result;
use forney_exact::Source;
use forney_model::{FactorGraph, Forney, Table, VarId, check_forney};

use super::context::Context;
use super::drawing::{drawing, picture, side_by_side};
use super::instance::{clockwise, cycle, exact, ising, ising_forney};
use super::shown::{Claim, Figure, Image, Shown};
use super::upper::schedule;

/// All drawings.
pub(crate) fn drawings(_: &Context<'_>) -> Result<Shown> {
    let star = star()?;
    let form = Forney::new(&star, usize::MAX)?;
    let grid = ising(6, 1.0, 0);
    let cover = ising_forney(&grid, 6)?;
    let ladder = cycle(12, 1.0, 0);
    let on_grid = |v: VarId| ((v.index() % 6) as f64, (v.index() / 6) as f64);
    // Copies of the middle stand on their way to the leaves.
    let leaf = |k: usize| {
        let angle = TAU * k as f64 / 4.0;
        (2.0 * angle.cos(), 2.0 * angle.sin())
    };
    let on_star = |v: VarId| match v.index() {
        0 => (0.0, 0.0),
        k => leaf(k),
    };
    let on_form = |v: VarId| match (form.original(v).index(), v.index()) {
        (0, 0) => (0.55, 0.0),
        (0, k) => {
            let (x, y) = leaf(k - 3);
            (0.275 * x, 0.275 * y)
        }
        (k, _) => leaf(k),
    };
    let on_cycle = |v: VarId| {
        let angle = TAU * (v.index() as f64 + 0.5) / 12.0;
        match v.index() {
            k if k < 12 => (3.0 * angle.cos(), 3.0 * angle.sin()),
            k => {
                let angle = TAU * (k as f64 - 12.0) / 12.0;
                (0.9 * angle.cos(), 0.9 * angle.sin())
            }
        }
    };
    let figure = |name: &str, caption: &str, image: String| Figure {
        name: name.into(),
        caption: caption.into(),
        image: Image::Svg(image),
    };
    let mut shown = Shown {
        header: vec!["object", "variables", "factors", "ln_z"],
        ..Shown::default()
    };
    shown.figures = vec![
        figure(
            "figure1-forney",
            "Circles are variables, squares factors. Left: a variable in four factors. Right: its \
             Forney form, where an equality factor joins four copies and every variable lies in \
             exactly two factors.",
            side_by_side(&[drawing(&star, on_star), drawing(form.graph(), on_form)]),
        ),
        figure(
            "figure3-forms",
            "Left: a 6×6 Ising grid. Middle: its Forney form after Levin and Nave on the same variables. \
             Right: the cycle of 12 factors with diameters.",
            side_by_side(&[
                drawing(&grid, on_grid),
                drawing(&cover, on_grid),
                drawing(&ladder, on_cycle),
            ]),
        ),
    ];
    let (caption, picture) = split(&ladder)?;
    shown
        .figures
        .push(figure("figure1-split", &caption, picture));
    let mut worst = 0f64;
    for (name, graph) in [
        ("star", &star),
        ("star in Forney form", form.graph()),
        ("Ising 6×6", &grid),
        ("Ising 6×6 in Forney form", &cover),
        ("cycle of 12", &ladder),
    ] {
        shown.table.push(vec![
            name.into(),
            graph.num_variables().to_string(),
            graph.num_factors().to_string(),
            format!("{}", exact(graph)?),
        ]);
    }
    for (before, after) in [(&star, form.graph()), (&grid, &cover)] {
        check_forney(after)?;
        worst = worst.max((exact(before)? - exact(after)?).abs());
    }
    shown.claims = vec![Claim::new(
        "Conversions leave Z as it is, and every variable lies in exactly two factors.",
        (
            worst < 1e-9,
            format!("ln Z moves by {worst:.1e} nats at most"),
        ),
    )];
    Ok(shown)
}

/// One variable with four neighbours.
fn star() -> Result<FactorGraph> {
    let link = |k: u32| {
        let scope = vec![VarId(0), VarId(k)];
        Table::from_ln(scope, vec![2, 2], vec![0.5, -0.5, -0.5, 0.5])
    };
    let tables = (1..=4).map(link).collect::<Result<Vec<_>, _>>()?;
    Ok(FactorGraph::new(vec![2; 5], tables)?)
}

/// The first bucket that an ibound of 4 splits: a box for each mini-bucket, with what it multiplies.
fn split(graph: &FactorGraph) -> Result<(String, String)> {
    let order = clockwise(12, graph)?;
    let schedule = schedule(graph, &order, 4)?;
    let Some(split) = schedule.splits().first() else {
        anyhow::bail!("ibound 4 splits no bucket of the cycle of 12");
    };
    let names = |scope: &[VarId]| {
        let names: Vec<_> = scope.iter().map(|v| format!("x{}", v.index())).collect();
        names.join(" ")
    };
    let mut body = String::new();
    for (r, &number) in split.steps.iter().enumerate() {
        let step = &schedule.steps()[number];
        let inputs = step.inputs.iter().filter_map(|input| match input.source {
            Source::Base(b) => Some(format!("f({})", names(&schedule.bases()[b].scope))),
            Source::Message(m) => {
                Some(format!("m({})", names(schedule.steps()[m].message_scope())))
            }
            Source::Shift(..) => None,
        });
        let inputs: Vec<_> = inputs.collect();
        let y = 20 + 90 * r;
        let rows = [
            format!("mini-bucket {}, weight w{}", r + 1, r + 1),
            format!("multiplies {}", inputs.join(" · ")),
            format!("sends m({})", names(step.message_scope())),
        ];
        let _ = writeln!(
            body,
            "<rect x=\"20\" y=\"{y}\" width=\"700\" height=\"76\" fill=\"#fff\" stroke=\"#0072B2\" stroke-width=\"2\"/>"
        );
        for (line, row) in rows.iter().enumerate() {
            let y = y + 22 + 22 * line;
            let _ = writeln!(body, "<text x=\"34\" y=\"{y}\">{row}</text>");
        }
    }
    let caption = format!(
        "The first bucket that is split when the cycle of 12 is eliminated clockwise at ibound 4: \
         that of variable x{}, whose weights sum to 1.",
        split.variable.index()
    );
    Ok((
        caption,
        picture(740.0, 30.0 + 90.0 * split.steps.len() as f64, &body),
    ))
}
