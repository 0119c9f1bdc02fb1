//! Whatever the options of inference, what it says of a code is true; what is no code is refused.

mod common;

use common::normal;
use forney_latent::sparse_coding::{CodeNoise, Codes, Encoder, Inference, Solver, SparseCoding};
use ndarray::{Array1, Array2, array};
use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64;

#[test]
fn codes_and_models_that_are_none_are_refused() {
    let read = |text: &str| serde_json::from_str::<Codes>(text);
    let sound = r#"{"atoms":2,"starts":[0,1,3],"indices":[1,0,1],"values":[0.5,1.0,-2.0]}"#;
    assert_eq!(read(sound).unwrap().len(), 2);
    for (from, to) in [
        ("[0,1,3]", "[]"),
        ("[0,1,3]", "[1,3]"),
        ("[0,1,3]", "[0,1]"),
        ("[0,1,3]", "[0,4,3]"),
        ("[0,1,3]", "[0,2,1,3]"),
        ("[1,0,1]", "[2,0,1]"),
        ("[1,0,1]", "[1,1,1]"),
        ("[1,0,1]", "[1,0]"),
        ("\"atoms\":2", "\"atoms\":0"),
    ] {
        assert!(read(&sound.replace(from, to)).is_err(), "{to}");
    }
    assert!(Codes::default().is_empty());

    let model = SparseCoding {
        dictionary: array![[1.0, 0.0], [0.0, 1.0], [0.5, 0.5]],
        bias: Array1::zeros(3),
        lambda: 1.0,
        beta: 1.0,
        inference: Inference::default(),
    };
    let codes = read(sound).unwrap();
    let data = Array2::zeros((2, 3));
    assert!(model.objective(data.view(), &codes).is_ok());
    for shape in [(2, 4), (3, 3)] {
        let other = Array2::zeros(shape);
        assert!(model.objective(other.view(), &codes).is_err());
    }
    let far = Array2::from_elem((2, 3), 1e200);
    assert!(model.objective(far.view(), &codes).is_err());
    assert!(model.elbo(far.view(), &codes, CodeNoise::Gaussian).is_err());
    // Nothing is proved of a code whose objective overflows.
    for solver in [
        Solver::FeatureSign { activations: 8 },
        Solver::CoordinateDescent,
        Solver::Fista,
        Solver::Lars,
    ] {
        let model = SparseCoding {
            inference: Inference {
                solver,
                ..Inference::default()
            },
            ..model.clone()
        };
        assert!(model.transform(far.view()).is_err(), "{solver:?}");
    }
    let narrow = SparseCoding {
        bias: Array1::zeros(2),
        ..model
    };
    assert!(narrow.reconstruct(&codes).is_err());
}

#[test]
fn no_option_of_inference_makes_a_false_gap() {
    let mut rng = Pcg64::seed_from_u64(9);
    for round in 0..1000 {
        let (dimension, atoms) = (1 + round % 5, 1 + round % 7);
        let dictionary = normal(dimension, atoms, &mut rng);
        let data = normal(2, dimension, &mut rng);
        let lambda = 0.05 + 0.3 * rng.random::<f64>();
        let best = Encoder::new(dictionary.view(), lambda, &Inference::default()).unwrap();
        let best = best.encode(data.view(), None).unwrap();
        for solver in [
            Solver::FeatureSign { activations: 0 },
            Solver::FeatureSign { activations: 8 },
            Solver::CoordinateDescent,
            Solver::Fista,
            Solver::Lars,
        ] {
            for max_steps in [0, 1, 2] {
                let hasty = Inference {
                    solver,
                    max_steps,
                    tolerance: if round % 2 == 0 { 1e-12 } else { 0.5 },
                    ..Inference::default()
                };
                let encoder = Encoder::new(dictionary.view(), lambda, &hasty).unwrap();
                let found = encoder.encode(data.view(), None).unwrap();
                for n in 0..2 {
                    let (objective, least) = (found.objectives[n], best.objectives[n]);
                    let slack = 1e-9 * (1.0 + objective);
                    assert!(objective >= least - slack, "{solver:?} {max_steps}");
                    let proved = objective * (1.0 - found.gaps[n]);
                    assert!(
                        proved <= least + slack,
                        "{solver:?} {max_steps}: {proved} {least}"
                    );
                }
            }
        }
    }
}
