//! Laws of the bracket that has gauges among its methods, against enumeration on random models.

use forney_bounds::Progress;
use forney_certify::{Budget, Stop, slack};
use forney_gauge::NAME;
use forney_methods::{
    BoundOptions, BoundReport, EXACT, Inapplicable, MEAN_FIELD, Options, Sides, WMBE, WMBE_G,
    bracket, method,
};
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
        limits: Options {
            ibound: Some(scopes.max().unwrap_or(1).max(2) - 1),
            iterations: Some(iterations),
            ..Options::default()
        },
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
        let method = [None, Some(WMBE_G)][(seed / 2 % 2) as usize];
        let options = BoundOptions {
            limits: Options {
                seed,
                ..tight(&graph, 40).limits
            },
            method,
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
            let (a_ends, b_ends) = (a.bracket, b.bracket);
            b_ends.lower().ln() >= a_ends.lower().ln() - slack
                && b_ends.upper().ln() <= a_ends.upper().ln() + slack
                && b.iterations >= a.iterations
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
        method: Some(WMBE),
        ..tight(&graph, 2000)
    };
    let auto = BoundOptions {
        method: None,
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
            limits: Options {
                ibound: Some(3),
                ..auto.limits
            },
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
    for method in [None, Some(WMBE_G)] {
        let options = BoundOptions {
            method,
            ..tight(&graph, 1500)
        };
        let run = || run(&graph, &options).0;
        let (one, four) = (on_threads(1, run), on_threads(4, run));
        assert_eq!(one.bracket, four.bracket, "{method:?}");
        assert_eq!(one.iterations, four.iterations, "{method:?}");
        assert_eq!(one.upper_method, four.upper_method, "{method:?}");
        assert!(one.peak_bytes > 0.0);
    }
}

#[test]
fn a_higher_ibound_goes_on_from_a_smaller_one() {
    let graph = mobius(60, 1.0, &mut rng(5));
    let options = BoundOptions {
        limits: Options {
            iterations: Some(4000),
            ..Options::default()
        },
        method: Some(WMBE_G),
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
    let methods = [None, Some(WMBE), Some(MEAN_FIELD), Some(WMBE_G)];
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
            if sides == Sides::Upper && method.is_some_and(|only| only.name() == MEAN_FIELD.name())
            {
                continue;
            }
            for most in [1, 2, 3, 7, 20, 33, 100, 200, 500] {
                let options = BoundOptions {
                    limits: Options {
                        ibound,
                        iterations: Some(most),
                        ..Options::default()
                    },
                    sides,
                    method,
                };
                let (report, _) = run(graph, &options);
                let counts = if sides == Sides::Both { 2 } else { 1 };
                let what = format!("{method:?} {options:?}: {report:?}");
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
        method: Some(WMBE_G),
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
            method: Some(EXACT),
            ..BoundOptions::default()
        },
    );
    let exact = exact.0.bracket.upper().ln();
    let options = BoundOptions {
        limits: Options {
            ibound: Some(3),
            ..Options::default()
        },
        ..BoundOptions::default()
    };
    let gap = |name: &'static str, iterations: usize| {
        let options = BoundOptions {
            limits: Options {
                iterations: Some(iterations),
                ..options.limits.clone()
            },
            sides: Sides::Upper,
            method: method(name),
        };
        let (report, trace) = run(&graph, &options);
        assert_eq!(report.upper_method, name);
        assert_eq!(
            (report.stop, report.lower_method),
            (Stop::SweepLimit, "none")
        );
        assert_eq!(report.iterations, iterations);
        assert!(!trace.is_empty());
        report.bracket.upper().ln() - exact
    };
    let published = ["w", "theta", "theta-w", "g", "gw"];
    let published = published.map(|which| method(&format!("published-wmbe-{which}")).unwrap());
    for method in published {
        let name = method.name();
        let (plain, short, long) = (gap(name, 1), gap(name, 10), gap(name, 150));
        assert!(0.0 <= long && long <= short && short <= plain, "{method:?}");
    }
    assert!(gap("published-wmbe-gw", 150) < gap("published-wmbe-g", 150));
}

/// Where mini-buckets split much and blocks follow little, blocks in a gauge prove more.
#[test]
fn structured_mean_field_in_a_gauge_takes_part_below() {
    let graph = regular(200, &[2], 0.0, 9);
    let options = |method| BoundOptions {
        limits: Options {
            ibound: Some(2),
            iterations: Some(800),
            ..Options::default()
        },
        method,
        sides: Sides::Lower,
    };
    let (auto, _) = run(&graph, &options(None));
    let (alone, _) = run(&graph, &options(Some(WMBE_G)));
    assert_eq!(auto.lower_method, "g-smf");
    // The method asked for by name is mini-buckets alone.
    assert_eq!(alone.lower_method, NAME);
    assert!(alone.bracket.lower().ln() < auto.bracket.lower().ln());
}

/// Where the model can be drawn in the plane the bracket closes at a size that no elimination reaches; fields take that
/// away.
#[test]
fn spins_in_the_plane_are_exact_at_any_size() {
    let options = BoundOptions {
        limits: Options {
            iterations: Some(2),
            ..Options::default()
        },
        ..BoundOptions::default()
    };
    let free = ising_grid(60, 1.0, 0.0, &mut rng(1));
    let (report, _) = run(&free, &options);
    assert!(report.exact && report.bracket.gap() <= 0.0);
    assert_eq!([report.lower_method, report.upper_method], ["planar"; 2]);
    let (alone, options) = (method("planar"), BoundOptions::default());
    let (report, _) = run(&ising_grid(9, 1.0, 0.1, &mut rng(1)), &options);
    assert!(report.exact && report.lower_method == EXACT.name());
    let only = BoundOptions {
        method: alone,
        ..options
    };
    let (report, _) = run(&ising_grid(9, 1.0, 0.1, &mut rng(1)), &only);
    assert!(matches!(report.refused, Some(Inapplicable::Planar(_))) && !report.exact);
}
