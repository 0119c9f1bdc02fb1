//! Laws of tree reweighting on both sides, against enumeration.

use std::time::Duration;

use forney_bounds::{
    ForestError, ForestMixture, NegativeTreeReweighted, TreeReweighted, negative_tree_reweighted,
    tree_reweighted,
};
use forney_certify::{Above, Below, Budget, Certificate, Limits, Refine, Side, Stop, slack};
use forney_model::enumerate::enumerate;
use forney_model::generate::{ising_grid, mobius};
use forney_model::{FactorGraph, Table, VarId};
use forney_testing::{Family, assert_at_least, assert_at_most, on_threads, rng, without_cycles};
use rand::RngExt;

const MODELS: u64 = 1000;

const LIMITS: Limits = Limits {
    sweeps: Some(5),
    tolerance: 1e-9,
};

fn model(seed: u64) -> FactorGraph {
    // Every fourth model is as sparse and odd as can be, the others have cycles.
    let odd = seed.is_multiple_of(4);
    let widest = if seed.is_multiple_of(3) { 3 } else { 2 };
    let family = Family {
        variables: if odd { 0..8 } else { 5..8 },
        max_card: if odd { 1..4 } else { 3..5 },
        factors: if odd { 0..12 } else { 8..16 },
        max_scope: widest..widest + 1,
        spread: if seed.is_multiple_of(7) { 100.0 } else { 2.0 },
        ..Family::SMALL
    };
    family.at(seed)
}

fn verified<S: Side>(point: &ForestMixture<S>, graph: &FactorGraph) -> f64
where
    ForestMixture<S>: Certificate<FactorGraph, Side = S>,
{
    point.verify(graph).unwrap().ln()
}

#[test]
fn the_upper_bound_is_above_and_monotone() {
    let mut loose = 0;
    for seed in 0..MODELS {
        let graph = model(seed);
        let ln_z = enumerate(&graph).ln_z;
        let mut messages = match TreeReweighted::new(&graph) {
            Ok(messages) => messages,
            Err(error) => {
                assert_eq!(error, ForestError::NoAssignment, "seed {seed}");
                assert_eq!(ln_z.to_bits(), f64::NEG_INFINITY.to_bits(), "seed {seed}");
                continue;
            }
        };
        let mut before = f64::INFINITY;
        for sweep in 0..4 {
            let upper = verified(&messages.point(), &graph);
            assert_at_least(upper, ln_z, seed);
            if sweep > 0 {
                let both = upper.max(before) == f64::NEG_INFINITY;
                assert!(
                    both || (upper - before).abs() <= slack(upper),
                    "seed {seed}"
                );
            }
            let value = messages.sweep();
            assert!(value <= before + slack(value), "seed {seed}: not monotone");
            before = value;
        }
        loose += usize::from(before > ln_z + 1e-3);
    }
    assert!(loose > 100, "{loose}");
}

#[test]
fn the_lower_bound_is_below_and_monotone() {
    let (mut loose, mut zeros) = (0, 0);
    for seed in 0..MODELS {
        let graph = model(seed);
        let ln_z = enumerate(&graph).ln_z;
        let mut ascent = match NegativeTreeReweighted::new(&graph) {
            Ok(ascent) => ascent,
            Err(ForestError::NoAssignment) => {
                assert_eq!(ln_z.to_bits(), f64::NEG_INFINITY.to_bits(), "seed {seed}");
                continue;
            }
            Err(ForestError::ZerosOnCycle { scope }) => {
                assert!(scope.len() > 1, "seed {seed}");
                zeros += 1;
                continue;
            }
            Err(error) => panic!("seed {seed}: {error}"),
        };
        let mut before = verified(&ascent.point(), &graph);
        for _ in 0..5 {
            let value = ascent.sweep();
            let lower = verified(&ascent.point(), &graph);
            assert_at_most(lower, ln_z, seed);
            assert!(
                value.is_nan() || (lower - value).abs() <= 1e-7,
                "seed {seed}"
            );
            assert_at_least(lower, before, seed);
            before = lower;
        }
        loose += usize::from(before < ln_z - 1e-3);
    }
    assert!(loose > 60 && zeros > 10, "{loose} {zeros}");
}

#[test]
fn trees_are_exact_on_both_sides_whatever_the_shifts() {
    let mut shifted = 0;
    for seed in 0..MODELS {
        let graph = without_cycles(&model(seed));
        let ln_z = enumerate(&graph).ln_z;
        let near = |value: f64| (value - ln_z).abs() <= 1e-9 * ln_z.abs().max(1.0);
        let Ok(messages) = TreeReweighted::new(&graph) else {
            continue;
        };
        let mut above = messages.point();
        let mut below = NegativeTreeReweighted::new(&graph).unwrap().point();
        assert!(near(verified(&above, &graph)), "seed {seed}");
        assert!(near(verified(&below, &graph)), "seed {seed}");
        let mut rng = rng(seed);
        for shift in above.shifts.iter_mut().chain(&mut below.shifts) {
            *shift += 10.0 * (rng.random::<f64>() - 0.5);
        }
        assert!(near(verified(&above, &graph)), "seed {seed}");
        assert!(near(verified(&below, &graph)), "seed {seed}");
        shifted += usize::from(!above.shifts.is_empty());
    }
    assert!(shifted > 250, "{shifted}");
}

