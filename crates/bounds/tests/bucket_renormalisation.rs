//! Laws of bucket renormalisation, against enumeration on random models.

use std::time::Duration;

use forney_bounds::wmbe::{CliqueLimit, Partition};
use forney_bounds::{
    BoundError, RenormalisationOptions, global_bucket_renormalisation, mini_bucket_renormalisation,
};
use forney_certify::{Budget, Limits, Stop};
use forney_exact::{Order, ln_z};
use forney_model::FactorGraph;
use forney_model::enumerate::enumerate;
use forney_model::generate::ising_grid;
use forney_testing::{Family, assert_near, least_ibound, mixed, rng, shuffled, without_cycles};
use rand::RngExt;
use rand_pcg::Pcg64;

fn options(graph: &FactorGraph, ibound: usize, rng: &mut Pcg64) -> RenormalisationOptions {
    let vars = shuffled(graph, rng);
    RenormalisationOptions {
        limit: CliqueLimit {
            ibound,
            entries: 1e6,
        },
        partition: if rng.random() {
            Partition::Scope
        } else {
            Partition::Content
        },
        order: Some(Order::new(vars, graph).unwrap()),
        memory: 1e9,
    }
}

const LIMITS: Limits = Limits {
    sweeps: Some(3),
    tolerance: 1e-9,
};

/// Both estimates.
fn estimates(graph: &FactorGraph, options: &RenormalisationOptions) -> [f64; 2] {
    let mbr = mini_bucket_renormalisation(graph, options).unwrap();
    let budget = Budget::unlimited();
    let gbr = global_bucket_renormalisation(graph, options, &LIMITS, &budget).unwrap();
    assert_eq!(mbr.num_copies(), gbr.point.num_copies());
    [mbr.ln_z().ln, gbr.point.ln_z().ln]
}

fn assert_exact(found: [f64; 2], exact: f64, what: &str) {
    for ln in found {
        assert_near(ln, exact, what);
    }
}

#[test]
fn it_is_exact_within_the_ibound() {
    for seed in 0..1000 {
        let graph = mixed(seed);
        let options = options(&graph, graph.num_variables(), &mut rng(seed));
        let found = estimates(&graph, &options);
        assert_exact(found, enumerate(&graph).ln_z, &format!("seed {seed}"));
    }
}

#[test]
fn it_is_exact_on_trees() {
    let pairs = Family {
        max_scope: 2..3,
        ..Family::SMALL
    };
    for seed in 0..1000 {
        let graph = without_cycles(&pairs.at(seed));
        let own = RenormalisationOptions {
            order: None,
            ..options(&graph, 1, &mut rng(seed))
        };
        let found = estimates(&graph, &own);
        assert_exact(found, enumerate(&graph).ln_z, &format!("seed {seed}"));
    }
}

#[test]
fn estimates_are_numbers() {
    let mut split = 0;
    for seed in 0..1000 {
        let graph = mixed(seed);
        let options = options(&graph, least_ibound(&graph), &mut rng(seed));
        let point = mini_bucket_renormalisation(&graph, &options).unwrap();
        split += usize::from(!point.is_exact());
        for ln in estimates(&graph, &options) {
            // Written so that NaN fails.
            assert!(ln < f64::INFINITY, "seed {seed}: {ln}");
        }
    }
    assert!(split > 100, "only {split} models had anything to split");
}

#[test]
fn it_comes_near_on_grids_and_is_calibrated() {
    let mut errors = [0.0; 2];
    for seed in 0..10 {
        let mut rng = rng(seed);
        let graph = ising_grid(6, 1.0, 0.1, &mut rng);
        let order = Order::new(graph.variables().collect(), &graph).unwrap();
        let exact = ln_z(&graph, &order, f64::INFINITY).unwrap();
        let own = RenormalisationOptions {
            order: Some(order),
            ..options(&graph, 3, &mut rng)
        };
        for (error, ln) in errors.iter_mut().zip(estimates(&graph, &own)) {
            *error += (ln - exact).abs() / 10.0;
        }
    }
    assert!(errors[1] < errors[0] && errors[0] < 1.0, "{errors:?}");
}

#[test]
fn stops_are_told_and_limits_are_kept() {
    let mut rng = rng(2);
    let graph = ising_grid(6, 1.0, 0.1, &mut rng);
    let own = options(&graph, 3, &mut rng);
    let run = |limits: &Limits, budget: &Budget| {
        global_bucket_renormalisation(&graph, &own, limits, budget).unwrap()
    };
    let unlimited = Budget::unlimited();
    let limited = run(&LIMITS, &unlimited);
    assert_eq!((limited.stop, limited.trace.len()), (Stop::SweepLimit, 3));
    let loose = Limits {
        sweeps: None,
        tolerance: 0.5,
    };
    assert_eq!(run(&loose, &unlimited).stop, Stop::Converged);
    let over = unlimited.capped(Duration::ZERO);
    let run = run(&LIMITS, &over);
    assert_eq!((run.stop, run.trace.len()), (Stop::TimeLimit, 0));

    let small = RenormalisationOptions {
        memory: 100.0,
        ..own.clone()
    };
    let refused = mini_bucket_renormalisation(&graph, &small).unwrap_err();
    assert!(matches!(refused, BoundError::TooLarge(_)), "{refused}");
    let narrow = RenormalisationOptions {
        limit: CliqueLimit {
            ibound: 0,
            entries: 1e6,
        },
        ..own
    };
    let refused = mini_bucket_renormalisation(&graph, &narrow).unwrap_err();
    let least = matches!(refused, BoundError::IboundTooSmall { least: 1, .. });
    assert!(least, "{refused}");
}
