//! The targets of gauged mini-buckets, measured in one run; every figure is a gap to the exact `ln Z`
//! in nats: `cargo run --release --example targets [DIRECTORY]`.
//!
//! Models that are not bundled are looked for in `DIRECTORY/peers` and `DIRECTORY/uai2014`; rows
//! without their file are left out.

#![allow(clippy::print_stdout)]

use std::error::Error;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use forney_bounds::wmbe::CliqueLimit;
use forney_certify::Budget;
use forney_exact::{Order, OrderError};
use forney_gauge::{GaugeOptions, gauged_wmbe};
use forney_methods::{BoundOptions, Options, Sides, WMBE, WMBE_G, bracket};
use forney_model::{Domains, Evidence, FactorGraph, Forney, VarId, simplify_sum};
use forney_uai::{read_evidence, read_model, read_solution};

/// Seconds for each bound of grids and random graphs.
const SECONDS: f64 = 2.0;

/// Seconds for each bound of a Linkage model.
const LINKAGE_SECONDS: f64 = 5.0;

/// Model, exact `ln Z`, and for ibound 5, 10 and 15 what pyGMs reaches (upper gap, CPU seconds).
type Peer = (&'static str, f64, [(f64, f64); 3]);
const PEERS: [Peer; 3] = [
    (
        "ising_N15_b1",
        222.362_905_92,
        [(4.821, 10.0), (1.040, 8.97), (0.139, 12.0)],
    ),
    (
        "ising_N20_b2",
        640.209_12,
        [(26.015, 27.0), (5.886, 28.0), (1.876, 30.0)],
    ),
    (
        "forney_n180_b1",
        259.740_46,
        [(3.359, 18.0), (1.322, 19.0), (0.828, 34.0)],
    ),
];

fn main() -> Result<(), Box<dyn Error>> {
    let bundled = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata");
    let extra = std::env::args().nth(1).map(PathBuf::from);
    ladders(&bundled)?;
    for side in [10, 15] {
        for beta in ["0.5", "1", "2"] {
            family(&bundled, &format!("ising{side}_b{beta}"), Some(side))?;
        }
    }
    for t in ["0.5", "1", "2"] {
        family(&bundled, &format!("reg3_60_T{t}"), None)?;
    }
    let Some(extra) = extra else {
        println!("\nNo directory of further models was given.");
        return Ok(());
    };
    peers(&extra)?;
    linkage(&extra)
}

/// The paper's models on its clockwise order.
fn ladders(bundled: &Path) -> Result<(), Box<dyn Error>> {
    println!("| clockwise, ibound 4 | aims | one partition, 150 evaluations | races, 1 s |");
    println!("|---|---|---|---|");
    for (name, aims) in [
        ("mobius180_T1", "1.5, 0.4"),
        ("mobius24_T0.5", "0.05, 0.01"),
        ("mobius24_T1", "0.15, 0.03"),
    ] {
        let (graph, exact) = generated(bundled, name)?;
        let options = GaugeOptions {
            limit: CliqueLimit {
                ibound: 4,
                entries: 1e7,
            },
            order: Some(clockwise(&graph)?),
            ..GaugeOptions::default()
        };
        let short = GaugeOptions {
            candidates: 1,
            iterations: Some(150),
            ..options.clone()
        };
        let few = gauged_wmbe(&graph, &short, &Budget::unlimited(), &mut |_, _| {})?;
        let budget = Budget::unlimited().capped(Duration::from_secs(1));
        let began = Instant::now();
        let long = gauged_wmbe(&graph, &options, &budget, &mut |_, _| {})?;
        println!(
            "| {name} | {aims} | {:.4} | {:.4} ({} evaluations, {:.2} s) |",
            few.bound.ln() - exact,
            long.bound.ln() - exact,
            long.iterations,
            began.elapsed().as_secs_f64(),
        );
    }
    Ok(())
}

/// Plain and gauged bounds at ibound 4, 8 and 12; grids also in the form of Levin and Nave.
fn family(bundled: &Path, name: &str, side: Option<usize>) -> Result<(), Box<dyn Error>> {
    let (graph, exact) = generated(bundled, name)?;
    let plain = simplify_sum(&graph)?;
    println!("\n| {name}, {SECONDS} s | upper | lower |\n|---|---|---|");
    for ibound in [4, 8, 12] {
        for gauged in [false, true] {
            row(&plain, exact, ibound, SECONDS, gauged, "")?;
        }
        if let Some(side) = side {
            let forney = Forney::of_grid(&graph, side, side)?;
            row(forney.graph(), exact, ibound, SECONDS, true, ", Levin–Nave")?;
        }
    }
    Ok(())
}

/// A tenth of the time of pyGMs, half of its gap.
fn peers(extra: &Path) -> Result<(), Box<dyn Error>> {
    println!("\n| model, ibound | pyGMs | aim | wmbe | wmbe-g |\n|---|---|---|---|---|");
    for (name, exact, theirs) in PEERS {
        let path = extra.join(format!("peers/{name}.uai"));
        let Ok(bytes) = std::fs::read(&path) else {
            continue;
        };
        let graph = simplify_sum(&read_model(&bytes)?.to_graph()?)?;
        for (ibound, (gap, seconds)) in [5, 10, 15].into_iter().zip(theirs) {
            let ours = |gauged| upper(&graph, ibound, seconds / 10.0, gauged);
            println!(
                "| {name}, {ibound} | {gap} in {seconds} s | {:.3} in {:.1} s | {:.4} | {:.4} |",
                gap / 2.0,
                seconds / 10.0,
                ours(false)? - exact,
                ours(true)? - exact,
            );
        }
    }
    Ok(())
}

/// Models full of zeros, with their evidence.
fn linkage(extra: &Path) -> Result<(), Box<dyn Error>> {
    println!("\n| ibound 10, {LINKAGE_SECONDS} s | wmbe | wmbe-g |\n|---|---|---|");
    for number in 11..=27 {
        let path = extra.join(format!("uai2014/linkage_{number}.uai"));
        let (Ok(model), Ok(evidence), Ok(solution)) = (
            std::fs::read(&path),
            std::fs::read(path.with_extension("uai.evid")),
            std::fs::read(path.with_extension("uai.PR")),
        ) else {
            continue;
        };
        let graph = read_model(&model)?.to_graph()?;
        let evidence = read_evidence(&evidence, graph.cards())?;
        let forney_uai::Solution::Pr { log10_z } = read_solution(&solution)? else {
            continue;
        };
        let graph = reduced(&graph, &evidence)?;
        let exact = log10_z * std::f64::consts::LN_10;
        let ours = |gauged| upper(&graph, 10, LINKAGE_SECONDS, gauged);
        println!(
            "| linkage_{number} | {:.4} | {:.4} |",
            ours(false)? - exact,
            ours(true)? - exact
        );
    }
    Ok(())
}

fn row(
    graph: &FactorGraph,
    exact: f64,
    ibound: usize,
    seconds: f64,
    gauged: bool,
    form: &str,
) -> Result<(), Box<dyn Error>> {
    let (lower, upper) = bounds(graph, ibound, seconds, gauged, Sides::Both)?;
    let method = if gauged { "wmbe-g" } else { "wmbe" };
    println!(
        "| ibound {ibound}, {method}{form} | {:.4} | {:.4} |",
        upper - exact,
        lower - exact
    );
    Ok(())
}

fn upper(
    graph: &FactorGraph,
    ibound: usize,
    seconds: f64,
    gauged: bool,
) -> Result<f64, Box<dyn Error>> {
    Ok(bounds(graph, ibound, seconds, gauged, Sides::Upper)?.1)
}

fn bounds(
    graph: &FactorGraph,
    ibound: usize,
    seconds: f64,
    gauged: bool,
    sides: Sides,
) -> Result<(f64, f64), Box<dyn Error>> {
    let method = match gauged {
        true => Some(WMBE_G),
        false => Some(WMBE),
    };
    let options = BoundOptions {
        limits: Options {
            ibound: Some(ibound),
            ..Options::default()
        },
        sides,
        method,
    };
    let budget = Budget::unlimited().capped(Duration::from_secs_f64(seconds));
    let proved = bracket(graph, &options, &budget, &mut |_| {})?.bracket;
    Ok((proved.lower().ln(), proved.upper().ln()))
}

/// A bundled model with its `ln Z`.
fn generated(bundled: &Path, name: &str) -> Result<(FactorGraph, f64), Box<dyn Error>> {
    let file = format!("generated/{name}.uai");
    let graph = read_model(&std::fs::read(bundled.join(&file))?)?.to_graph()?;
    let reference = std::fs::read_to_string(bundled.join("REFERENCE.tsv"))?;
    let line = reference.lines().find(|line| line.starts_with(&file));
    let exact = line.and_then(|line| line.split('\t').nth(1));
    let exact = exact.ok_or_else(|| format!("REFERENCE.tsv does not list {file}"))?;
    Ok((graph, exact.parse()?))
}

/// What evidence and zeros leave.
fn reduced(graph: &FactorGraph, evidence: &Evidence) -> Result<FactorGraph, Box<dyn Error>> {
    let mut domains = Domains::observed(graph, evidence)?;
    domains
        .probe(graph, &Budget::unlimited())
        .map_err(|_| "the evidence is impossible")?;
    Ok(simplify_sum(domains.restrict(graph).graph())?)
}

/// Around the cycle, every rail before the rung that its factor has.
fn clockwise(graph: &FactorGraph) -> Result<Order, OrderError> {
    let factors = graph.num_factors();
    let rungs = factors / 2;
    let order = (0..factors).flat_map(|a| {
        let rail = (a + factors - 1) % factors;
        let rung = (a < rungs).then_some(factors + a);
        [Some(rail), rung].into_iter().flatten().map(VarId::new)
    });
    Order::new(order.collect(), graph)
}
