//! Laws of gauged mean field and gauged belief propagation, against enumeration on random models.

use std::time::Duration;

use forney_bounds::{MeanField, mean_field};
use forney_certify::{Budget, Certificate, Limits, Lower, Stop, slack};
use forney_gauge::{
    GaugedLowerError, GaugedLowerOptions, GaugedLowerReport, GaugedMeanField, Gauges, LowerWatch,
    gauged_belief_propagation, gauged_mean_field, gauged_structured_mean_field,
};
use forney_model::enumerate::enumerate;
use forney_model::generate::{ising_grid, mobius};
use forney_model::{FactorGraph, Forney, Table, VarId};
use forney_testing::{
    Family, assert_at_most, forney_tree, num_assignments, on_threads, paired, rng,
};
use nalgebra::DMatrix;
use rand::RngExt;

type Search = fn(
    &FactorGraph,
    &GaugedLowerOptions,
    &Budget,
    &mut LowerWatch<'_>,
) -> Result<GaugedLowerReport, GaugedLowerError>;

const BOTH: [Search; 2] = [gauged_mean_field, gauged_belief_propagation];

fn options(seed: u64, iterations: usize) -> GaugedLowerOptions {
    GaugedLowerOptions {
        starts: 2,
        iterations: Some(iterations),
        tolerance: 1e-5,
        seed,
        memory: 1e9,
    }
}

