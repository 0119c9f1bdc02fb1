//! What is said to contradict each other does, and nothing of it can be left out.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use forney_certify::Budget;
use forney_model::enumerate::enumerate;
use forney_model::{Conflict, Domains, Evidence, FactorGraph, FactorId, Table, VarId, conflict};
use forney_testing::Family;
use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64;

const MODELS: u64 = 1500;

/// The factors and observations of a conflict, and nothing else.
fn alone(graph: &FactorGraph, parts: &Conflict) -> (FactorGraph, Domains) {
    let factors = parts.factors.iter();
    let factors = factors
        .map(|a| graph.factors()[a.index()].clone())
        .collect();
    let alone = FactorGraph::new(graph.cards().to_vec(), factors).unwrap();
    let mut evidence = Evidence::default();
    for &(v, state) in &parts.observed {
        evidence.observe(v, state).unwrap();
    }
    let domains = Domains::observed(&alone, &evidence).unwrap();
    (alone, domains)
}

#[test]
fn a_conflict_is_one_and_needs_all_of_its_parts() {
    let (mut found, mut parts) = (0, 0);
    for seed in 0..MODELS {
        let mut rng = Pcg64::seed_from_u64(seed);
        let graph = Family::ZEROS.draw(&mut rng);
        let mut evidence = Evidence::default();
        for v in graph.variables() {
            if rng.random() {
                let state = rng.random_range(0..graph.card(v));
                evidence.observe(v, state).unwrap();
            }
        }
        let mut domains = Domains::observed(&graph, &evidence).unwrap();
        let refuted = domains.prune(&graph).is_err();
        let told = conflict(&graph, &evidence, &Budget::unlimited());
        assert_eq!(told.is_some(), refuted, "seed {seed}");
        let Some(told) = told else { continue };
        found += 1;
        parts += told.factors.len() + told.observed.len();
        for &(v, state) in &told.observed {
            assert_eq!(evidence.state(v), Some(state), "seed {seed}");
        }
        let (model, mut domains) = alone(&graph, &told);
        let restriction = domains.clone().restrict(&model);
        let ln_z = enumerate(restriction.graph()).ln_z;
        assert!(ln_z == f64::NEG_INFINITY, "seed {seed}: {told:?}");
        assert!(domains.prune(&model).is_err(), "seed {seed}");
        for at in 0..told.factors.len() + told.observed.len() {
            let mut fewer = told.clone();
            if at < told.factors.len() {
                fewer.factors.remove(at);
            } else {
                fewer.observed.remove(at - told.factors.len());
            }
            let (model, mut domains) = alone(&graph, &fewer);
            assert!(domains.prune(&model).is_ok(), "seed {seed}: {told:?}");
        }
    }
    assert!(found > 100 && parts > found + 100, "{found} {parts}");
}

/// A ring of inequalities with an odd number of variables has no colouring with two colours, which
/// propagation does not see.
#[test]
fn what_propagation_does_not_see_is_not_told() {
    let differ = |a, b| {
        let values = [0.0, 1.0, 1.0, 0.0];
        Table::from_values(vec![VarId(a), VarId(b)], vec![2, 2], &values).unwrap()
    };
    let factors = vec![differ(0, 1), differ(1, 2), differ(2, 0)];
    let graph = FactorGraph::new(vec![2; 3], factors).unwrap();
    let unlimited = Budget::unlimited();
    assert_eq!(conflict(&graph, &Evidence::default(), &unlimited), None);
    let mut evidence = Evidence::default();
    evidence.observe(VarId(1), 0).unwrap();
    let found = conflict(&graph, &evidence, &unlimited).expect("a contradiction");
    assert_eq!(found.factors.len(), 3);
    assert_eq!(found.observed, [(VarId(1), 0)]);
}

#[test]
fn a_factor_that_is_zero_is_a_conflict_alone() {
    let zero = Table::constant(f64::NEG_INFINITY).unwrap();
    let one = Table::constant(0.0).unwrap();
    let graph = FactorGraph::new(vec![2], vec![one, zero]).unwrap();
    let found = conflict(&graph, &Evidence::default(), &Budget::unlimited());
    let expected = Conflict {
        factors: vec![FactorId(1)],
        observed: Vec::new(),
    };
    assert_eq!(found, Some(expected));
}

#[test]
fn without_time_nothing_is_told() {
    let zeros = Table::from_values(vec![VarId(0)], vec![2], &[0.0, 0.0]).unwrap();
    let graph = FactorGraph::new(vec![2], vec![zeros]).unwrap();
    let interrupted = Budget::new(None, Arc::new(AtomicBool::new(true)));
    assert_eq!(conflict(&graph, &Evidence::default(), &interrupted), None);
}
