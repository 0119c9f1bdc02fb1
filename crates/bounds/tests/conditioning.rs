//! Laws of the conditioned lower bound, against enumeration and exact elimination.

use std::ops::ControlFlow;
use std::time::Duration;

use forney_bounds::{Conditioned, Conditioning};
use forney_certify::{Budget, Certificate, Flaw, Limits, Refine, Run, drive, slack};
use forney_exact::{Effort, Order, ln_z, search};
use forney_model::enumerate::enumerate;
use forney_model::generate::ising_grid;
use forney_model::{FactorGraph, VarId};
use forney_testing::{Family, assert_at_most, near, on_threads, rng, struck};
use rand::RngExt;

const MODELS: u64 = 1000;
const MEMORY: f64 = 1e9;

/// A grid with hard zeros that forbid one in 25 entries, but not the assignment of zeros.
fn grid_with_zeros() -> FactorGraph {
    let mut rng = rng(11);
    struck(&ising_grid(18, 1.0, 0.3, &mut rng), 0.04, &mut rng)
}

fn in_order(graph: &FactorGraph) -> Order {
    Order::new(graph.variables().collect(), graph).unwrap()
}

fn exact(graph: &FactorGraph) -> f64 {
    let effort = Effort {
        rounds: Some(1),
        budget: Budget::unlimited(),
        memory: None,
    };
    ln_z(graph, &search(graph, 1, &effort), MEMORY).unwrap()
}

fn run(graph: &FactorGraph, sweeps: usize) -> Run<Conditioned> {
    let search = Conditioning::new(graph, 1, MEMORY, &Budget::unlimited());
    let limits = Limits {
        sweeps: Some(sweeps),
        tolerance: 0.0,
    };
    let search = search.unwrap().unwrap();
    drive(search, &limits, &Budget::unlimited(), &mut |_| {
        ControlFlow::Continue(())
    })
}

#[test]
fn the_bounds_of_all_configurations_of_a_cutset_sum_to_z() {
    for seed in 0..MODELS {
        let graph = Family::ZEROS.at(seed);
        let expected = enumerate(&graph).ln_z;
        let mut rng = rng(seed);
        let cutset: Vec<VarId> = graph
            .variables()
            .filter(|_| rng.random::<f64>() < 0.4)
            .collect();
        let cards: Vec<usize> = cutset.iter().map(|&v| graph.card(v)).collect();
        let mut sum = 0.0;
        forney_model::enumerate::for_each_assignment(&cards, |states| {
            let point = Conditioned {
                fixed: cutset.iter().copied().zip(states.iter().copied()).collect(),
                order: in_order(&graph),
                memory: MEMORY,
            };
            let lower = point.verify(&graph).unwrap().ln();
            assert_at_most(lower, expected, seed);
            sum += lower.exp();
        });
        assert!(near(sum.ln(), expected), "seed {seed}");
    }
}

#[test]
fn small_models_are_exact_and_impossible_ones_are_found_out() {
    let mut impossible = 0;
    for seed in 0..MODELS {
        let graph = Family::ZEROS.at(seed);
        let expected = enumerate(&graph).ln_z;
        match Conditioning::new(&graph, seed, MEMORY, &Budget::unlimited()) {
            Ok(search) => {
                let mut search = search.expect("found");
                let value = search.sweep();
                assert!(near(value, expected), "seed {seed}");
                assert!(near(search.point().verify(&graph).unwrap().ln(), value));
            }
            Err(_) => {
                impossible += 1;
                assert!(expected == f64::NEG_INFINITY, "seed {seed}");
            }
        }
    }
    assert!(impossible > 100);
}

#[test]
fn large_models_are_bounded_closely_and_every_sweep_improves() {
    let grids = [ising_grid(18, 1.0, 0.1, &mut rng(12)), grid_with_zeros()];
    for graph in grids {
        let expected = exact(&graph);
        let run = run(&graph, 6);
        let values: Vec<f64> = run.trace.iter().map(|sweep| sweep.value).collect();
        assert!(values.len() > 1 && values.windows(2).all(|pair| pair[1] > pair[0]));
        let lower = run.point.verify(&graph).unwrap().ln();
        assert!(near(lower, values[values.len() - 1]));
        assert!(
            lower <= expected + slack(expected) && lower > expected - 12.0,
            "{lower} {expected}"
        );
    }
}

#[test]
fn the_number_of_threads_changes_nothing() {
    let graph = grid_with_zeros();
    let point = |threads| on_threads(threads, || run(&graph, 3)).point;
    assert_eq!(point(1), point(4));
}

#[test]
fn without_time_or_memory_the_first_configuration_still_certifies() {
    let graph = ising_grid(14, 1.0, 0.1, &mut rng(13));
    let over = Budget::unlimited();
    let search = Conditioning::new(&graph, 1, MEMORY, &over)
        .unwrap()
        .unwrap();
    let start = search.point();
    assert_eq!(start.fixed.len(), graph.num_variables());
    assert!(start.verify(&graph).unwrap().ln().is_finite());

    let over = Budget::unlimited().capped(Duration::ZERO);
    assert!(
        Conditioning::new(&graph, 1, MEMORY, &over)
            .unwrap()
            .is_none()
    );

    let unlimited = Budget::unlimited();
    let mut starved = Conditioning::new(&graph, 1, 0.0, &unlimited)
        .unwrap()
        .unwrap();
    let value = starved.sweep();
    assert!(near(starved.point().verify(&graph).unwrap().ln(), value));
}

#[test]
fn what_does_not_fit_the_model_is_refused() {
    let graph = ising_grid(3, 1.0, 0.1, &mut rng(14));
    let larger = ising_grid(4, 1.0, 0.1, &mut rng(14));
    let good = Conditioned {
        fixed: vec![(VarId(0), 1)],
        order: in_order(&graph),
        memory: MEMORY,
    };
    assert!(good.verify(&graph).is_ok());
    for fixed in [
        vec![(VarId(9), 0)],
        vec![(VarId(0), 2)],
        vec![(VarId(0), 0), (VarId(0), 1)],
    ] {
        let bad = Conditioned {
            fixed,
            ..good.clone()
        };
        assert!(matches!(bad.verify(&graph), Err(Flaw::Invalid(_))));
    }
    let bad = Conditioned {
        order: in_order(&larger),
        ..good.clone()
    };
    assert!(matches!(bad.verify(&graph), Err(Flaw::Invalid(_))));
    let bad = Conditioned {
        memory: 8.0,
        ..good
    };
    assert!(matches!(bad.verify(&graph), Err(Flaw::Invalid(_))));
}
