//! Laws of Bayes nets with hidden variables and missing values.

mod common;

use common::{
    check_fit, check_gradient, check_saved, ln_sum, monotone, refused, statistics, sweeps,
};
use forney_latent::LatentError;
use forney_latent::em::{
    BayesNet, BayesNetParams, LatentModel, MISSING, MStep, Observations, Start, Variant,
};
use forney_model::enumerate::enumerate;
use forney_model::{Domains, Evidence, FactorGraph, Table, VarId};
use forney_testing::bayes_net;
use ndarray::{Array1, Array2, array};
use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64;

fn random_rows(graph: &FactorGraph, rng: &mut Pcg64) -> Array2<i32> {
    let hidden = rng.random_range(0..=graph.num_variables());
    Array2::from_shape_fn(
        (rng.random_range(1..30), graph.num_variables()),
        |(_, v)| {
            if v == hidden || rng.random::<f64>() < 0.3 {
                MISSING
            } else {
                rng.random_range(0..graph.cards()[v]) as i32
            }
        },
    )
}

/// `ln p(observed part)` by enumeration.
fn ln_p(graph: &FactorGraph, row: &[i32]) -> f64 {
    let mut evidence = Evidence::default();
    for (v, &state) in row.iter().enumerate() {
        if state != MISSING {
            evidence.observe(VarId::new(v), state as usize).unwrap();
        }
    }
    let domains = Domains::observed(graph, &evidence).unwrap();
    enumerate(domains.restrict(graph).graph()).ln_z
}

#[test]
fn the_value_is_that_of_enumeration() {
    let mut impossible = 0;
    for seed in 0..1000 {
        let mut rng = Pcg64::seed_from_u64(seed);
        let graph = bayes_net(5, 0.3, &mut rng);
        let rows = random_rows(&graph, &mut rng);
        let net = BayesNet::from_graph(&graph, 0.0).unwrap();
        let values = rows
            .rows()
            .into_iter()
            .map(|row| ln_p(&graph, &row.to_vec()));
        let direct = values.sum::<f64>() / rows.nrows() as f64;
        let score = net.score(rows.view(), f64::INFINITY).unwrap();
        if direct == f64::NEG_INFINITY {
            impossible += 1;
            assert!(score.is_infinite() && score < 0.0);
        } else {
            assert!((score - direct).abs() < 1e-10, "{score} {direct}");
        }
    }
    assert!(impossible > 50 && impossible < 950);
}

#[test]
fn batch_em_is_monotone_and_its_counts_are_those_of_enumeration() {
    for seed in 0..1000 {
        let mut rng = Pcg64::seed_from_u64(seed);
        let graph = bayes_net(5, 0.0, &mut rng);
        let rows = random_rows(&graph, &mut rng);
        let params = BayesNetParams {
            smoothing: [0.0, 0.0, 0.7][rng.random_range(0..3)],
            seed,
            em: sweeps(10),
            ..Default::default()
        };
        let fit = params.fit(&graph, rows.view()).unwrap();
        monotone(&fit.trace, 1e-10);
        check_fit(&fit);
        let data = Observations::new(&fit.model, rows.view(), 1e9, None, 0).unwrap();
        let (value, counts) = statistics(&fit.model, &data);
        let n = rows.nrows() as f64;
        assert!((fit.objective - (value + fit.model.ln_prior()) / n).abs() < 1e-10);
        // H(q) of each row by enumeration: ln p(row) − Σ_x q(x) Σ_a ln f_a(x) = −Σ q ln q.
        let learned = fit.model.to_graph();
        let mut entropy = 0.0;
        for row in rows.rows() {
            let ln_z = ln_p(&learned, &row.to_vec());
            forney_model::enumerate::for_each_assignment(learned.cards(), |x| {
                let fits = row
                    .iter()
                    .zip(x)
                    .all(|(&r, &x)| r == MISSING || r as usize == x);
                let ln_q = learned.ln_value(x) - ln_z;
                if fits && ln_q > f64::NEG_INFINITY {
                    entropy -= ln_q.exp() * ln_q;
                }
            });
        }
        let found = value - fit.model.expected_ln_joint(&counts);
        assert!((found - entropy).abs() < 1e-8, "{found} {entropy}");
    }
}

