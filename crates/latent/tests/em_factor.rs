//! Laws of factor analysis and probabilistic PCA.

mod common;

use common::{
    check_fit, check_gradient, check_saved, ln_gaussian, monotone, normal, refused, statistics,
    sweeps,
};
use forney_latent::LatentError;
use forney_latent::em::{
    Em, FactorAnalysis, FactorAnalysisParams, LatentModel, MStep, Noise, Variant,
};
use forney_latent::learn::Fit;
use ndarray::{Array1, Array2, array};
use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64;

fn random_data(rng: &mut Pcg64) -> Array2<f64> {
    let (n, columns) = (rng.random_range(3..40), rng.random_range(1..6));
    let scale = 10f64.powi(rng.random_range(-3..4));
    let mut data = normal(n, columns, rng);
    if columns > 2 {
        // An exact copy is a Heywood case.
        let copy = &data.column(0) * 2.0;
        data.column_mut(1).assign(&copy);
    }
    (data + 5.0) * scale
}

fn random_params(rng: &mut Pcg64, columns: usize) -> FactorAnalysisParams {
    FactorAnalysisParams {
        factors: rng.random_range(1..=columns),
        noise: [Noise::Diagonal, Noise::Isotropic][rng.random_range(0..2)],
        seed: rng.random(),
        em: sweeps(30),
        ..Default::default()
    }
}

fn data() -> Array2<f64> {
    Array2::from_shape_fn((10, 3), |(i, j)| ((i * 7 + j * 5) % 11) as f64)
}

fn params(factors: usize) -> FactorAnalysisParams {
    FactorAnalysisParams {
        factors,
        ..Default::default()
    }
}

fn learned(factors: usize) -> Result<Fit<FactorAnalysis>, LatentError> {
    params(factors).fit(data().view())
}

#[test]
fn batch_em_is_monotone_and_its_value_is_the_marginal_likelihood() {
    for seed in 0..1000 {
        let mut rng = Pcg64::seed_from_u64(seed);
        let data = random_data(&mut rng);
        let params = random_params(&mut rng, data.ncols());
        let fit = params.fit(data.view()).unwrap();
        monotone(&fit.trace, 1e-8);
        check_fit(&fit);
        let scores = fit.model.score_examples(data.view()).unwrap();
        let (mean, covariance) = (fit.model.mean(), fit.model.covariance());
        let rows = data.rows().into_iter();
        let direct = rows.map(|row| ln_gaussian((&row - mean).view(), &covariance));
        let direct: Array1<f64> = direct.collect();
        for (score, direct) in scores.iter().zip(&direct) {
            assert!(
                (score - direct).abs() <= 1e-6 * direct.abs().max(1.0),
                "{score} {direct}"
            );
        }
        let mean = direct.mean().unwrap();
        assert!((fit.objective - mean).abs() <= 1e-6 * mean.abs().max(1.0));
    }
}

#[test]
fn other_variants_and_gradient_steps_are_monotone() {
    for seed in 0..200 {
        let mut rng = Pcg64::seed_from_u64(seed);
        let data = random_data(&mut rng);
        let mut params = random_params(&mut rng, data.ncols());
        params.em.variant = Variant::Incremental {
            examples: rng.random_range(1..10),
        };
        let fit = params.fit(data.view()).unwrap();
        monotone(&fit.trace, 1e-7);
        let score = fit.model.score(data.view()).unwrap();
        assert!(fit.objective <= score + 1e-7 * score.abs().max(1.0));
        params.em.variant = Variant::Batch;
        params.em.m_step = MStep::Gradient { rate: 0.3 };
        monotone(&params.fit(data.view()).unwrap().trace, 1e-8);
    }
}

#[test]
fn gradients_agree_with_finite_differences() {
    for seed in 0..60 {
        let mut rng = Pcg64::seed_from_u64(seed);
        let data = normal(40, 4, &mut rng);
        let mut params = random_params(&mut rng, 4);
        params.em.sweeps = 2;
        params.noise_floor = 1e-9;
        let other = normal(40, 4, &mut rng);
        let model = params.fit(data.view()).unwrap().model;
        check_gradient(&model, &common::scatter(&other));
    }
}

