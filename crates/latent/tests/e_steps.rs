//! Whatever the options of an E-step, its bound is one; what makes no bound is refused.

mod common;

use common::{random_bits, refused};
use forney_latent::LatentError;
use forney_latent::binary_sparse_coding::{
    BinarySparseCoding, Criterion, EStep, Exact, MeanField, Moments, Posteriors, Problem, Scheme,
    StructuredMeanField, Truncated,
};
use ndarray::{Array1, Array2, array};
use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64;

fn random_model(rng: &mut Pcg64) -> BinarySparseCoding {
    let (dimension, units) = (rng.random_range(1..5), rng.random_range(1..8));
    random_bits(dimension, units, rng)
}

/// E-steps that stop before they begin, soon, and late.
fn hasty() -> Vec<Box<dyn EStep>> {
    let mut all: Vec<Box<dyn EStep>> = Vec::new();
    let tolerances = [0.0, 1e-6, 0.3, f64::INFINITY];
    let schemes = [
        Scheme::Sequential,
        Scheme::Damped(1.0),
        Scheme::Damped(1e-3),
    ];
    for (at, max_cycles) in [0, 1, 2, 200].into_iter().enumerate() {
        let scheme = schemes[at % schemes.len()];
        for tolerance in tolerances {
            for criterion in [Criterion::Bound(tolerance), Criterion::Change(tolerance)] {
                all.push(Box::new(MeanField {
                    scheme,
                    criterion,
                    max_cycles,
                }));
            }
            for (block, start) in [(1, 0), (2, 1), (6, 0), (6, 200)] {
                all.push(Box::new(StructuredMeanField {
                    block,
                    start: MeanField {
                        scheme,
                        max_cycles: start,
                        ..MeanField::default()
                    },
                    tolerance,
                    max_cycles,
                }));
            }
        }
    }
    for (candidates, active) in [(1, 1), (3, 2), (8, 5), (100, 1)] {
        all.push(Box::new(Truncated { candidates, active }));
    }
    all
}

#[test]
fn no_option_makes_a_bound_exceed_the_likelihood() {
    let mut rng = Pcg64::seed_from_u64(1);
    let e_steps = hasty();
    for _ in 0..1000 {
        let model = random_model(&mut rng);
        let data = model.sample(2, rng.random()).unwrap();
        let exact = model.score(data.view(), &Exact).unwrap();
        for e_step in &e_steps {
            let bound = model.score(data.view(), &**e_step).unwrap();
            assert!(
                bound <= exact + 1e-9 * (1.0 + exact.abs()),
                "{}: {bound} > {exact}",
                e_step.name()
            );
        }
    }
}

#[test]
fn structured_mean_field_without_cycles_is_mean_field() {
    let mut rng = Pcg64::seed_from_u64(2);
    for _ in 0..200 {
        let model = random_model(&mut rng);
        let data = model.sample(3, rng.random()).unwrap();
        let none = StructuredMeanField {
            max_cycles: 0,
            ..StructuredMeanField::default()
        };
        let [plain, none] = [&none as &dyn EStep, &MeanField::default()]
            .map(|e_step| model.score(data.view(), e_step).unwrap());
        assert!((plain - none).abs() < 1e-9, "{plain} {none}");
    }
}

#[test]
fn options_that_mean_nothing_are_refused() {
    let model = BinarySparseCoding::bars(2, 2.0, 1.0);
    let data = model.sample(3, 1).unwrap();
    let score = |e_step: &dyn EStep| model.score(data.view(), e_step);
    for step in [0.0, -0.5, 1.5, f64::NAN, f64::INFINITY] {
        let start = MeanField {
            scheme: Scheme::Damped(step),
            ..MeanField::default()
        };
        let structured = StructuredMeanField {
            start,
            ..StructuredMeanField::default()
        };
        refused(score(&start), "the share of a damped step");
        refused(score(&structured), "the share of a damped step");
    }
    for tolerance in [-1e-9, f64::NAN] {
        for criterion in [Criterion::Bound(tolerance), Criterion::Change(tolerance)] {
            let plain = MeanField {
                criterion,
                ..MeanField::default()
            };
            refused(score(&plain), "the tolerance");
        }
        let structured = StructuredMeanField {
            tolerance,
            ..StructuredMeanField::default()
        };
        refused(score(&structured), "the tolerance");
    }
    for block in [0, 21, usize::MAX] {
        let structured = StructuredMeanField {
            block,
            ..StructuredMeanField::default()
        };
        refused(score(&structured), "the number of units in a block");
    }
    let (candidates, active) = (0, 1);
    refused(
        score(&Truncated { candidates, active }),
        "the number of candidates",
    );
}