#[test]
fn other_variants_and_gradient_steps_are_monotone() {
    for seed in 0..200 {
        let mut rng = Pcg64::seed_from_u64(seed);
        let graph = bayes_net(5, 0.0, &mut rng);
        let rows = random_rows(&graph, &mut rng);
        let mut params = BayesNetParams {
            smoothing: [0.0, 1.5][rng.random_range(0..2)],
            seed,
            em: sweeps(10),
            ..Default::default()
        };
        params.em.variant = Variant::Incremental {
            examples: rng.random_range(1..8),
        };
        monotone(&params.fit(&graph, rows.view()).unwrap().trace, 1e-9);
        params.em.variant = Variant::Batch;
        params.em.m_step = MStep::Gradient { rate: 1.0 };
        monotone(&params.fit(&graph, rows.view()).unwrap().trace, 1e-9);
    }
}

#[test]
fn gradients_agree_with_finite_differences() {
    for seed in 0..100 {
        let mut rng = Pcg64::seed_from_u64(seed);
        let graph = bayes_net(5, 0.0, &mut rng);
        let rows = random_rows(&graph, &mut rng);
        let net = BayesNet::from_graph(&graph, 0.5).unwrap();
        check_gradient(
            &net,
            &Observations::new(&net, rows.view(), 1e9, None, 0).unwrap(),
        );
    }
}

#[test]
fn complete_data_give_frequencies_in_one_step() {
    let a = Table::from_values(vec![VarId(0)], vec![2], &[0.5, 0.5]).unwrap();
    let b = Table::from_values(vec![VarId(0), VarId(1)], vec![2, 2], &[0.5; 4]).unwrap();
    let graph = FactorGraph::new(vec![2, 2], vec![a, b]).unwrap();
    let rows = array![[0, 0], [0, 1], [0, 1], [0, 1], [1, 1]];
    let fit = BayesNetParams::default().fit(&graph, rows.view()).unwrap();
    assert_eq!(fit.model.table(VarId(0)).unwrap(), [0.8, 0.2]);
    assert_eq!(fit.model.table(VarId(1)).unwrap(), [0.25, 0.75, 0.0, 1.0]);
    let smoothed = BayesNetParams {
        smoothing: 1.0,
        ..Default::default()
    };
    let fit = smoothed.fit(&graph, rows.view()).unwrap();
    assert_eq!(
        fit.model.table(VarId(1)).unwrap()[2..],
        [1.0 / 3.0, 2.0 / 3.0]
    );
}

/// A hidden cause of five symptoms: parameters are found again up to the names of its states.
#[test]
fn a_hidden_cause_is_recovered() {
    let mut factors = vec![Table::from_values(vec![VarId(0)], vec![2], &[0.7, 0.3]).unwrap()];
    for v in 1..6u32 {
        let p = [
            0.9,
            0.1,
            0.2 + 0.02 * f64::from(v),
            0.8 - 0.02 * f64::from(v),
        ];
        factors.push(Table::from_values(vec![VarId(0), VarId(v)], vec![2, 2], &p).unwrap());
    }
    let graph = FactorGraph::new(vec![2; 6], factors).unwrap();
    let truth = BayesNet::from_graph(&graph, 0.0).unwrap();
    let mut rows = truth.sample(20_000, 4);
    rows.column_mut(0).fill(MISSING);
    let mut rng = Pcg64::seed_from_u64(8);
    rows.mapv_inplace(|x| {
        if rng.random::<f64>() < 0.1 {
            MISSING
        } else {
            x
        }
    });
    let params = BayesNetParams {
        restarts: 2,
        ..Default::default()
    };
    let fit = params.fit(&graph, rows.view()).unwrap();
    let cause = fit.model.table(VarId(0)).unwrap();
    let swap = cause[0] < 0.5;
    assert!((cause[usize::from(swap)] - 0.7).abs() < 0.03);
    for v in 1..6u32 {
        let (found, true_table) = (
            fit.model.table(VarId(v)).unwrap(),
            truth.table(VarId(v)).unwrap(),
        );
        for state in 0..2 {
            let at = if swap { 1 - state } else { state };
            assert!((found[2 * at] - true_table[2 * state]).abs() < 0.03);
        }
    }
}

/// Rows whose probabilities differ by thousands of nats stand in one group.
#[test]
fn rows_of_very_different_probability_are_all_counted() {
    let n = 600;
    let mut factors = vec![Table::from_values(vec![VarId(0)], vec![2], &[0.5, 0.5]).unwrap()];
    for v in 1..=n {
        let scope = vec![VarId(0), VarId::new(v)];
        factors
            .push(Table::from_values(scope, vec![2, 2], &[1.0 - 1e-3, 1e-3, 0.99, 0.01]).unwrap());
    }
    let graph = FactorGraph::new(vec![2; n + 1], factors).unwrap();
    let net = BayesNet::from_graph(&graph, 0.0).unwrap();
    let mut rows = Array2::zeros((4, n + 1));
    for (row, ones) in [0, 200, 400, 600].into_iter().enumerate() {
        rows.slice_mut(ndarray::s![row, 1..=ones]).fill(1);
    }
    rows.column_mut(0).fill(MISSING);
    let score = net.score(rows.view(), 1e9).unwrap();
    let direct = |ones: f64| {
        let zeros = n as f64 - ones;
        let a = 0.5f64.ln() + ones * 1e-3f64.ln() + zeros * (1.0 - 1e-3f64).ln();
        let b = 0.5f64.ln() + ones * 0.01f64.ln() + zeros * 0.99f64.ln();
        ln_sum(&[a, b])
    };
    let mean = [0.0, 200.0, 400.0, 600.0].map(direct).iter().sum::<f64>() / 4.0;
    assert!((score - mean).abs() < 1e-8 * mean.abs(), "{score} {mean}");
}

