//! The engine on cliques large enough for blocks, spread tables and parallel parts, where enumeration
//! does not reach: two orders of the same model share no step and must agree.

use std::sync::Arc;
use std::time::Duration;

use forney_certify::Budget;
use forney_exact::{
    Engine, Heuristic, Keep, Order, Schedule, Whole, greedy, ln_z, ln_z_along, marginals,
    most_probable,
};
use forney_model::FactorGraph;
use forney_testing::grid;

fn orders(graph: &FactorGraph) -> [Order; 3] {
    [
        Order::new(graph.variables().collect(), graph).unwrap(),
        Order::new(graph.variables().rev().collect(), graph).unwrap(),
        greedy(graph, Heuristic::MinFill, None),
    ]
}

#[test]
fn orders_of_one_model_agree() {
    let models = [
        grid(12, 13, &[2], 1),
        grid(8, 8, &[2, 3], 2),
        grid(7, 7, &[1, 3, 4], 3),
        grid(5, 6, &[2, 5, 7], 4),
        grid(2, 3, &[60], 5),
    ];
    for (number, graph) in models.iter().enumerate() {
        let [first, others @ ..] = orders(graph);
        let expected = marginals(graph, &first, f64::INFINITY).unwrap();
        let best = most_probable(graph, &first, f64::INFINITY).unwrap();
        assert!(expected.ln_z.is_finite(), "model {number}");
        let value = ln_z(graph, &first, f64::INFINITY).unwrap();
        assert!((value - expected.ln_z).abs() < 1e-9 * value.abs());
        for order in others {
            let found = marginals(graph, &order, f64::INFINITY).unwrap();
            let off = (found.ln_z - expected.ln_z).abs();
            assert!(
                off < 1e-9 * expected.ln_z.abs(),
                "model {number}: off by {off}"
            );
            let tables = [
                (&found.variables, &expected.variables),
                (&found.factors, &expected.factors),
            ];
            for (found, expected) in tables {
                for (p, q) in found.iter().flatten().zip(expected.iter().flatten()) {
                    assert!((p - q).abs() < 1e-9, "model {number}: {p} for {q}");
                }
            }
            let found = most_probable(graph, &order, f64::INFINITY).unwrap();
            assert!(
                (found.ln_value - best.ln_value).abs() < 1e-9,
                "model {number}"
            );
        }
    }
}

#[test]
fn a_stopped_pass_leaves_the_engine_usable() {
    let graph = grid(9, 9, &[2], 6);
    let order = greedy(&graph, Heuristic::MinFill, None);
    for keep in [Keep::Live, Keep::All] {
        let schedule = Schedule::compile(&graph, &order, &mut Whole).unwrap();
        let mut engine = Engine::new(schedule.into(), &graph, keep);
        let over = Budget::unlimited().capped(Duration::ZERO);
        assert_eq!(engine.forward_within(&[], &[], &over), None);
        let value = engine.forward(&[], &[]);
        assert!(value.is_finite());
        let again = engine.forward_within(&[], &[], &Budget::unlimited());
        assert_eq!(again, Some(value));
    }
}

#[test]
fn a_single_pass_has_the_bits_of_an_engine() {
    let models = [
        grid(9, 9, &[2], 8),
        grid(6, 7, &[1, 2, 3], 9),
        grid(4, 5, &[2, 5, 7], 10),
        grid(1, 3, &[300], 11),
    ];
    for (number, graph) in models.iter().enumerate() {
        for order in orders(graph) {
            let schedule = Arc::new(Schedule::compile(graph, &order, &mut Whole).unwrap());
            let demand = schedule.demand();
            assert!(demand.once_bytes <= demand.live_bytes, "model {number}");
            let value = ln_z_along(&schedule, graph, &Budget::unlimited()).unwrap();
            let mut engine = Engine::new(schedule, graph, Keep::Live);
            let again = engine.forward(&[], &[]);
            assert_eq!(value.to_bits(), again.to_bits(), "model {number}");
        }
    }
}

#[test]
fn loading_ends_with_the_budget() {
    let graph = grid(1, 3, &[300], 12);
    let order = greedy(&graph, Heuristic::MinFill, None);
    let schedule = Schedule::compile(&graph, &order, &mut Whole).unwrap();
    let unlimited = Budget::unlimited();
    let over = unlimited.capped(Duration::ZERO);
    assert_eq!(ln_z_along(&schedule, &graph, &over), None);
    assert!(ln_z_along(&schedule, &graph, &unlimited).is_some());
}

#[test]
fn messages_kept_from_another_algebra_are_not_used() {
    let graph = grid(4, 4, &[2, 3], 7);
    let order = greedy(&graph, Heuristic::MinFill, None);
    let schedule = Schedule::compile(&graph, &order, &mut Whole).unwrap();
    let mut engine = Engine::new(schedule.into(), &graph, Keep::All);
    let sum = engine.forward(&[], &[]);
    let most = engine.forward_max();
    assert!(most < sum);
    assert_eq!(engine.forward(&[], &[]).to_bits(), sum.to_bits());
    assert_eq!(engine.forward_max().to_bits(), most.to_bits());
}
