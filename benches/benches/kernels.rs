//! The engine's passes, each beside its limit in the same run: one vectorised exponential for each
//! table entry where there are weights, one multiply-add over memory where there are none.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use forney_benches::{AddLimit, ExpLimit, Split, bundled, two_tables};

/// Two tables multiplied and summed, all of their variables shared, some, and one only.
fn product_and_sum(c: &mut Criterion) {
    for (name, shared, own) in [("dot", 20, 0), ("matrix", 8, 8), ("outer", 3, 9)] {
        let mut engine = two_tables(shared, own);
        let entries = engine.schedule().demand().total_entries as u64;
        let mut limit = AddLimit::new(1 << 10);
        let mut group = c.benchmark_group(format!("product and sum, {name}"));
        group.throughput(Throughput::Elements(entries));
        group.bench_function("engine", |b| b.iter(|| engine.forward(&[], &[])));
        group.bench_function("limit", |b| b.iter(|| limit.run(entries)));
        group.finish();
    }
}

/// Weighted mini-buckets: sums of powers forward, and all gradients backward.
fn weighted_sums(c: &mut Criterion) {
    for file in ["ising_N15_b1", "forney_n60_b1"] {
        let graph = bundled(&format!("peers/{file}.uai"));
        for ibound in [4, 5, 10, 15] {
            let mut split = Split::new(&graph, ibound);
            let mut limit = ExpLimit::default();
            let entries = split.entries;
            let mut group = c.benchmark_group(format!("{file} ibound {ibound}"));
            group.throughput(Throughput::Elements(entries));
            group.bench_function("forward", |b| b.iter(|| split.forward()));
            group.bench_function("forward and backward", |b| b.iter(|| split.both()));
            group.bench_function("limit", |b| b.iter(|| limit.run(entries)));
            group.finish();
        }
    }
}

criterion_group!(benches, product_and_sum, weighted_sums);
criterion_main!(benches);
