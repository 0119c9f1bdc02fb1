//! Laws of the Gaussian mixture.

mod common;

use common::{
    check_fit, check_gradient, check_saved, faithful, ln_gaussian, ln_sum, monotone, normal,
    refused, sweeps,
};
use forney_latent::em::{
    Covariance, Covariances, Em, EmLearner, GaussianMixture, GaussianMixtureParams, LatentModel,
    MStep, Rows, Variant,
};
use forney_latent::learn::Learner;
use ndarray::{Array1, Array2, Array3, ArrayView1, Axis, array};
use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64;

const KINDS: [Covariance; 4] = [
    Covariance::Full,
    Covariance::Diagonal,
    Covariance::Tied,
    Covariance::Spherical,
];

/// Data of mixed scales with clusters, repeated rows and outliers.
fn random_data(rng: &mut Pcg64) -> Array2<f64> {
    let (n, columns) = (rng.random_range(5..60), rng.random_range(1..5));
    let scale = 10f64.powi(rng.random_range(-3..4));
    let mut data = normal(n, columns, rng);
    for mut row in data.rows_mut() {
        row += [0.0, 0.0, 4.0, -300.0][rng.random_range(0..4)];
        row *= scale;
    }
    if rng.random::<bool>() {
        let first = data.row(0).to_owned();
        for mut row in data.rows_mut().into_iter().skip(1).step_by(3) {
            row.assign(&first);
        }
    }
    data
}

fn random_params(rng: &mut Pcg64, rows: usize) -> GaussianMixtureParams {
    GaussianMixtureParams {
        components: rng.random_range(1..=rows.min(4)),
        covariance: KINDS[rng.random_range(0..4)],
        seed: rng.random(),
        em: sweeps(15),
        ..Default::default()
    }
}

/// `ln p(v)` by a direct sum over the components.
fn ln_p(model: &GaussianMixture, row: ArrayView1<'_, f64>) -> f64 {
    let terms = model.weights().iter().enumerate().map(|(k, weight)| {
        let apart = &row - &model.means().row(k);
        let covariance = model.covariances().matrix(k, row.len());
        weight.ln() + ln_gaussian(apart.view(), &covariance)
    });
    ln_sum(&terms.collect::<Vec<_>>())
}

#[test]
fn batch_em_is_monotone_and_reports_the_value_of_its_model() {
    for seed in 0..1000 {
        let mut rng = Pcg64::seed_from_u64(seed);
        let data = random_data(&mut rng);
        let params = random_params(&mut rng, data.nrows());
        let fit = params.fit(data.view()).unwrap();
        monotone(&fit.trace, 1e-7);
        let score = fit.model.score(data.view()).unwrap();
        assert!((score - fit.objective).abs() <= 1e-12 * score.abs().max(1.0));
        let rows = data.rows().into_iter();
        let direct = rows.map(|row| ln_p(&fit.model, row)).sum::<f64>() / data.nrows() as f64;
        assert!(
            (score - direct).abs() <= 1e-7 * direct.abs().max(1.0),
            "{score} {direct}"
        );
    }
}

#[test]
fn gradients_agree_with_finite_differences() {
    for seed in 0..60 {
        let mut rng = Pcg64::seed_from_u64(seed);
        let data = normal(30, 3, &mut rng);
        let mut params = random_params(&mut rng, 30);
        params.variance_floor = 1e-9;
        params.em.sweeps = 2;
        let model = params.fit(data.view()).unwrap().model;
        let shifted = &data * 1.3 + 0.2;
        check_gradient(&model, &Rows::new(shifted.view(), None, 0).unwrap());
    }
}

#[test]
fn gradient_steps_and_incremental_em_are_monotone() {
    for seed in 0..300 {
        let mut rng = Pcg64::seed_from_u64(seed);
        let data = random_data(&mut rng);
        let mut params = random_params(&mut rng, data.nrows());
        params.em.m_step = MStep::Gradient { rate: 0.5 };
        monotone(&params.fit(data.view()).unwrap().trace, 1e-7);
        params.em.m_step = MStep::Full;
        params.em.variant = Variant::Incremental {
            examples: rng.random_range(1..20),
        };
        let fit = params.fit(data.view()).unwrap();
        monotone(&fit.trace, 1e-6);
        let score = fit.model.score(data.view()).unwrap();
        assert!(fit.objective <= score + 1e-6 * score.abs().max(1.0));
    }
}

