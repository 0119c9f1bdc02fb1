//! Laws of barren variables: `Z` and the marginals of the variables that stay do not change.

use forney_model::enumerate::enumerate;
use forney_model::generate::{RandomModel, random};
use forney_model::{FactorGraph, Table, VarId, without_barren};
use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64;

/// A Bayesian network with up to two parents for each variable, some rows with zeros.
fn bayes(rng: &mut Pcg64) -> FactorGraph {
    let n = rng.random_range(1..8);
    let cards: Vec<usize> = (0..n).map(|_| rng.random_range(1..4)).collect();
    let factors = (0..n)
        .map(|v| {
            let mut scope: Vec<usize> = (0..v).filter(|_| rng.random::<f64>() < 0.4).collect();
            scope.truncate(2);
            scope.push(v);
            let scope_cards: Vec<usize> = scope.iter().map(|&u| cards[u]).collect();
            let rows: usize = scope_cards.iter().product::<usize>() / cards[v];
            let mut values = Vec::new();
            for _ in 0..rows {
                let mut row: Vec<f64> = (0..cards[v])
                    .map(|_| (rng.random::<f64>() - 0.2).max(0.0))
                    .collect();
                row[0] += 0.1;
                let sum: f64 = row.iter().sum();
                values.extend(row.iter().map(|x| x / sum));
            }
            let scope = scope.into_iter().map(VarId::new).collect();
            Table::from_values(scope, scope_cards, &values).unwrap()
        })
        .collect();
    FactorGraph::new(cards, factors).unwrap()
}

fn check(graph: &FactorGraph, seed: u64) -> usize {
    let expected = enumerate(graph);
    let (reduced, gone) = without_barren(graph).unwrap();
    let found = enumerate(&reduced);
    let close = |a: f64, b: f64| (a - b).abs() < 1e-10 || a.max(b) == f64::NEG_INFINITY;
    assert!(close(found.ln_z, expected.ln_z), "ln Z of seed {seed}");
    for v in graph.variables() {
        if gone.contains(&v) {
            assert_eq!(reduced.factors_of(v).count(), 0);
            continue;
        }
        for (a, b) in found.marginals[v.index()]
            .iter()
            .zip(&expected.marginals[v.index()])
        {
            assert!(close(*a, *b), "marginals of {v:?}, seed {seed}");
        }
    }
    gone.len()
}

#[test]
fn random_models_keep_z_and_the_other_marginals() {
    let mut removed = 0;
    for seed in 0..1500 {
        let mut rng = Pcg64::seed_from_u64(seed);
        let spec = RandomModel {
            variables: rng.random_range(0..7),
            max_card: rng.random_range(1..4),
            factors: rng.random_range(0..7),
            max_scope: 3,
            zeros: [0.0, 0.3, 0.7][rng.random_range(0..3)],
            spread: 2.0,
        };
        removed += check(&random(&spec, &mut rng), seed);
    }
    assert!(removed > 500);
}

#[test]
fn a_bayesian_network_without_evidence_keeps_nothing_coupled() {
    for seed in 0..1000 {
        let graph = bayes(&mut Pcg64::seed_from_u64(seed));
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
        let graph = bayes(&mut rng);
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
