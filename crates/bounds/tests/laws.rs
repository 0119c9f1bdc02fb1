//! Laws of bounds, against enumeration on random models.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use forney_bounds::wmbe::{CliqueLimit, MiniBuckets, WeightMap, Wmbe, WmbeObjective};
use forney_bounds::{BoundError, BoundOptions, Method, Sides, bracket};
use forney_certify::{Above, Below, Budget, Certificate, Lbfgs, Refine, Stop, slack};
use forney_exact::{Heuristic, Order, Schedule, greedy, ln_z};
use forney_model::enumerate::enumerate;
use forney_model::generate::{ising_grid, mobius};
use forney_model::{FactorGraph, Table, VarId};
use forney_testing::{
    assert_at_least, assert_at_most, assert_near, least_ibound, mixed, on_threads, rng, shuffled,
};

#[test]
fn the_bracket_holds_ln_z() {
    let mut split = 0;
    for seed in 0..1200 {
        let graph = mixed(seed);
        let exact = enumerate(&graph).ln_z;
        // Any order serves; every third model is left to a race and the local search after it.
        let vars = shuffled(&graph, &mut rng(seed));
        let searched = seed.is_multiple_of(3);
        let options = BoundOptions {
            order: (!searched).then(|| Order::new(vars, &graph).unwrap()),
            ibound: Some(least_ibound(&graph)),
            iterations: Some(if searched { 1_000 } else { 40 }),
            method: Method::Wmbe,
            seed,
            ..BoundOptions::default()
        };
        let (mut lower, mut upper) = (f64::NEG_INFINITY, f64::INFINITY);
        let report = bracket(&graph, &options, &Budget::unlimited(), &mut |progress| {
            // The exact value takes the place of a bound that it equals but for rounding.
            let rounding = 1e-6 * slack(exact);
            assert!(
                progress.lower >= lower - rounding && progress.upper <= upper + rounding,
                "seed {seed}: not monotone"
            );
            (lower, upper) = (progress.lower, progress.upper);
        })
        .unwrap_or_else(|error| panic!("seed {seed}: {error}"));
        let (low, up) = (report.bracket.lower().ln(), report.bracket.upper().ln());
        assert_at_most(low, exact, seed);
        assert_at_least(up, exact, seed);
        if report.exact {
            assert!(
                report.bracket.gap() < 1e-300,
                "seed {seed}: exact with a gap"
            );
        } else {
            split += 1;
        }
    }
    assert!(split > 150, "only {split} models had anything to split");
}

#[test]
fn a_large_ibound_is_exact() {
    for seed in 0..1000 {
        let graph = mixed(seed);
        let exact = enumerate(&graph).ln_z;
        let options = BoundOptions {
            ibound: Some(9),
            method: Method::Wmbe,
            ..Default::default()
        };
        let report = bracket(&graph, &options, &Budget::unlimited(), &mut |_| {}).unwrap();
        assert!(report.exact, "seed {seed}");
        let value = report.bracket.upper().ln();
        if exact == f64::NEG_INFINITY {
            assert_eq!(value.to_bits(), exact.to_bits(), "seed {seed}");
        } else {
            assert!(
                (value - exact).abs() <= slack(exact),
                "seed {seed}: {value} for {exact}"
            );
        }
    }
}

fn descent<S: WeightMap>(schedule: &Arc<Schedule>, graph: &FactorGraph) -> Lbfgs<WmbeObjective<S>> {
    let objective = WmbeObjective::new(Arc::clone(schedule), graph);
    Lbfgs::new(objective, WmbeObjective::<S>::start(schedule), 10)
}

/// The bound after one more sweep; number and witness belong together.
fn swept<S: WeightMap>(descent: &mut Lbfgs<WmbeObjective<S>>, graph: &FactorGraph) -> f64 {
    descent.sweep();
    let witness = descent.objective().witness(&descent.point());
    let bound = witness.verify(graph).unwrap().ln();
    assert_near(bound, S::SENSE * descent.value(), "the witness");
    bound
}

#[test]
fn optimising_tightens_both_sides_and_every_stop_certifies() {
    let mut rng = rng(5);
    for graph in [ising_grid(5, 1.0, 0.1, &mut rng), mobius(12, 1.0, &mut rng)] {
        let minfill = greedy(&graph, Heuristic::MinFill, None);
        let exact = ln_z(&graph, &minfill, f64::INFINITY).unwrap();
        let order = Order::new(graph.variables().collect(), &graph).unwrap();
        let limit = CliqueLimit {
            ibound: 3,
            entries: 1e6,
        };
        let mut rule = MiniBuckets::new(limit, None);
        let schedule = Arc::new(Schedule::compile(&graph, &order, &mut rule).unwrap());
        assert!(!schedule.is_exact());
        schedule.check(&graph).unwrap();

        let mut above = descent::<Above>(&schedule, &graph);
        let mut below = descent::<Below>(&schedule, &graph);
        let (mut upper, mut lower) = (f64::INFINITY, f64::NEG_INFINITY);
        for _ in 0..40 {
            let (up, low) = (swept(&mut above, &graph), swept(&mut below, &graph));
            assert!(low <= exact + slack(exact) && up >= exact - slack(exact));
            assert!(
                up <= upper + slack(up) && low >= lower - slack(low),
                "monotone"
            );
            (upper, lower) = (up, low);
        }
        assert!(
            upper - exact < 2.0 && exact - lower < 4.0,
            "{lower} {exact} {upper}"
        );
    }
}

