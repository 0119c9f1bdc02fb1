//! Bracket width against time, beside what other tools reached.

use std::time::Duration;

use anyhow::Result;
use forney_certify::Budget;
use forney_methods::{BoundOptions, MEAN_FIELD, Method, WMBE, WMBE_G, bracket};
use forney_model::{Domains, Evidence, FactorGraph};
use forney_plot::{Axis, Point, Series, Style};
use forney_uai::{read_evidence, read_file, read_model};

use super::context::{Context, Run};
use super::records::{Record, Records, TIMED};
use super::shown::{Claim, Figure, Shown};
use crate::peers::{self, Kind, Tool};

/// One instance of each family, and the folder it is in.
const MODELS: [(&str, &str); 10] = [
    ("peers", "ising_N20_b2"),
    ("peers", "ising_N30_b1"),
    ("peers", "forney_n180_b1"),
    ("peers", "pairk_n50_b1"),
    ("peers", "pairk_n100_b1"),
    ("generated", "reg3_60_T2"),
    ("uai2014", "linkage_15"),
    ("uai2014", "DBN_11"),
    ("uai-other", "grid20x20.f10.wrap"),
    ("uai-other", "BN_30"),
];

/// Those of a quick report, which are bundled.
const QUICK: [(&str, &str); 2] = [("generated", "ising15_b1"), ("generated", "reg3_60_T2")];

