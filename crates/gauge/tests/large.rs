//! Laws of evaluations on large cliques, which go block by block and run on several threads.

use std::sync::Arc;

use forney_bounds::wmbe::{CliqueLimit, MiniBuckets};
use forney_certify::{Above, Certificate, Objective};
use forney_exact::{Heuristic, Schedule, Whole, greedy, ln_z};
use forney_gauge::GaugeObjective;
use forney_model::FactorGraph;
use forney_testing::{on_threads, regular, rng};
use rand::RngExt;

/// Cliques of at most so many entries.
fn split(graph: &FactorGraph, entries: f64) -> Arc<Schedule> {
    let order = greedy(graph, Heuristic::MinFill, None);
    let limit = CliqueLimit {
        ibound: 64,
        entries,
    };
    let mut rule = MiniBuckets::new(limit, None);
    let schedule = Schedule::compile(graph, &order, &mut rule).unwrap();
    assert!(!schedule.is_exact());
    assert!(
        schedule.demand().total_entries > 65_536.0,
        "it is not large"
    );
    assert!(schedule.demand().max_entries > 8192.0, "no clique is large");
    Arc::new(schedule)
}

/// Near the start, with no entry special.
fn point(objective: &GaugeObjective<Above>, amplitude: f64, seed: u64) -> Vec<f64> {
    let mut rng = rng(seed);
    let mut x = objective.start();
    for x in &mut x {
        *x += amplitude * (2.0 * rng.random::<f64>() - 1.0);
    }
    x
}

/// The models and the entries of their largest cliques.
fn cases() -> [(FactorGraph, f64); 3] {
    [
        (regular(150, &[2], 0.0, 1), 16_384.0),
        (regular(120, &[2, 3], 0.0, 2), 20_000.0),
        (regular(120, &[2, 2, 2, 4], 0.1, 3), 20_000.0),
    ]
}

#[test]
fn the_numbers_do_not_depend_on_the_threads() {
    for (graph, entries) in cases() {
        let schedule = split(&graph, entries);
        for keep_signs in [true, false] {
            let run = |threads: usize| {
                on_threads(threads, || {
                    let schedule = Arc::clone(&schedule);
                    let mut objective = GaugeObjective::<Above>::new(schedule, &graph, keep_signs);
                    let x = point(&objective, 0.3, 7);
                    let mut gradient = vec![0.0; x.len()];
                    let value = objective.evaluate(&x, &mut gradient);
                    let numbers = gradient.iter().chain([&value]);
                    numbers.map(|x| x.to_bits()).collect::<Vec<u64>>()
                })
            };
            let alone = run(1);
            for threads in [2, 3, 4] {
                assert!(alone == run(threads), "{threads} threads");
            }
        }
    }
}

#[test]
fn large_cliques_agree_with_the_witness() {
    for (graph, entries) in cases() {
        let schedule = split(&graph, entries);
        let mut objective = GaugeObjective::<Above>::new(schedule, &graph, true);
        for (seed, amplitude) in [(1, 0.0), (2, 0.1), (3, 0.4)] {
            let x = point(&objective, amplitude, seed);
            let mut gradient = vec![0.0; x.len()];
            let value = objective.evaluate(&x, &mut gradient);
            let witness = objective.witness(&x, &graph).unwrap();
            let bound = witness.verify(&graph).unwrap().ln();
            assert!((bound - value).abs() < 1e-8, "{value} against {bound}");
        }
    }
}

#[test]
fn gauges_leave_an_exact_sum_as_it_is() {
    let graph = regular(50, &[2, 3], 0.05, 4);
    let order = greedy(&graph, Heuristic::MinFill, None);
    let exact = ln_z(&graph, &order, f64::INFINITY).unwrap();
    let schedule = Arc::new(Schedule::compile(&graph, &order, &mut Whole).unwrap());
    assert!(
        schedule.demand().total_entries > 65_536.0,
        "it is not large"
    );
    let mut objective = GaugeObjective::<Above>::new(schedule, &graph, true);
    let x = point(&objective, 0.1, 5);
    let mut gradient = vec![0.0; x.len()];
    let value = objective.evaluate(&x, &mut gradient);
    assert!((value - exact).abs() < 1e-6, "{value} against {exact}");
    // So nothing is gained along any direction.
    let most = gradient.iter().fold(0.0f64, |most, g| most.max(g.abs()));
    assert!(most < 1e-6, "{most}");
}

#[test]
fn gradients_of_large_cliques_agree_with_finite_differences() {
    for (graph, entries) in cases() {
        let schedule = split(&graph, entries);
        for keep_signs in [true, false] {
            let schedule = Arc::clone(&schedule);
            let mut objective = GaugeObjective::<Above>::new(schedule, &graph, keep_signs);
            let x = point(&objective, 0.3, 11);
            let mut unused = vec![0.0; x.len()];
            let mut gradient = vec![0.0; x.len()];
            objective.evaluate(&x, &mut gradient);
            let mut rng = rng(13);
            for _ in 0..6 {
                let along: Vec<f64> = x.iter().map(|_| rng.random::<f64>() - 0.5).collect();
                let mut at = |step: f64| {
                    let moved = x.iter().zip(&along).map(|(x, a)| x + step * a);
                    objective.evaluate(&moved.collect::<Vec<f64>>(), &mut unused)
                };
                let step = 1e-6;
                let slope = (at(step) - at(-step)) / (2.0 * step);
                let expected: f64 = gradient.iter().zip(&along).map(|(g, a)| g * a).sum();
                let off = (slope - expected).abs();
                assert!(
                    off < 1e-4 * (1.0 + slope.abs()),
                    "{slope} against {expected}"
                );
            }
        }
    }
}
