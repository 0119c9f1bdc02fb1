//! Laws that every registered method keeps, against enumeration on random models.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use forney_bounds::{BoundError, ForestError as Forests};
use forney_certify::{Budget, Stop, slack};
use forney_exact::Order;
use forney_gauge::GaugedLowerError;
use forney_methods::{
    ExactOn, Gives, Inapplicable, METHODS, Method, Options, Outcome, Value, best,
};
use forney_model::enumerate::enumerate;
use forney_model::generate::{ising_grid, mobius, with_scales};
use forney_model::{FactorGraph, Table, VarId};
use forney_planar::PlanarError;
use forney_testing::{Family, factor_tree, least_ibound, shuffled};
use rand::SeedableRng;
use rand_pcg::Pcg64;
use rayon::prelude::*;

/// Models of each law.
const MODELS: u64 = 1000;

/// Small models of every awkward kind: mixed cardinalities with 1 among them, hard zeros, empty and
/// repeated scopes, disconnected parts, variables that nothing mentions, and now and then entries
/// far beyond the range of a float, or scales that cancel.
fn model(seed: u64) -> FactorGraph {
    let mut rng = Pcg64::seed_from_u64(seed);
    let odd = seed.is_multiple_of(4);
    let family = Family {
        variables: if odd { 1..7 } else { 6..9 },
        max_card: 1..4,
        factors: if odd { 0..10 } else { 10..20 },
        max_scope: if odd { 0..4 } else { 2..4 },
        zeros: if odd {
            &[0.0, 0.02, 0.4]
        } else {
            &[0.0, 0.02, 0.1]
        },
        spread: if seed.is_multiple_of(11) { 1500.0 } else { 2.0 },
    };
    scaled(family.draw(&mut rng), seed, &mut rng)
}

/// One model in three gets wild scales: no value may tell.
fn scaled(graph: FactorGraph, seed: u64, rng: &mut Pcg64) -> FactorGraph {
    if seed % 3 == 1 {
        with_scales(&graph, rng)
    } else {
        graph
    }
}

/// The same without zeros and without huge entries.
fn positive(seed: u64) -> FactorGraph {
    let mut rng = Pcg64::seed_from_u64(seed);
    let family = Family {
        variables: 1..7,
        max_card: 3..4,
        factors: 0..10,
        zeros: &[0.0],
        ..Family::SMALL
    };
    scaled(family.draw(&mut rng), seed, &mut rng)
}

/// A random factor tree with factors of up to three variables, or of one if there are only
/// independent variables.
fn without_cycles(seed: u64, kind: ExactOn) -> FactorGraph {
    let mut rng = Pcg64::seed_from_u64(seed);
    let zeros = if seed.is_multiple_of(3) { 0.1 } else { 0.0 };
    let graph = factor_tree(kind == ExactOn::Trees, zeros, &mut rng);
    scaled(graph, seed, &mut rng)
}

/// Few iterations at the least ibound: the hardest case of a bound.
fn options(graph: &FactorGraph, seed: u64) -> Options {
    Options {
        ibound: Some(least_ibound(graph)),
        iterations: Some(8),
        seed,
        ..Options::default()
    }
}

/// Does a method not apply because no variable is in exactly two factors, or because these are not spins in the plane?
fn excused(reason: &Inapplicable, graph: &FactorGraph) -> bool {
    let mut factors = graph.factors().iter();
    if let Inapplicable::Planar(reason) = reason {
        return match reason {
            PlanarError::Cardinality { .. } => graph.cards().iter().any(|&card| card > 2),
            PlanarError::Scope { .. } => factors.any(|factor| factor.scope().len() > 2),
            PlanarError::Zeros { .. } => factors.any(|f| f.relative().contains(&f64::NEG_INFINITY)),
            // Four spins and one that stands for fields are all coupled to each other.
            PlanarError::Crossing { .. } => graph.num_variables() >= 4,
            _ => false,
        };
    }
    let degree = |v: VarId| {
        let factors = graph.factors().iter();
        factors.filter(|factor| factor.scope().contains(&v)).count()
    };
    let gaugeable = graph
        .variables()
        .any(|v| graph.card(v) > 1 && degree(v) == 2);
    matches!(
        reason,
        Inapplicable::Gauges(GaugedLowerError::NothingToGauge)
    ) && !gaugeable
}

