//! Laws of gauged mean field and gauged belief propagation, against enumeration on random models.

use forney_bounds::MeanField;
use forney_certify::{Budget, Certificate, Lower, slack};
use forney_gauge::{
    GaugedLowerError, GaugedLowerOptions, GaugedLowerReport, GaugedMeanField, Gauges,
    gauged_belief_propagation, gauged_mean_field,
};
use forney_model::enumerate::enumerate;
use forney_model::generate::{RandomModel, mobius, random};
use forney_model::{FactorGraph, Forney, Table, VarId};
use nalgebra::DMatrix;
use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64;

type Search = fn(
    &FactorGraph,
    &GaugedLowerOptions,
    &Budget,
    &mut dyn FnMut(Lower, usize),
) -> Result<GaugedLowerReport, GaugedLowerError>;

const BOTH: [Search; 2] = [gauged_mean_field, gauged_belief_propagation];

fn options(seed: u64, iterations: usize) -> GaugedLowerOptions {
    GaugedLowerOptions {
        starts: 2,
        iterations: Some(iterations),
        tolerance: 1e-5,
        seed,
    }
}

/// Factors of up to three variables whose legs are paired at random; some stay alone.
fn paired(rng: &mut Pcg64, zeros: f64, spread: f64) -> FactorGraph {
    let factors = rng.random_range(2..7);
    let mut scopes = vec![Vec::new(); factors];
    let mut cards = Vec::new();
    for _ in 0..3 * factors {
        let (a, b) = (rng.random_range(0..factors), rng.random_range(0..factors));
        if a != b && scopes[a].len() < 3 && scopes[b].len() < 3 {
            scopes[a].push(VarId::new(cards.len()));
            scopes[b].push(VarId::new(cards.len()));
            cards.push([1, 2, 2, 2, 3][rng.random_range(0..5)]);
        }
    }
    tables(&cards, scopes, zeros, spread, rng)
}

/// A random tree of factors: every variable joins two of them.
fn tree(rng: &mut Pcg64, spread: f64) -> FactorGraph {
    let factors = rng.random_range(2..8);
    let mut scopes: Vec<Vec<VarId>> = vec![Vec::new(); factors];
    let mut cards = Vec::new();
    for child in 1..factors {
        let mut parent = rng.random_range(0..child);
        while scopes[parent].len() == 3 {
            parent = rng.random_range(0..child);
        }
        for factor in [parent, child] {
            scopes[factor].push(VarId::new(cards.len()));
        }
        cards.push(rng.random_range(2..4));
    }
    tables(&cards, scopes, 0.0, spread, rng)
}

fn tables(
    cards: &[usize],
    scopes: Vec<Vec<VarId>>,
    zeros: f64,
    spread: f64,
    rng: &mut Pcg64,
) -> FactorGraph {
    let mut entry = || {
        let ln = spread * (2.0 * rng.random::<f64>() - 1.0);
        if rng.random::<f64>() < zeros {
            f64::NEG_INFINITY
        } else {
            ln
        }
    };
    let tables = scopes.into_iter().map(|scope| {
        let own: Vec<usize> = scope.iter().map(|v| cards[v.index()]).collect();
        let ln = (0..own.iter().product()).map(|_| entry()).collect();
        Table::from_ln(scope, own, ln).unwrap()
    });
    let tables = tables.collect();
    FactorGraph::new(cards.to_vec(), tables).unwrap()
}

/// Small models of every awkward kind: Forney form, equality form and neither.
fn model(seed: u64) -> FactorGraph {
    let mut rng = Pcg64::seed_from_u64(seed);
    let spread = if seed.is_multiple_of(17) { 1500.0 } else { 2.0 };
    loop {
        let zeros = [0.0, 0.1, 0.3][rng.random_range(0..3)];
        let graph = if seed.is_multiple_of(2) {
            paired(&mut rng, zeros, spread)
        } else {
            let spec = RandomModel {
                variables: rng.random_range(1..6),
                max_card: rng.random_range(1..4),
                factors: rng.random_range(0..7),
                max_scope: 3,
                zeros,
                spread,
            };
            let graph = random(&spec, &mut rng);
            if seed.is_multiple_of(3) {
                Forney::new(&graph, 3).unwrap().graph().clone()
            } else {
                graph
            }
        };
        let states: f64 = graph.cards().iter().map(|&c| c as f64).product();
        if states < 3e3 {
            return graph;
        }
    }
}

