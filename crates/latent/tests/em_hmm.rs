//! Laws of the hidden Markov model.

mod common;

use common::{
    check_fit, check_gradient, check_saved, ln_sum, monotone, normal, refused, statistics, sweeps,
};
use forney_latent::em::{
    Categorical, CategoricalHmmParams, Covariance, Covariances, Em, Emission, GaussianEmission,
    GaussianHmmParams, Hmm, LatentModel, MStep, Sequences, Variant,
};
use forney_model::enumerate::for_each_assignment;
use ndarray::{Array1, Array2, Array3, array};
use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64;

fn lengths(rng: &mut Pcg64) -> Vec<usize> {
    (0..rng.random_range(1..6))
        .map(|_| rng.random_range(1..8))
        .collect()
}

/// Distributions with hard zeros.
fn distributions(rows: usize, columns: usize, rng: &mut Pcg64) -> Array2<f64> {
    let mut all = Array2::from_shape_fn((rows, columns), |_| {
        let x: f64 = rng.random();
        if x < 0.3 { 0.0 } else { x }
    });
    for mut row in all.rows_mut() {
        row[rng.random_range(0..columns)] += 0.5;
        row /= row.sum();
    }
    all
}

/// `ln p(v)` and `γ` of one sequence by a sum over all paths.
fn by_paths(start: &Array1<f64>, a: &Array2<f64>, ln_b: &Array2<f64>) -> (f64, Array2<f64>) {
    let (steps, states) = ln_b.dim();
    let mut paths = Vec::new();
    for_each_assignment(&vec![states; steps], |path| {
        let mut ln = start[path[0]].ln() + ln_b[[0, path[0]]];
        for t in 1..steps {
            ln += a[[path[t - 1], path[t]]].ln() + ln_b[[t, path[t]]];
        }
        paths.push((path.to_vec(), ln));
    });
    let ln_p = ln_sum(&paths.iter().map(|(_, ln)| *ln).collect::<Vec<_>>());
    let mut gamma = Array2::zeros((steps, states));
    for (path, ln) in paths.into_iter().filter(|(_, ln)| *ln > f64::NEG_INFINITY) {
        for (t, k) in path.into_iter().enumerate() {
            gamma[[t, k]] += (ln - ln_p).exp();
        }
    }
    (ln_p, gamma)
}

#[test]
fn the_value_is_the_sum_over_all_paths() {
    let mut impossible = 0;
    for seed in 0..1000 {
        let mut rng = Pcg64::seed_from_u64(seed);
        let (states, symbols) = (rng.random_range(1..4), rng.random_range(1..4));
        let model = Hmm::new(
            distributions(1, states, &mut rng).row(0).to_owned(),
            distributions(states, states, &mut rng),
            Categorical::new(distributions(states, symbols, &mut rng)).unwrap(),
        )
        .unwrap();
        let length = rng.random_range(1..6);
        let data: Array1<usize> = (0..length).map(|_| rng.random_range(0..symbols)).collect();
        let sequences = Sequences::categorical(data.view(), &[length], None, 0).unwrap();
        let p = model.emission().probabilities();
        let ln_b = Array2::from_shape_fn((length, states), |(t, k)| p[[k, data[t]]].ln());
        let (ln_p, gamma) = by_paths(model.start(), model.transitions(), &ln_b);
        let score = model.score(&sequences).unwrap();
        if ln_p == f64::NEG_INFINITY {
            impossible += 1;
            assert!(score.is_infinite() && score < 0.0);
        } else {
            assert!((score - ln_p).abs() < 1e-10, "{score} {ln_p}");
        }
        let found = model.transform(&sequences).unwrap();
        assert!((found - gamma).iter().all(|x| x.abs() < 1e-10));
        // The path of largest probability is one of those that are possible.
        let path = model.predict(&sequences).unwrap();
        if ln_p > f64::NEG_INFINITY {
            let value = |path: &[usize]| {
                let mut ln = model.start()[path[0]].ln() + ln_b[[0, path[0]]];
                for t in 1..length {
                    ln += model.transitions()[[path[t - 1], path[t]]].ln() + ln_b[[t, path[t]]];
                }
                ln
            };
            let mut best = f64::NEG_INFINITY;
            for_each_assignment(&vec![states; length], |path| best = best.max(value(path)));
            assert!((value(&path.to_vec()) - best).abs() < 1e-10);
        }
    }
    assert!(impossible > 20);
}