/// May a method refuse a model that has this `ln Z` for this reason?
fn justified(reason: &Inapplicable, graph: &FactorGraph, options: &Options, ln_z: f64) -> bool {
    // Among plain numbers, which gauges want, an entry that far below the largest is a zero as well.
    let zero = |table: &Table| table.relative().iter().any(|ln| *ln < -600.0);
    let zeros = graph.factors().iter().any(zero);
    match reason {
        Inapplicable::Bound(BoundError::IboundTooSmall { .. }) => {
            options.ibound < Some(least_ibound(graph))
        }
        Inapplicable::TreeReweighting(Forests::NoAssignment)
        | Inapplicable::Gauges(GaugedLowerError::NoAssignment) => ln_z == f64::NEG_INFINITY,
        Inapplicable::TreeReweighting(Forests::ZerosOnCycle { .. }) => zeros,
        // A gauge cannot move a variable whose factors have hard zeros both.
        Inapplicable::Gauges(GaugedLowerError::NothingToGauge) => zeros || excused(reason, graph),
        Inapplicable::Planar(_) => excused(reason, graph),
        _ => false,
    }
}

/// Is a method exact on models as small as those here? Cutsets of some thousand entries leave nothing of them.
fn small_is_exact(method: &dyn Method) -> bool {
    method.exact_on() == Some(ExactOn::All) || method.name() == "conditioning"
}

/// Every method with every side of it.
fn jobs() -> impl Iterator<Item = (&'static dyn Method, Gives)> {
    let of = |&method: &&'static dyn Method| method.gives().iter().map(move |&side| (method, side));
    METHODS.iter().flat_map(of)
}

fn run(
    method: &dyn Method,
    side: Gives,
    graph: &FactorGraph,
    options: &Options,
) -> Result<Outcome, Inapplicable> {
    method.run(graph, side, options, &Budget::unlimited(), &mut |_| {})
}

/// Is the value on its side of `ln Z`, and a number?
fn is_sound(value: Value, ln_z: f64) -> bool {
    let ln = value.ln();
    match value {
        Value::Upper(_) => ln >= ln_z - slack(ln_z),
        Value::Lower(_) => ln <= ln_z + slack(ln_z),
        Value::Both(both) => {
            both.lower().ln() <= ln_z + slack(ln_z) && both.upper().ln() >= ln_z - slack(ln_z)
        }
        Value::Estimate(_) => !ln.is_nan(),
    }
}

#[test]
fn names_and_sides_are_unique_and_kept() {
    let graph = mobius(6, 1.0, &mut Pcg64::seed_from_u64(1));
    for (at, (method, side)) in jobs().enumerate() {
        for (other, its) in jobs().skip(at + 1) {
            assert!(method.name() != other.name() || side != its);
        }
        match run(method, side, &graph, &options(&graph, 1)) {
            Ok(found) => assert_eq!(found.value.side(), side, "{}", method.name()),
            Err(reason) => assert!(excused(&reason, &graph), "{}: {reason}", method.name()),
        }
    }
    for method in METHODS {
        for side in [Gives::Upper, Gives::Lower, Gives::Both, Gives::Estimate] {
            let found = run(*method, side, &graph, &options(&graph, 1));
            let refused = matches!(found, Err(Inapplicable::Gives { .. }));
            assert_eq!(refused, !method.gives().contains(&side));
        }
    }
}