#[test]
fn all_variants_reach_the_same_optimum() {
    let (data, _) = three_clusters().sample(2000, 5);
    let values: Vec<f64> = [
        Variant::Batch,
        Variant::Minibatch {
            examples: 100,
            decay: 0.7,
        },
        Variant::Incremental { examples: 100 },
    ]
    .map(|variant| {
        let params = GaussianMixtureParams {
            components: 3,
            em: Em {
                variant,
                tolerance: 1e-9,
                ..Em::default()
            },
            ..Default::default()
        };
        let fit = params.fit(data.view()).unwrap();
        check_fit(&fit);
        fit.model.score(data.view()).unwrap()
    })
    .to_vec();
    for value in &values {
        assert!((value - values[0]).abs() < 1e-5, "{values:?}");
    }
}

fn three_clusters() -> GaussianMixture {
    let mut covariances = Array3::zeros((3, 2, 2));
    for (mut to, from) in covariances.outer_iter_mut().zip([
        array![[1.0, 0.8], [0.8, 1.0]],
        array![[0.5, -0.2], [-0.2, 0.3]],
        array![[2.0, 0.0], [0.0, 0.1]],
    ]) {
        to.assign(&from);
    }
    GaussianMixture::new(
        array![0.5, 0.3, 0.2],
        array![[0.0, 0.0], [6.0, 1.0], [-2.0, 7.0]],
        Covariances::Full(covariances),
        array![1e-6, 1e-6],
    )
    .unwrap()
}

#[test]
fn parameters_are_recovered_up_to_a_permutation() {
    let truth = three_clusters();
    let (data, labels) = truth.sample(20_000, 1);
    let params = GaussianMixtureParams {
        components: 3,
        restarts: 3,
        ..Default::default()
    };
    let fit = params.fit(data.view()).unwrap();
    assert!(fit.objective >= truth.score(data.view()).unwrap());
    let mut found = vec![];
    for k in 0..3 {
        let mean = truth.means().row(k);
        let near = (0..3)
            .min_by(|&a, &b| {
                let distance = |j: usize| (&fit.model.means().row(j) - &mean).mapv(|x| x * x).sum();
                distance(a).total_cmp(&distance(b))
            })
            .unwrap();
        assert!(
            (&fit.model.means().row(near) - &mean)
                .iter()
                .all(|x| x.abs() < 0.1)
        );
        assert!((fit.model.weights()[near] - truth.weights()[k]).abs() < 0.02);
        let apart = fit.model.covariances().matrix(near, 2) - truth.covariances().matrix(k, 2);
        assert!(apart.iter().all(|x| x.abs() < 0.1), "{apart}");
        found.push(near);
    }
    let predicted = fit.model.predict(data.view()).unwrap();
    let right = predicted
        .iter()
        .zip(&labels)
        .filter(|(p, k)| **p == found[**k])
        .count();
    assert!(right > 19_500);
}

#[test]
fn old_faithful_reaches_the_known_maximum() {
    let data = faithful();
    // Two full components reach −1130.264 nats on the 272 eruptions (mclust, model VVV).
    let params = GaussianMixtureParams {
        restarts: 5,
        ..Default::default()
    };
    let fit = params.fit(data.view()).unwrap();
    assert!(
        (fit.objective * 272.0 + 1130.264).abs() < 2e-3,
        "{}",
        fit.objective * 272.0
    );
}

