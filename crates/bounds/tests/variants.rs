//! Laws of mini-bucket variants, against enumeration on random models.

use std::sync::Arc;
use std::time::Duration;

use forney_bounds::BoundError;
use forney_bounds::wmbe::{
    CliqueLimit, ContentMiniBuckets, MiniBuckets, Partition, Steps, Variant, VariantOptions,
    WeightMap, Wmbe, mini_buckets,
};
use forney_certify::{Above, Below, Bound, Budget, Certificate, Stop, slack};
use forney_exact::{Heuristic, Order, Schedule, greedy};
use forney_model::enumerate::enumerate;
use forney_model::generate::ising_grid;
use forney_model::{FactorGraph, Table, VarId};
use forney_testing::{Family, assert_at_least, assert_at_most, least_ibound, mixed, rng, shuffled};

fn options(graph: &FactorGraph, seed: u64) -> VariantOptions {
    let vars = shuffled(graph, &mut rng(seed));
    VariantOptions {
        variant: Variant::ThetaW,
        steps: Steps::Best,
        partition: if seed.is_multiple_of(2) {
            Partition::Scope
        } else {
            Partition::Content
        },
        limit: CliqueLimit {
            ibound: least_ibound(graph),
            entries: 1e6,
        },
        order: Some(Order::new(vars, graph).unwrap()),
        iterations: Some(25),
        memory: 1e9,
    }
}

/// Runs a variant, checks what every run owes, and returns its value.
fn run<S>(graph: &FactorGraph, options: &VariantOptions, exact: f64, what: &str) -> f64
where
    S: WeightMap,
{
    let mut seen = Bound::<S>::trivial();
    let mut watch = |bound: Bound<S>, _: usize| {
        assert!(
            S::at_least_as_tight(bound.ln(), seen.ln()),
            "{what}: not monotone"
        );
        seen = bound;
    };
    let report = mini_buckets::<S>(graph, options, &Budget::unlimited(), &mut watch)
        .unwrap_or_else(|error| panic!("{what}: {error}"));
    let value = report.bound.ln();
    let verified = report.witness.verify(graph).unwrap().ln();
    assert_eq!(value.to_bits(), verified.to_bits(), "{what}");
    assert_eq!(value.to_bits(), seen.ln().to_bits(), "{what}");
    let room = if S::SENSE > 0.0 {
        value - exact
    } else {
        exact - value
    };
    // Equal infinities are no distance apart.
    assert!(
        value.to_bits() == exact.to_bits() || room >= -slack(exact),
        "{what}: {} {value} for {exact}",
        S::NAME
    );
    if report.exact && exact.is_finite() {
        assert!(
            room.abs() <= slack(exact),
            "{what}: exact {value} for {exact}"
        );
    }
    value
}

#[test]
fn every_variant_keeps_to_its_side_with_either_steps_and_partition() {
    for seed in 0..1000 {
        let graph = mixed(seed);
        let exact = enumerate(&graph).ln_z;
        for variant in Variant::ALL {
            for steps in [Steps::Published, Steps::Best] {
                let options = VariantOptions {
                    variant,
                    steps,
                    ..options(&graph, seed)
                };
                let what = format!("seed {seed} {variant} {steps:?}");
                run::<Above>(&graph, &options, exact, &what);
                run::<Below>(&graph, &options, exact, &what);
            }
        }
    }
}

#[test]
fn our_steps_are_at_least_as_tight_as_no_steps() {
    let mut tighter = [0; 2];
    for seed in 0..1000 {
        let graph = mixed(seed);
        let exact = enumerate(&graph).ln_z;
        let own = options(&graph, seed);
        let what = format!("seed {seed}");
        for variant in [Variant::W, Variant::Theta, Variant::ThetaW] {
            let none = VariantOptions {
                variant: Variant::Wmbe,
                ..own.clone()
            };
            let best = VariantOptions {
                variant,
                ..own.clone()
            };
            let above = [&none, &best].map(|o| run::<Above>(&graph, o, exact, &what));
            let below = [&none, &best].map(|o| run::<Below>(&graph, o, exact, &what));
            assert_at_most(above[1], above[0], &what);
            assert_at_least(below[1], below[0], &what);
            tighter[0] += usize::from(above[1] < above[0] - 1e-6);
            tighter[1] += usize::from(below[1] > below[0] + 1e-6);
        }
    }
    assert!(tighter[0] > 250 && tighter[1] > 250, "{tighter:?}");
}

/// `Σ_x` of one table times the extreme over `x` of the other, worked out by hand.
#[test]
fn mini_bucket_elimination_takes_extremes() {
    let (x, y, z) = (VarId(0), VarId(1), VarId(2));
    let f = [1.0, 2.0, 3.0, 4.0, 5.0, 0.5];
    let g = [2.0, 0.25, 3.0, 1.0, 0.5, 7.0];
    let table = |scope: Vec<VarId>, values: &[f64]| Table::from_values(scope, vec![3, 2], values);
    let factors = vec![
        table(vec![x, y], &f).unwrap(),
        table(vec![x, z], &g).unwrap(),
    ];
    let graph = FactorGraph::new(vec![3, 2, 2], factors).unwrap();
    let own = VariantOptions {
        variant: Variant::Mbe,
        order: Some(Order::new(vec![x, y, z], &graph).unwrap()),
        ..options(&graph, 0)
    };
    let exact = enumerate(&graph).ln_z;
    // Over y and z the messages are added: Σ_x f(x, ·) is 15.5 in all, the extremes of g are the
    // largest and the smallest of (2, 3, 0.5) and of (0.25, 1, 7).
    let above = run::<Above>(&graph, &own, exact, "MBE");
    assert!(
        (above - (15.5f64 * (3.0 + 7.0)).ln()).abs() < 1e-12,
        "{above}"
    );
    let below = run::<Below>(&graph, &own, exact, "MBE");
    assert!(
        (below - (15.5f64 * (0.5 + 0.25)).ln()).abs() < 1e-12,
        "{below}"
    );
}

