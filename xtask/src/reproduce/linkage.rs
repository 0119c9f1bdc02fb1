//! Figure 2, Linkage: bounds on the genetic linkage models of the UAI competition of 2014.

use std::path::PathBuf;

use anyhow::{Context as _, Result};
use forney_exact::{Heuristic, greedy};
use forney_gauge::PublishedVariant;
use forney_methods::Gives;
use forney_model::{Domains, FactorGraph, Forney, simplify};
use forney_plot::{Axis, Style};

use super::context::{Context, Run};
use super::figure2::Spot;
use super::records::{Record, Reference};
use super::shown::{Claim, Figure, Shown};
use super::upper::{gauged, mbe, published, registered};

/// The number of each instance with its exact `log10 Z`.
const INSTANCES: [(u32, f64); 17] = [
    (11, -31.1776),
    (12, -69.7017),
    (13, -76.0389),
    (14, -30.7614),
    (15, -76.6058),
    (16, -38.5556),
    (17, -64.8245),
    (18, -78.5222),
    (19, -59.0249),
    (20, -64.2292),
    (21, -29.6304),
    (22, -54.2777),
    (23, -116.58),
    (24, -83.7331),
    (25, -87.8848),
    (26, -115.772),
    (27, -63.4735),
];

/// Legs of equality factors; the ibound that they need is one less.
const LEGS: usize = 4;
const IBOUND: usize = 6;

/// Every instance that is there.
pub(crate) fn instances(context: &Context<'_>) -> Result<Shown> {
    let mut runs = Vec::new();
    for &(number, log10_z) in &INSTANCES[..context.pick(2, INSTANCES.len())] {
        let Some(path) = context.file(&format!("uai2014/linkage_{number}.uai")) else {
            continue;
        };
        runs.push(Run {
            key: format!("linkage_{number}"),
            work: Box::new(move || instance(number, log10_z, &path)),
        });
    }
    if runs.is_empty() {
        let mut nothing = Shown::default();
        nothing.claims.push(
            Claim::new(
                "Gauges help on Linkage.",
                (false, "no instance is there".into()),
            )
            .known_to_differ("the instances are not bundled; name their folder with --data"),
        );
        return Ok(nothing);
    }
    let records = context.runs(runs)?;
    let mut shown = records.shown();
    let x = Axis::linear("number of the instance");
    let charts = [
        records.chart(
            RELATIVE,
            x.clone(),
            Axis::linear("log10(bound / Z_MBE)"),
            Style::Points,
        ),
        records.chart(TRUTH, x, Axis::log("log10(bound / Z)"), Style::Points),
    ];
    shown.figures.push(Figure::charts(
        "figure2-linkage",
        "Bounds on each instance, relative to mini-bucket elimination as in the paper, and their \
         true error by the published exact values. A method that gave no bound has no point; the \
         CSV says why.",
        &charts,
    )?);
    shown.claims = vec![
        Claim::new(
            "WMBE-Gw outperforms all other methods of the paper.",
            records.best("WMBE-Gw", &["WMBE-θw", "WMBE-θ", "WMBE-w", "WMBE"], 0.01),
        )
        .known_to_differ(
            "hard zeros leave plain gauge steps little room, and the equality form splits most \
             buckets between equality factors, where weights do most of the work",
        ),
        Claim::new(
            "Reparameterisations and weights with our optimiser on the model itself are tighter (ours).",
            records.at_most("θ, w on the model: raced orders", "WMBE-Gw", 0.01),
        ),
    ];
    Ok(shown)
}

const RELATIVE: &str = "Linkage: against MBE";
const TRUTH: &str = "Linkage: true error";

fn read(path: &PathBuf) -> Result<FactorGraph> {
    let model = forney_uai::read_file(path, forney_uai::read_model)?;
    let graph = model.to_graph()?;
    let mut domains = Domains::full(&graph);
    domains.prune(&graph).ok().context("Z = 0")?;
    Ok(simplify(domains.restrict(&graph).graph())?)
}

fn instance(number: u32, log10_z: f64, path: &PathBuf) -> Result<Vec<Record>> {
    let model = read(path)?;
    let form = Forney::new(&model, LEGS)?;
    let graph = form.graph();
    let order = greedy(graph, Heuristic::MinFill, None);
    let spot = Spot {
        family: "Linkage".into(),
        x: f64::from(number),
        seed: 0,
    };
    let ln_z = log10_z * std::f64::consts::LN_10;
    let base = mbe(graph, &order, IBOUND)?;
    let reference = Some(Reference::MiniBuckets(base.ln));
    let mut lines = vec![("MBE", Ok(base))];
    for variant in PublishedVariant::ALL {
        lines.push((variant.name(), published(graph, &order, IBOUND, variant)));
    }
    lines.push((
        "gauges, θ, w: same order",
        gauged(graph, Some(&order), IBOUND),
    ));
    let raced = registered("wmbe", Gives::Upper, &model, IBOUND, 150);
    lines.push(("θ, w on the model: raced orders", raced));
    let mut records = Vec::new();
    for (name, found) in lines {
        let record = spot.record("against MBE", name, found, reference);
        records.push(record.against_exact(TRUTH, ln_z));
        records.push(record);
    }
    Ok(records)
}
