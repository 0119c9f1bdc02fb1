//! Whatever the options say, what comes back as a bound is one: options reach only the optimiser.

use forney_bounds::race::Account;
use forney_bounds::wmbe::{
    Candidates, CliqueLimit, Partition, Setting, Steps, Variant, VariantOptions, climb,
    mini_buckets,
};
use forney_bounds::{
    Board, Progress, mean_field, negative_tree_reweighted, structured_mean_field, tree_reweighted,
};
use forney_certify::{Above, Below, Budget, Certificate, Limits, Lower, Upper};
use forney_model::enumerate::enumerate;
use forney_testing::{Family, assert_at_least, assert_at_most, rng};
use rand::RngExt;

#[track_caller]
fn below(bound: Lower, ln_z: f64) {
    assert_at_most(bound.ln(), ln_z, "bound");
}

#[track_caller]
fn above(bound: Upper, ln_z: f64) {
    assert_at_least(bound.ln(), ln_z, "bound");
}

/// Numbers that an option should not have, and some that it may.
const ODD: [f64; 7] = [
    f64::NAN,
    f64::INFINITY,
    f64::NEG_INFINITY,
    -1.0,
    0.0,
    1e-300,
    1e6,
];

#[test]
fn no_option_makes_a_false_bound() {
    let mut rng = rng(1);
    for seed in 0..1000 {
        let graph = Family::SMALL.at(seed);
        let ln_z = enumerate(&graph).ln_z;
        let mut odd = || ODD[rng.random_range(0..ODD.len())];
        // Something always ends the search.
        let sweeps = (seed % 4) as usize;
        let limits = Limits {
            sweeps: Some(sweeps),
            tolerance: odd(),
        };
        let budget = Budget::unlimited();
        for starts in [0, 2] {
            let run = mean_field(&graph, seed, starts, &limits, &budget);
            below(run.point.verify(&graph).unwrap(), ln_z);
            for ibound in [0, 2] {
                let (memory, starts) = (odd(), starts.max(1));
                let run =
                    structured_mean_field(&graph, ibound, seed, starts, memory, &limits, &budget);
                if let Ok(bound) = run.map(|run| run.point.verify(&graph)) {
                    bound.into_iter().for_each(|bound| below(bound, ln_z));
                }
            }
        }
        if let Ok(run) = tree_reweighted(&graph, &limits, &budget) {
            above(run.point.verify(&graph).unwrap(), ln_z);
        }
        if let Ok(run) = negative_tree_reweighted(&graph, &limits, &budget) {
            below(run.point.verify(&graph).unwrap(), ln_z);
        }
        let limit = CliqueLimit {
            ibound: (seed % 3) as usize,
            entries: odd(),
        };
        let setting = Setting {
            graph: &graph,
            limit,
            fixed: None,
            seed,
        };
        let (local, least_gain) = (seed.is_multiple_of(2), odd());
        let memory = odd();
        let mut watch = |progress: &Progress| {
            above(progress.bracket.upper(), ln_z);
            below(progress.bracket.lower(), ln_z);
        };
        let board = Board::new(&budget, &mut watch);
        let account = || Account::new(&board, &budget, memory, Some(sweeps));
        let (mut up, mut down) = (account(), account());
        // What does not fit is no bound.
        let field = Candidates::<Above>::new(setting, sweeps);
        let _ = climb(&field, local, least_gain, None, &mut up);
        let field = Candidates::<Below>::new(setting, sweeps);
        let _ = climb(&field, local, least_gain, None, &mut down);
        assert!(up.spent() <= sweeps && down.spent() <= sweeps);
        let options = VariantOptions {
            variant: [Variant::Mbe, Variant::Wmbe, Variant::ThetaW][sweeps % 3],
            steps: [Steps::Published, Steps::Best][sweeps % 2],
            partition: [Partition::Scope, Partition::Content][sweeps / 2],
            limit,
            order: None,
            iterations: Some(sweeps),
            memory: odd(),
        };
        if let Ok(report) = mini_buckets::<Above>(&graph, &options, &budget, &mut |_, _| {}) {
            above(report.bound, ln_z);
        }
        if let Ok(report) = mini_buckets::<Below>(&graph, &options, &budget, &mut |_, _| {}) {
            below(report.bound, ln_z);
        }
    }
}
