//! Beyond the paper: the width of the bracket against time, beside other tools.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::Result;
use forney_bounds::{BoundOptions, Method};
use forney_certify::Budget;
use forney_gauge::bracket;
use forney_model::FactorGraph;
use forney_plot::{Axis, Point, Series, Style};

use super::context::{Context, Run};
use super::experiment::{Claim, Figure, Shown};
use super::instance::{cycle, ising};
use super::records::Record;
use crate::peers::figures;

/// Models that other tools were measured on.
const FILES: [&str; 9] = [
    "ising_N10_b1",
    "ising_N15_b2",
    "ising_N20_b1",
    "ising_N30_b1",
    "forney_n60_b1",
    "forney_n100_b1",
    "forney_n180_b1",
    "pairk_n30_b1",
    "pairk_n50_b1",
];
const METHODS: [(&str, Method); 3] = [
    ("auto", Method::Auto),
    ("mini-buckets", Method::Wmbe),
    ("gauges", Method::Contender),
];
/// Widths below this are drawn here: the sides agree.
const LEAST: f64 = 1e-6;

/// All methods on all instances, one after the other.
pub(crate) fn races(context: &Context<'_>) -> Result<Shown> {
    let mut models: Vec<(String, FactorGraph)> = Vec::new();
    models.push(("cycle of 180, T = 1".into(), cycle(180, 1.0, 0)));
    if context.quick {
        models.push(("Ising 15×15, β = 1".into(), ising(15, 1.0, 0)));
    }
    for name in &FILES[..context.pick(0, FILES.len())] {
        if let Some(path) = context.file(&format!("peers/{name}.uai")) {
            let model = forney_uai::read_file(&path, forney_uai::read_model)?;
            models.push(((*name).into(), model.to_graph()?));
        }
    }
    let mut runs = Vec::new();
    for (name, graph) in &models {
        for (series, method) in METHODS {
            let seconds = match method {
                Method::Auto => context.pick(2.0, 60.0),
                _ => context.pick(1.0, 15.0),
            };
            runs.push(Run {
                key: format!("{name} {series} {seconds} s"),
                work: Box::new(move || race(name, graph, series, method, seconds)),
            });
        }
    }
    let records = context.runs_alone(runs)?;
    let mut shown = records.shown();
    let mut charts = records.charts(
        &Axis::log("seconds"),
        &Axis::log("upper − lower [nats]"),
        Style::Steps,
    );
    for chart in &mut charts {
        let name = chart.title.clone();
        chart.series.extend(peers(&name));
    }
    shown.figures.push(Figure::charts(
        "width",
        "Width of the proved bracket against wall time on all threads; steps end at 1e-6 nats, where \
         both sides agree. Points: brackets of other tools, upper and lower side together, in CPU \
         seconds with start-up, measured on a similar machine under load; compare orders of magnitude.",
        &charts,
    )?);
    shown.claims = vec![Claim::new(
        "auto ends about as narrow as the best of mini-buckets alone and gauges alone, or narrower (ours).",
        narrowest(&records.0),
    )];
    Ok(shown)
}

fn race(
    name: &str,
    graph: &FactorGraph,
    series: &str,
    method: Method,
    seconds: f64,
) -> Result<Vec<Record>> {
    let budget = Budget::new(
        Some(Duration::from_secs_f64(seconds)),
        std::sync::Arc::default(),
    );
    let options = BoundOptions {
        method,
        ..BoundOptions::default()
    };
    let mut records: Vec<Record> = Vec::new();
    let point = |elapsed: f64, lower: f64, upper: f64, iterations: usize, method: &str| {
        let width = (upper - lower).max(LEAST);
        Record {
            panel: name.to_owned(),
            series: series.to_owned(),
            x: elapsed.max(1e-4),
            seed: options.seed,
            value: Some(width).filter(|w| w.is_finite()),
            ln_bound: Some(upper).filter(|u| u.is_finite()),
            ln_reference: Some(lower).filter(|l| l.is_finite()),
            iterations,
            options: format!("timed, {seconds} s; lower bound in ln_reference; {method}"),
        }
    };
    let report = bracket(graph, &options, &budget, &mut |progress| {
        let far = records
            .last()
            .is_none_or(|r| progress.elapsed_s > 1.05 * r.x);
        if far {
            records.push(point(
                progress.elapsed_s,
                progress.lower,
                progress.upper,
                progress.iterations,
                progress.upper_method,
            ));
        }
    });
    let end = budget.elapsed().as_secs_f64();
    match report {
        Ok(report) => records.push(point(
            end,
            report.bracket.lower().ln(),
            report.bracket.upper().ln(),
            report.iterations,
            report.upper_method,
        )),
        Err(why) => {
            let mut record = point(end, f64::NEG_INFINITY, f64::INFINITY, 0, "");
            record.options = format!("does not apply: {why}");
            records.push(record);
        }
    }
    Ok(records)
}

/// Is the last width of `auto` the least on every instance, give or take a quarter of it?
fn narrowest(records: &[Record]) -> (bool, String) {
    let mut last: BTreeMap<&str, BTreeMap<&str, f64>> = BTreeMap::new();
    for r in records {
        let width = r.value.unwrap_or(f64::INFINITY);
        last.entry(&r.panel).or_default().insert(&r.series, width);
    }
    let mut worse = Vec::new();
    for (name, widths) in &last {
        let auto = widths.get("auto").copied().unwrap_or(f64::INFINITY);
        let least = widths.values().copied().fold(f64::INFINITY, f64::min);
        // Infinite widths agree with nothing.
        let near = auto.is_finite() && auto <= 1.25 * least + 0.01;
        if !near {
            worse.push(format!("{name}: auto {auto:.4}, least {least:.4}"));
        }
    }
    let all = last.len();
    let measured = format!(
        "on {} of {all} instances. {}",
        all - worse.len(),
        worse.join("; ")
    );
    (worse.is_empty() && all > 0, measured)
}

/// Brackets of other tools: an upper bound with the lower one of the same tool.
fn peers(model: &str) -> Vec<Series> {
    let figures = figures();
    let of = |kind: &'static str| {
        figures
            .iter()
            .filter(move |f| f.model == model && f.kind == kind)
    };
    let mut series: BTreeMap<&str, Vec<Point>> = BTreeMap::new();
    for upper in of("upper") {
        let Some(stem) = upper.tool.strip_suffix('+') else {
            continue;
        };
        let lower = of("lower").find(|f| f.tool.strip_suffix('-') == Some(stem));
        if let Some((lower, above, below)) = lower.and_then(|l| Some((l, upper.value?, l.value?))) {
            let width = (above - below).max(LEAST);
            let point = Point::new(upper.cpu_s + lower.cpu_s, width);
            series.entry("pyGMs, both sides").or_default().push(point);
        }
    }
    for exact in of("exact") {
        let tool = exact.tool.split('-').next().unwrap_or(exact.tool);
        let point = Point::new(exact.cpu_s, LEAST);
        series.entry(tool).or_default().push(point);
    }
    let named = series.into_iter().map(|(name, points)| Series {
        name: match name {
            "pyGMs, both sides" => name.to_owned(),
            tool => format!("{tool}, exact"),
        },
        points,
        style: Style::Points,
    });
    named.collect()
}
