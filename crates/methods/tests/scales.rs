//! Every registered method on chains whose scales cancel: no bound may be on the wrong side by more
//! than rounding of what is left.

use forney_certify::Budget;
use forney_methods::{Gives, METHODS, Method, Options, best};
use forney_testing::cancelling_chain;
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
