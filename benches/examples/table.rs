//! Prints nanoseconds per table entry of the engine and their ratio to the machine's limit,
//! both measured in the same run: `cargo run --release -p forney-benches --example table`.
//!
//! `RAYON_NUM_THREADS` sets the threads of the engine; the limit runs on one.
#![allow(clippy::print_stdout)] // It is a program.

use std::time::Instant;

use forney_benches::{AddLimit, ExpLimit, Split, bundled, grid, row_order, two_tables};
use forney_certify::Budget;
use forney_exact::{Effort, Engine, Keep, Order, Schedule, Whole, human, marginals, search};
use forney_model::FactorGraph;

/// Seconds of the fastest of several runs.
fn best(mut run: impl FnMut()) -> f64 {
    run();
    let started = Instant::now();
    let mut least = f64::INFINITY;
    let mut rounds = 0;
    while rounds < 3 || (started.elapsed().as_secs_f64() < 0.5 && rounds < 10_000) {
        let start = Instant::now();
        run();
        least = least.min(start.elapsed().as_secs_f64());
        rounds += 1;
    }
    least
}

fn line(name: &str, entries: f64, seconds: f64, limit: f64) {
    let per_entry = |seconds: f64| seconds * 1e9 / entries;
    println!(
        "{name:34} {entries:>12.0} {:>11.1} {:>9.3} {:>9.3} {:>7.2}",
        seconds * 1e6,
        per_entry(seconds),
        per_entry(limit),
        seconds / limit
    );
}

fn exact(name: &str, graph: &FactorGraph, order: &Order) {
    let schedule = Schedule::compile(graph, order, &mut Whole).expect("it fits");
    let demand = schedule.demand();
    let largest = schedule
        .steps()
        .iter()
        .map(|step| step.cols)
        .max()
        .unwrap_or(1);
    let mut engine = Engine::new(schedule.into(), graph, Keep::Live);
    let seconds = best(|| {
        engine.forward(&[], &[]);
    });
    let mut limit = AddLimit::new(largest);
    let limit = best(|| limit.run(demand.total_entries as u64));
    line(
        &format!("ln Z {name} ({})", human(demand.live_bytes)),
        demand.total_entries,
        seconds,
        limit,
    );
}

fn main() {
    println!(
        "{:34} {:>12} {:>11} {:>9} {:>9} {:>7}",
        "pass", "entries", "us", "ns/entry", "limit", "ratio"
    );
    for (name, shared, own) in [("dot", 20, 0), ("matrix", 10, 10), ("outer", 3, 9)] {
        let mut engine = two_tables(shared, own);
        let demand = engine.schedule().demand();
        let seconds = best(|| {
            engine.forward(&[], &[]);
        });
        let mut limit = AddLimit::new(1 << 10);
        let limit = best(|| limit.run(demand.total_entries as u64));
        line(
            &format!("product and sum, {name}"),
            demand.total_entries,
            seconds,
            limit,
        );
    }
    for file in ["peers/ising_N15_b1.uai", "peers/forney_n60_b1.uai"] {
        let graph = bundled(file);
        for ibound in [4, 5, 10, 15] {
            let mut split = Split::new(&graph, ibound);
            let mut limit = ExpLimit::default();
            let limit = best(|| limit.run(split.entries));
            let name = file
                .trim_start_matches("peers/")
                .trim_end_matches("_b1.uai");
            let forward = best(|| {
                split.forward();
            });
            line(
                &format!("{name} ibound {ibound} forward"),
                split.entries as f64,
                forward,
                limit,
            );
            let both = best(|| {
                split.both();
            });
            line(
                &format!("{name} ibound {ibound} both"),
                split.entries as f64,
                both,
                limit,
            );
        }
    }
    for side in [15, 20] {
        let graph = grid(side);
        exact(
            &format!("grid {side}, row order"),
            &graph,
            &row_order(&graph),
        );
        let effort = Effort {
            rounds: Some(3),
            budget: Budget::unlimited(),
            memory: None,
        };
        exact(
            &format!("grid {side}, search"),
            &graph,
            &search(&graph, 1, &effort),
        );
    }
    let graph = grid(15);
    let order = row_order(&graph);
    let schedule = Schedule::compile(&graph, &order, &mut Whole).expect("it fits");
    let demand = schedule.demand();
    let seconds = best(|| {
        marginals(&graph, &order, f64::INFINITY).expect("it fits");
    });
    let mut limit = AddLimit::new(1 << 15);
    let limit = best(|| limit.run(demand.total_entries as u64));
    line(
        &format!("marginals grid 15 ({})", human(demand.kept_bytes)),
        demand.total_entries,
        seconds,
        limit,
    );
    // A file given by name: ln Z along a searched order.
    for path in std::env::args().skip(1) {
        let bytes = std::fs::read(&path).expect("a file");
        let graph = forney_uai::read_model(&bytes)
            .expect("a legal file")
            .to_graph()
            .expect("a model");
        let start = Instant::now();
        let effort = Effort {
            rounds: None,
            budget: Budget::unlimited(),
            memory: None,
        };
        let order = search(&graph, 1, &effort);
        println!("search {:.2} s", start.elapsed().as_secs_f64());
        exact(path.rsplit('/').next().unwrap_or(&path), &graph, &order);
    }
}
