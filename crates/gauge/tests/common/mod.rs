//! Models, gauges and checks that several test files share.

// Every file uses a part.
#![allow(dead_code)]

use std::sync::Arc;

use forney_bounds::wmbe::{CliqueLimit, MiniBuckets};
use forney_certify::Objective;
use forney_exact::{Order, Schedule};
use forney_gauge::Gauges;
use forney_model::generate::{RandomModel, random};
use forney_model::{FactorGraph, Forney, Table, VarId};
use nalgebra::DMatrix;
use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64;

/// Factors of up to three variables whose legs are paired at random, so that much has to be split.
pub(crate) fn regular(rng: &mut Pcg64, zeros: f64, spread: f64) -> FactorGraph {
    let factors = rng.random_range(4..8);
    let mut scopes = vec![Vec::new(); factors];
    let mut cards = Vec::new();
    for _ in 0..4 * factors {
        let (a, b) = (rng.random_range(0..factors), rng.random_range(0..factors));
        if a != b && scopes[a].len() < 3 && scopes[b].len() < 3 {
            scopes[a].push(VarId::new(cards.len()));
            scopes[b].push(VarId::new(cards.len()));
            cards.push([1, 2, 2, 2, 3][rng.random_range(0..5)]);
        }
    }
    let tables = scopes.into_iter().map(|scope: Vec<VarId>| {
        let own: Vec<usize> = scope.iter().map(|v| cards[v.index()]).collect();
        let entry = |rng: &mut Pcg64| {
            let ln = spread * (2.0 * rng.random::<f64>() - 1.0);
            if rng.random::<f64>() < zeros {
                f64::NEG_INFINITY
            } else {
                ln
            }
        };
        let ln = (0..own.iter().product()).map(|_| entry(rng)).collect();
        Table::from_ln(scope, own, ln).unwrap()
    });
    let tables = tables.collect();
    FactorGraph::new(cards, tables).unwrap()
}

/// Small models of every awkward kind, in Forney form and small enough to enumerate.
pub(crate) fn model(seed: u64) -> (FactorGraph, Pcg64) {
    let mut rng = Pcg64::seed_from_u64(seed);
    loop {
        if !seed.is_multiple_of(4) {
            let zeros = [0.0, 0.05, 0.2][rng.random_range(0..3)];
            let graph = regular(
                &mut rng,
                zeros,
                if seed.is_multiple_of(11) { 1500.0 } else { 2.0 },
            );
            let states: f64 = graph.cards().iter().map(|&c| c as f64).product();
            if states < 3e3 {
                return (graph, rng);
            }
            continue;
        }
        let spec = RandomModel {
            variables: rng.random_range(1..6),
            max_card: rng.random_range(1..4),
            factors: rng.random_range(0..7),
            max_scope: 3,
            zeros: [0.0, 0.1, 0.4][rng.random_range(0..3)],
            spread: if seed.is_multiple_of(11) { 1500.0 } else { 2.0 },
        };
        let forney = Forney::new(&random(&spec, &mut rng), 3).unwrap();
        let states: f64 = forney.graph().cards().iter().map(|&c| c as f64).product();
        if states < 3e3 {
            return (forney.graph().clone(), rng);
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
    let mut vars: Vec<VarId> = graph.variables().collect();
    vars.shuffle(rng);
    Order::new(vars, graph).unwrap()
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

/// A ring with chords over variables of one cardinality: six factors of three variables.
pub(crate) fn ring(card: usize, zero: bool, rng: &mut Pcg64) -> FactorGraph {
    let factors = (0..6usize).map(|a| {
        let scope = [(a + 5) % 6, a, 6 + a % 3].map(VarId::new).to_vec();
        let entries = (0..card.pow(3)).map(|_| 2.0 * rng.random::<f64>() - 1.0);
        let mut ln: Vec<f64> = entries.collect();
        if zero {
            ln[rng.random_range(0..card.pow(3))] = f64::NEG_INFINITY;
        }
        Table::from_ln(scope, vec![card; 3], ln).unwrap()
    });
    let factors = factors.collect();
    FactorGraph::new(vec![card; 9], factors).unwrap()
}

pub(crate) fn check_gradient(objective: &mut impl Objective, mut x: Vec<f64>, seed: u64) {
    let mut gradient = vec![0.0; x.len()];
    let mut unused = gradient.clone();
    let value = objective.evaluate(&x, &mut gradient);
    assert!(value.is_finite(), "seed {seed}");
    for at in 0..x.len() {
        let here = x[at];
        let step = 1e-6;
        let mut side = |to: f64| {
            x[at] = to;
            objective.evaluate(&x, &mut unused)
        };
        let slope = (side(here + step) - side(here - step)) / (2.0 * step);
        x[at] = here;
        assert!(
            (slope - gradient[at]).abs() < 1e-5 * (1.0 + slope.abs()),
            "seed {seed}, coordinate {at}: {slope} and {}",
            gradient[at]
        );
    }
}
