//! Laws of the bracket that has gauges among its methods, against enumeration on random models.

use forney_bounds::{BoundOptions, BoundReport, Method, Progress, Sides};
use forney_certify::{Budget, Stop, slack};
use forney_gauge::{NAME, PublishedVariant, bracket, published_bracket};
use forney_model::enumerate::enumerate;
use forney_model::generate::{ising_grid, mobius};
use forney_model::{FactorGraph, Table, VarId};
use forney_testing::{Family, on_threads, paired, regular, rng};
use rand::RngExt;

/// Models with mixed cardinalities, hard zeros, parts that do not meet and variables that no factor
/// mentions; three of four with every variable in two factors. Every eleventh spans more than plain
/// numbers hold.
fn model(seed: u64) -> FactorGraph {
    let mut rng = rng(seed);
    let spread = if seed.is_multiple_of(11) { 1500.0 } else { 2.0 };
    if !seed.is_multiple_of(4) {
        let zeros = [0.0, 0.0, 0.05, 0.2][rng.random_range(0..4)];
        return paired(4..8, 6, zeros, spread, &mut rng);
    }
    let family = Family {
        variables: 1..9,
        max_scope: 2..3,
        spread,
        ..Family::SMALL
    };
    family.draw(&mut rng)
}

/// Options with the least ibound that a model allows, so that much has to be split.
fn tight(graph: &FactorGraph, iterations: usize) -> BoundOptions {
    let scopes = graph.factors().iter().map(|factor| factor.scope().len());
    BoundOptions {
        ibound: Some(scopes.max().unwrap_or(1).max(2) - 1),
        iterations: Some(iterations),
        ..BoundOptions::default()
    }
}

fn run(graph: &FactorGraph, options: &BoundOptions) -> (BoundReport, Vec<Progress>) {
    let mut trace = Vec::new();
    let report = bracket(graph, options, &Budget::unlimited(), &mut |progress| {
        trace.push(*progress);
    });
    (report.unwrap(), trace)
}

#[test]
fn the_bracket_holds_z_and_only_closes() {
    let mut by_gauges = 0;
    for seed in 0..1000 {
        let graph = model(seed);
        let exact = enumerate(&graph).ln_z;
        let method = [Method::Auto, Method::Contender][(seed / 2 % 2) as usize];
        let options = BoundOptions {
            method,
            seed,
            ..tight(&graph, 40)
        };
        let (report, trace) = run(&graph, &options);
        let (lower, upper) = (report.bracket.lower().ln(), report.bracket.upper().ln());
        let slack = slack(exact);
        assert!(
            lower <= exact + slack && exact <= upper + slack,
            "seed {seed}: {lower} {exact} {upper}"
        );
        assert!(upper < f64::INFINITY, "seed {seed}: something is proved");
        // The exact answer may replace bounds that rounding has put on its other side.
        let closes = |a: &Progress, b: &Progress| {
            b.lower >= a.lower - slack && b.upper <= a.upper + slack && b.iterations >= a.iterations
        };
        assert!(
            trace.windows(2).all(|pair| closes(&pair[0], &pair[1])),
            "seed {seed}: {trace:?}"
        );
        by_gauges += usize::from(report.upper_method == NAME);
    }
    assert!(by_gauges > 100, "gauges won {by_gauges} times");
}

#[test]
fn gauges_win_where_every_variable_is_in_two_factors() {
    let graph = mobius(40, 1.0, &mut rng(3));
    let wmbe = BoundOptions {
        method: Method::Wmbe,
        ..tight(&graph, 2000)
    };
    let auto = BoundOptions {
        method: Method::Auto,
        ..wmbe.clone()
    };
    let (without, _) = run(&graph, &wmbe);
    let (with, _) = run(&graph, &auto);
    assert_eq!(with.upper_method, NAME);
    assert!(with.bracket.upper().ln() < without.bracket.upper().ln());
    // In a grid hardly any variable can be gauged: they stay out.
    let grid = ising_grid(8, 1.0, 0.1, &mut rng(3));
    let (grid, trace) = run(
        &grid,
        &BoundOptions {
            ibound: Some(3),
            ..auto
        },
    );
    assert!(grid.bracket.gap() > 0.0);
    assert!(
        trace
            .iter()
            .all(|at| at.upper_method != NAME && at.lower_method != NAME)
    );
}

#[test]
fn the_numbers_do_not_depend_on_threads() {
    let graph = mobius(30, 1.0, &mut rng(4));
    for method in [Method::Auto, Method::Contender] {
        let options = BoundOptions {
            method,
            ..tight(&graph, 1500)
        };
        let run = || run(&graph, &options).0;
        let (one, four) = (on_threads(1, run), on_threads(4, run));
        assert_eq!(one.bracket, four.bracket, "{method}");
        assert_eq!(one.iterations, four.iterations, "{method}");
        assert_eq!(one.upper_method, four.upper_method, "{method}");
        assert!(one.peak_bytes > 0.0);
    }
}

