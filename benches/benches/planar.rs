//! Planar Ising models: drawing and ordering, and the elimination with its inverse, beside products of dense matrices
//! with as many multiply-adds as the elimination alone is counted for.

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use forney_benches::ProductLimit;
use forney_certify::Budget;
use forney_model::generate::ising_grid;
use forney_planar::Planar;
use rand::SeedableRng;

fn planar(c: &mut Criterion) {
    let budget = Budget::unlimited();
    let mut group = c.benchmark_group("planar");
    group.sample_size(10);
    for side in [30, 100] {
        let mut rng = rand_pcg::Pcg64::seed_from_u64(1);
        let graph = ising_grid(side, 1.0, 0.0, &mut rng);
        let planar = Planar::new(&graph, &budget).expect("a grid can be drawn");
        let products = planar.demand().products as u64;
        let mut limit = ProductLimit::new();
        group.throughput(Throughput::Elements(products));
        group.bench_function(BenchmarkId::new("draw and order", side), |b| {
            b.iter(|| Planar::new(&graph, &budget));
        });
        group.bench_function(BenchmarkId::new("solve", side), |b| {
            b.iter(|| planar.solve(f64::INFINITY, &budget));
        });
        group.bench_function(BenchmarkId::new("limit", side), |b| {
            b.iter(|| limit.run(products));
        });
    }
    group.finish();
}

criterion_group!(benches, planar);
criterion_main!(benches);
