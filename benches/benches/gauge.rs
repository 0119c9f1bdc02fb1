//! One evaluation of gauged mini-buckets, all gradients and the update of Adam included, on one core,
//! beside one multiply-add over memory for each clique entry.

use std::sync::Arc;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use forney_benches::{AddLimit, bundled};
use forney_bounds::wmbe::{CliqueLimit, MiniBuckets};
use forney_certify::{Above, Refine};
use forney_exact::{Heuristic, Order, Schedule, greedy};
use forney_gauge::{Adam, GaugeObjective};
use forney_model::{FactorGraph, VarId};

fn evaluation(c: &mut Criterion, name: &str, graph: &FactorGraph, order: &Order, ibound: usize) {
    let limit = CliqueLimit {
        ibound,
        entries: 1e8,
    };
    let mut rule = MiniBuckets::new(limit, None);
    let schedule = Arc::new(Schedule::compile(graph, order, &mut rule).expect("it fits"));
    let entries = schedule.demand().total_entries as u64;
    let largest = schedule.steps().iter().map(|step| step.cols).max();
    let objective = GaugeObjective::<Above>::new(schedule, graph, true);
    let start = objective.start();
    // Steps as small as those at the end of a search leave the numbers as they are.
    let mut adam = Adam::new(objective, start, 1e-6, usize::MAX);
    let mut add = AddLimit::new(largest.unwrap_or(1));
    let mut group = c.benchmark_group(format!("gauges of {name}, ibound {ibound}"));
    group.sample_size(10);
    group.throughput(Throughput::Elements(entries));
    group.bench_function("evaluation and update", |b| b.iter(|| adam.sweep()));
    group.bench_function("limit", |b| b.iter(|| add.run(entries)));
    group.finish();
}

/// The paper's model on its clockwise order.
fn ladder(c: &mut Criterion) {
    let graph = bundled("generated/mobius180_T1.uai");
    let order = (0..180usize).flat_map(|a| {
        let rung = (a < 90).then_some(180 + a);
        [Some((a + 179) % 180), rung].into_iter().flatten()
    });
    let order = order.map(VarId::new).collect();
    let order = Order::new(order, &graph).expect("every variable once");
    evaluation(c, "mobius180_T1", &graph, &order, 4);
}

/// A random 3-regular graph, with large cliques.
fn regular(c: &mut Criterion) {
    let graph = bundled("peers/forney_n60_b1.uai");
    let order = greedy(&graph, Heuristic::MinFill, None);
    for ibound in [10, 15] {
        evaluation(c, "forney_n60_b1", &graph, &order, ibound);
    }
}

criterion_group!(benches, ladder, regular);
criterion_main!(benches);
