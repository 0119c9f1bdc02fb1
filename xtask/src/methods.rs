//! `cargo xtask methods`: all methods side by side, as the tables of `docs/methods.md`.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result};
use forney_certify::Budget;
use forney_methods::{
    Entrant, Event, Gives, METHODS, Options, Point, compare, entrants, exact, method,
};
use forney_model::{Domains, FactorGraph, simplify_sum};
use forney_uai::{read_evidence, read_file, read_model};

use crate::measure::machine;
use crate::peers::{Figure, Kind, Tool, figures, models};

/// Words of `cargo xtask methods`.
#[derive(clap::Args)]
pub(crate) struct Methods {
    /// Folder with the models of the peers and of the competitions.
    #[arg(long, default_value = "../shared/data")]
    data: PathBuf,
    /// Seconds for each method on each model, on one thread.
    #[arg(long, default_value_t = 5.0)]
    time: f64,
    /// Cliques of at most so many variables, and one.
    #[arg(long, default_value_t = 5)]
    ibound: usize,
    /// The page whose tables are rewritten.
    #[arg(long, default_value = "docs/methods.md")]
    output: PathBuf,
}

/// The models of the first table; the last one is bundled.
const INSTANCES: [&str; 6] = [
    "peers/ising_N10_b1",
    "peers/ising_N15_b1",
    "peers/forney_n100_b1",
    "peers/pairk_n50_b1",
    "uai2014/linkage_21",
    "testdata/generated/mobius180_T1",
];

/// The tools of the second table, each beside the method that does the same.
const TWINS: [(Tool, &str, Gives); 3] = [
    (Tool::LibDaiBp, "bp", Gives::Estimate),
    (Tool::LibDaiTrw, "trbp", Gives::Upper),
    (Tool::LibDaiMf, "mf", Gives::Lower),
];

/// Where the measured part of the page begins.
const HEAD: &str = "## Measured\n";

/// The figures of the peers have so many nats of rounding.
const DIGITS: f64 = 5e-4;

impl Methods {
    pub(crate) fn run(&self) -> Result<()> {
        let page = std::fs::read_to_string(&self.output)
            .with_context(|| self.output.display().to_string())?;
        let (words, _) = page
            .split_once(HEAD)
            .with_context(|| format!("{} has no heading {HEAD:?}", self.output.display()))?;
        let options = Options {
            ibound: Some(self.ibound),
            ..Options::default()
        };
        let figures = figures();
        let gaps = self.gaps(&options, &figures)?;
        let twins = self.twins(&options, &figures)?;
        let measured = format!(
            "{words}{HEAD}\n\
             Written by `cargo xtask methods --ibound {} --time {}` on {}: every method for at most {} s \
             on one thread, as many at once as there are threads.\n\n{gaps}\n{twins}",
            self.ibound,
            self.time,
            machine(),
            self.time,
        );
        forney_uai::write_atomic(&self.output, measured.as_bytes())?;
        Ok(())
    }

    /// Every method on every instance.
    fn gaps(&self, options: &Options, figures: &[Figure]) -> Result<String> {
        let compared = METHODS.iter().copied().filter(|m| m.is_compared());
        let jobs = entrants(&compared.collect::<Vec<_>>());
        let mut columns = Vec::new();
        for name in INSTANCES {
            let Some(graph) = self.read(name)? else {
                continue;
            };
            eprintln!("{name}");
            let minute = Budget::new(Some(Duration::from_secs(60)), Arc::default());
            let both = exact(&graph, options, &minute);
            let both = both.with_context(|| format!("ln Z of {name}"))?;
            let ln_z = both.upper().ln();
            let short = name.rsplit('/').next().unwrap_or(name);
            columns.push((short, ln_z, self.side_by_side(&graph, &jobs, options)?));
        }
        let mut out = String::from(
            "Distance from ln Z in nats / seconds until the last improvement:\n\n| method | side |",
        );
        for (name, ..) in &columns {
            write!(out, " {name} |")?;
        }
        writeln!(out, "\n|---|---|{}", "---|".repeat(columns.len()))?;
        for (number, job) in jobs.iter().enumerate() {
            write!(out, "| `{}` | {} |", job.method.name(), job.side)?;
            for (_, ln_z, found) in &columns {
                match found[number].last() {
                    Some(last) => write!(
                        out,
                        " {:.3} / {:.2} |",
                        (last.value.ln() - ln_z).abs(),
                        last.elapsed_s
                    )?,
                    None => out.push_str(" – |"),
                }
            }
            out.push('\n');
        }
        let mut tools: Vec<(&str, Kind)> = Vec::new();
        for figure in figures {
            let tool = (figure.name, figure.kind);
            if figure.kind.side().is_some() && !tools.contains(&tool) {
                tools.push(tool);
            }
        }
        for (tool, kind) in tools {
            write!(out, "| {tool} | {} |", kind.side().unwrap_or_default())?;
            for (name, ..) in &columns {
                let own = figures
                    .iter()
                    .find(|f| f.model == *name && f.name == tool && f.kind == kind);
                match own.and_then(|f| Some((f.value?, f.cpu_s))) {
                    Some((value, cpu_s)) => write!(out, " {:.3} / {cpu_s} |", value.abs())?,
                    None => out.push_str(" – |"),
                }
            }
            out.push('\n');
        }
        Ok(out)
    }