#[test]
fn a_tampered_witness_proves_nothing() {
    let graph = ising_grid(4, 1.0, 0.1, &mut rng(2));
    let order = Order::new(graph.variables().collect(), &graph).unwrap();
    let limit = CliqueLimit {
        ibound: 2,
        entries: 1e6,
    };
    let mut rule = MiniBuckets::new(limit, None);
    let schedule = Arc::new(Schedule::compile(&graph, &order, &mut rule).unwrap());
    let start = WmbeObjective::<Above>::start(&schedule);
    let good = WmbeObjective::<Above>::new(Arc::clone(&schedule), &graph).witness(&start);
    assert!(good.verify(&graph).is_ok());

    let mut light = good.clone();
    light.weights[0] *= 0.5;
    assert!(
        light.verify(&graph).is_err(),
        "weights that sum to less than 1"
    );
    let mut negative = good.clone();
    negative.weights[0] -= 1.0;
    negative.weights[1] += 1.0;
    assert!(
        negative.verify(&graph).is_err(),
        "a negative weight in an upper bound"
    );
    let mut nan = good.clone();
    nan.weights[0] = f64::NAN;
    assert!(nan.verify(&graph).is_err());
    let mut shifted = good.clone();
    shifted.shifts[0] = f64::INFINITY;
    assert!(shifted.verify(&graph).is_err());
    let mut short = good.clone();
    short.shifts.pop();
    assert!(short.verify(&graph).is_err());
    let (weights, shifts) = (good.weights.clone(), good.shifts.clone());
    let reversed = Wmbe::<Below>::new(Arc::clone(&schedule), weights, shifts);
    assert!(
        reversed.verify(&graph).is_err(),
        "positive weights in a lower bound"
    );
    let other = ising_grid(3, 1.0, 0.1, &mut rng(2));
    assert!(good.verify(&other).is_err(), "another model");
    let mut factors = graph.factors().to_vec();
    factors.push(Table::from_ln(vec![VarId(0)], vec![2], vec![1.0, 2.0]).unwrap());
    let larger = FactorGraph::new(graph.cards().to_vec(), factors).unwrap();
    assert!(good.verify(&larger).is_err(), "a factor more");
}

#[test]
fn an_interrupted_or_timed_out_search_reports_what_it_proved() {
    let graph = ising_grid(12, 1.5, 0.1, &mut rng(2));
    let flag = Arc::new(AtomicBool::new(false));
    let budget = Budget::new(Some(Duration::from_secs(30)), Arc::clone(&flag));
    let options = BoundOptions {
        ibound: Some(4),
        method: Method::Wmbe,
        ..BoundOptions::default()
    };
    let report = bracket(&graph, &options, &budget, &mut |progress| {
        if progress.lower.is_finite() && progress.upper.is_finite() {
            flag.store(true, Ordering::Relaxed);
        }
    })
    .unwrap();
    assert_eq!(report.stop, Stop::Interrupted);
    assert!(report.bracket.gap().is_finite());

    let nothing = Budget::new(Some(Duration::ZERO), Arc::default());
    let report = bracket(&graph, &options, &nothing, &mut |_| {}).unwrap();
    assert_eq!(report.stop, Stop::TimeLimit);
}

#[test]
fn the_same_seed_gives_the_same_bracket_on_any_number_of_threads() {
    let graph = mobius(24, 1.0, &mut rng(4));
    let options = BoundOptions {
        ibound: Some(3),
        iterations: Some(3_000),
        method: Method::Wmbe,
        ..BoundOptions::default()
    };
    let run = || {
        let report = bracket(&graph, &options, &Budget::unlimited(), &mut |_| {});
        report.unwrap().bracket
    };
    assert_eq!(on_threads(1, run), on_threads(4, run));
}

#[test]
fn limits_and_sides_are_kept() {
    let graph = mobius(24, 1.0, &mut rng(4));
    let options = BoundOptions {
        ibound: Some(1),
        ..BoundOptions::default()
    };
    let refused = bracket(&graph, &options, &Budget::unlimited(), &mut |_| {}).unwrap_err();
    assert!(
        matches!(refused, BoundError::IboundTooSmall { least: 2, .. }),
        "{refused}"
    );

    let options = BoundOptions {
        ibound: Some(3),
        iterations: Some(50),
        sides: Sides::Upper,
        method: Method::Wmbe,
        ..BoundOptions::default()
    };
    let report = bracket(&graph, &options, &Budget::unlimited(), &mut |_| {}).unwrap();
    assert_eq!(report.stop, Stop::SweepLimit);
    assert_eq!(report.lower_method, "none");
    assert!(report.bracket.upper().ln().is_finite());
    assert!(
        report.iterations >= 50 && report.iterations < 80,
        "{}",
        report.iterations
    );
}