/// A chain that may not go back or skip, whose second state explains its only step very badly.
#[test]
fn a_state_lost_to_underflow_is_found_again() {
    let emission = GaussianEmission::new(
        array![[0.0], [100.0], [200.0]],
        Covariances::Spherical(array![1.0, 1.0, 1.0]),
        array![1e-6],
    )
    .unwrap();
    let a = array![[0.5, 0.5, 0.0], [0.0, 0.5, 0.5], [0.0, 0.0, 1.0]];
    let model = Hmm::new(array![1.0, 0.0, 0.0], a.clone(), emission).unwrap();
    let data = array![[0.0], [1.0], [0.5], [200.0], [201.0]];
    let sequences = Sequences::gaussian(data.view(), &[5], None, 0).unwrap();
    let ln_b = Array2::from_shape_fn((5, 3), |(t, k)| {
        let apart: f64 = data[[t, 0]] - 100.0 * k as f64;
        -0.5 * ((2.0 * std::f64::consts::PI).ln() + apart * apart)
    });
    let (ln_p, gamma) = by_paths(model.start(), &a, &ln_b);
    assert!((model.score(&sequences).unwrap() - ln_p).abs() < 1e-7 * ln_p.abs());
    assert!(
        (model.transform(&sequences).unwrap() - gamma)
            .iter()
            .all(|x| x.abs() < 1e-7)
    );
}

#[test]
fn batch_em_is_monotone_for_symbols() {
    for seed in 0..1000 {
        let mut rng = Pcg64::seed_from_u64(seed);
        let lengths = lengths(&mut rng);
        let symbols = rng.random_range(1..4);
        let steps = lengths.iter().sum();
        let data: Array1<usize> = (0..steps).map(|_| rng.random_range(0..symbols)).collect();
        let mut params = CategoricalHmmParams {
            states: rng.random_range(1..4),
            symbols,
            seed,
            em: sweeps(15),
            ..Default::default()
        };
        let fit = params.fit(data.view(), &lengths).unwrap();
        monotone(&fit.trace, 1e-10);
        check_fit(&fit);
        let sequences = Sequences::categorical(data.view(), &lengths, None, 0).unwrap();
        assert!((fit.model.score(&sequences).unwrap() - fit.objective).abs() < 1e-10);
        let (value, moments) = statistics(&fit.model, &sequences);
        assert!(
            value - fit.model.expected_ln_joint(&moments) > -1e-9,
            "negative entropy"
        );
        if seed % 4 == 0 {
            params.em.variant = Variant::Incremental { examples: 2 };
            let fit = params.fit(data.view(), &lengths).unwrap();
            monotone(&fit.trace, 1e-9);
            assert!(fit.objective <= fit.model.score(&sequences).unwrap() + 1e-9);
            params.em.variant = Variant::Batch;
            params.em.m_step = MStep::Gradient { rate: 1.0 };
            monotone(&params.fit(data.view(), &lengths).unwrap().trace, 1e-9);
        }
    }
}

#[test]
fn batch_em_is_monotone_for_vectors() {
    for seed in 0..300 {
        let mut rng = Pcg64::seed_from_u64(seed);
        let lengths: Vec<usize> = (0..4).map(|_| rng.random_range(2..20)).collect();
        let steps = lengths.iter().sum();
        let mut data = normal(steps, 2, &mut rng);
        for mut row in data.rows_mut() {
            row += [0.0, 3.0, 50.0][rng.random_range(0..3)];
        }
        let kinds = [
            Covariance::Full,
            Covariance::Diagonal,
            Covariance::Tied,
            Covariance::Spherical,
        ];
        let params = GaussianHmmParams {
            states: rng.random_range(1..4),
            covariance: kinds[rng.random_range(0..4)],
            seed,
            em: sweeps(15),
            ..Default::default()
        };
        let fit = params.fit(data.view(), &lengths).unwrap();
        monotone(&fit.trace, 1e-8);
        let sequences = Sequences::gaussian(data.view(), &lengths, None, 0).unwrap();
        let score = fit.model.score(&sequences).unwrap();
        assert!((score - fit.objective).abs() < 1e-10 * score.abs());
    }
}

#[test]
fn gradients_agree_with_finite_differences() {
    for seed in 0..20 {
        let mut rng = Pcg64::seed_from_u64(seed);
        let data = normal(30, 2, &mut rng);
        let params = GaussianHmmParams {
            states: 2,
            variance_floor: 1e-9,
            em: Em {
                sweeps: 2,
                ..Em::default()
            },
            ..Default::default()
        };
        let model = params.fit(data.view(), &[10, 20]).unwrap().model;
        let other = &data * 1.2 + 0.3;
        check_gradient(
            &model,
            &Sequences::gaussian(other.view(), &[15, 15], None, 0).unwrap(),
        );
        let symbols: Array1<usize> = (0..30).map(|_| rng.random_range(0..3)).collect();
        let params = CategoricalHmmParams {
            states: 3,
            symbols: 3,
            em: Em {
                sweeps: 1,
                ..Em::default()
            },
            ..Default::default()
        };
        let model = params.fit(symbols.view(), &[12, 18]).unwrap().model;
        check_gradient(
            &model,
            &Sequences::categorical(symbols.view(), &[30], None, 0).unwrap(),
        );
    }
}