#[test]
fn models_that_are_none_are_refused_wherever_they_are_used() {
    let sound = BinarySparseCoding::bars(2, 2.0, 1.0);
    let data = sound.sample(3, 1).unwrap();
    type Change = fn(&mut BinarySparseCoding);
    let changes: [(Change, &str); 9] = [
        (|m| m.bias = Array1::zeros(3), "the length of the bias"),
        (
            |m| m.precision = Array1::ones(5),
            "the length of the precision",
        ),
        (|m| m.weights[[0, 0]] = f64::NAN, "the weights"),
        (|m| m.weights[[0, 0]] = f64::INFINITY, "the weights"),
        (|m| m.bias[1] = f64::NAN, "the bias"),
        (|m| m.precision[1] = 0.0, "a precision"),
        (|m| m.precision[1] = -1.0, "a precision"),
        (|m| m.precision[1] = f64::NAN, "a precision"),
        (|m| m.precision[1] = f64::INFINITY, "a precision"),
    ];
    for (change, what) in changes {
        let mut model = sound.clone();
        change(&mut model);
        refused(model.sample(1, 1), what);
        refused(model.score(data.view(), &Exact), what);
        refused(model.transform(data.view(), &MeanField::default()), what);
        refused(model.posterior(data.row(0)), what);
        refused(model.posterior_shape(data.view()), what);
        refused(model.elbo(data.view(), Array2::zeros((3, 4)).view()), what);
        let posteriors = Posteriors::new(Array2::zeros((3, 4)), Array2::zeros((4, 4)), 0.0);
        let moments = Moments::new(data.view(), &posteriors.unwrap()).unwrap();
        refused(moments.gradient(&model), what);
    }
    let wide = BinarySparseCoding::bars(3, 2.0, 1.0);
    let posteriors = Posteriors::new(Array2::zeros((3, 4)), Array2::zeros((4, 4)), 0.0).unwrap();
    let moments = Moments::new(data.view(), &posteriors).unwrap();
    refused(moments.gradient(&wide), "the number of energies");
    let few = sound.sample(2, 1).unwrap();
    refused(
        Moments::new(few.view(), &posteriors),
        "the number of posteriors",
    );
}

#[test]
fn what_overflows_is_refused() {
    let mut model = BinarySparseCoding::bars(2, 1e200, 1.0);
    let data = Array2::zeros((1, 4));
    let fields = "the fields of the posterior";
    refused(model.score(data.view(), &Exact), fields);
    refused(model.posterior(data.row(0)), fields);
    refused(model.posterior_shape(data.view()), fields);
    model.weights.fill(0.0);
    let far = Array2::from_elem((1, 4), 1e200);
    refused(model.score(far.view(), &Exact), "the bound");
    refused(model.posterior(far.row(0)), "ln p(h, v)");
    refused(
        model.elbo(far.view(), Array2::zeros((1, 4)).view()),
        "the bound",
    );
}

#[test]
fn moments_that_no_distribution_has_are_refused() {
    let (means, second) = (array![[0.5, 0.2]], array![[0.5, 0.1], [0.1, 0.2]]);
    let new = |means: &Array2<f64>, second: &Array2<f64>, entropy| {
        Posteriors::new(means.clone(), second.clone(), entropy)
    };
    assert!(new(&means, &second, 1.0).is_ok());
    for entropy in [-0.1, 1.3, f64::NAN, f64::INFINITY] {
        refused(new(&means, &second, entropy), "the entropy");
    }
    for mean in [-0.1, 1.1, f64::NAN] {
        refused(new(&array![[mean, 0.2]], &second, 1.0), "a mean");
    }
    for wrong in [
        array![[0.5, 0.3], [0.3, 0.2]],
        array![[0.5, -0.1], [-0.1, 0.2]],
        array![[0.5, 0.1], [0.15, 0.2]],
        array![[0.6, 0.1], [0.1, 0.2]],
        array![[0.5, f64::NAN], [f64::NAN, 0.2]],
    ] {
        refused(new(&means, &wrong, 1.0), "a second moment");
    }
    refused(
        new(&means, &Array2::zeros((1, 2)), 1.0),
        "the rows of the second",
    );
    let (fields, lopsided) = (array![[0.0, 0.0]], array![[0.0, 1.0], [2.0, 0.0]]);
    refused(Problem::new(fields.view(), lopsided.view()), "a coupling");
    let own = array![[1.0, 0.0], [0.0, 0.0]];
    refused(Problem::new(fields.view(), own.view()), "a coupling");
    let sound = Array2::zeros((2, 2));
    let problem = Problem::new(fields.view(), sound.view()).unwrap();
    refused(problem.graph(1), "an example");
    assert!(problem.graph(0).is_ok());
}

#[test]
fn posteriors_of_another_size_are_refused() {
    struct Short;
    impl EStep for Short {
        fn name(&self) -> &'static str {
            "short"
        }
        fn infer(&self, problem: &Problem<'_>) -> Result<Posteriors, LatentError> {
            let units = problem.units();
            Posteriors::new(
                Array2::zeros((1, units)),
                Array2::zeros((units, units)),
                0.0,
            )
        }
    }
    let model = BinarySparseCoding::bars(2, 2.0, 1.0);
    let data = model.sample(3, 1).unwrap();
    refused(
        model.score(data.view(), &Short),
        "the number of examples with posteriors",
    );
}