/// Small models of every awkward kind: Forney form, equality form and neither.
fn model(seed: u64) -> FactorGraph {
    let mut rng = rng(seed);
    let spread = if seed.is_multiple_of(17) { 1500.0 } else { 2.0 };
    loop {
        let graph = if seed.is_multiple_of(2) {
            let zeros = [0.0, 0.1, 0.3][rng.random_range(0..3)];
            paired(2..7, 3, zeros, spread, &mut rng)
        } else {
            let family = Family {
                spread,
                ..Family::TINY
            };
            let graph = family.draw(&mut rng);
            if seed.is_multiple_of(3) {
                Forney::new(&graph, 3).unwrap().graph().clone()
            } else {
                graph
            }
        };
        if num_assignments(&graph) < 3e3 {
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
                assert_at_most(bound.ln(), exact, seed);
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
    let graph = mobius(12, 1.0, &mut rng(1));
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
    let graph = mobius(8, 1.0, &mut rng(1));
    let other = mobius(10, 1.0, &mut rng(1));
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

#[test]
fn structured_mean_field_in_a_gauge_is_a_bound() {
    let budget = Budget::unlimited();
    let (mut found, mut tighter) = (0, 0);
    for seed in 0..1000 {
        let graph = model(seed);
        let exact = enumerate(&graph).ln_z;
        let (ibound, mut product) = (1 + seed as usize % 2, f64::NEG_INFINITY);
        let mut watch = |bound: Lower, _| product = bound.ln();
        let options = options(seed, 40);
        let report = gauged_structured_mean_field(&graph, ibound, &options, &budget, &mut watch);
        let Ok(report) = report else { continue };
        let bound = report.bound.ln();
        assert_at_most(bound, exact, seed);
        assert_eq!(report.witness.verify(&graph).unwrap(), report.bound);
        found += 1;
        tighter += usize::from(bound >= product);
    }
    assert!(found > 450 && tighter > 400, "{found}, {tighter}");
}

/// Plain mean field is where the search begins, so its bound is the least that it returns.
#[test]
fn gauged_mean_field_is_never_below_plain_mean_field() {
    let (mut gauged, mut better, mut lifted) = (0, 0, 0);
    for seed in 0..1000 {
        let graph = model(seed);
        let limits = Limits {
            sweeps: Some(300),
            tolerance: 1e-6,
        };
        let plain = mean_field(&graph, seed, 8, &limits, &Budget::unlimited()).point;
        let plain = plain.verify(&graph).unwrap().ln();
        let budget = Budget::unlimited();
        if let Ok(report) = gauged_mean_field(&graph, &options(seed, 100), &budget, &mut |_, _| {})
        {
            let bound = report.bound.ln();
            assert!(bound >= plain, "seed {seed}: {bound} below {plain}");
            gauged += 1;
            better += usize::from(bound > plain + 1e-3);
            let zero = |factor: &Table| factor.relative().contains(&f64::NEG_INFINITY);
            lifted += usize::from(bound > plain + 1e-3 && graph.factors().iter().any(zero));
        }
    }
    assert!(
        gauged > 450 && better > 150 && lifted > 30,
        "{gauged}, {better}, {lifted}"
    );
}

/// On a tree the gauge of belief propagation leaves one term of `Z`, and for almost all positive
/// tables there are non-negative gauges as near to it as one likes.
#[test]
fn on_trees_gauged_belief_propagation_comes_close_to_ln_z() {
    let (mut close, mut worst) = (0, 0.0f64);
    for seed in 0..1000 {
        let graph = forney_tree(1.0, &mut rng(seed));
        let exact = enumerate(&graph).ln_z;
        let options = options(seed, 1500);
        let report =
            gauged_belief_propagation(&graph, &options, &Budget::unlimited(), &mut |_, _| {});
        let gap = exact - report.unwrap().bound.ln();
        assert!(gap >= -slack(exact), "seed {seed}: {gap}");
        close += usize::from(gap < 1e-3);
        worst = worst.max(gap);
    }
    assert!(close > 700 && worst < 0.2, "{close} close, worst {worst}");
}

#[test]
fn a_model_without_gauges_is_told_so() {
    let budget = Budget::unlimited();
    let refusal = |graph: &FactorGraph| {
        let mut ignore = |_, _| {};
        gauged_mean_field(graph, &options(0, 10), &budget, &mut ignore).unwrap_err()
    };
    let empty = FactorGraph::new(Vec::new(), Vec::new()).unwrap();
    assert_eq!(refusal(&empty), GaugedLowerError::NothingToGauge);
    // Every variable of a 3 × 3 grid with fields lies in three to five factors.
    let grid = ising_grid(3, 1.0, 0.1, &mut rng(1));
    assert_eq!(refusal(&grid), GaugedLowerError::NothingToGauge);
    assert!(refusal(&grid).to_string().contains("Forney form"));
    let single = |values: &[f64]| Table::from_values(vec![VarId(0)], vec![2], values).unwrap();
    let zeros = FactorGraph::new(vec![2], vec![single(&[1.0, 0.0]), single(&[2.0, 0.0])]).unwrap();
    assert_eq!(refusal(&zeros), GaugedLowerError::NothingToGauge);
    let none = FactorGraph::new(vec![2], vec![single(&[1.0, 0.0]), single(&[0.0, 2.0])]).unwrap();
    assert_eq!(refusal(&none), GaugedLowerError::NoAssignment);
}

#[test]
fn the_same_seed_gives_the_same_bound_on_any_number_of_threads() {
    let graph = mobius(12, 1.0, &mut rng(4));
    for search in BOTH {
        let options = GaugedLowerOptions {
            starts: 4,
            ..options(3, 300)
        };
        let run = || search(&graph, &options, &Budget::unlimited(), &mut |_, _| {}).unwrap();
        let (one, four) = (on_threads(1, run), on_threads(4, run));
        assert_eq!(one.bound, four.bound);
        assert!(one.iterations <= 300 && one.stop == Stop::SweepLimit);
    }
}

#[test]
fn memory_limits_the_starts_and_is_checked_first() {
    let graph = mobius(12, 1.0, &mut rng(4));
    let budget = Budget::unlimited();
    for search in BOTH {
        let run = |starts: usize, memory: f64| {
            let options = GaugedLowerOptions {
                starts,
                memory,
                ..options(3, 100)
            };
            search(&graph, &options, &budget, &mut |_, _| {})
        };
        let Err(GaugedLowerError::TooLarge { bytes, limit }) = run(8, 1000.0) else {
            panic!("1000 bytes are not enough");
        };
        assert!(bytes > limit && limit.to_bits() == 1000f64.to_bits());
        let bound = |starts, memory| run(starts, memory).unwrap().bound.ln().to_bits();
        assert_eq!(bound(8, 1.5 * bytes), bound(1, 1e9));
        assert_eq!(bound(8, 3.5 * bytes), bound(3, 1e9));
        for memory in [0.0, -1.0, f64::NAN] {
            let refused = run(8, memory).unwrap_err().to_string();
            assert!(refused.contains("allow more memory"), "{refused}");
        }
    }
}

#[test]
fn without_time_the_start_is_proved() {
    let graph = mobius(12, 1.0, &mut rng(4));
    let budget = Budget::unlimited().capped(Duration::ZERO);
    for search in BOTH {
        let report = search(
            &graph,
            &GaugedLowerOptions::default(),
            &budget,
            &mut |_, _| {},
        );
        let report = report.unwrap();
        assert!(report.bound.ln().is_finite() && report.stop == Stop::TimeLimit);
    }
}