#[test]
fn save_and_load_gives_the_model_back_and_refuses_another() {
    for seed in 0..100 {
        let mut rng = Pcg64::seed_from_u64(seed);
        let graph = bayes_net(5, 0.2, &mut rng);
        let net = BayesNet::from_graph(&graph, 0.25).unwrap();
        check_saved(&net, &[]);
        let again = BayesNet::from_graph(&net.to_graph(), 0.25).unwrap();
        assert_eq!(again.cards(), net.cards());
    }
    let table = Table::from_values(vec![VarId(0)], vec![2], &[0.5, 0.5]).unwrap();
    let graph = FactorGraph::new(vec![2], vec![table]).unwrap();
    let changes = [
        ("[0.5,0.5]", "[0.5,0.6]"),
        ("[0.5,0.5]", "[0.5]"),
        ("\"scope\":[0]", "\"scope\":[3]"),
        ("\"smoothing\":0.0", "\"smoothing\":-1"),
        (
            r#"[{"scope":[0],"states":2,"probabilities":[0.5,0.5]}]"#,
            "[]",
        ),
    ];
    check_saved(&BayesNet::from_graph(&graph, 0.0).unwrap(), &changes);
}

#[test]
fn bad_input_is_a_sentence() {
    let table = |scope: &[u32], values: &[f64]| {
        let scope: Vec<VarId> = scope.iter().map(|&v| VarId(v)).collect();
        Table::from_values(scope.clone(), vec![2; scope.len()], values).unwrap()
    };
    let half = [0.5, 0.5];
    let quarter = [0.5; 4];
    let graph = |factors| FactorGraph::new(vec![2, 2], factors).unwrap();
    for (factors, problem) in [
        (vec![table(&[0], &half)], "is the child of no factor"),
        (
            vec![table(&[0], &half), table(&[0], &half)],
            "is the child of two factors",
        ),
        (
            vec![table(&[0, 1], &quarter), table(&[1, 0], &quarter)],
            "is on a cycle",
        ),
        (vec![table(&[], &[1.0])], "a factor without variables"),
    ] {
        refused(BayesNet::from_graph(&graph(factors), 0.0), problem);
    }
    let unnormalised = graph(vec![table(&[0], &half), table(&[1], &[0.5, 0.6])]);
    let row = "the sum of a row of a table must be 1";
    refused(BayesNet::from_graph(&unnormalised, 0.0), row);
    let given = BayesNetParams {
        start: Start::Given,
        ..Default::default()
    };
    let params = BayesNetParams::default();
    let data = array![[0, 1]];
    refused(given.fit(&unnormalised, data.view()), row);
    assert!(params.fit(&unnormalised, data.view()).is_ok());
    let good = graph(vec![table(&[0], &half), table(&[0, 1], &quarter)]);
    let found = BayesNet::from_graph(&good, f64::NAN);
    refused(found, "smoothing must be finite and at least 0");
    for (data, sentence) in [
        (array![[0, 1], [1, 2]], "row 1, column 1 observes state 2"),
        (array![[0, -2]], "row 0, column 1 observes state -2"),
        (array![[0]], "the columns of the data must be 2, but is 1"),
        (Array2::zeros((0, 2)), "0 examples are too few"),
    ] {
        refused(params.fit(&good, data.view()), sentence);
    }
    let small = BayesNetParams {
        memory: 8.0,
        ..Default::default()
    };
    let missing = array![[MISSING, MISSING]];
    let found = small.fit(&good, missing.view());
    assert!(matches!(found, Err(LatentError::TooLarge(_))));
    let net = BayesNet::from_graph(&good, 0.0).unwrap();
    let of = |row: Array1<i32>| net.posterior_of(row.view(), 1e9);
    refused(of(array![0]), "the columns of the data must be 2");
    assert_eq!(of(array![0, MISSING]).unwrap()[0], [1.0, 0.0]);
}