#[test]
fn parameters_are_recovered_up_to_a_permutation() {
    let mut covariances = Array3::zeros((2, 1, 1));
    covariances.fill(1.0);
    let emission = GaussianEmission::new(
        array![[0.0], [4.0]],
        Covariances::Full(covariances),
        array![1e-6],
    )
    .unwrap();
    let truth = Hmm::new(array![0.5, 0.5], array![[0.95, 0.05], [0.2, 0.8]], emission).unwrap();
    let (data, states) = truth.sample(20_000, 7);
    let fit = GaussianHmmParams::default()
        .fit(data.view(), &[20_000])
        .unwrap();
    let swap = fit.model.emission().means()[[0, 0]] > 2.0;
    let at = |k: usize| if swap { 1 - k } else { k };
    for i in 0..2 {
        assert!((fit.model.emission().means()[[at(i), 0]] - 4.0 * i as f64).abs() < 0.1);
        for j in 0..2 {
            let found = fit.model.transitions()[[at(i), at(j)]];
            assert!(
                (found - truth.transitions()[[i, j]]).abs() < 0.02,
                "{found}"
            );
        }
    }
    let sequences = Sequences::gaussian(data.view(), &[20_000], None, 0).unwrap();
    let path = fit.model.predict(&sequences).unwrap();
    let right = path
        .iter()
        .zip(&states)
        .filter(|(p, s)| **p == at(**s))
        .count();
    assert!(right > 19_500, "{right}");
}

#[test]
fn symbols_are_sampled_from_the_model() {
    let emission = Categorical::new(array![[1.0, 0.0], [0.0, 1.0]]).unwrap();
    let model = Hmm::new(array![1.0, 0.0], array![[0.0, 1.0], [1.0, 0.0]], emission).unwrap();
    let (symbols, states) = model.sample(5, 1);
    assert_eq!(symbols, array![0, 1, 0, 1, 0]);
    assert_eq!(states, symbols);
}

#[test]
fn save_and_load_gives_the_model_back_and_refuses_another() {
    let emission = Categorical::new(array![[0.25, 0.75], [0.5, 0.5]]).unwrap();
    let model = Hmm::new(array![0.5, 0.5], array![[0.1, 0.9], [0.3, 0.7]], emission).unwrap();
    check_saved(&model, &[("0.25", "0.35"), ("0.9", "0.8")]);
    let data = Array2::from_shape_fn((20, 2), |(i, j)| ((i * 7 + j * 5) % 11) as f64);
    let fit = GaussianHmmParams::default().fit(data.view(), &[20]);
    check_saved(&fit.unwrap().model, &[]);
}

#[test]
fn bad_input_is_a_sentence() {
    let data = array![0usize, 1, 2, 1];
    let fit = |states, symbols, lengths: &[usize]| {
        let params = CategoricalHmmParams {
            states,
            symbols,
            ..Default::default()
        };
        params.fit(data.view(), lengths)
    };
    assert!(fit(2, 3, &[4]).is_ok());
    let steps = "the number of steps in all sequences must be 4";
    refused(fit(2, 3, &[3]), steps);
    refused(fit(2, 3, &[usize::MAX, 5]), steps);
    refused(fit(2, 3, &[]), steps);
    refused(fit(2, 3, &[4, 0]), "the length of a sequence must be");
    refused(fit(2, 2, &[4]), "a symbol must be below the number");
    refused(fit(0, 3, &[4]), "the number of states must be at least 1");
    let emission = Categorical::new(array![[0.5, 0.5], [0.5, 0.5]]).unwrap();
    assert_eq!(emission.states(), 2);
    let model = |start, states| Hmm::new(start, Array2::eye(states), emission.clone());
    refused(model(array![0.5, 0.6], 2), "probabilities that sum to 1");
    refused(model(array![0.5, 0.5], 3), "the rows of the transitions");
    let model = model(array![0.5, 0.5], 2).unwrap();
    let sequences = Sequences::categorical(data.view(), &[4], None, 0).unwrap();
    refused(model.score(&sequences), "a symbol must be below");
    refused(model.predict(&sequences), "a symbol must be below");
}
