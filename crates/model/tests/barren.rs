//! Laws of barren variables: `Z` and the marginals of the variables that stay do not change.

use forney_model::enumerate::enumerate;
use forney_model::{FactorGraph, Table, VarId, without_barren};
use forney_testing::{Family, bayes_net, near};
use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64;

fn check(graph: &FactorGraph, seed: u64) -> usize {
    let expected = enumerate(graph);
    let (reduced, gone) = without_barren(graph).unwrap();
    let found = enumerate(&reduced);
    assert!(near(found.ln_z, expected.ln_z), "ln Z of seed {seed}");
    for v in graph.variables() {
        if gone.contains(&v) {
            assert_eq!(reduced.factors_of(v).count(), 0);
            continue;
        }
        for (a, b) in found.marginals[v.index()]
            .iter()
            .zip(&expected.marginals[v.index()])
        {
            assert!(near(*a, *b), "marginals of {v:?}, seed {seed}");
        }
    }
    gone.len()
}

#[test]
fn random_models_keep_z_and_the_other_marginals() {
    let mut removed = 0;
    for seed in 0..1500 {
        removed += check(&Family::ZEROS.at(seed), seed);
    }
    assert!(removed > 500);
}

#[test]
fn a_bayesian_network_without_evidence_keeps_nothing_coupled() {
    for seed in 0..1000 {
        let graph = bayes_net(7, 0.2, &mut Pcg64::seed_from_u64(seed));
        check(&graph, seed);
        let (reduced, _) = without_barren(&graph).unwrap();
        assert!(
            reduced
                .factors()
                .iter()
                .all(|table| table.scope().len() < 2),
            "seed {seed}"
        );
    }
}

#[test]
fn observed_effects_keep_their_causes() {
    for seed in 0..1000 {
        let mut rng = Pcg64::seed_from_u64(seed);
        let graph = bayes_net(7, 0.2, &mut rng);
        let v = VarId::new(rng.random_range(0..graph.num_variables()));
        let likelihood = (0..graph.card(v)).map(|_| rng.random::<f64>()).collect();
        let mut factors = graph.factors().to_vec();
        factors.push(Table::from_ln(vec![v], vec![graph.card(v)], likelihood).unwrap());
        check(
            &FactorGraph::new(graph.cards().to_vec(), factors).unwrap(),
            seed,
        );
    }
}

#[test]
fn a_star_of_many_effects_takes_no_quadratic_time() {
    const N: usize = 100_000;
    let mut factors = vec![Table::from_values(vec![VarId(0)], vec![2], &[2.0, 6.0]).unwrap()];
    factors.extend((1..N).map(|i| {
        let scope = vec![VarId(0), VarId::new(i)];
        Table::from_values(scope, vec![2, 2], &[0.1, 0.9, 0.8, 0.2]).unwrap()
    }));
    let graph = FactorGraph::new(vec![2; N], factors).unwrap();
    let (reduced, gone) = without_barren(&graph).unwrap();
    assert_eq!(gone.len(), N - 1);
    let constants: f64 = reduced.factors()[1..]
        .iter()
        .map(|table| table.ln_entry(0))
        .sum();
    let ln_z = constants + 8f64.ln() + (N - 1) as f64 * 2f64.ln();
    assert!((ln_z - 8f64.ln()).abs() < 1e-6, "{ln_z}");
}

/// The sum over a variable may depend on others in one row only, wherever that is.
#[test]
fn one_row_that_differs_is_found() {
    let scope = vec![VarId(0), VarId(1), VarId(2)];
    let constant: Vec<f64> = [0.25, 0.75].repeat(9);
    for row in 0..9 {
        let mut values = constant.clone();
        values[2 * row] = 0.5;
        let table = Table::from_values(scope.clone(), vec![3, 3, 2], &values).unwrap();
        let graph = FactorGraph::new(vec![3, 3, 2], vec![table]).unwrap();
        assert_eq!(check(&graph, row as u64), 0, "row {row}");
    }
    let table = Table::from_values(scope, vec![3, 3, 2], &constant).unwrap();
    let graph = FactorGraph::new(vec![3, 3, 2], vec![table]).unwrap();
    assert_eq!(without_barren(&graph).unwrap().1, [VarId(2)]);
}
