//! Laws of gauged upper bounds, against enumeration on random models.

mod common;

use std::sync::Arc;

use common::{model, shuffled, split_schedule};
use forney_bounds::wmbe::CliqueLimit;
use forney_certify::{Above, Budget, Certificate, Objective, Refine};
use forney_exact::Order;
use forney_gauge::{Adam, GaugeObjective, GaugeOptions, GaugedWmbe, Gauges, gauged_wmbe};
use forney_model::enumerate::enumerate;
use forney_model::generate::mobius;
use forney_model::{FactorGraph, Table, VarId};
use forney_testing::{assert_at_least, assert_gradient, on_threads, ring, rng};
use rand::RngExt;

#[test]
fn every_witness_bounds_z_from_above() {
    let (mut split, mut refused) = (0, 0);
    for seed in 0..1000 {
        let (graph, mut rng) = model(seed);
        let exact = enumerate(&graph).ln_z;
        let order = shuffled(&graph, &mut rng);
        let schedule = split_schedule(&graph, &order);
        split += usize::from(!schedule.is_exact());
        let objective = GaugeObjective::<Above>::new(Arc::clone(&schedule), &graph, true);
        let mut start = objective.start();
        let gauges = objective.num_gauge_entries();
        let amplitude = [0.0, 0.5, 2.0][rng.random_range(0..3)];
        for (at, x) in start.iter_mut().enumerate() {
            let amplitude = if at < gauges { amplitude } else { 1.0 };
            *x += amplitude * (2.0 * rng.random::<f64>() - 1.0);
        }
        let mut adam = Adam::new(objective, start.clone(), 0.1, 20);
        for _ in 0..20 {
            adam.sweep();
        }
        for point in [start, adam.point()] {
            let Ok(witness) = adam.objective().witness(&point, &graph) else {
                continue;
            };
            match witness.verify(&graph) {
                Ok(bound) => assert_at_least(bound.ln(), exact, seed),
                Err(_) => refused += 1,
            }
        }
    }
    assert!(split > 400, "{split} schedules had splits");
    // Those with entries beyond the range of plain numbers.
    assert!(refused < 250, "{refused} witnesses refused");
}

#[test]
fn the_optimiser_and_the_witness_agree() {
    for seed in 0..20 {
        let graph = mobius(12, 1.0, &mut rng(seed));
        let order = Order::new(graph.variables().collect(), &graph).unwrap();
        let objective = GaugeObjective::<Above>::new(split_schedule(&graph, &order), &graph, true);
        let start = objective.start();
        let mut adam = Adam::new(objective, start, 0.1, 100);
        let first = adam.sweep();
        for _ in 0..99 {
            adam.sweep();
        }
        let bound = adam.objective().witness(&adam.point(), &graph).unwrap();
        let bound = bound.verify(&graph).unwrap();
        assert!((bound.ln() - adam.value()).abs() < 1e-9);
        assert!(adam.value() < first - 0.1, "gauges pay on this family");
        assert!(bound.ln() >= enumerate(&graph).ln_z);
    }
}

#[test]
fn gradients_agree_with_finite_differences() {
    for seed in 0..30 {
        let mut rng = rng(seed);
        let graph = ring(2 + seed as usize % 3, 0..6, &mut rng);
        let order = Order::new(graph.variables().collect(), &graph).unwrap();
        let schedule = split_schedule(&graph, &order);
        assert!(!schedule.is_exact());
        let mut objective = GaugeObjective::<Above>::new(schedule, &graph, seed % 2 == 0);
        let mut x = objective.start();
        for x in &mut x {
            *x += 0.8 * (2.0 * rng.random::<f64>() - 1.0);
        }
        let coordinates = 0..x.len();
        let evaluate = |x: &[f64], gradient: &mut [f64]| objective.evaluate(x, gradient);
        let what = format!("seed {seed}");
        assert_gradient(evaluate, x, coordinates, (1e-6, 1e-5), &what);
    }
}

