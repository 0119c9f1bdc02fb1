//! Laws of mean field with continuous latents, and of the calculus of variations.

mod common;

use common::{check_saved, ln_gaussian, monotone, normal, refused};
use forney_latent::continuous::{FixedPoint, LinearGaussian, LinearGaussianParams, Term};
use forney_latent::variations::{Functional, Grid, MaximumEntropy, entropy, numerical_derivative};
use ndarray::{Array1, Array2, ArrayView1};
use proptest::prelude::*;
use rand::SeedableRng;
use rand_pcg::Pcg64;

/// A model with a correlated prior.
fn random_model(dimension: usize, units: usize, rng: &mut Pcg64) -> LinearGaussian {
    let root = normal(units, units, rng) * 0.4;
    LinearGaussian {
        prior_mean: normal(1, units, rng).row(0).to_owned(),
        prior_precision: root.dot(&root.t()) + Array2::<f64>::eye(units),
        weights: normal(dimension, units, rng),
        bias: normal(1, dimension, rng).row(0).to_owned(),
        noise_precision: normal(1, dimension, rng).row(0).mapv(f64::exp),
    }
}

/// `ln N(v; b + W m, W P⁻¹ Wᵀ + diag 1/β)`: the visible units with the latents integrated out.
fn marginal(model: &LinearGaussian, v: ArrayView1<'_, f64>) -> f64 {
    let (w, p) = (&model.weights, &model.prior_precision);
    let inverse = nalgebra::DMatrix::from_fn(p.nrows(), p.ncols(), |i, j| p[[i, j]]);
    let inverse = inverse.try_inverse().unwrap();
    let inverse = Array2::from_shape_fn(p.dim(), |(i, j)| inverse[(i, j)]);
    let noise = Array2::from_diag(&model.noise_precision.mapv(f64::recip));
    let error = &v - &model.bias - w.dot(&model.prior_mean);
    ln_gaussian(error.view(), &(w.dot(&inverse).dot(&w.t()) + noise))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn mean_field_bounds_the_exact_likelihood_and_has_the_exact_mean(
        dimension in 1_usize..6,
        units in 1_usize..6,
        seed: u64,
    ) {
        let mut rng = Pcg64::seed_from_u64(seed);
        let model = random_model(dimension, units, &mut rng);
        let data = normal(2, dimension, &mut rng) * 3.0;
        let exact = model.posterior(data.view()).unwrap();
        for (n, v) in data.rows().into_iter().enumerate() {
            let ln_p = marginal(&model, v);
            prop_assert!((exact.ln_likelihood[n] - ln_p).abs() <= 1e-8 * (1.0 + ln_p.abs()));
        }
        let mut last = Array1::from_elem(2, f64::NEG_INFINITY);
        for cycles in [0, 1, 2, 10, 100_000] {
            let q = model.mean_field(data.view(), 1e-13, cycles).unwrap();
            for n in 0..2 {
                let slack = 1e-9 * (1.0 + q.elbo[n].abs());
                prop_assert!(q.elbo[n] <= exact.ln_likelihood[n] + slack);
                prop_assert!(q.elbo[n] >= last[n] - slack);
            }
            last = q.elbo.clone();
            if cycles == 100_000 {
                let difference = &q.means - &exact.means;
                prop_assert!(difference.iter().all(|d| d.abs() < 1e-6));
                // The gap is the KL divergence of two Gaussians with one mean.
                if units == 1 {
                    prop_assert!((&q.elbo - &exact.ln_likelihood).iter().all(|d| d.abs() < 1e-8));
                }
            }
        }
    }

    #[test]
    fn maximum_entropy_under_two_moments_is_gaussian(mu in -2.0_f64..2.0, sigma in 0.3_f64..2.0) {
        let grid = Grid::new(-25.0, 25.0, 801).unwrap();
        let solution = MaximumEntropy::new(grid)
            .moment(|x| x, mu)
            .moment(|x| x * x, mu * mu + sigma * sigma)
            .solve()
            .unwrap();
        let exact = 0.5 * (2.0 * std::f64::consts::PI * std::f64::consts::E).ln() + sigma.ln();
        prop_assert!((solution.entropy - exact).abs() < 1e-9, "{} {exact}", solution.entropy);
        // p ∝ exp(μ x/σ² − x²/2σ²)
        let variance = sigma * sigma;
        prop_assert!((solution.multipliers[1] - mu / variance).abs() < 1e-7 / variance);
        prop_assert!((solution.multipliers[2] + 0.5 / variance).abs() < 1e-7 / variance);
    }
}

#[test]
fn other_moments_give_other_densities() {
    // E|x| alone: the Laplace density. Nothing: the uniform one.
    let grid = Grid::new(-40.0, 40.0, 8001).unwrap();
    let solution = MaximumEntropy::new(grid.clone())
        .moment(f64::abs, 1.0)
        .solve()
        .unwrap();
    assert!((solution.entropy - (1.0 + 2.0_f64.ln())).abs() < 1e-3);
    let uniform = MaximumEntropy::new(grid.clone()).solve().unwrap();
    assert!((uniform.entropy - 80.0_f64.ln()).abs() < 1e-12);
    // A mean outside of the grid, and the same moment twice.
    let outside = MaximumEntropy::new(grid.clone())
        .moment(|x| x, 50.0)
        .solve();
    assert!(outside.is_err());
    let twice = MaximumEntropy::new(grid)
        .moment(|x| x, 0.5)
        .moment(|x| x, 0.5)
        .solve();
    refused(twice, "is not positive definite");
}

