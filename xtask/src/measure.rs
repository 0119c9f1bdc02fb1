//! `cargo xtask measure`: exact inference and bounds on the peers' files, as a page of tables.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use forney_bounds::wmbe::{CliqueLimit, MiniBuckets, WmbeObjective};
use forney_certify::{Above, Budget, Objective};
use forney_exact::{Heuristic, Schedule, greedy};
use forney_methods::{BoundOptions, BoundReport, EXACT, Options, WMBE, bracket};
use forney_model::FactorGraph;

use crate::peers::{Figure, Kind, Tool, figures, models};

/// Words of `cargo xtask measure`.
#[derive(clap::Args)]
pub(crate) struct Measure {
    /// Folder with the models.
    #[arg(long, default_value = "../shared/data/peers")]
    data: PathBuf,
    /// Seconds for each bracket.
    #[arg(long, default_value_t = 10.0)]
    time: f64,
    /// Only models whose name contains this.
    #[arg(long, default_value = "")]
    only: String,
    /// The page to write.
    #[arg(long, default_value = "docs/measured.md")]
    output: PathBuf,
}

/// Equal cliques: our ibound i, merlin's i, pyGMs' i + 1.
const IBOUNDS: [usize; 3] = [5, 10, 15];

impl Measure {
    pub(crate) fn run(&self) -> Result<()> {
        let one = rayon::ThreadPoolBuilder::new().num_threads(1).build()?;
        let figures = figures();
        let mut exact = String::new();
        let mut bounds = String::new();
        let mut passes = String::new();
        for (name, ln_z) in models()
            .into_iter()
            .filter(|(name, _)| name.contains(&self.only))
        {
            let path = self.data.join(format!("{name}.uai"));
            if !path.is_file() {
                eprintln!("{} is not there; skipped", path.display());
                continue;
            }
            let graph = read(&path)?;
            eprintln!("{name}");
            exact_row(&mut exact, &graph, name, ln_z, &figures)?;
            for ibound in IBOUNDS {
                let found = bound(&graph, ibound, self.time)?;
                bound_row(&mut bounds, name, ibound, ln_z, &found, &figures)?;
                let seconds = one.install(|| pass_seconds(&graph, ibound))?;
                pass_row(&mut passes, name, ibound, seconds, &figures)?;
            }
        }
        let page = page(&exact, &bounds, &passes, self.time);
        forney_uai::write_atomic(&self.output, page.as_bytes())?;
        Ok(())
    }
}

fn read(path: &Path) -> Result<FactorGraph> {
    let model = forney_uai::read_file(path, forney_uai::read_model)?;
    model.to_graph().with_context(|| path.display().to_string())
}

fn first_clause(error: &dyn std::error::Error) -> String {
    let told = error.to_string();
    told.split(';').next().unwrap_or_default().to_owned()
}

fn exact_row(
    out: &mut String,
    graph: &FactorGraph,
    name: &str,
    ln_z: f64,
    figures: &[Figure],
) -> Result<()> {
    let budget = Budget::new(Some(Duration::from_secs(60)), std::sync::Arc::default());
    let options = BoundOptions {
        method: Some(EXACT),
        ..BoundOptions::default()
    };
    let ours = match bracket(graph, &options, &budget, &mut |_| {}) {
        Ok(report) if !report.exact && report.refused.is_none() => {
            format!("not done within {:.0} s", budget.elapsed().as_secs_f64())
        }
        Ok(BoundReport {
            refused: Some(refused),
            ..
        }) => first_clause(&refused),
        Ok(report) => {
            let off = (report.bracket.upper().ln() - ln_z).abs();
            anyhow::ensure!(off < 1e-4, "{name}: ln Z is off by {off}");
            format!(
                "{:.3} s, {:.0} MB, width {}",
                budget.elapsed().as_secs_f64(),
                report.peak_bytes / 1e6,
                report.ibound
            )
        }
        Err(error) => first_clause(&error),
    };
    let peers = figures
        .iter()
        .filter(|f| f.model == name && f.kind == Kind::Exact);
    let best = peers.min_by(|a, b| a.cpu_s.total_cmp(&b.cpu_s));
    let best = best.map_or("none finished".to_owned(), |f| {
        format!("{} {} s, {} MB", f.name, f.cpu_s, f.megabytes)
    });
    writeln!(out, "| {name} | {ln_z} | {ours} | {best} |")?;
    Ok(())
}

/// The figure of a tool on a model at an ibound.
fn peer<'f>(
    figures: &'f [Figure],
    name: &str,
    kind: Kind,
    tool: Tool,
    ibound: usize,
) -> Option<&'f Figure> {
    let mut own = figures.iter().filter(|f| f.model == name && f.kind == kind);
    own.find(|f| f.tool == tool && f.ibound == Some(ibound))
}

/// What one bracket proved, and when.
struct Found {
    lower: f64,
    upper: f64,
    seconds: f64,
    exact: bool,
}

fn bound(graph: &FactorGraph, ibound: usize, time: f64) -> Result<Found> {
    let budget = Budget::new(
        Some(Duration::from_secs_f64(time)),
        std::sync::Arc::default(),
    );
    let options = BoundOptions {
        limits: Options {
            ibound: Some(ibound),
            ..Options::default()
        },
        method: Some(WMBE),
        ..BoundOptions::default()
    };
    let report = bracket(graph, &options, &budget, &mut |_| {})?;
    Ok(Found {
        lower: report.bracket.lower().ln(),
        upper: report.bracket.upper().ln(),
        seconds: budget.elapsed().as_secs_f64(),
        exact: report.exact,
    })
}

