//! One batch EM step of a Gaussian mixture: the M-step and the E-step after it.

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use forney_latent::em::{Covariance, Em, EmLearner, GaussianMixture, GaussianMixtureParams, Rows};
use forney_latent::learn::Learner;
use ndarray::Array2;

const ROWS: usize = 20_000;

/// Numbers between -1 and 1 around one of 16 centres, none of them special.
fn data(columns: usize) -> Array2<f64> {
    Array2::from_shape_fn((ROWS, columns), |(row, column)| {
        let noise = (row * 7919 + column * 104_729) % 4001;
        let centre = (row % 16 * 31 + column * 17) % 23;
        centre as f64 + noise as f64 / 2000.0 - 1.0
    })
}

fn step(start: &GaussianMixture, rows: &Rows<'_>, sweeps: usize) -> f64 {
    let options = Em {
        sweeps,
        tolerance: 0.0,
        ..Em::default()
    };
    EmLearner::from_model(start.clone(), rows.clone(), options, 0)
        .and_then(|learner| learner.fit())
        .expect("the options are valid")
        .objective
}

fn mixture(c: &mut Criterion) {
    let mut group = c.benchmark_group("mixture, 16 components, 5 sweeps and the first E-step");
    group.sample_size(20);
    for columns in [4, 16, 64] {
        let data = data(columns);
        let rows = Rows::new(data.view(), None, 0).expect("finite data");
        group.throughput(Throughput::Elements(6 * ROWS as u64));
        for covariance in [
            Covariance::Full,
            Covariance::Diagonal,
            Covariance::Tied,
            Covariance::Spherical,
        ] {
            let params = GaussianMixtureParams {
                components: 16,
                covariance,
                ..Default::default()
            };
            let start = params.start(data.view(), 0).expect("columns that vary");
            let id = BenchmarkId::new(format!("{covariance:?}"), columns);
            group.bench_function(id, |b| b.iter(|| step(black_box(&start), &rows, 5)));
        }
    }
    group.finish();
}

criterion_group!(benches, mixture);
criterion_main!(benches);