#[test]
fn the_entropy_of_the_posterior_is_that_of_a_gaussian() {
    let model = learned(2).unwrap().model;
    let scatter = common::scatter(&data());
    let (value, moments) = statistics(&model, &scatter);
    let entropy = value - model.expected_ln_joint(&moments);
    let w = model.loadings();
    let precision = Array2::<f64>::eye(2)
        + w.t()
            .dot(&(w / &model.noise().view().insert_axis(ndarray::Axis(1))));
    let det = precision[[0, 0]] * precision[[1, 1]] - precision[[0, 1]] * precision[[1, 0]];
    let gaussian =
        10.0 * ((2.0 * std::f64::consts::PI * std::f64::consts::E).ln() - 0.5 * det.ln());
    assert!((entropy - gaussian).abs() < 1e-8, "{entropy} {gaussian}");
}

#[test]
fn em_reaches_the_closed_form_of_probabilistic_pca() {
    for seed in 0..20 {
        let mut rng = Pcg64::seed_from_u64(seed);
        let mix = normal(5, 5, &mut rng);
        let data = normal(200, 5, &mut rng).dot(&mix);
        let params = FactorAnalysisParams {
            factors: 2,
            noise: Noise::Isotropic,
            em: Em {
                tolerance: 1e-13,
                sweeps: 20_000,
                ..Em::default()
            },
            ..Default::default()
        };
        let closed = params.principal_components(data.view()).unwrap();
        let best = closed.score(data.view()).unwrap();
        let fit = params.fit(data.view()).unwrap();
        assert!(fit.objective <= best + 1e-10);
        assert!(best - fit.objective < 1e-6, "{best} {}", fit.objective);
        let apart = fit.model.covariance() - closed.covariance();
        assert!(apart.iter().all(|x| x.abs() < 1e-2), "{apart}");
    }
}

#[test]
fn parameters_are_recovered_up_to_a_rotation() {
    let loadings = array![
        [1.0, 0.0],
        [2.0, -1.0],
        [0.0, 1.5],
        [-1.0, 0.5],
        [0.3, 0.3],
        [0.0, 2.0]
    ];
    let noise = array![0.5, 0.2, 1.0, 0.1, 0.3, 0.8];
    let mean = array![3.0, -1.0, 0.0, 2.0, 5.0, -4.0];
    let floor = Array1::from_elem(6, 1e-6);
    let truth = FactorAnalysis::new(mean, loadings, noise, Noise::Diagonal, floor).unwrap();
    let (data, _) = truth.sample(50_000, 3);
    let fit = params(2).fit(data.view()).unwrap();
    assert!(fit.objective >= truth.score(data.view()).unwrap() - 1e-4);
    let square = |model: &FactorAnalysis| model.loadings().dot(&model.loadings().t());
    let apart = square(&fit.model) - square(&truth);
    assert!(apart.iter().all(|x| x.abs() < 0.1));
    for apart in [
        fit.model.noise() - truth.noise(),
        fit.model.mean() - truth.mean(),
    ] {
        assert!(apart.iter().all(|x| x.abs() < 0.05));
    }
}

#[test]
fn save_and_load_gives_the_model_back_and_refuses_another() {
    let model = learned(1).unwrap().model;
    check_saved(&model, &[("\"dim\":[3,1]", "\"dim\":[1,3]")]);
}

#[test]
fn bad_input_is_a_sentence() {
    for factors in [0, 4] {
        refused(learned(factors), "the number of factors must be from 1 to");
    }
    let found = params(3).principal_components(data().view());
    refused(found, "below the number of columns");
    let model = learned(3).unwrap().model;
    let found = model.transform(Array2::zeros((2, 2)).view());
    refused(found, "the columns of the data must be 3, but is 2");
}