#[test]
fn a_zero_of_the_wrong_sign_proves_nothing() {
    let graph = ising_grid(4, 1.0, 0.1, &mut rng(2));
    let order = Order::new(graph.variables().collect(), &graph).unwrap();
    let limit = CliqueLimit {
        ibound: 2,
        entries: 1e6,
    };
    let mut rule = MiniBuckets::new(limit, None);
    let schedule = Arc::new(Schedule::compile(&graph, &order, &mut rule).unwrap());
    let shifts = vec![0.0; schedule.num_shifts()];
    let with = |zero: f64| {
        let mut weights = vec![zero; schedule.num_weights()];
        for split in schedule.splits() {
            weights[split.first_weight] = 1.0;
        }
        weights
    };
    let above = |zero| Wmbe::<Above>::new(Arc::clone(&schedule), with(zero), shifts.clone());
    let below = |zero| Wmbe::<Below>::new(Arc::clone(&schedule), with(zero), shifts.clone());
    assert!(above(0.0).verify(&graph).is_ok() && above(-0.0).verify(&graph).is_err());
    assert!(below(-0.0).verify(&graph).is_ok() && below(0.0).verify(&graph).is_err());
}

#[test]
fn content_based_partitions_are_proofs_within_the_limit() {
    let mut other = 0;
    let unlimited = Budget::unlimited();
    let over = unlimited.capped(Duration::ZERO);
    for seed in 0..1000_u64 {
        // Structures alone are compared, so that the models need not be enumerated.
        let family = Family {
            variables: 1..40,
            max_card: 3..4,
            factors: 0..80,
            max_scope: 3..4,
            spread: if seed.is_multiple_of(7) { 1500.0 } else { 2.0 },
            ..Family::SPARSE
        };
        let graph = family.at(seed);
        let mut own = options(&graph, seed);
        own.limit.ibound += 1;
        let order = own.order.unwrap();
        let mut content =
            ContentMiniBuckets::<Above>::new(&graph, &order, own.limit, 1e9, &unlimited);
        let by_content = Schedule::compile(&graph, &order, &mut content).unwrap();
        by_content.check(&graph).unwrap();
        assert!(by_content.demand().width <= own.limit.ibound, "seed {seed}");
        let mut scope = MiniBuckets::new(own.limit, None);
        let by_scope = Schedule::compile(&graph, &order, &mut scope).unwrap();
        let cliques = |schedule: &Schedule| -> Vec<Vec<VarId>> {
            schedule
                .steps()
                .iter()
                .map(|step| step.scope.clone())
                .collect()
        };
        other += usize::from(cliques(&by_content) != cliques(&by_scope));
        // Without time, and without memory from some bucket on, partitions are those by scope.
        for (memory, budget) in [(1e9, &over), (1e4, &unlimited)] {
            let mut hurried =
                ContentMiniBuckets::<Above>::new(&graph, &order, own.limit, memory, budget);
            let hurried = Schedule::compile(&graph, &order, &mut hurried).unwrap();
            hurried.check(&graph).unwrap();
            if memory > 1e8 {
                assert_eq!(cliques(&hurried), cliques(&by_scope), "seed {seed}");
            }
        }
    }
    assert!(
        other > 200,
        "only {other} partitions differ from those by scope"
    );
}

#[test]
fn every_stop_is_told_and_limits_are_kept() {
    let graph = ising_grid(8, 1.0, 0.1, &mut rng(2));
    let own = VariantOptions {
        order: Some(greedy(&graph, Heuristic::MinFill, None)),
        limit: CliqueLimit {
            ibound: 3,
            entries: 1e6,
        },
        iterations: None,
        ..options(&graph, 0)
    };
    let run = |options: &VariantOptions, budget: &Budget| {
        mini_buckets::<Above>(&graph, options, budget, &mut |_, _| {})
    };
    let unlimited = Budget::unlimited();
    let converged = run(&own, &unlimited).unwrap();
    assert_eq!(converged.stop, Stop::Converged);
    let few = VariantOptions {
        iterations: Some(7),
        ..own.clone()
    };
    let few = run(&few, &unlimited).unwrap();
    assert_eq!(few.stop, Stop::SweepLimit);
    assert!(few.bound.ln() > converged.bound.ln());
    let published = VariantOptions {
        steps: Steps::Published,
        ..own.clone()
    };
    let published = run(&published, &unlimited).unwrap();
    assert_eq!(
        (published.stop, published.iterations),
        (Stop::SweepLimit, 150)
    );
    assert!(published.bound.ln() > converged.bound.ln());
    let over = unlimited.capped(Duration::ZERO);
    assert_eq!(run(&own, &over).unwrap().stop, Stop::TimeLimit);

    let narrow = VariantOptions {
        limit: CliqueLimit {
            ibound: 0,
            entries: 1e6,
        },
        ..own.clone()
    };
    let refused = run(&narrow, &unlimited).unwrap_err();
    assert!(
        matches!(refused, BoundError::IboundTooSmall { least: 1, .. }),
        "{refused}"
    );
    let small = VariantOptions {
        memory: 100.0,
        ..own
    };
    let refused = run(&small, &unlimited).unwrap_err();
    assert!(matches!(refused, BoundError::TooLarge(_)), "{refused}");
}