#[test]
fn no_bound_exceeds_ln_z() {
    let (mut found, mut refused) = ([0; 2], 0);
    for seed in 0..1000 {
        let graph = model(seed);
        let exact = enumerate(&graph).ln_z;
        for (search, found) in BOTH.iter().zip(&mut found) {
            let mut last = f64::NEG_INFINITY;
            let mut watch = |bound: Lower, _| {
                assert!(bound.ln() > last, "only improvements are seen");
                assert!(
                    bound.ln() <= exact + slack(exact),
                    "seed {seed}: {bound:?} {exact}"
                );
                last = bound.ln();
            };
            match search(&graph, &options(seed, 60), &Budget::unlimited(), &mut watch) {
                Ok(report) => {
                    *found += 1;
                    assert!(report.bound.ln() >= last, "seed {seed}");
                    assert_eq!(report.witness.verify(&graph).unwrap(), report.bound);
                }
                Err(GaugedLowerError::NoAssignment) => assert!(exact == f64::NEG_INFINITY),
                Err(_) => refused += 1,
            }
        }
    }
    assert!(found.iter().all(|&n| n > 450), "{found:?} and {refused}");
}

#[test]
fn gauges_improve_plain_mean_field() {
    let graph = mobius(12, 1.0, &mut Pcg64::seed_from_u64(1));
    let exact = enumerate(&graph).ln_z;
    for search in BOTH {
        let mut first = None;
        let mut watch = |bound: Lower, _| {
            first.get_or_insert(bound.ln());
        };
        let report = search(&graph, &options(1, 1000), &Budget::unlimited(), &mut watch).unwrap();
        let gap = exact - report.bound.ln();
        assert!(
            gap < 0.5 * (exact - first.unwrap()),
            "{}: {gap}",
            report.method
        );
    }
}

#[test]
fn a_broken_witness_proves_nothing() {
    let graph = mobius(8, 1.0, &mut Pcg64::seed_from_u64(1));
    let other = mobius(10, 1.0, &mut Pcg64::seed_from_u64(1));
    let report = gauged_mean_field(
        &graph,
        &options(1, 300),
        &Budget::unlimited(),
        &mut |_, _| {},
    );
    let good = report.unwrap().witness;
    assert!(good.verify(&graph).is_ok());
    assert!(good.verify(&other).is_err());
    let broken = |change: &dyn Fn(&mut GaugedMeanField)| {
        let mut witness = good.clone();
        change(&mut witness);
        witness.verify(&graph).is_err()
    };
    let turn = DMatrix::from_row_slice(2, 2, &[0.8, -0.6, 0.6, 0.8]);
    assert!(broken(
        &|w| w.gauges = Gauges::new(&graph, vec![(VarId(0), turn.clone())]).unwrap()
    ));
    assert!(broken(&|w| w.gauges = Gauges::identity(&other)));
    assert!(broken(&|w| w.q = MeanField::uniform(&other)));
    assert!(broken(&|w| w.q.q[0][0] += 0.1));
    assert!(broken(&|w| w.q.q[0][0] = f64::NAN));
    assert!(broken(&|w| {
        w.q.q[0] = vec![-0.5, 1.5];
    }));
}

/// A gauge that takes an entry to exactly 0 by cancellation proves nothing: rounding may hide its
/// sign. One that leaves a hard zero where it is does no harm.
#[test]
fn an_entry_that_may_be_negative_is_refused() {
    let single = |values: &[f64]| Table::from_values(vec![VarId(0)], vec![2], values).unwrap();
    let graph = FactorGraph::new(vec![2], vec![single(&[0.1, 0.3]), single(&[0.7, 0.2])]).unwrap();
    let with = |rows: &[f64]| GaugedMeanField {
        gauges: Gauges::new(
            &graph,
            vec![(VarId(0), DMatrix::from_row_slice(2, 2, rows))],
        )
        .unwrap(),
        q: MeanField::point_mass(&graph, &[0]),
    };
    let edge = with(&[0.7, 0.2, 3.0, -1.0]).verify(&graph).unwrap_err();
    assert!(edge.to_string().contains("may be negative"), "{edge}");

    let zero = FactorGraph::new(vec![2], vec![single(&[0.1, 0.0]), single(&[0.7, 0.2])]).unwrap();
    let diagonal = with(&[2.0, 0.0, 0.0, 0.5]);
    assert!((diagonal.verify(&zero).unwrap().ln() - 0.07f64.ln()).abs() < 1e-12);
}
