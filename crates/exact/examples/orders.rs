//! A table of elimination orders: width, `log2` of the total entries and milliseconds, by method.
//!
//! `cargo run --release -p forney-exact --example orders -- [FILE.uai …]`; a file `FILE.uai.evid` beside
//! a model is applied. Without arguments all models of the shared data are taken.
#![allow(clippy::print_stdout)]

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use forney_certify::Budget;
use forney_exact::{Effort, Heuristic, Order, frontier, greedy, search};
use forney_model::{Domains, FactorGraph};
use forney_uai::{read_evidence, read_model};

type Failure = Box<dyn std::error::Error>;

fn main() -> Result<(), Failure> {
    let mut files: Vec<PathBuf> = std::env::args().skip(1).map(PathBuf::from).collect();
    if files.is_empty() {
        let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
        for folder in ["peers", "uai2014", "uai-other"] {
            for entry in std::fs::read_dir(data.join(folder))? {
                files.push(entry?.path());
            }
        }
        files.retain(|file| file.extension().is_some_and(|end| end == "uai"));
        files.sort();
    }
    for file in files {
        let model = observed(&file)?;
        print!("{:28}", file.file_stem().unwrap_or_default().display());
        print_row("min-fill", &model, || {
            greedy(&model, Heuristic::MinFill, None)
        });
        print_row("frontier", &model, || frontier(&model, None));
        let budget = Budget::unlimited().capped(Duration::from_secs(3));
        let effort = Effort {
            rounds: None,
            budget,
            memory: None,
        };
        print_row("search", &model, || search(&model, 1, &effort));
        println!();
    }
    Ok(())
}

/// The model of a file, restricted to the evidence beside it.
fn observed(file: &Path) -> Result<FactorGraph, Failure> {
    let model = read_model(&std::fs::read(file)?)?;
    let graph = model.to_graph()?;
    let Ok(bytes) = std::fs::read(format!("{}.evid", file.display())) else {
        return Ok(graph);
    };
    let evidence = read_evidence(&bytes, &model.cards)?;
    let restriction = Domains::observed(&graph, &evidence)?.restrict(&graph);
    Ok(restriction.graph().clone())
}

fn print_row(method: &str, model: &FactorGraph, order: impl FnOnce() -> Order) {
    let started = Instant::now();
    let order = order();
    let ms = started.elapsed().as_secs_f64() * 1e3;
    let cost = order.cost(model);
    let log2 = cost.total_entries.log2();
    print!(" | {method} {:3} {log2:6.2} {ms:7.1} ms", cost.width);
}