/// Theorem 1 of the paper: on binary models whose factors are invariant under flipping their whole
/// scope, no reparameterisation helps, and a gauge off the diagonal does.
#[test]
fn symmetric_models_gain_by_gauges_alone() {
    for seed in 0..20 {
        let mut rng = rng(seed);
        let factors = (0..12usize).map(|a| {
            let scope = [(a + 11) % 12, a, 12 + a % 6].map(VarId::new).to_vec();
            let half: Vec<f64> = (0..4).map(|_| 2.0 * rng.random::<f64>() - 1.0).collect();
            let ln = half.iter().chain(half.iter().rev()).copied().collect();
            Table::from_ln(scope, vec![2; 3], ln).unwrap()
        });
        let graph = FactorGraph::new(vec![2; 18], factors.collect()).unwrap();
        let order = Order::new(graph.variables().collect(), &graph).unwrap();
        let mut objective =
            GaugeObjective::<Above>::new(split_schedule(&graph, &order), &graph, true);
        let x = objective.start();
        let mut gradient = vec![0.0; x.len()];
        objective.evaluate(&x, &mut gradient);
        let gauges = gradient[..objective.num_gauge_entries()].chunks_exact(4);
        let (mut diagonal, mut off) = (0.0f64, 0.0f64);
        for gauge in gauges {
            // The diagonal's trace is the scale of the gauge, along which nothing changes.
            diagonal = diagonal.max((gauge[0] - gauge[3]).abs());
            off = off.max(gauge[1].abs().max(gauge[2].abs()));
        }
        assert!(diagonal < 1e-12, "seed {seed}: {diagonal}");
        assert!(off > 1e-3, "seed {seed}: {off}");
    }
}

#[test]
fn a_broken_witness_proves_nothing() {
    let graph = mobius(12, 1.0, &mut rng(1));
    let order = Order::new(graph.variables().collect(), &graph).unwrap();
    let objective = GaugeObjective::<Above>::new(split_schedule(&graph, &order), &graph, true);
    let good = objective.witness(&objective.start(), &graph).unwrap();
    assert!(good.verify(&graph).is_ok());
    let broken = |change: &dyn Fn(&mut GaugedWmbe<Above>)| {
        let mut witness = good.clone();
        change(&mut witness);
        witness.verify(&graph).is_err()
    };
    // A maximum and a sum: plain mini-buckets take it, gauged ones do not.
    assert!(broken(&|w| {
        w.weights[0] = 0.0;
        w.weights[1] = 1.0;
    }));
    assert!(broken(&|w| w.weights[0] += 0.1));
    assert!(broken(&|w| {
        w.weights[0] = -0.5;
        w.weights[1] = 1.5;
    }));
    assert!(broken(&|w| w.weights[0] = f64::NAN));
    assert!(broken(&|w| w.shifts[0] = f64::INFINITY));
    assert!(broken(&|w| {
        w.shifts.pop();
    }));
    let other = mobius(14, 1.0, &mut rng(1));
    assert!(good.verify(&other).is_err());
    assert!(broken(&|w| w.gauges = Gauges::identity(&other)));
}

#[test]
fn the_same_seed_gives_the_same_bound_on_any_number_of_threads() {
    let graph = mobius(24, 1.0, &mut rng(4));
    let options = GaugeOptions {
        limit: CliqueLimit {
            ibound: 3,
            entries: 1e6,
        },
        candidates: 8,
        iterations: Some(200),
        ..GaugeOptions::default()
    };
    let run = || gauged_wmbe(&graph, &options, &Budget::unlimited(), &mut |_, _| {}).unwrap();
    let (one, four) = (on_threads(1, run), on_threads(4, run));
    assert_eq!(one.bound, four.bound);
    assert!(one.iterations <= 200);
    let impossible = GaugeOptions {
        limit: CliqueLimit {
            ibound: 1,
            entries: 1e6,
        },
        ..options
    };
    assert!(gauged_wmbe(&graph, &impossible, &Budget::unlimited(), &mut |_, _| {}).is_err());
    let small = GaugeOptions {
        memory: 100.0,
        ..GaugeOptions::default()
    };
    assert!(gauged_wmbe(&graph, &small, &Budget::unlimited(), &mut |_, _| {}).is_err());
}
