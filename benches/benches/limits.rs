//! The limits of the machine, to be compared with the kernels measured in the same run: one plain
//! exponential or logarithm for each entry, and one multiply-add over memory for each entry.

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use forney_exact::vmath;
use std::hint::black_box;

/// Two arrays of so many entries fill half of a usual cache of that level, or far exceed the last.
const SIZES: [(&str, usize); 3] = [("L1", 1 << 10), ("L2", 1 << 15), ("RAM", 1 << 24)];

/// Log factors between hard evidence and certainty, none of them special.
fn ln_values(len: usize) -> Vec<f64> {
    (0..len)
        .map(|i| -((i * 7919 % 4001) as f64) / 100.0)
        .collect()
}

fn elementary(c: &mut Criterion) {
    let len = SIZES[0].1;
    let x = ln_values(len);
    let values: Vec<f64> = x.iter().map(|x| x.exp()).collect();
    let mut out = vec![0.0; len];
    let mut group = c.benchmark_group("elementary");
    group.throughput(Throughput::Elements(len as u64));

    group.bench_function("exp_slice", |b| {
        b.iter(|| vmath::exp_slice(black_box(&x), black_box(&mut out)));
    });
    group.bench_function("exp_scaled", |b| {
        b.iter(|| vmath::exp_scaled(black_box(&x), 0.5, -1.0, black_box(&mut out)));
    });
    group.bench_function("exp std", |b| {
        b.iter(|| {
            for (out, x) in black_box(&mut out).iter_mut().zip(black_box(&x)) {
                *out = x.exp();
            }
        });
    });
    group.bench_function("ln_slice", |b| {
        b.iter(|| vmath::ln_slice(black_box(&values), black_box(&mut out)));
    });
    group.bench_function("ln_scaled", |b| {
        b.iter(|| vmath::ln_scaled(black_box(&values), 0.5, -1.0, black_box(&mut out)));
    });
    group.bench_function("ln std", |b| {
        b.iter(|| {
            for (out, x) in black_box(&mut out).iter_mut().zip(black_box(&values)) {
                *out = x.ln();
            }
        });
    });
    group.finish();
}

/// The price of a short message: a call and one padded vector.
fn short(c: &mut Criterion) {
    let mut group = c.benchmark_group("exp_scaled short");
    for len in [2, 8, 27, 64] {
        let x = ln_values(len);
        let mut out = vec![0.0; len];
        group.throughput(Throughput::Elements(len as u64));
        group.bench_function(BenchmarkId::from_parameter(len), |b| {
            b.iter(|| vmath::exp_scaled(black_box(&x), 0.5, -1.0, black_box(&mut out)));
        });
    }
    group.finish();
}

/// `Σ a·b` in 32 sums, enough to hide the latency of the addition: loads are the limit.
#[inline(always)]
fn dot_body(a: &[f64], b: &[f64]) -> f64 {
    let mut sums = [0.0; 32];
    for (a, b) in a.as_chunks::<32>().0.iter().zip(b.as_chunks::<32>().0) {
        for ((sum, a), b) in sums.iter_mut().zip(a).zip(b) {
            *sum += a * b;
        }
    }
    sums.iter().sum()
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f")]
fn dot_avx512(a: &[f64], b: &[f64]) -> f64 {
    dot_body(a, b)
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn dot_avx2(a: &[f64], b: &[f64]) -> f64 {
    dot_body(a, b)
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    #[cfg(target_arch = "x86_64")]
    {
        if is_x86_feature_detected!("avx512f") {
            // SAFETY: the processor has the one feature that the function enables.
            return unsafe { dot_avx512(a, b) };
        }
        if is_x86_feature_detected!("avx2") {
            // SAFETY: the processor has the one feature that the function enables.
            return unsafe { dot_avx2(a, b) };
        }
    }
    dot_body(a, b)
}

fn multiply_add(c: &mut Criterion) {
    let mut group = c.benchmark_group("multiply-add");
    for (name, len) in SIZES {
        let a = ln_values(len);
        let b = a.clone();
        group.throughput(Throughput::Elements(len as u64));
        group.bench_function(BenchmarkId::from_parameter(name), |bench| {
            bench.iter(|| dot(black_box(&a), black_box(&b)));
        });
    }
    group.finish();
}

criterion_group!(benches, elementary, short, multiply_add);
criterion_main!(benches);