#[test]
fn every_value_is_on_its_side_and_reached_by_improvements() {
    let counts = || jobs().map(|_| AtomicUsize::new(0)).collect::<Vec<_>>();
    let (checked, untight) = (counts(), counts());
    (0..MODELS).into_par_iter().for_each(|seed| {
        let graph = model(seed);
        let exact = enumerate(&graph).ln_z;
        let mut options = options(&graph, seed);
        if seed.is_multiple_of(3) {
            // Blocks get by with less than mini-buckets, which refuse it.
            options.ibound = Some(1);
        } else {
            // A bad order has much to split.
            let vars = shuffled(&graph, &mut Pcg64::seed_from_u64(seed));
            options.order = Some(Order::new(vars, &graph).expect("all variables, each once"));
        }
        let mut proved = Vec::new();
        for ((method, side), (checked, untight)) in jobs().zip(checked.iter().zip(&untight)) {
            let what = format!("{} {side}, seed {seed}", method.name());
            let mut points = Vec::new();
            let mut watch = |point| points.push(point);
            let found = method.run(&graph, side, &options, &Budget::unlimited(), &mut watch);
            let found = match found {
                Ok(found) => found,
                Err(reason) => {
                    let justified = justified(&reason, &graph, &options, exact);
                    assert!(justified, "{what}: {reason:?} although it applies");
                    continue;
                }
            };
            checked.fetch_add(1, Ordering::Relaxed);
            let ln = found.value.ln();
            assert!(is_sound(found.value, exact), "{what}: {ln} for {exact}");
            for pair in points.windows(2) {
                let (before, after) = (pair[0].value.ln(), pair[1].value.ln());
                // The exact value takes the place of a bound that it equals but for rounding.
                let rounding = 1e-6 * slack(exact);
                let better = match side {
                    Gives::Upper => after <= before + rounding,
                    Gives::Lower => after >= before - rounding,
                    Gives::Both | Gives::Estimate => !after.is_nan(),
                };
                let later = pair[1].iterations >= pair[0].iterations;
                assert!(better && later, "{what}: {points:?}");
            }
            if let Some(last) = points.last() {
                assert_eq!(
                    last.value.ln().to_bits(),
                    ln.to_bits(),
                    "{what}: {points:?}"
                );
            }
            if ln.is_finite() && (ln - exact).abs() > 1e-6 {
                untight.fetch_add(1, Ordering::Relaxed);
            }
            proved.push(found.value);
        }
        let bracket = best(proved);
        assert!(bracket.is_ok(), "seed {seed}: {bracket:?}");
    });
    for ((method, side), (checked, untight)) in jobs().zip(checked.into_iter().zip(untight)) {
        let (checked, untight) = (checked.into_inner(), untight.into_inner());
        let name = method.name();
        assert!(
            // Gauges of product distributions apply to one model in four, all others to most.
            checked > MODELS as usize / 5 && (untight > 30 || small_is_exact(method)),
            "{name} {side} has a value for {checked} models only, {untight} of them not exact"
        );
    }
}

#[test]
fn methods_promise_what_they_keep_on_models_without_cycles() {
    (0..MODELS).into_par_iter().for_each(|seed| {
        for (method, side) in jobs() {
            let Some(kind) = method.exact_on() else {
                continue;
            };
            let graph = without_cycles(seed, kind);
            let exact = enumerate(&graph).ln_z;
            let options = Options {
                iterations: Some(300),
                ..options(&graph, seed)
            };
            let what = format!("{} {side}, seed {seed}", method.name());
            match run(method, side, &graph, &options) {
                Ok(found) => {
                    let ln = found.value.ln();
                    let same = ln.to_bits() == exact.to_bits() || (ln - exact).abs() <= 1e-6;
                    assert!(same, "{what}: {ln} for {exact}");
                }
                // Nothing is left to prove where Z = 0.
                Err(reason) => assert!(
                    !exact.is_finite() || excused(&reason, &graph),
                    "{what}: {reason}"
                ),
            }
        }
    });
}

#[test]
fn every_method_gives_a_finite_value_where_nothing_is_forbidden() {
    (0..MODELS).into_par_iter().for_each(|seed| {
        let graph = positive(seed);
        for (method, side) in jobs() {
            let what = format!("{} {side}, seed {seed}", method.name());
            match run(method, side, &graph, &options(&graph, seed)) {
                Ok(found) => assert!(found.value.ln().is_finite(), "{what}: {found:?}"),
                Err(reason) => assert!(excused(&reason, &graph), "{what}: {reason}"),
            }
        }
    });
}

