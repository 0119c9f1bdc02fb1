//! Models, gauges and checks that several test files share.

// Every file uses a part.
#![allow(dead_code)]

use std::sync::Arc;

use forney_bounds::wmbe::{CliqueLimit, MiniBuckets};
use forney_exact::{Order, Schedule};
use forney_gauge::Gauges;
use forney_model::{FactorGraph, Forney, Table};
use forney_testing::{Family, num_assignments, paired, rng};
use nalgebra::DMatrix;
use rand::RngExt;
use rand_pcg::Pcg64;

/// Small models of every awkward kind, in Forney form and small enough to enumerate.
pub(crate) fn model(seed: u64) -> (FactorGraph, Pcg64) {
    let mut rng = rng(seed);
    let spread = if seed.is_multiple_of(11) { 1500.0 } else { 2.0 };
    loop {
        let graph = if seed.is_multiple_of(4) {
            let family = Family {
                spread,
                ..Family::TINY
            };
            Forney::new(&family.draw(&mut rng), 3)
                .unwrap()
                .graph()
                .clone()
        } else {
            let zeros = [0.0, 0.05, 0.2][rng.random_range(0..3)];
            paired(4..8, 4, zeros, spread, &mut rng)
        };
        if num_assignments(&graph) < 3e3 {
            return (graph, rng);
        }
    }
}

pub(crate) fn random_gauges(graph: &FactorGraph, rng: &mut Pcg64) -> Gauges {
    let mut matrices = Vec::new();
    for v in graph.variables() {
        let card = graph.card(v);
        let noise = DMatrix::from_fn(card, card, |_, _| 1.2 * (2.0 * rng.random::<f64>() - 1.0));
        if rng.random::<f64>() < 0.8 {
            matrices.push((v, DMatrix::identity(card, card) + noise));
        }
    }
    // A noise that happens to be singular is as good as none.
    Gauges::new(graph, matrices).unwrap_or_else(|_| Gauges::identity(graph))
}

pub(crate) fn shuffled(graph: &FactorGraph, rng: &mut Pcg64) -> Order {
    Order::new(forney_testing::shuffled(graph, rng), graph).unwrap()
}

pub(crate) fn split_schedule(graph: &FactorGraph, order: &Order) -> Arc<Schedule> {
    let wide = |f: &Table| f.cards().iter().filter(|&&card| card > 1).count();
    let largest = graph.factors().iter().map(wide).max().unwrap_or(0);
    let limit = CliqueLimit {
        ibound: largest.saturating_sub(1),
        entries: 1e6,
    };
    Arc::new(Schedule::compile(graph, order, &mut MiniBuckets::new(limit, None)).unwrap())
}
