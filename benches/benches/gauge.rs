//! One evaluation of gauged mini-buckets, all gradients and the update of Adam included, beside one
//! multiply-add over memory for each clique entry on one core; large ones on several threads too.

use std::sync::Arc;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use forney_benches::{AddLimit, bundled};
use forney_bounds::wmbe::{CliqueLimit, MiniBuckets};
use forney_certify::{Above, Refine};
use forney_exact::{Heuristic, Order, Schedule, greedy};
use forney_gauge::{Adam, GaugeObjective};
use forney_model::{FactorGraph, Table, VarId};
use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64;
use rayon::ThreadPoolBuilder;

/// Clique entries from which on threads are compared.
const LARGE: u64 = 100_000;

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
    if entries < LARGE {
        group.bench_function("evaluation and update", |b| b.iter(|| adam.sweep()));
    } else {
        for threads in [1, 2, 4] {
            let pool = ThreadPoolBuilder::new().num_threads(threads).build();
            let pool = pool.expect("threads");
            let id = format!("evaluation and update, threads: {threads}");
            group.bench_function(id, |b| b.iter(|| pool.install(|| adam.sweep())));
        }
    }
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

/// A larger one, far from exact: factors of three binary variables, entries `exp U[−2, 2]`, the ends
/// of the edges paired at random.
fn random_regular(c: &mut Criterion) {
    const FACTORS: usize = 180;
    let mut rng = Pcg64::seed_from_u64(1);
    let mut ends: Vec<usize> = (0..3 * FACTORS).map(|at| at / 3).collect();
    while ends.chunks_exact(2).any(|pair| pair[0] == pair[1]) {
        ends.shuffle(&mut rng);
    }
    let mut scopes = vec![Vec::new(); FACTORS];
    for (v, pair) in ends.chunks_exact(2).enumerate() {
        pair.iter().for_each(|&a| scopes[a].push(VarId::new(v)));
    }
    let tables = scopes.into_iter().map(|scope| {
        let ln = (0..8).map(|_| 4.0 * rng.random::<f64>() - 2.0).collect();
        Table::from_ln(scope, vec![2; 3], ln).expect("a table")
    });
    let tables = tables.collect();
    let graph = FactorGraph::new(vec![2; 3 * FACTORS / 2], tables).expect("a model");
    let order = greedy(&graph, Heuristic::MinFill, None);
    for ibound in [10, 15, 18] {
        evaluation(c, "a random 3-regular model", &graph, &order, ibound);
    }
}

criterion_group!(benches, ladder, regular, random_regular);
criterion_main!(benches);