#[test]
fn iterations_are_a_limit_and_a_run_that_they_end_says_so() {
    let grid = ising_grid(6, 1.0, 0.1, &mut Pcg64::seed_from_u64(3));
    let cubic = mobius(24, 1.0, &mut Pcg64::seed_from_u64(3));
    for (graph, ibound) in [(&grid, 3), (&cubic, 3)] {
        for (method, side) in jobs() {
            let at = |most: usize| {
                let options = Options {
                    ibound: Some(ibound),
                    iterations: Some(most),
                    ..Options::default()
                };
                match run(method, side, graph, &options) {
                    Ok(found) => Some(found),
                    Err(reason) if excused(&reason, graph) => None,
                    Err(reason) => panic!("{} {side}: {reason}", method.name()),
                }
            };
            for most in [1, 2, 3, 4, 8, 20, 50, 100, 150, 200, 500, 1000] {
                let Some(found) = at(most) else { break };
                let what = format!("{} {side}, {most}: {found:?}", method.name());
                assert!(found.iterations <= most, "{what}");
                // What has converged has no use for another one.
                let done = found.stop == Stop::Converged && found.iterations == most;
                assert!(!done || at(most + 1).unwrap().iterations == most, "{what}");
            }
        }
    }
}

#[test]
fn the_numbers_do_not_depend_on_the_threads() {
    let pools = [1, 3].map(|threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
        pool.expect("threads start")
    });
    for (method, side) in jobs() {
        for seed in 0..20 {
            let graph = model(seed);
            let options = options(&graph, seed);
            let found = pools.each_ref().map(|pool| {
                pool.install(|| run(method, side, &graph, &options))
                    .map(|found| (found.value.ln().to_bits(), found.iterations))
            });
            assert_eq!(found[0], found[1], "{} {side}, seed {seed}", method.name());
        }
    }
}

#[test]
fn an_end_of_time_decides_nothing_where_iterations_are_counted() {
    let grid = ising_grid(7, 1.0, 0.1, &mut Pcg64::seed_from_u64(3));
    let cubic = mobius(30, 1.0, &mut Pcg64::seed_from_u64(3));
    let hour = Budget::new(Some(Duration::from_secs(3600)), Arc::default());
    for graph in [&grid, &cubic] {
        for (method, side) in jobs() {
            let options = Options {
                ibound: Some(3),
                iterations: Some(60),
                ..Options::default()
            };
            let with = |budget: &Budget| {
                let found = method.run(graph, side, &options, budget, &mut |_| {});
                found.map(|found| (found.value.ln().to_bits(), found.iterations))
            };
            let (endless, ended) = (with(&Budget::unlimited()), with(&hour));
            assert_eq!(endless, ended, "{} {side}", method.name());
        }
    }
}

#[test]
fn a_budget_that_is_over_or_interrupted_still_gives_a_sound_value() {
    let over = Budget::new(Some(Duration::ZERO), Arc::default());
    let raised = Budget::new(None, Arc::new(true.into()));
    for (method, side) in jobs() {
        for (budget, stop) in [(&over, Stop::TimeLimit), (&raised, Stop::Interrupted)] {
            let graph = mobius(8, 1.0, &mut Pcg64::seed_from_u64(5));
            let exact = enumerate(&graph).ln_z;
            let options = Options {
                ibound: Some(least_ibound(&graph)),
                ..Options::default()
            };
            let found = method.run(&graph, side, &options, budget, &mut |_| {});
            let name = method.name();
            let found = match found {
                Ok(found) => found,
                Err(reason) if excused(&reason, &graph) => continue,
                Err(reason) => panic!("{name} {side}: {reason}"),
            };
            let ln = found.value.ln();
            assert!(
                is_sound(found.value, exact),
                "{name} {side}: {ln} for {exact}"
            );
            // What takes a single pass is done all the same.
            let done = found.stop == stop || found.stop == Stop::Converged;
            assert!(done, "{name} {side}: {:?}", found.stop);
        }
    }
}