#[test]
fn responsibilities_are_distributions_and_agree_with_the_scores() {
    let (data, _) = three_clusters().sample(500, 2);
    let model = three_clusters();
    let responsibilities = model.transform(data.view()).unwrap();
    for sum in responsibilities.sum_axis(Axis(1)) {
        assert!((sum - 1.0).abs() < 1e-12);
    }
    let scores = model.score_examples(data.view()).unwrap();
    for (row, score) in data.rows().into_iter().zip(&scores) {
        assert!((score - ln_p(&model, row)).abs() < 1e-9);
    }
    assert!((scores.mean().unwrap() - model.score(data.view()).unwrap()).abs() < 1e-12);
}

#[test]
fn a_saved_model_is_a_checkpoint() {
    let data = faithful();
    let rows = Rows::new(data.view(), None, 0).unwrap();
    let start = GaussianMixtureParams::default()
        .start(data.view(), 0)
        .unwrap();
    let run = |model: GaussianMixture, count: usize| {
        let options = sweeps(count);
        let learner = EmLearner::from_model(model, rows.clone(), options, 0).unwrap();
        learner.fit().unwrap()
    };
    let text = serde_json::to_string(&run(start.clone(), 4).model).unwrap();
    let resumed = run(serde_json::from_str(&text).unwrap(), 3);
    assert_eq!(resumed.model, run(start, 7).model);
}

#[test]
fn save_and_load_gives_the_model_back_and_refuses_another() {
    let changes = [
        ("0.5,0.3,0.2", "0.5,0.3,0.3"),
        ("0.8", "1.8"),
        ("\"dim\":[3,2]", "\"dim\":[2,3]"),
    ];
    check_saved(&three_clusters(), &changes);
}

#[test]
fn bad_input_is_a_sentence() {
    let params = GaussianMixtureParams {
        components: 3,
        ..Default::default()
    };
    let good = Array2::from_shape_fn((4, 2), |(i, j)| (i * i + j) as f64);
    let few = good.slice(ndarray::s![..2, ..]);
    refused(params.fit(few), "2 examples are too few: 3 are needed");
    let narrow = Array2::zeros((2, 0));
    refused(params.fit(narrow.view()), "the number of columns must be");
    let huge = &good * 1e120;
    refused(params.fit(huge.view()), "the variance of each column must");
    let model = params.fit(good.view()).unwrap().model;
    let found = model.score(Array2::zeros((3, 5)).view());
    refused(found, "the columns of the data must be 2, but is 5");
    let changed = |change: fn(&mut GaussianMixtureParams)| {
        let mut changed = params.clone();
        change(&mut changed);
        changed.fit(good.view())
    };
    refused(changed(|p| p.components = 0), "the number of components");
    refused(changed(|p| p.variance_floor = f64::NAN), "variance floor");
    refused(changed(|p| p.restarts = 0), "restarts must be at least 1");
    refused(changed(|p| p.em.tolerance = f64::NAN), "tolerance must be");
    let empty = changed(|p| p.em.variant = Variant::Incremental { examples: 0 });
    refused(empty, "the batch size must be at least 1");
}

#[test]
fn far_examples_have_a_finite_score() {
    let model = three_clusters();
    let far = array![[1e300, -1e300], [f64::MAX, f64::MAX]];
    let scores = model.score_examples(far.view()).unwrap();
    assert!(
        scores.iter().all(|s| s.is_finite() && *s < -1e90),
        "{scores}"
    );
}

#[test]
fn an_empty_component_keeps_its_shape() {
    let start = GaussianMixture::new(
        array![0.5, 0.5],
        array![[0.0], [1e6]],
        Covariances::Spherical(array![1.0, 1e-3]),
        array![1e-6],
    )
    .unwrap();
    let data = Array2::from_shape_fn((20, 1), |(i, _)| i as f64 / 10.0);
    let rows = Rows::new(data.view(), None, 0).unwrap();
    let learner = EmLearner::from_model(start.clone(), rows, Em::default(), 0).unwrap();
    let fit = learner.fit().unwrap();
    assert_eq!(fit.model.weights(), &array![1.0, 0.0]);
    assert_eq!(fit.model.means().row(1), start.means().row(1));
    assert!(fit.objective.is_finite());
    let none: Array1<f64> = fit.model.parameters().into();
    assert!(none.iter().all(|x| !x.is_nan()));
}
