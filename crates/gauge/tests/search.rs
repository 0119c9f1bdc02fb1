//! The search on both sides: what it finds keeps to its side, whatever the model.

mod common;

use common::{model, shuffled};
use forney_bounds::wmbe::CliqueLimit;
use forney_certify::{Budget, Certificate};
use forney_exact::Order;
use forney_gauge::{GaugeOptions, gauged_wmbe, gauged_wmbe_below};
use forney_model::FactorGraph;
use forney_model::enumerate::enumerate;
use forney_model::generate::mobius;
use forney_testing::{Family, assert_at_least, assert_at_most, rng};
use rand_pcg::Pcg64;

/// Models in Forney form, and others in which a variable may lie in any number of factors.
fn any_model(seed: u64) -> (FactorGraph, Pcg64) {
    if seed.is_multiple_of(2) {
        return model(seed);
    }
    let mut rng = rng(seed);
    let family = Family {
        variables: 1..9,
        factors: 0..16,
        ..Family::SMALL
    };
    (family.draw(&mut rng), rng)
}

#[test]
fn the_search_keeps_to_its_side_on_any_model() {
    let budget = Budget::unlimited();
    let (mut above, mut below, mut split) = (0, 0, 0);
    for seed in 0..1000 {
        let (graph, mut rng) = any_model(seed);
        let exact = enumerate(&graph).ln_z;
        let wide = |cards: &[usize]| cards.iter().filter(|&&card| card > 1).count();
        let scopes = graph.factors().iter().map(|factor| wide(factor.cards()));
        let options = GaugeOptions {
            limit: CliqueLimit {
                ibound: scopes.max().unwrap_or(0).saturating_sub(1),
                entries: 1e6,
            },
            // Both kinds of race: orders, and partitions of one order.
            order: (seed % 4 > 0).then(|| shuffled(&graph, &mut rng)),
            candidates: 3,
            iterations: Some(20),
            seed,
            ..GaugeOptions::default()
        };
        // Tables beyond plain numbers, or zeros, may leave nothing to prove.
        if let Ok(report) = gauged_wmbe(&graph, &options, &budget, &mut |_, _| {}) {
            let ln = report.bound.ln();
            assert_at_least(ln, exact, seed);
            assert_eq!(report.witness.verify(&graph).unwrap(), report.bound);
            above += 1;
            split += usize::from(!report.exact);
        }
        if let Ok(report) = gauged_wmbe_below(&graph, &options, &budget, &mut |_, _| {}) {
            let ln = report.bound.ln();
            assert_at_most(ln, exact, seed);
            assert_eq!(report.witness.verify(&graph).unwrap(), report.bound);
            below += 1;
        }
    }
    assert!(above > 900 && below > 800, "{above} and {below} bounds");
    assert!(split > 200, "{split} bounds with splits");
}

#[test]
fn both_sides_close_on_z() {
    let graph = mobius(24, 1.0, &mut rng(2));
    let order = Order::new(graph.variables().collect(), &graph).unwrap();
    let exact = forney_exact::ln_z(&graph, &order, f64::INFINITY).unwrap();
    let options = GaugeOptions {
        limit: CliqueLimit {
            ibound: 3,
            entries: 1e6,
        },
        candidates: 8,
        iterations: Some(400),
        ..GaugeOptions::default()
    };
    let budget = Budget::unlimited();
    let mut trace = Vec::new();
    let above = gauged_wmbe(&graph, &options, &budget, &mut |bound, _| {
        trace.push(bound.ln());
    });
    let above = above.unwrap();
    let below = gauged_wmbe_below(&graph, &options, &budget, &mut |_, _| {}).unwrap();
    assert!(below.bound.ln() <= exact && exact <= above.bound.ln());
    assert!(above.bound.ln() - below.bound.ln() < 0.5);
    assert!(
        trace.is_sorted_by(|a, b| a > b),
        "only improvements are seen"
    );
    assert_eq!(above.witness.verify(&graph).unwrap(), above.bound);

    // A larger ibound goes on from the gauges of the smaller one, whatever their sides.
    let next = GaugeOptions {
        limit: CliqueLimit {
            ibound: 4,
            entries: 1e6,
        },
        known: Some((above.order, above.witness.gauges)),
        ..options
    };
    let wider = gauged_wmbe(&graph, &next, &budget, &mut |_, _| {}).unwrap();
    assert!(exact <= wider.bound.ln() && wider.bound.ln() < above.bound.ln() + 0.1);
}
