//! Every registered method on chains whose scales cancel: no bound may be on the wrong side by more
//! than rounding of what is left.

use forney_certify::Budget;
use forney_methods::{Gives, METHODS, Method, Options, best, method};
use forney_model::generate::ising_grid;
use forney_model::{FactorGraph, Table};
use forney_testing::{cancelling_chain, rng};
use rand::RngExt;
use rayon::prelude::*;

/// Runs all methods for so many iterations; the decimals and all rounding come to less than `slack`.
fn check(pairs: usize, iterations: usize, slack: f64) {
    let graph = cancelling_chain(pairs);
    let ln_z = 2f64.ln();
    let jobs: Vec<(&dyn Method, Gives)> = METHODS
        .iter()
        .flat_map(|&method| method.gives().iter().map(move |&side| (method, side)))
        .collect();
    let values = jobs.par_iter().filter_map(|&(method, side)| {
        let options = Options {
            ibound: Some(2),
            iterations: Some(iterations),
            ..Options::default()
        };
        let run = method.run(&graph, side, &options, &Budget::unlimited(), &mut |_| {});
        let ln = run.as_ref().ok()?.value.ln();
        let sound = match side {
            Gives::Upper => ln >= ln_z - slack,
            Gives::Lower => ln <= ln_z + slack,
            Gives::Both => ln >= ln_z - slack,
            Gives::Estimate => (ln - ln_z).abs() <= 1e-6,
        };
        assert!(sound, "{} {side}: {ln}", method.name());
        Some(run.ok()?.value)
    });
    let values: Vec<_> = values.collect();
    assert!(values.len() + 1 >= jobs.len(), "{} values", values.len());
    let bracket = best(values).unwrap();
    assert!(bracket.gap() < 1e-6, "{bracket:?}");
}

#[test]
fn three_hundred_variables() {
    check(150, 20, 1e-11);
}

#[test]
fn two_thousand_variables() {
    check(1000, 1, 1e-10);
}

/// Strong couplings whose signs contradict each other: the largest entries of neighbouring tables do not meet, so that
/// plain messages are far below 1 everywhere, and what is left of products of them is not nothing.
#[test]
fn frustrated_couplings_leave_something() {
    let method = method("mbe").expect("it is registered");
    for seed in 0..24 {
        let mut rng = rng(seed);
        let strength = rng.random_range(30.0..60.0);
        let pairs = ising_grid(24, 1.0, 0.0, &mut rng);
        let pairs = pairs
            .factors()
            .iter()
            .map(Table::scope)
            .filter(|scope| scope.len() == 2);
        let factors = pairs.map(|scope| {
            let j = if rng.random_bool(0.5) {
                strength
            } else {
                -strength
            };
            Table::from_ln(scope.to_vec(), vec![2, 2], vec![j, -j, -j, j]).unwrap()
        });
        let graph = FactorGraph::new(vec![2; 576], factors.collect()).unwrap();
        let options = Options {
            ibound: Some(2),
            iterations: Some(3),
            ..Options::default()
        };
        let found = method.run(
            &graph,
            Gives::Upper,
            &options,
            &Budget::unlimited(),
            &mut |_| {},
        );
        let upper = found.unwrap().value.ln();
        let least = graph.ln_value(&[0; 576]);
        assert!(upper >= least, "{seed}: {upper} for at least {least}");
    }
}
