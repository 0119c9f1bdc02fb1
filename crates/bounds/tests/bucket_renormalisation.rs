//! Laws of bucket renormalisation, against enumeration on random models.

use std::time::Duration;

use forney_bounds::wmbe::{CliqueLimit, Partition};
use forney_bounds::{
    BoundError, RenormalisationOptions, global_bucket_renormalisation, mini_bucket_renormalisation,
};
use forney_certify::{Budget, Limits, Stop, slack};
use forney_exact::{Order, ln_z};
use forney_model::enumerate::enumerate;
use forney_model::generate::{RandomModel, ising_grid, random};
use forney_model::{FactorGraph, Table, VarId};
use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64;

fn model(rng: &mut Pcg64, dense: bool) -> FactorGraph {
    let spec = RandomModel {
        variables: rng.random_range(if dense { 4..9 } else { 1..9 }),
        max_card: rng.random_range(if dense { 2..4 } else { 1..5 }),
        factors: rng.random_range(if dense { 8..20 } else { 0..16 }),
        max_scope: rng.random_range(if dense { 2..4 } else { 0..4 }),
        zeros: [0.0, 0.02, 0.2][rng.random_range(0..3)],
        spread: if rng.random_range(0..7) == 0 {
            1500.0
        } else {
            2.0
        },
    };
    random(&spec, rng)
}

fn options(graph: &FactorGraph, ibound: usize, rng: &mut Pcg64) -> RenormalisationOptions {
    let mut vars: Vec<VarId> = graph.variables().collect();
    vars.shuffle(rng);
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
        let equal = ln.to_bits() == exact.to_bits() || (ln - exact).abs() <= slack(exact);
        assert!(equal, "{what}: {ln} for {exact}");
    }
}

#[test]
fn it_is_exact_within_the_ibound() {
    for seed in 0..1000 {
        let mut rng = Pcg64::seed_from_u64(seed);
        let dense = !seed.is_multiple_of(4);
        let graph = model(&mut rng, dense);
        let options = options(&graph, graph.num_variables(), &mut rng);
        let found = estimates(&graph, &options);
        assert_exact(found, enumerate(&graph).ln_z, &format!("seed {seed}"));
    }
}

/// A forest of pairs, mixed with constants and tables of one variable.
fn forest(rng: &mut Pcg64) -> FactorGraph {
    let cards: Vec<usize> = (0..rng.random_range(1..9))
        .map(|_| rng.random_range(1..4))
        .collect();
    let zeros = [0.0, 0.2][rng.random_range(0..2)];
    let mut factors = vec![Table::constant(0.5).unwrap()];
    for v in 0..cards.len() {
        let mut scopes = vec![vec![v]];
        // Every fifth variable starts a tree of its own.
        if v > 0 && rng.random_range(0..5) > 0 {
            scopes.push(vec![rng.random_range(0..v), v]);
        }
        for scope in scopes {
            let own: Vec<usize> = scope.iter().map(|&v| cards[v]).collect();
            let entry = |_| match rng.random::<f64>() {
                p if p < zeros => f64::NEG_INFINITY,
                p => 4.0 * p - 2.0,
            };
            let ln = (0..own.iter().product()).map(entry).collect();
            let scope = scope.into_iter().map(VarId::new).collect();
            factors.push(Table::from_ln(scope, own, ln).unwrap());
        }
    }
    FactorGraph::new(cards, factors).unwrap()
}

#[test]
fn it_is_exact_on_trees() {
    for seed in 0..1000 {
        let mut rng = Pcg64::seed_from_u64(seed);
        let graph = forest(&mut rng);
        let own = RenormalisationOptions {
            order: None,
            ..options(&graph, 1, &mut rng)
        };
        let found = estimates(&graph, &own);
        assert_exact(found, enumerate(&graph).ln_z, &format!("seed {seed}"));
    }
}

#[test]
fn estimates_are_numbers() {
    let mut split = 0;
    for seed in 0..1000 {
        let mut rng = Pcg64::seed_from_u64(seed);
        let dense = !seed.is_multiple_of(4);
        let graph = model(&mut rng, dense);
        let scopes = graph.factors().iter().map(|factor| factor.scope().len());
        let least = scopes.max().unwrap_or(0).saturating_sub(1);
        let options = options(&graph, least, &mut rng);
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
        let mut rng = Pcg64::seed_from_u64(seed);
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
    let mut rng = Pcg64::seed_from_u64(2);
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