fn bound_row(
    out: &mut String,
    name: &str,
    ibound: usize,
    ln_z: f64,
    found: &Found,
    figures: &[Figure],
) -> Result<()> {
    let peer = |kind: Kind, tool: Tool| {
        let figure = peer(figures, name, kind, tool, ibound);
        figure.and_then(|f| Some((f.value?, f.cpu_s)))
    };
    let merlin = peer(Kind::Upper, Tool::Merlin);
    let upper = peer(Kind::Upper, Tool::PyGms);
    let lower = peer(Kind::Lower, Tool::PyGms);
    let show = |figure: Option<(f64, f64)>| {
        figure.map_or("–".to_owned(), |(value, seconds)| {
            format!("{value:+.3} / {seconds} s")
        })
    };
    let (up, low) = (found.upper - ln_z, found.lower - ln_z);
    // The reference has five decimals.
    let ahead = [merlin, upper]
        .iter()
        .flatten()
        .all(|(value, _)| up <= value + 2e-5)
        && lower.is_none_or(|(value, _)| low >= value - 2e-5);
    let note = match (found.exact, ahead) {
        (true, _) => "exact",
        (false, true) => "tighter",
        (false, false) => "**looser**",
    };
    writeln!(
        out,
        "| {name} | {ibound} | {up:+.3} | {low:+.3} | {:.2} s | {} | {} | {} | {note} |",
        found.seconds,
        show(merlin),
        show(upper),
        show(lower),
    )?;
    Ok(())
}

/// Median seconds of one forward and backward pass with all gradients.
fn pass_seconds(graph: &FactorGraph, ibound: usize) -> Result<(f64, f64)> {
    let order = greedy(graph, Heuristic::MinFill, None);
    let limit = CliqueLimit {
        ibound,
        entries: 1e8,
    };
    let schedule = Schedule::compile(graph, &order, &mut MiniBuckets::new(limit, None))?;
    let entries = schedule.demand().total_entries;
    let x = WmbeObjective::<Above>::start(&schedule);
    let mut gradient = vec![0.0; x.len()];
    let mut objective = WmbeObjective::<Above>::new(schedule.into(), graph);
    objective.evaluate(&x, &mut gradient);
    let mut times: Vec<f64> = (0..11)
        .map(|_| {
            let start = Instant::now();
            objective.evaluate(&x, &mut gradient);
            start.elapsed().as_secs_f64()
        })
        .collect();
    times.sort_by(f64::total_cmp);
    Ok((times[times.len() / 2], entries))
}

fn pass_row(
    out: &mut String,
    name: &str,
    ibound: usize,
    (seconds, entries): (f64, f64),
    figures: &[Figure],
) -> Result<()> {
    let peer = |tool: Tool| {
        let figure = peer(figures, name, Kind::Iteration, tool, ibound);
        figure.filter(|f| f.cpu_s > 0.0).map(|f| f.cpu_s)
    };
    let (merlin, pygms) = (peer(Tool::Merlin), peer(Tool::PyGms));
    if merlin.is_none() && pygms.is_none() {
        return Ok(());
    }
    let show = |figure: Option<f64>| {
        figure.map_or("–".to_owned(), |s| {
            format!("{:.1} ms ({:.0}×)", s * 1e3, s / seconds)
        })
    };
    writeln!(
        out,
        "| {name} | {ibound} | {entries:.0} | {:.3} ms | {:.1} | {} | {} |",
        seconds * 1e3,
        seconds * 1e9 / entries,
        show(merlin),
        show(pygms)
    )?;
    Ok(())
}

/// The processor and its threads.
pub(crate) fn machine() -> String {
    let machine = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let cpu = machine
        .lines()
        .find_map(|l| l.strip_prefix("model name"))
        .unwrap_or(": unknown");
    let cpu = cpu.trim_start_matches(['\t', ' ', ':']);
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    format!("{cpu}, {threads} hardware threads")
}

fn page(exact: &str, bounds: &str, passes: &str, time: f64) -> String {
    let machine = machine();
    format!(
        "# Measured beside other tools\n\n\
         Written by `cargo xtask measure` on {machine}, shared with other work. \
         The peers' figures were measured earlier on a similar machine, in CPU seconds with start-up; \
         compare ratios, not digits. Values are nats.\n\n\
         ## Exact ln Z\n\n\
         Wall seconds on all threads, order search included; the peer is the fastest that finished.\n\n\
         | model | ln Z | forney | fastest peer |\n|---|---|---|---|\n{exact}\n\
         ## Weighted mini-buckets at equal cliques\n\n\
         Bound minus ln Z. forney: `--method wmbe --ibound i --time {time}` on all threads, both sides \
         together. merlin: 100 iterations; pyGMs: 30 iterations, ibound i + 1, which gives the same cliques.\n\n\
         | model | i | upper | lower | wall | merlin upper | pyGMs upper | pyGMs lower | forney is |\n\
         |---|---|---|---|---|---|---|---|---|\n{bounds}\n\
         ## One iteration\n\n\
         One forward and one backward pass with the gradient of every shift and weight, one thread, \
         median of 11, min-fill order. In brackets how many times longer a peer's iteration takes.\n\n\
         | model | i | clique entries | forney | ns per entry | merlin | pyGMs |\n\
         |---|---|---|---|---|---|---|\n{passes}"
    )
}
