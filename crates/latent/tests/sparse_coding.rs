//! Laws of sparse coding: optimality of every code, monotone learning, a bound that bounds.

mod common;

use common::{normal, refused};
use forney_latent::sparse_coding::{
    CodeNoise, Codes, Encoder, Encoding, Inference, Penalty, Sign, Solver, SparseCoding,
    SparseCodingParams, Turns, Update, lasso_path,
};
use ndarray::{Array1, Array2, array};
use proptest::prelude::*;
use rand::{RngExt, SeedableRng};
use rand_distr::StandardNormal;
use rand_pcg::Pcg64;

const SOLVERS: [Solver; 5] = [
    Solver::FeatureSign { activations: 1 },
    Solver::FeatureSign { activations: 8 },
    Solver::CoordinateDescent,
    Solver::Fista,
    Solver::Lars,
];

/// A dictionary of unit atoms.
fn unit_atoms(dimension: usize, atoms: usize, rng: &mut Pcg64) -> Array2<f64> {
    let mut dictionary = normal(dimension, atoms, rng);
    for mut atom in dictionary.columns_mut() {
        let norm = atom.dot(&atom).sqrt();
        atom /= norm;
    }
    dictionary
}

/// One that has sometimes with a repeated, an opposite and a zero atom.
fn dictionary(dimension: usize, atoms: usize, rng: &mut Pcg64) -> Array2<f64> {
    let mut dictionary = unit_atoms(dimension, atoms, rng);
    if atoms > 3 && rng.random_bool(0.5) {
        let first = dictionary.column(0).to_owned();
        dictionary.column_mut(1).assign(&first);
        dictionary.column_mut(2).assign(&-&first);
        dictionary.column_mut(3).fill(0.0);
    }
    dictionary
}