#[test]
fn any_shifts_and_weights_of_the_right_signs_prove_a_bound() {
    for seed in 0..MODELS {
        let graph = model(seed);
        let ln_z = enumerate(&graph).ln_z;
        let mut rng = rng(seed);
        if let Ok(messages) = TreeReweighted::new(&graph) {
            let mut point = messages.point();
            for weight in &mut point.weights {
                *weight = 0.01 + rng.random::<f64>();
            }
            let sum: f64 = point.weights.iter().sum();
            for weight in &mut point.weights {
                *weight /= sum;
            }
            for shift in &mut point.shifts {
                *shift = 4.0 * (rng.random::<f64>() - 0.5);
            }
            let upper = verified(&point, &graph);
            assert!(upper >= ln_z - slack(upper), "seed {seed}");
        }
        if let Ok(ascent) = NegativeTreeReweighted::new(&graph) {
            let mut point = ascent.point();
            for weight in &mut point.weights[1..] {
                *weight = -0.05 - rng.random::<f64>();
            }
            point.weights[0] = 1.0 - point.weights[1..].iter().sum::<f64>();
            for shift in &mut point.shifts {
                *shift = 4.0 * (rng.random::<f64>() - 0.5);
            }
            let lower = verified(&point, &graph);
            assert!(lower <= ln_z + slack(lower), "seed {seed}");
        }
    }
}

#[test]
fn sweeps_close_much_of_the_gap_and_a_stopped_run_certifies() {
    let mut rng = rng(4);
    for graph in [ising_grid(4, 1.0, 0.2, &mut rng), mobius(10, 1.0, &mut rng)] {
        let ln_z = enumerate(&graph).ln_z;
        let budget = Budget::unlimited();
        let none = Limits {
            sweeps: Some(0),
            ..LIMITS
        };
        let start = verified(
            &tree_reweighted(&graph, &none, &budget).unwrap().point,
            &graph,
        );
        let many = Limits {
            sweeps: Some(40),
            ..LIMITS
        };
        let end = verified(
            &tree_reweighted(&graph, &many, &budget).unwrap().point,
            &graph,
        );
        assert!(
            end >= ln_z && end - ln_z < 0.7 * (start - ln_z),
            "{start} {end} {ln_z}"
        );
        let start = negative_tree_reweighted(&graph, &none, &budget)
            .unwrap()
            .point;
        let start = verified(&start, &graph);
        let end = negative_tree_reweighted(&graph, &many, &budget)
            .unwrap()
            .point;
        let end = verified(&end, &graph);
        assert!(
            end <= ln_z && ln_z - end < 0.7 * (ln_z - start),
            "{start} {end} {ln_z}"
        );
        let over = budget.capped(Duration::ZERO);
        assert_eq!(
            tree_reweighted(&graph, &LIMITS, &over).unwrap().stop,
            Stop::TimeLimit
        );
    }
}

#[test]
fn the_number_of_threads_changes_nothing() {
    let graph = ising_grid(6, 1.5, 0.1, &mut rng(5));
    let run = |threads| {
        let budget = Budget::unlimited();
        on_threads(threads, || {
            let above = tree_reweighted(&graph, &LIMITS, &budget).unwrap().point;
            let below = negative_tree_reweighted(&graph, &LIMITS, &budget).unwrap();
            (above, below.point)
        })
    };
    assert_eq!(run(1), run(4));
}

#[test]
fn a_tampered_witness_proves_nothing() {
    let graph = ising_grid(3, 1.0, 0.1, &mut rng(2));
    let above = TreeReweighted::new(&graph).unwrap().point();
    let below = NegativeTreeReweighted::new(&graph).unwrap().point();
    assert!(above.verify(&graph).is_ok() && below.verify(&graph).is_ok());
    let reversed: ForestMixture<Above> = ForestMixture::new(
        below.weights.clone(),
        below.forests.clone(),
        below.shifts.clone(),
    );
    assert!(reversed.verify(&graph).is_err(), "negative weights above");
    let reversed: ForestMixture<Below> = ForestMixture::new(
        above.weights.clone(),
        above.forests.clone(),
        above.shifts.clone(),
    );
    assert!(reversed.verify(&graph).is_err(), "positive weights below");
    let tampered = |change: &dyn Fn(&mut ForestMixture<Above>)| {
        let mut point = above.clone();
        change(&mut point);
        point.verify(&graph).is_err()
    };
    assert!(tampered(&|point| point.weights[0] *= 0.5));
    assert!(tampered(&|point| point.weights[0] = f64::NAN));
    assert!(tampered(&|point| point.shifts[0] = f64::INFINITY));
    assert!(tampered(&|point| {
        point.shifts.pop();
    }));
    assert!(tampered(&|point| {
        point.forests.pop();
    }));
    assert!(tampered(&|point| point.forests[0] = (0..12).collect()));
    assert!(tampered(&|point| point.forests[0] = vec![99]));
    assert!(tampered(&|point| point.forests.fill(Vec::new())));
}

#[test]
fn zeros_are_refused_only_where_negative_weights_would_meet_them() {
    let differ = |a, b| {
        let values = [0.0, 1.0, 2.0, 1.0, 0.0, 1.0, 1.0, 1.0, 0.0];
        Table::from_values(vec![VarId(a), VarId(b)], vec![3, 3], &values).unwrap()
    };
    let cycle = vec![differ(0, 1), differ(1, 2), differ(2, 0)];
    let graph = FactorGraph::new(vec![3; 3], cycle).unwrap();
    let refused = NegativeTreeReweighted::new(&graph).unwrap_err();
    assert!(
        matches!(refused, ForestError::ZerosOnCycle { .. }),
        "{refused}"
    );
    let ln_z = enumerate(&graph).ln_z;
    let upper = tree_reweighted(&graph, &LIMITS, &Budget::unlimited()).unwrap();
    assert!(verified(&upper.point, &graph) >= ln_z);
}