/// How each method is called, what it is, and how many seconds of a full run it gets.
static METHODS: [(&str, Option<&&'static dyn Method>, f64); 4] = [
    ("auto", None, 60.0),
    ("weighted mini-buckets", Some(&WMBE), 20.0),
    ("gauged mini-buckets", Some(&WMBE_G), 20.0),
    ("mean field and entry maxima", Some(&MEAN_FIELD), 2.0),
];

/// Moments at which the width is read, in seconds.
const MOMENTS: [f64; 12] = [
    0.01, 0.02, 0.05, 0.1, 0.3, 1.0, 2.0, 5.0, 10.0, 20.0, 40.0, 60.0,
];

/// Seconds of each method in a quick report.
const QUICK_TIME: f64 = 1.0;

/// A width below this is drawn here, for the axis is logarithmic: the bracket has closed.
const CLOSED: f64 = 1e-6;

const LABEL: &str = "upper − lower [nats]";

pub(crate) fn run(context: &Context<'_>) -> Result<Shown> {
    let models: &[_] = context.pick(&QUICK[..], &MODELS[..]);
    let mut runs = Vec::new();
    for &(folder, name) in models {
        let Some(graph) = load(context, folder, name)? else {
            continue;
        };
        for &(series, method, seconds) in &METHODS {
            let method = method.copied();
            let seconds = context.pick(QUICK_TIME.min(seconds), seconds);
            let graph = graph.clone();
            runs.push(Run {
                key: format!("{name}, {series}, {seconds} s"),
                work: Box::new(move || Ok(trace(&graph, name, series, method, seconds))),
            });
        }
    }
    let records = context.runs_alone(runs)?;
    let mut shown = records.shown();
    let panels = records.panels();
    for pair in panels.chunks(2) {
        let charts: Vec<_> = pair.iter().map(|model| chart(&records, model)).collect();
        let name = format!("width-{}", pair.join("-").replace('.', "-"));
        let caption = "Width of the bracket against time on all threads, a closed one drawn at 10⁻⁶ nats; \
                       markers of other tools are at the CPU seconds that they took for both sides.";
        shown.figures.push(Figure::charts(name, caption, &charts)?);
    }
    // A quick report runs beside other work, and a second is short: only a clear loss counts.
    shown.claims = vec![no_worse(&records, context.pick(2.0, 1.05))];
    shown.claims.extend(ahead(&records));
    Ok(shown)
}

/// A model with its evidence, from the bundled files or the folder of data.
fn load(context: &Context<'_>, folder: &str, name: &str) -> Result<Option<FactorGraph>> {
    let file = format!("{folder}/{name}.uai");
    let bundled = std::path::Path::new("testdata").join(&file);
    let path = if bundled.is_file() {
        bundled
    } else {
        match context.file(&file) {
            Some(path) => path,
            None => return Ok(None),
        }
    };
    let graph = read_file(&path, read_model)?.to_graph()?;
    let beside = path.with_file_name(format!("{name}.uai.evid"));
    let evidence = if beside.is_file() {
        read_file(&beside, |bytes| read_evidence(bytes, graph.cards()))?
    } else {
        Evidence::default()
    };
    let mut domains = Domains::observed(&graph, &evidence)?;
    domains.prune(&graph)?;
    Ok(Some(domains.restrict(&graph).graph().clone()))
}

/// The width of the bracket at each moment of one run.
fn trace(
    graph: &FactorGraph,
    model: &str,
    series: &str,
    method: Option<&'static dyn Method>,
    seconds: f64,
) -> Vec<Record> {
    let budget = Budget::unlimited().capped(Duration::from_secs_f64(seconds));
    let options = BoundOptions {
        method,
        ..BoundOptions::default()
    };
    let mut steps: Vec<(f64, f64, usize)> = Vec::new();
    let report = bracket(graph, &options, &budget, &mut |progress| {
        let width = progress.bracket.gap();
        steps.push((progress.elapsed_s, width, progress.iterations));
    });
    let (end, note) = match &report {
        Ok(report) => (budget.elapsed().as_secs_f64(), report.stop.to_string()),
        Err(error) => (0.0, error.to_string()),
    };
    let at = |moment: f64| steps.iter().rfind(|step| step.0 <= moment);
    MOMENTS
        .into_iter()
        .filter(|moment| *moment <= seconds)
        .filter_map(|moment| {
            let &(_, width, iterations) = at(moment)?;
            Some(Record {
                panel: model.into(),
                series: series.into(),
                x: moment,
                seed: 0,
                value: width.is_finite().then_some(width.max(CLOSED)),
                ln_bound: None,
                reference: None,
                iterations,
                options: format!("{TIMED}; ended after {end:.2} s: {note}"),
            })
        })
        .collect()
}

/// The lines of all methods, and the points of other tools.
fn chart(records: &Records, model: &str) -> forney_plot::Chart {
    let (x, y) = (Axis::log("time [s]"), Axis::log(LABEL));
    let mut chart = records.chart(model, x, y, Style::Steps);
    for (tool, above, below) in [
        ("pyGMs, both sides", Tool::PyGms, Tool::PyGms),
        (
            "merlin above, libDAI mean field below",
            Tool::Merlin,
            Tool::LibDaiMf,
        ),
    ] {
        let points = peer_widths(model, above, below);
        if !points.is_empty() {
            chart.series.push(Series {
                name: tool.into(),
                points: points
                    .into_iter()
                    .map(|(t, width)| Point::new(t, width))
                    .collect(),
                style: Style::Points,
            });
        }
    }
    let figures = peers::figures();
    let exact = figures
        .iter()
        .filter(|f| f.model == model && f.kind == Kind::Exact);
    for figure in exact.filter(|f| f.cpu_s.is_finite()) {
        chart.series.push(Series {
            name: format!("{}, exact", figure.name),
            points: vec![Point::new(figure.cpu_s, CLOSED)],
            style: Style::Points,
        });
    }
    chart
}

/// CPU seconds and widths of another tool: its upper bounds, each with the lower bound of the same
/// ibound, or the only one.
fn peer_widths(model: &str, above: Tool, below: Tool) -> Vec<(f64, f64)> {
    let figures = peers::figures();
    let of = |kind: Kind, tool: Tool| {
        let own = figures.iter().filter(move |f| f.model == model);
        own.filter(move |f| f.kind == kind && f.tool == tool)
    };
    let mut points = Vec::new();
    for upper in of(Kind::Upper, above) {
        let partner = of(Kind::Lower, below)
            .find(|lower| lower.ibound.is_none_or(|i| upper.ibound == Some(i)));
        if let Some(lower) = partner
            && let (Some(up), Some(low)) = (upper.value, lower.value)
        {
            points.push((upper.cpu_s + lower.cpu_s, (up - low).max(CLOSED)));
        }
    }
    points.sort_by(|a, b| a.0.total_cmp(&b.0));
    points
}

/// The last width of a method on a model.
fn last(records: &Records, model: &str, series: &str) -> Option<(f64, f64)> {
    let found = records
        .0
        .iter()
        .filter(|r| r.panel == model && r.series == series);
    found.filter_map(|r| Some((r.x, r.value?))).next_back()
}

fn no_worse(records: &Records, slack: f64) -> Claim {
    let mut worse = Vec::new();
    for model in records.panels() {
        let Some((_, auto)) = last(records, model, METHODS[0].0) else {
            worse.push(format!("{model}: none"));
            continue;
        };
        for (series, _, _) in &METHODS[1..] {
            if let Some((_, width)) = last(records, model, series)
                && auto > slack * width + 1e-6
            {
                worse.push(format!("{model}: {auto:.3} against {width:.3} by {series}"));
            }
        }
    }
    let measured = if worse.is_empty() {
        format!("{} models", records.panels().len())
    } else {
        worse.join("; ")
    };
    let holds = worse.is_empty() && !records.panels().is_empty();
    Claim::new(
        "With its time at an end, auto is no looser than any one method, but for noise.",
        (holds, measured),
    )
    .known_to_differ(
        "auto spreads its time over the search for an exact order and several kinds of bounds, which \
         on a grid of 900 variables costs more than it gives",
    )
}

/// None where no other tool was measured.
fn ahead(records: &Records) -> Option<Claim> {
    let (mut compared, mut behind) = (0, Vec::new());
    for model in records.panels() {
        let peers = [
            peer_widths(model, Tool::PyGms, Tool::PyGms),
            peer_widths(model, Tool::Merlin, Tool::LibDaiMf),
        ];
        for (time, width) in peers.concat() {
            let ours = records
                .0
                .iter()
                .filter(|r| r.panel == model && r.series == METHODS[0].0 && r.x <= time);
            let Some(own) = ours.filter_map(|r| r.value).next_back() else {
                continue;
            };
            compared += 1;
            if own > width {
                behind.push(format!("{model} at {time} s: {own:.3} against {width:.3}"));
            }
        }
    }
    let measured = format!(
        "{} of {compared} points ahead {}",
        compared - behind.len(),
        behind.join("; ")
    );
    let claim = Claim::new(
        "At the time that another tool takes, the bracket of auto is narrower than its.",
        (behind.is_empty(), measured),
    );
    (compared > 0).then_some(claim)
}