    /// Runs every job alone on a thread for the same time; returns the points of each.
    fn side_by_side(
        &self,
        graph: &FactorGraph,
        jobs: &[Entrant],
        options: &Options,
    ) -> Result<Vec<Vec<Point>>> {
        let rounds = jobs.len().div_ceil(rayon::current_num_threads());
        let time = Duration::from_secs_f64(self.time * rounds as f64);
        let budget = Budget::new(Some(time), Arc::default());
        let points = Mutex::new(vec![Vec::new(); jobs.len()]);
        compare(graph, jobs, options, &budget, &|event| {
            let mut points = points.lock().unwrap_or_else(PoisonError::into_inner);
            match event {
                Event::Point(job, point) => points[job].push(point),
                // What comes in one piece has no other point.
                Event::Ended(job, Ok(found), elapsed_s) if points[job].is_empty() => {
                    points[job].push(Point {
                        value: found.value,
                        iterations: found.iterations,
                        elapsed_s,
                    });
                }
                Event::Ended(..) => {}
            }
        })?;
        Ok(points.into_inner().unwrap_or_else(PoisonError::into_inner))
    }

    /// libDAI's methods and ours, in the time to the same accuracy.
    fn twins(&self, options: &Options, figures: &[Figure]) -> Result<String> {
        let mut out = String::from(
            "Time to the same accuracy. libDAI in CPU seconds with start-up; forney in seconds after \
             reading until its value is as good as libDAI's, and what it comes to.\n\n\
             | model | libDAI | value − ln Z | CPU s | forney | as good after | value − ln Z | ended after |\n\
             |---|---|---|---|---|---|---|---|\n",
        );
        for (name, ln_z) in models() {
            let Some(graph) = self.read(&format!("peers/{name}"))? else {
                continue;
            };
            eprintln!("{name}");
            let known = TWINS.iter().filter_map(|&(tool, own, side)| {
                let figure = figures.iter().find(|f| f.model == name && f.tool == tool)?;
                let method = method(own)?;
                Some((
                    figure.name,
                    figure.value?,
                    figure.cpu_s,
                    Entrant { method, side },
                ))
            });
            let known: Vec<_> = known.collect();
            let jobs: Vec<Entrant> = known.iter().map(|&(_, _, _, job)| job).collect();
            let found = self.side_by_side(&graph, &jobs, options)?;
            for ((tool, value, cpu_s, job), points) in known.iter().zip(found) {
                let good = |point: &&Point| {
                    let off = point.value.ln() - ln_z;
                    match job.side {
                        Gives::Upper => off <= value + DIGITS,
                        Gives::Lower => off >= value - DIGITS,
                        Gives::Both | Gives::Estimate => off.abs() <= value.abs() + DIGITS,
                    }
                };
                // An estimate may pass by the answer: it is there when it stays.
                let bad = points.iter().rposition(|point| !good(&point));
                let when = points.get(bad.map_or(0, |at| at + 1));
                let when = when.map_or("never".to_owned(), |at| format!("{:.4} s", at.elapsed_s));
                let Some(last) = points.last() else { continue };
                writeln!(
                    out,
                    "| {name} | {tool} | {value:+.3} | {cpu_s} | `{}` | {when} | {:+.3} | {:.3} s |",
                    job.method.name(),
                    last.value.ln() - ln_z,
                    last.elapsed_s,
                )?;
            }
        }
        Ok(out)
    }

    /// A model with its evidence, reduced as the program does it; `None` if it is not there.
    fn read(&self, name: &str) -> Result<Option<FactorGraph>> {
        let folder = match name.starts_with("testdata") {
            true => Path::new("."),
            false => &self.data,
        };
        let path = folder.join(format!("{name}.uai"));
        if !path.is_file() {
            eprintln!("{} is not there; skipped", path.display());
            return Ok(None);
        }
        let model = read_file(&path, read_model)?;
        let graph = model.to_graph()?;
        let evidence = folder.join(format!("{name}.uai.evid"));
        let mut domains = Domains::full(&graph);
        if evidence.is_file() {
            let read = |bytes: &[u8]| read_evidence(bytes, &model.cards);
            domains = Domains::observed(&graph, &read_file(&evidence, read)?)?;
        }
        domains
            .probe(&graph, &Budget::unlimited())
            .map_err(|_| anyhow::anyhow!("{name} allows no assignment"))?;
        Ok(Some(simplify_sum(domains.restrict(&graph).graph())?))
    }
}