#[test]
fn a_higher_ibound_goes_on_from_a_smaller_one() {
    let graph = mobius(60, 1.0, &mut rng(5));
    let options = BoundOptions {
        method: Method::Contender,
        iterations: Some(4000),
        ..BoundOptions::default()
    };
    let (report, trace) = run(&graph, &options);
    assert!(report.exact, "the ascent ends where nothing is split");
    assert!(
        trace
            .iter()
            .any(|at| at.upper_method == NAME && at.ibound < report.ibound)
    );
}

#[test]
fn iterations_are_a_limit_of_each_side() {
    let models = [
        ising_grid(7, 1.0, 0.1, &mut rng(3)),
        mobius(30, 1.0, &mut rng(3)),
    ];
    let methods = [
        Method::Auto,
        Method::Wmbe,
        Method::MeanField,
        Method::Contender,
    ];
    for (graph, method) in models
        .iter()
        .flat_map(|m| methods.map(|method| (m, method)))
    {
        for (ibound, sides) in [
            (Some(3), Sides::Upper),
            (Some(3), Sides::Lower),
            (Some(3), Sides::Both),
            (None, Sides::Both),
        ] {
            if (method, sides) == (Method::MeanField, Sides::Upper) {
                continue;
            }
            for most in [1, 2, 3, 7, 20, 33, 100, 200, 500] {
                let options = BoundOptions {
                    ibound,
                    sides,
                    method,
                    iterations: Some(most),
                    ..BoundOptions::default()
                };
                let (report, _) = run(graph, &options);
                let counts = if sides == Sides::Both { 2 } else { 1 };
                let what = format!("{method} {options:?}: {report:?}");
                assert!(report.iterations <= counts * most, "{what}");
                let ended = report.stop == Stop::SweepLimit;
                assert!(ended || report.exact, "{what}");
            }
        }
    }
}

#[test]
fn what_gauges_cannot_hold_is_proved_without_them() {
    // e^±2000 leaves the range of plain numbers, and a frustrated cycle has to be split.
    let pairs = [(0, 1), (1, 2), (2, 0), (2, 3), (3, 0)].map(|(a, b): (u32, u32)| {
        let scope = [a, b].map(VarId).to_vec();
        let ln = vec![2000.0, -2000.0, -1999.0, 1998.0];
        Table::from_ln(scope, vec![2, 2], ln).unwrap()
    });
    let graph = FactorGraph::new(vec![2; 4], pairs.to_vec()).unwrap();
    let exact = enumerate(&graph).ln_z;
    let options = BoundOptions {
        method: Method::Contender,
        ..tight(&graph, 200)
    };
    let (report, _) = run(&graph, &options);
    assert!(report.bracket.lower().ln() > f64::NEG_INFINITY);
    assert!(report.bracket.lower().ln() <= exact && exact <= report.bracket.upper().ln());
    // No gauge has moved.
    assert_eq!((report.upper_method, report.lower_method), ("wmbe", "wmbe"));
}

#[test]
fn the_published_steps_prove_upper_bounds() {
    let graph = mobius(24, 1.0, &mut rng(2));
    let exact = run(
        &graph,
        &BoundOptions {
            method: Method::Exact,
            ..BoundOptions::default()
        },
    );
    let exact = exact.0.bracket.upper().ln();
    let options = BoundOptions {
        ibound: Some(3),
        ..BoundOptions::default()
    };
    let gap = |variant: PublishedVariant, iterations: usize| {
        let options = BoundOptions {
            iterations: Some(iterations),
            ..options.clone()
        };
        let mut seen = 0;
        let report =
            published_bracket(variant, &graph, &options, &Budget::unlimited(), &mut |_| {
                seen += 1;
            });
        let report = report.unwrap();
        assert_eq!(report.upper_method, variant.method());
        assert_eq!(
            (report.stop, report.lower_method),
            (Stop::SweepLimit, "none")
        );
        assert_eq!(report.iterations, iterations);
        assert!(seen > 0);
        report.bracket.upper().ln() - exact
    };
    let plain = gap(PublishedVariant::Wmbe, 1);
    for variant in PublishedVariant::ALL {
        let (short, long) = (gap(variant, 10), gap(variant, 150));
        assert!(0.0 <= long && long <= short && short <= plain, "{variant}");
    }
    assert!(gap(PublishedVariant::Gw, 150) < gap(PublishedVariant::G, 150));
}

/// Where mini-buckets split much and blocks follow little, blocks in a gauge prove more.
#[test]
fn structured_mean_field_in_a_gauge_takes_part_below() {
    let graph = regular(200, &[2], 0.0, 9);
    let options = |method| BoundOptions {
        method,
        sides: Sides::Lower,
        ibound: Some(2),
        iterations: Some(800),
        ..BoundOptions::default()
    };
    let (auto, _) = run(&graph, &options(Method::Auto));
    let (alone, _) = run(&graph, &options(Method::Contender));
    assert_eq!(auto.lower_method, "g-smf");
    // The method asked for by name is mini-buckets alone.
    assert_eq!(alone.lower_method, NAME);
    assert!(alone.bracket.lower().ln() < auto.bracket.lower().ln());
}
