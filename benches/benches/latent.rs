//! Latent-variable learning: lasso inference for each example, the dictionary update, the E-steps of
//! binary sparse coding.
//!
//! One iteration is a block of examples on all threads of the pool; `RAYON_NUM_THREADS=1` gives the
//! figures for one thread, and the throughput is in examples.

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use forney_latent::binary_sparse_coding::{
    BinarySparseCoding, EStep, Exact, MeanField, StructuredMeanField, Truncated,
};
use forney_latent::sparse_coding::{
    Encoder, Inference, Solver, SparseCodingParams, SparseCodingState, Turns, Update,
};
use ndarray::{Array1, Array2};
use rand::{RngExt, SeedableRng};
use std::hint::black_box;

/// Examples of an iteration.
const EXAMPLES: usize = 512;

/// Smooth random fields, the closest to natural patches that needs no file: each patch is a sum of
/// a few gratings with amplitudes that fall with the frequency, and has no mean.
fn patches(side: usize, examples: usize, seed: u64) -> Array2<f64> {
    let mut rng = rand_pcg::Pcg64::seed_from_u64(seed);
    let mut data = Array2::zeros((examples, side * side));
    for mut patch in data.rows_mut() {
        for _ in 0..12 {
            let (fx, fy): (f64, f64) = (rng.random_range(-1.5..1.5), rng.random_range(-1.5..1.5));
            let phase: f64 = rng.random_range(0.0..std::f64::consts::TAU);
            let amplitude = 0.05 / (0.1 + fx.hypot(fy));
            for (pixel, value) in patch.iter_mut().enumerate() {
                let (y, x) = ((pixel / side) as f64, (pixel % side) as f64);
                *value += amplitude * (fx * x + fy * y + phase).cos();
            }
        }
        let mean = patch.sum() / patch.len() as f64;
        patch -= mean;
    }
    data
}

/// Unit atoms that are patches themselves.
fn dictionary(side: usize, atoms: usize) -> Array2<f64> {
    let mut dictionary = patches(side, atoms, 2).reversed_axes();
    for mut atom in dictionary.columns_mut() {
        let norm = atom.dot(&atom).sqrt();
        atom /= norm;
    }
    dictionary
}

fn lasso(c: &mut Criterion) {
    let mut group = c.benchmark_group("lasso inference");
    group.sample_size(20);
    for (side, atoms, lambda) in [(8, 256, 0.02), (16, 512, 0.06)] {
        let (data, dictionary) = (patches(side, EXAMPLES, 1), dictionary(side, atoms));
        for (name, solver, share) in [
            ("feature-sign", Solver::FeatureSign { activations: 8 }, 1),
            ("LARS", Solver::Lars, 4),
            ("coordinate descent", Solver::CoordinateDescent, 32),
        ] {
            let inference = Inference {
                solver,
                ..Inference::default()
            };
            let Ok(encoder) = Encoder::new(dictionary.view(), lambda, &inference) else {
                continue;
            };
            let data = data.slice(ndarray::s![..EXAMPLES / share, ..]);
            group.throughput(Throughput::Elements(data.nrows() as u64));
            let id = BenchmarkId::new(name, format!("{}x{atoms}", side * side));
            group.bench_function(id, |b| b.iter(|| encoder.encode(black_box(data), None)));
        }
    }
    group.finish();
}

fn dictionary_update(c: &mut Criterion) {
    let mut group = c.benchmark_group("dictionary step");
    group.sample_size(10);
    group.throughput(Throughput::Elements(EXAMPLES as u64));
    let (data, dictionary) = (patches(8, EXAMPLES, 1), dictionary(8, 256));
    for (name, update) in [
        (
            "coordinate descent",
            Update::BlockCoordinateDescent { sweeps: 1 },
        ),
        ("Lagrange dual", Update::LagrangeDual),
    ] {
        let params = SparseCodingParams {
            lambda: 0.02,
            update,
            schedule: Turns::Online {
                batch: EXAMPLES,
                forgetting: 50.0,
            },
            ..SparseCodingParams::new(256)
        };
        let bias = Array1::zeros(64);
        let state = SparseCodingState::from_dictionary(&params, dictionary.clone(), bias);
        let Ok(state) = state else { continue };
        group.bench_function(name, |b| {
            b.iter_batched_ref(
                || state.clone(),
                |state| state.learn(&params, black_box(data.view())),
                criterion::BatchSize::LargeInput,
            );
        });
    }
    group.finish();
}

fn e_step(c: &mut Criterion) {
    let mut group = c.benchmark_group("binary sparse coding E-step");
    group.sample_size(20);
    group.throughput(Throughput::Elements(EXAMPLES as u64));
    for side in [5, 8] {
        let model = BinarySparseCoding::bars(side, 10.0, 2.0);
        let data = model.sample(EXAMPLES, 1).expect("a sound model");
        let (mean_field, structured) = (MeanField::default(), StructuredMeanField::default());
        let truncated = Truncated::default();
        let mut e_steps: Vec<&dyn EStep> = vec![&mean_field, &structured, &truncated];
        if side == 5 {
            e_steps.push(&Exact);
        }
        for e_step in e_steps {
            let size = format!("D={}, H={}", model.dimension(), model.units());
            group.bench_function(BenchmarkId::new(e_step.name(), size), |b| {
                b.iter(|| model.elbo_with(black_box(data.view()), e_step));
            });
        }
    }
    group.finish();
}

criterion_group!(benches, lasso, dictionary_update, e_step);
criterion_main!(benches);
