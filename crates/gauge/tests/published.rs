//! The published variants of gauged mini-buckets.

mod common;

use std::sync::Arc;

use common::split_schedule;
use forney_bounds::wmbe::{self, CliqueLimit};
use forney_certify::{Above, Budget, Certificate, Refine};
use forney_exact::Order;
use forney_gauge::{Published, PublishedVariant};
use forney_model::generate::mobius;
use forney_testing::rng;

#[test]
fn the_published_steps_descend_in_every_variant() {
    let graph = mobius(24, 1.0, &mut rng(2));
    let order = Order::new(graph.variables().collect(), &graph).unwrap();
    let schedule = split_schedule(&graph, &order);
    let exact = forney_exact::ln_z(&graph, &order, f64::INFINITY).unwrap();
    let after = |variant: PublishedVariant| {
        let mut descent = Published::new(Arc::clone(&schedule), &graph, variant);
        let value = (0..150).map(|_| descent.sweep()).last().unwrap();
        let witness = descent
            .objective()
            .witness(&descent.point(), &graph)
            .unwrap();
        let bound = witness.verify(&graph).unwrap().ln();
        // The witness keeps signs where the published method does not.
        assert!(exact <= bound && bound <= value + 1e-9, "{variant}");
        value
    };
    let gap = |name: &str| after(name.parse().unwrap()) - exact;
    let plain = gap("WMBE");
    for name in ["WMBE-w", "WMBE-theta", "wmbe-g"] {
        assert!(gap(name) < plain, "{name}");
    }
    assert!(gap("WMBE-Gw") < gap("WMBE-G") && gap("WMBE-thetaw") < gap("WMBE-θ"));
    assert!("WMBE-x".parse::<PublishedVariant>().is_err());
}
/// Of the cost shifts `diag(e^θ)` only those of split variables matter, so that plain mini-buckets
/// with published steps go the same way.
#[test]
fn diagonal_gauges_are_the_cost_shifts_of_plain_mini_buckets() {
    let graph = mobius(24, 1.0, &mut rng(2));
    let order = Order::new(graph.variables().collect(), &graph).unwrap();
    let schedule = split_schedule(&graph, &order);
    let pairs = [
        (PublishedVariant::W, wmbe::Variant::W),
        (PublishedVariant::Theta, wmbe::Variant::Theta),
        (PublishedVariant::ThetaW, wmbe::Variant::ThetaW),
    ];
    for (gauged, variant) in pairs {
        let mut descent = Published::new(Arc::clone(&schedule), &graph, gauged);
        let value = (0..50)
            .map(|_| descent.sweep())
            .fold(f64::INFINITY, f64::min);
        let options = wmbe::VariantOptions {
            variant,
            steps: wmbe::Steps::Published,
            partition: wmbe::Partition::Scope,
            limit: CliqueLimit {
                ibound: 2,
                entries: 1e6,
            },
            order: Some(order.clone()),
            iterations: Some(51),
            memory: 1e9,
        };
        let budget = Budget::unlimited();
        let plain = wmbe::mini_buckets::<Above>(&graph, &options, &budget, &mut |_, _| {});
        let plain = plain.unwrap().bound.ln();
        assert!((plain - value).abs() < 1e-4, "{gauged}: {plain} {value}");
    }
}