#[test]
fn the_derivative_of_the_entropy_is_right() {
    let grid = Grid::new(-5.0, 5.0, 201).unwrap();
    let p = grid.sample(|x| (-0.5 * x * x).exp() / (2.0 * std::f64::consts::PI).sqrt());
    let derivative = entropy().derivative(&grid, &p).unwrap();
    let numerical = numerical_derivative(&entropy(), &grid, &p, 1e-3).unwrap();
    assert!((derivative - numerical).iter().all(|d| d.abs() < 1e-5));
}

#[test]
fn the_fixed_point_of_a_density_that_is_not_gaussian_climbs_and_bounds() {
    // Two modes for h_0, and a coupling that is not quadratic.
    let terms = vec![
        Term::new(&[0], |h| -(h[0] * h[0] - 1.0).powi(2)),
        Term::new(&[1], |h| -0.5 * h[0] * h[0]),
        Term::new(&[1, 0], |h| (h[0] * h[1]).sin()),
    ];
    let grid = Grid::new(-6.0, 6.0, 201).unwrap();
    let run = FixedPoint::new(vec![grid.clone(), grid.clone()], terms)
        .unwrap()
        .run(1e-10, 200)
        .unwrap();
    assert!(run.converged);
    monotone(&run.trace, 1e-12);
    let mut z = 0.0;
    for (x, wx) in grid.points().iter().zip(grid.weights()) {
        for (y, wy) in grid.points().iter().zip(grid.weights()) {
            z += wx * wy * (-(x * x - 1.0).powi(2) - 0.5 * y * y + (x * y).sin()).exp();
        }
    }
    let bound = run.trace[run.trace.len() - 1];
    assert!(
        bound <= z.ln() + 1e-12 && bound > z.ln() - 0.5,
        "{bound} {}",
        z.ln()
    );
    let unknown = FixedPoint::new(vec![grid], vec![Term::new(&[1], |_| 0.0)]);
    assert!(unknown.is_err());
}

#[test]
fn factor_analysis_turns_its_factors_until_mean_field_is_exact() {
    let mut rng = Pcg64::seed_from_u64(4);
    let truth =
        LinearGaussian::standard(normal(8, 2, &mut rng), Array1::from_elem(8, 4.0)).unwrap();
    let data = normal(600, 2, &mut rng).dot(&truth.weights.t()) + normal(600, 8, &mut rng) * 0.5;
    let params = LinearGaussianParams {
        iterations: 20_000,
        tolerance: 1e-12,
        ..LinearGaussianParams::new(2)
    };
    let fit = params.fit(data.view()).unwrap();
    monotone(&fit.trace, 1e-9);
    let exact = |model: &LinearGaussian| {
        model
            .posterior(data.view())
            .unwrap()
            .ln_likelihood
            .mean()
            .unwrap()
    };
    let bound = fit.objective;
    assert!(
        exact(&fit.model) - bound < 1e-3,
        "{} {bound}",
        exact(&fit.model)
    );
    assert!(exact(&fit.model) > exact(&truth));
    let noise: f64 = fit.model.noise_precision.mean().unwrap();
    assert!((noise - 4.0).abs() < 0.5, "{noise}");
}

#[test]
fn hostile_input_is_refused() {
    let model = LinearGaussian::standard(Array2::ones((2, 2)), Array1::ones(2)).unwrap();
    let nan = Array2::from_elem((1, 2), f64::NAN);
    refused(model.posterior(nan.view()), "the data has the value NaN");
    let wide = Array2::ones((1, 3));
    let found = model.mean_field(wide.view(), 0.0, 1);
    refused(found, "the number of columns must be 2, but is 3");
    let indefinite = LinearGaussian {
        prior_precision: -Array2::<f64>::eye(2),
        ..model
    };
    let data = Array2::ones((1, 2));
    refused(indefinite.posterior(data.view()), "not positive definite");
    assert!(Grid::new(1.0, 1.0, 5).is_err() && Grid::new(0.0, f64::NAN, 5).is_err());
}

#[test]
fn grids_that_are_none_and_bounds_that_overflow_are_refused() {
    let grid = Grid::new(-1.0, 3.0, 5).unwrap();
    check_saved(
        &grid,
        &[("3.0]", "4.0]"), ("[0.5", "[-0.5"), ("3.0]", "3.0,4.0]")],
    );
    let model = LinearGaussian::standard(Array2::ones((2, 1)), Array1::ones(2)).unwrap();
    let far = Array2::from_elem((1, 2), 1e200);
    assert!(model.posterior(far.view()).is_err());
    assert!(model.mean_field(far.view(), 0.0, 2).is_err());
    // No cycles are no false bound.
    let near = Array2::from_elem((1, 2), 1.0);
    let exact = model.posterior(near.view()).unwrap().ln_likelihood[0];
    for cycles in [0, 1, 2, 200] {
        for tolerance in [0.0, 0.5, f64::INFINITY] {
            let found = model.mean_field(near.view(), tolerance, cycles).unwrap();
            assert!(found.elbo[0] <= exact + 1e-9);
        }
    }
}
