//! What happens at the limits of memory and time: whatever was proved is reported.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use forney_bounds::BoundError;
use forney_certify::{Budget, Stop, slack};
use forney_exact::{Heuristic, greedy, ln_z};
use forney_methods::{BoundOptions, EXACT, Inapplicable, Options, WMBE, WMBE_G, bracket};
use forney_model::FactorGraph;
use forney_model::enumerate::enumerate;
use forney_model::generate::ising_grid;
use forney_testing::{Family, grid, on_threads, rng};
use rand::RngExt;

fn exact(graph: &FactorGraph) -> f64 {
    let order = greedy(graph, Heuristic::MinFill, None);
    ln_z(graph, &order, f64::INFINITY).unwrap()
}

#[test]
fn an_interruption_is_told_where_mini_buckets_do_not_fit() {
    let options = BoundOptions {
        limits: Options {
            memory: 20e3,
            ..Options::default()
        },
        ..BoundOptions::default()
    };
    let budget = Budget::new(None, Arc::new(AtomicBool::new(true)));
    let report = bracket(&grid(3, 3, &[30], 1), &options, &budget, &mut |_| {}).unwrap();
    assert_eq!(report.stop, Stop::Interrupted);
}

#[test]
fn what_was_proved_before_the_memory_ended_is_reported() {
    let graph = grid(3, 3, &[30], 1);
    let exact = exact(&graph);
    for method in [None, Some(WMBE), Some(WMBE_G)] {
        let options = BoundOptions {
            limits: Options {
                memory: 20e3,
                ..Options::default()
            },
            method,
            ..BoundOptions::default()
        };
        let budget = Budget::unlimited().capped(Duration::from_secs(2));
        let report = bracket(&graph, &options, &budget, &mut |_| {}).unwrap();
        let (lower, upper) = (report.bracket.lower().ln(), report.bracket.upper().ln());
        assert!(
            lower <= exact && exact <= upper && upper < f64::INFINITY,
            "{method:?}"
        );
        // Methods that need less go on.
        let others = method.is_none();
        let stop = if others {
            Stop::TimeLimit
        } else {
            Stop::MemoryLimit
        };
        assert_eq!(report.stop, stop, "{method:?}");
        assert_eq!(lower > f64::NEG_INFINITY, others, "{method:?}: {lower}");
        let Some(Inapplicable::Bound(BoundError::MiniBucketsTooLarge { bytes, limit })) =
            report.refused
        else {
            panic!("{method:?}: {:?}", report.refused);
        };
        assert!(
            bytes > limit && limit.total_cmp(&options.limits.memory).is_eq(),
            "{method:?}"
        );
    }
}

#[test]
fn exact_elimination_that_does_not_fit_says_so_beside_the_trivial_bound() {
    let options = BoundOptions {
        limits: Options {
            memory: 20e3,
            ..Options::default()
        },
        method: Some(EXACT),
        ..BoundOptions::default()
    };
    let budget = Budget::unlimited().capped(Duration::from_secs(20));
    let report = bracket(&grid(3, 3, &[30], 1), &options, &budget, &mut |_| {}).unwrap();
    assert!(matches!(
        report.refused,
        Some(Inapplicable::Bound(BoundError::TooLarge(_)))
    ));
    assert!(report.bracket.upper().ln() < f64::INFINITY && !report.exact);
}

/// The exact answer is found beside the bounds, whether it needs few bytes or most of them, and on any
/// number of threads.
#[test]
fn the_exact_answer_is_found_beside_the_bounds() {
    let graph = ising_grid(17, 1.5, 0.1, &mut rng(3));
    let exact = exact(&graph);
    for threads in [1, 2, 3] {
        for memory in [2e9, 12e6] {
            let options = BoundOptions {
                limits: Options {
                    memory,
                    ..Options::default()
                },
                ..BoundOptions::default()
            };
            let budget = Budget::unlimited().capped(Duration::from_secs(120));
            let (mut lower, mut upper) = (f64::NEG_INFINITY, f64::INFINITY);
            let report = on_threads(threads, || {
                bracket(&graph, &options, &budget, &mut |at| {
                    let slack = slack(exact);
                    let ends = (at.bracket.lower().ln(), at.bracket.upper().ln());
                    assert!(ends.0 >= lower - slack && ends.1 <= upper + slack);
                    (lower, upper) = ends;
                })
            });
            let report = report.unwrap();
            assert!(report.exact, "{threads} threads, {memory} bytes");
            assert!((report.bracket.upper().ln() - exact).abs() <= slack(exact));
        }
    }
}

#[test]
fn a_model_out_of_reach_is_bounded_until_the_time_ends() {
    let graph = ising_grid(45, 1.0, 0.1, &mut rng(4));
    for threads in [1, 2] {
        let budget = Budget::unlimited().capped(Duration::from_secs(2));
        let run = || bracket(&graph, &BoundOptions::default(), &budget, &mut |_| {});
        let report = on_threads(threads, run).unwrap();
        assert!(
            report.bracket.gap().is_finite() && !report.exact,
            "{threads} threads"
        );
        assert_ne!(report.upper_method, "maxima", "{threads} threads");
        assert_eq!(report.stop, Stop::TimeLimit, "{threads} threads");
    }
}

#[test]
fn a_fixed_ibound_bounds_both_sides_where_time_has_no_end() {
    let graph = ising_grid(6, 1.0, 0.1, &mut rng(1));
    let options = BoundOptions {
        limits: Options {
            ibound: Some(2),
            ..Options::default()
        },
        ..BoundOptions::default()
    };
    for threads in [1, 4] {
        let run = || bracket(&graph, &options, &Budget::unlimited(), &mut |_| {});
        let report = on_threads(threads, run).unwrap();
        assert_eq!(report.stop, Stop::Converged);
        assert_eq!(report.upper_method, "wmbe");
        assert!(!report.exact && report.bracket.gap() < 5.0, "{threads}");
    }
}

/// Whatever the options say, what comes back as a bound is one.
#[test]
fn no_option_makes_a_false_bound() {
    const ODD: [f64; 7] = [
        f64::NAN,
        f64::INFINITY,
        f64::NEG_INFINITY,
        -1.0,
        0.0,
        1e-300,
        1e6,
    ];
    let mut numbers = rng(1);
    for seed in 0..1000 {
        let graph = Family::SMALL.at(seed);
        let exact = enumerate(&graph).ln_z;
        let mut odd = || ODD[numbers.random_range(0..ODD.len())];
        // Something always ends the search.
        let sweeps = (seed % 4) as usize;
        let options = BoundOptions {
            limits: Options {
                ibound: [None, Some(0), Some(3)][sweeps % 3],
                memory: odd(),
                gap: odd(),
                iterations: Some(sweeps),
                seed,
                order: None,
            },
            method: [None, Some(WMBE)][sweeps % 2],
            ..BoundOptions::default()
        };
        if let Ok(report) = bracket(&graph, &options, &Budget::unlimited(), &mut |_| {}) {
            let (lower, upper) = (report.bracket.lower().ln(), report.bracket.upper().ln());
            let slack = slack(exact);
            assert!(
                lower <= exact + slack && exact <= upper + slack,
                "seed {seed}"
            );
        }
    }
}