/// Every code satisfies the optimality conditions, to the accuracy that its gap claims.
fn assert_optimal(
    dictionary: &Array2<f64>,
    data: &Array2<f64>,
    lambda: f64,
    sign: Sign,
    encoding: &Encoding,
    tolerance: f64,
) {
    let codes = encoding.codes.to_dense();
    let residual = data - &codes.dot(&dictionary.t());
    let r = residual.dot(dictionary);
    for n in 0..data.nrows() {
        assert!(encoding.gaps[n] <= 1e-12, "gap {:e}", encoding.gaps[n]);
        for k in 0..dictionary.ncols() {
            let (h, r) = (codes[[n, k]], r[[n, k]]);
            let pull = if sign == Sign::Any { r.abs() } else { r };
            assert!(pull <= lambda + tolerance, "atom {k}: |{r}| > {lambda}");
            if h.abs() > tolerance {
                assert!(
                    (r - lambda * h.signum()).abs() <= tolerance,
                    "atom {k}: {r}, {h}"
                );
            }
            assert!(sign == Sign::Any || h >= 0.0);
        }
        let objective = 0.5 * residual.row(n).dot(&residual.row(n))
            + lambda * codes.row(n).iter().map(|h| h.abs()).sum::<f64>();
        assert!((objective - encoding.objectives[n]).abs() <= 1e-12 * (1.0 + objective));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn every_solver_satisfies_the_optimality_conditions(
        dimension in 1_usize..8,
        atoms in 1_usize..16,
        lambda in 0.02_f64..1.5,
        non_negative: bool,
        solver in 0_usize..5,
        seed: u64,
    ) {
        let mut rng = Pcg64::seed_from_u64(seed);
        let dictionary = dictionary(dimension, atoms, &mut rng);
        let data = normal(3, dimension, &mut rng);
        let sign = if non_negative { Sign::NonNegative } else { Sign::Any };
        let inference = Inference { solver: SOLVERS[solver], sign, ..Inference::default() };
        let encoder = Encoder::new(dictionary.view(), lambda, &inference).unwrap();
        let cold = encoder.encode(data.view(), None).unwrap();
        assert_optimal(&dictionary, &data, lambda, sign, &cold, 1e-5);

        // From the codes of other data the same optimum is reached.
        let other = encoder.encode(normal(3, dimension, &mut rng).view(), None).unwrap();
        let warm = encoder.encode(data.view(), Some(&other.codes)).unwrap();
        assert_optimal(&dictionary, &data, lambda, sign, &warm, 1e-5);
        for (a, b) in cold.objectives.iter().zip(&warm.objectives) {
            prop_assert!((a - b).abs() <= 1e-11 * (1.0 + a));
        }
    }

    #[test]
    fn the_path_meets_the_solution_at_every_knot(
        dimension in 1_usize..8,
        atoms in 1_usize..12,
        non_negative: bool,
        seed: u64,
    ) {
        let mut rng = Pcg64::seed_from_u64(seed);
        let mut dictionary = normal(dimension, atoms, &mut rng);
        dictionary /= 2.0;
        let data = normal(1, dimension, &mut rng);
        let sign = if non_negative { Sign::NonNegative } else { Sign::Any };
        let path = lasso_path(dictionary.view(), data.row(0), 0.05, sign).unwrap();
        prop_assert!(path.windows(2).all(|knots| knots[0].lambda >= knots[1].lambda));
        for knot in path {
            let inference = Inference { sign, ..Inference::default() };
            let encoder = Encoder::new(dictionary.view(), knot.lambda, &inference).unwrap();
            let best = encoder.encode(data.view(), None).unwrap().objectives[0];
            let mut residual = data.row(0).to_owned();
            for (&k, &h) in knot.indices.iter().zip(&knot.values) {
                residual.scaled_add(-h, &dictionary.column(k));
            }
            let norm1: f64 = knot.values.iter().map(|h| h.abs()).sum();
            let value = 0.5 * residual.dot(&residual) + knot.lambda * norm1;
            prop_assert!((value - best).abs() <= 1e-9 * (1.0 + best), "{value} {best}");
        }
    }

    #[test]
    fn noise_around_the_code_gives_a_lower_bound(
        weight in 0.3_f64..2.0,
        lambda in 0.5_f64..4.0,
        beta in 0.2_f64..4.0,
        v in -5.0_f64..5.0,
    ) {
        let model = SparseCoding {
            dictionary: array![[weight]],
            bias: array![0.5],
            lambda,
            beta,
            inference: Inference::default(),
        };
        let data = array![[v]];
        let codes = model.transform(data.view()).unwrap().codes;
        let step = 6e-3;
        let joint = (-10_000..10_000).map(|i| {
            let h = (f64::from(i) + 0.5) * step;
            let error = v - 0.5 - weight * h;
            (-lambda * h.abs() - 0.5 * beta * error * error).exp() * step
        });
        let ln_p = (joint.sum::<f64>() * 0.5 * lambda).ln()
            + 0.5 * (beta / (2.0 * std::f64::consts::PI)).ln();
        for noise in [CodeNoise::Gaussian, CodeNoise::Laplace] {
            let bound = model.elbo(data.view(), &codes, noise).unwrap()[0];
            prop_assert!(bound <= ln_p + 1e-4, "{bound} {ln_p}");
            prop_assert!(bound > ln_p - 3.0, "{bound} {ln_p}");
        }
    }
}

/// Sparse combinations of the atoms of a dictionary, and that dictionary.
fn combinations(examples: usize, seed: u64) -> (Array2<f64>, Array2<f64>) {
    let mut rng = Pcg64::seed_from_u64(seed);
    let atoms = unit_atoms(10, 12, &mut rng);
    let codes = Array2::from_shape_simple_fn((examples, 12), || {
        if rng.random_bool(0.15) {
            rng.sample::<f64, _>(StandardNormal) * 3.0
        } else {
            0.0
        }
    });
    let noise = normal(examples, 10, &mut rng) * 0.02;
    (codes.dot(&atoms.t()) + noise, atoms)
}

fn params() -> SparseCodingParams {
    SparseCodingParams {
        lambda: 0.1,
        seed: 3,
        ..SparseCodingParams::new(12)
    }
}

/// The least over the true atoms of the best `|cos|` with a learned atom.
fn recovery(truth: &Array2<f64>, learned: &Array2<f64>) -> f64 {
    let products = truth.t().dot(learned);
    let norms = learned.columns().into_iter().map(|w| w.dot(&w).sqrt());
    let norms: Array1<f64> = norms.collect();
    let cosines = products / norms;
    let best = cosines
        .rows()
        .into_iter()
        .map(|row| row.iter().fold(0.0, |m: f64, c| m.max(c.abs())));
    best.fold(1.0, f64::min)
}

#[test]
fn every_schedule_recovers_the_dictionary() {
    let (data, truth) = combinations(2000, 1);
    for (schedule, update, passes) in [
        (Turns::Batch, Update::LagrangeDual, 100),
        (
            Turns::Batch,
            Update::BlockCoordinateDescent { sweeps: 5 },
            100,
        ),
        (
            Turns::Incremental { batch: 100 },
            Update::BlockCoordinateDescent { sweeps: 2 },
            60,
        ),
        (
            Turns::Online {
                batch: 100,
                forgetting: 20.0,
            },
            Update::BlockCoordinateDescent { sweeps: 2 },
            30,
        ),
    ] {
        let params = SparseCodingParams {
            schedule,
            update,
            passes,
            tolerance: 1e-6,
            ..params()
        };
        let fit = params.fit(data.view()).unwrap();
        let worst = recovery(&truth, &fit.model.dictionary);
        assert!(worst > 0.98, "{schedule:?}: {worst}");
    }
}

#[test]
fn batch_learning_never_raises_the_objective() {
    let (data, _) = combinations(300, 2);
    for penalty in [
        Penalty::MaxNorm { norm: 1.0 },
        Penalty::WeightDecay { decay: 0.01 },
    ] {
        for update in [
            Update::LagrangeDual,
            Update::BlockCoordinateDescent { sweeps: 1 },
        ] {
            for (learn_bias, sign) in [(true, Sign::Any), (false, Sign::NonNegative)] {
                let params = SparseCodingParams {
                    schedule: Turns::Batch,
                    penalty,
                    update,
                    learn_bias,
                    tolerance: 0.0,
                    beta: 2.0,
                    inference: Inference {
                        sign,
                        ..Inference::default()
                    },
                    ..params()
                };
                let fit = params.fit(data.view()).unwrap();
                for pair in fit.trace.windows(2) {
                    assert!(pair[1] <= pair[0] * (1.0 + 1e-10), "{:?}", fit.trace);
                }
                assert!(fit.trace[fit.trace.len() - 1] < 0.95 * fit.trace[0]);
            }
        }
    }
}

#[test]
fn the_lagrange_dual_meets_converged_coordinate_descent() {
    let (data, _) = combinations(300, 4);
    let dictionary = |update, passes| {
        let params = SparseCodingParams {
            schedule: Turns::Batch,
            update,
            passes,
            ..params()
        };
        params.fit(data.view()).unwrap().model.dictionary
    };
    let dual = dictionary(Update::LagrangeDual, 1);
    let descent = dictionary(Update::BlockCoordinateDescent { sweeps: 3000 }, 1);
    let distance = (&dual - &descent)
        .iter()
        .fold(0.0, |m: f64, d| m.max(d.abs()));
    assert!(distance < 1e-6, "{distance}");
    assert!(dual.columns().into_iter().all(|w| w.dot(&w) <= 1.0 + 1e-12));
}

#[test]
fn a_learned_bias_is_the_mean_of_what_the_codes_leave() {
    let (mut data, _) = combinations(500, 5);
    data += 4.0;
    let params = SparseCodingParams {
        schedule: Turns::Batch,
        learn_bias: true,
        passes: 10,
        ..params()
    };
    let fit = params.fit(data.view()).unwrap();
    assert!(
        fit.model.bias.iter().all(|b| (b - 4.0).abs() < 0.5),
        "{}",
        fit.model.bias
    );
}

#[test]
fn hostile_input_is_refused() {
    let (data, _) = combinations(20, 9);
    for lambda in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        let params = SparseCodingParams { lambda, ..params() };
        refused(params.fit(data.view()), "the rate λ must be");
    }
    let none = SparseCodingParams::new(0);
    refused(none.fit(data.view()), "the number of atoms must be");
    let encoder = Encoder::new(Array2::eye(9).view(), 1.0, &Inference::default()).unwrap();
    let found = encoder.encode(data.view(), None);
    refused(found, "the number of columns must be 9, but is 10");
    let warm = Some(Codes::new(9));
    let found = encoder.encode(Array2::ones((2, 9)).view(), warm.as_ref());
    refused(found, "the number of codes to start from must be 2");
    // All zeros, no columns: nothing to encode, and nothing breaks.
    for shape in [(5, 3), (5, 0)] {
        let fit = SparseCodingParams::new(2).fit(Array2::zeros(shape).view());
        assert_eq!(fit.unwrap().trace.last(), Some(&0.0));
    }
}
