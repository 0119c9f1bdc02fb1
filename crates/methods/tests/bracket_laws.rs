//! Laws of brackets by weighted mini-buckets, against enumeration on random models.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use forney_bounds::BoundError;
use forney_certify::{Budget, Stop, slack};
use forney_exact::Order;
use forney_methods::{BoundOptions, Options, Sides, WMBE, bracket};
use forney_model::enumerate::enumerate;
use forney_model::generate::{ising_grid, mobius};
use forney_testing::{least_ibound, mixed, rng, shuffled};
use rand::SeedableRng;
use rand_pcg::Pcg64;

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
            limits: Options {
                order: (!searched).then(|| Order::new(vars, &graph).unwrap()),
                ibound: Some(least_ibound(&graph)),
                iterations: Some(if searched { 1_000 } else { 40 }),
                seed,
                ..Options::default()
            },
            method: Some(WMBE),
            ..BoundOptions::default()
        };
        let (mut lower, mut upper) = (f64::NEG_INFINITY, f64::INFINITY);
        let report = bracket(&graph, &options, &Budget::unlimited(), &mut |progress| {
            // The exact value takes the place of a bound that it equals but for rounding.
            let rounding = 1e-6 * slack(exact);
            let ends = (progress.bracket.lower().ln(), progress.bracket.upper().ln());
            assert!(
                ends.0 >= lower - rounding && ends.1 <= upper + rounding,
                "seed {seed}: not monotone"
            );
            (lower, upper) = ends;
        })
        .unwrap_or_else(|error| panic!("seed {seed}: {error}"));
        let (low, up) = (report.bracket.lower().ln(), report.bracket.upper().ln());
        assert!(
            low <= exact + slack(exact),
            "seed {seed}: lower {low} above {exact}"
        );
        assert!(
            up >= exact - slack(exact),
            "seed {seed}: upper {up} below {exact}"
        );
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
            limits: Options {
                ibound: Some(9),
                ..Options::default()
            },
            method: Some(WMBE),
            ..BoundOptions::default()
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

#[test]
fn an_interrupted_or_timed_out_search_reports_what_it_proved() {
    let graph = ising_grid(12, 1.5, 0.1, &mut Pcg64::seed_from_u64(2));
    let flag = Arc::new(AtomicBool::new(false));
    let budget = Budget::new(Some(Duration::from_secs(30)), Arc::clone(&flag));
    let options = BoundOptions {
        limits: Options {
            ibound: Some(4),
            ..Options::default()
        },
        method: Some(WMBE),
        ..BoundOptions::default()
    };
    let report = bracket(&graph, &options, &budget, &mut |progress| {
        if progress.bracket.gap().is_finite() {
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
    let graph = mobius(24, 1.0, &mut Pcg64::seed_from_u64(4));
    let options = BoundOptions {
        limits: Options {
            ibound: Some(3),
            iterations: Some(3_000),
            ..Options::default()
        },
        method: Some(WMBE),
        ..BoundOptions::default()
    };
    let run = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .unwrap();
        let report = pool.install(|| bracket(&graph, &options, &Budget::unlimited(), &mut |_| {}));
        report.unwrap().bracket
    };
    assert_eq!(run(1), run(4));
}

#[test]
fn limits_and_sides_are_kept() {
    let graph = mobius(24, 1.0, &mut Pcg64::seed_from_u64(4));
    let options = BoundOptions {
        limits: Options {
            ibound: Some(1),
            ..Options::default()
        },
        ..BoundOptions::default()
    };
    let refused = bracket(&graph, &options, &Budget::unlimited(), &mut |_| {}).unwrap_err();
    assert!(
        matches!(refused, BoundError::IboundTooSmall { least: 2, .. }),
        "{refused}"
    );

    let options = BoundOptions {
        limits: Options {
            ibound: Some(3),
            iterations: Some(50),
            ..Options::default()
        },
        sides: Sides::Upper,
        method: Some(WMBE),
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
