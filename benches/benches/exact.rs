//! Exact inference end to end on grids, beside one multiply-add over memory for each table entry;
//! and the search for an order.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use forney_benches::{AddLimit, bundled, grid, row_order};
use forney_certify::Budget;
use forney_exact::{Effort, Heuristic, Schedule, Whole, greedy, ln_z, marginals, search};

fn effort(rounds: usize) -> Effort {
    Effort {
        rounds: Some(rounds),
        budget: Budget::unlimited(),
        memory: None,
    }
}

/// `ln Z` from the model to the number: schedule, tables, one pass.
fn partition_function(c: &mut Criterion) {
    for side in [15, 20] {
        let graph = grid(side);
        for (name, order) in [
            ("row order", row_order(&graph)),
            ("searched order", search(&graph, 1, &effort(3))),
        ] {
            let schedule = Schedule::compile(&graph, &order, &mut Whole).expect("it fits");
            let largest = schedule
                .steps()
                .iter()
                .map(|step| step.cols)
                .max()
                .unwrap_or(1);
            let entries = schedule.demand().total_entries as u64;
            let mut limit = AddLimit::new(largest);
            let mut group = c.benchmark_group(format!("ln Z of a {side}x{side} grid, {name}"));
            group.sample_size(10);
            group.throughput(Throughput::Elements(entries));
            group.bench_function("engine", |b| b.iter(|| ln_z(&graph, &order, f64::INFINITY)));
            if side == 15 {
                group.bench_function("marginals", |b| {
                    b.iter(|| marginals(&graph, &order, f64::INFINITY));
                });
            }
            group.bench_function("limit", |b| b.iter(|| limit.run(entries)));
            group.finish();
        }
    }
}

/// Orders of a random 3-regular model.
fn orders(c: &mut Criterion) {
    let graph = bundled("peers/forney_n60_b1.uai");
    let mut group = c.benchmark_group("order of forney_n60_b1");
    group.sample_size(10);
    group.bench_function("min-fill", |b| {
        b.iter(|| greedy(&graph, Heuristic::MinFill, None))
    });
    group.bench_function("search, 2 rounds", |b| {
        b.iter(|| search(&graph, 1, &effort(2)))
    });
    group.finish();
}

criterion_group!(benches, partition_function, orders);
criterion_main!(benches);
