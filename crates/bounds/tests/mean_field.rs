//! Laws of mean field and of the search for allowed configurations, against enumeration.

use std::time::Duration;

use forney_bounds::{AllowedSearch, Configuration, MeanField, MeanFieldAscent, mean_field};
use forney_certify::{Budget, Certificate, Flaw, Limits, Refine, Stop, slack};
use forney_model::enumerate::enumerate;
use forney_model::generate::ising_grid;
use forney_model::{FactorGraph, Table, VarId};
use forney_testing::{Family, assert_at_least, assert_at_most, near, on_threads, rng};
use rand::RngExt;
use rand_pcg::Pcg64;

const MODELS: u64 = 1200;

const LIMITS: Limits = Limits {
    sweeps: Some(200),
    tolerance: 1e-9,
};

/// Random distributions, some with zeros.
fn random_point(graph: &FactorGraph, rng: &mut Pcg64) -> MeanField {
    let distribution = |&card: &usize| {
        let mut q: Vec<f64> = (0..card)
            .map(|_| (rng.random::<f64>() - 0.3).max(0.0))
            .collect();
        q[0] += 1e-3;
        let sum: f64 = q.iter().sum();
        q.iter().map(|p| p / sum).collect()
    };
    MeanField {
        q: graph.cards().iter().map(distribution).collect(),
    }
}

fn elbo(point: &MeanField, graph: &FactorGraph) -> f64 {
    point.verify(graph).unwrap().ln()
}

#[test]
fn every_product_distribution_bounds_ln_z_from_below() {
    for seed in 0..MODELS {
        let graph = Family::ZEROS.at(seed);
        let ln_z = enumerate(&graph).ln_z;
        let mut rng = rng(seed);
        for _ in 0..3 {
            let lower = elbo(&random_point(&graph, &mut rng), &graph);
            assert_at_most(lower, ln_z, seed);
        }
        let run = mean_field(&graph, seed, 2, &LIMITS, &Budget::unlimited());
        let lower = elbo(&run.point, &graph);
        assert_at_most(lower, ln_z, seed);
    }
}

#[test]
fn the_bound_is_finite_exactly_if_z_is_positive() {
    let mut impossible = 0;
    for seed in 0..MODELS {
        let graph = Family::ZEROS.at(seed);
        let possible = enumerate(&graph).ln_z.is_finite();
        impossible += usize::from(!possible);
        let run = mean_field(&graph, seed, 1, &LIMITS, &Budget::unlimited());
        assert_eq!(
            elbo(&run.point, &graph).is_finite(),
            possible,
            "seed {seed}"
        );
        let mut rng = rng(seed);
        match AllowedSearch::default().find(&graph, &mut rng, &Budget::unlimited()) {
            Ok(found) => assert!(found.unwrap().verify(&graph).unwrap().ln().is_finite()),
            Err(_) => assert!(!possible, "seed {seed}"),
        }
    }
    assert!(impossible > 100);
}

#[test]
fn no_update_lowers_the_bound_and_sweeps_report_it() {
    for seed in 0..MODELS {
        let graph = Family::ZEROS.at(seed);
        let mut rng = rng(seed);
        let start = random_point(&graph, &mut rng);
        let mut ascent = MeanFieldAscent::new(&graph, &start).unwrap();
        let mut before = elbo(&start, &graph);
        assert!(near(ascent.elbo(), before), "seed {seed}");
        for _ in 0..3 {
            for v in graph.variables() {
                ascent.update(v);
                let after = elbo(&ascent.point(), &graph);
                assert_at_least(after, before, seed);
                before = after;
            }
        }
        let value = ascent.sweep();
        assert!(near(value, elbo(&ascent.point(), &graph)), "seed {seed}");
    }
}

/// The fixed point equation 19.56, word by word.
#[test]
fn an_update_is_the_exponential_of_the_expected_logarithm() {
    for seed in 0..MODELS {
        let graph = Family::ZEROS.at(seed);
        let mut rng = rng(seed);
        let start = random_point(&graph, &mut rng);
        let Some(v) = graph.variables().last() else {
            continue;
        };
        let expected = |state: usize| {
            let mut point = start.clone();
            point.q[v.index()].fill(0.0);
            point.q[v.index()][state] = 1.0;
            elbo(&point, &graph)
        };
        let ln: Vec<f64> = (0..graph.card(v)).map(expected).collect();
        let most = ln.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        if most == f64::NEG_INFINITY {
            continue;
        }
        let sum: f64 = ln.iter().map(|ln| (ln - most).exp()).sum();
        let mut ascent = MeanFieldAscent::new(&graph, &start).unwrap();
        ascent.update(v);
        for (q, ln) in ascent.point().q[v.index()].iter().zip(&ln) {
            assert!((q - (ln - most).exp() / sum).abs() < 1e-9, "seed {seed}");
        }
    }
}

#[test]
fn independent_variables_are_exact() {
    for seed in 0..MODELS {
        let family = Family {
            max_scope: 1..2,
            ..Family::ZEROS
        };
        let graph = family.at(seed);
        let ln_z = enumerate(&graph).ln_z;
        let run = mean_field(&graph, seed, 1, &LIMITS, &Budget::unlimited());
        assert!(near(elbo(&run.point, &graph), ln_z), "seed {seed}");
    }
}

#[test]
fn a_stopped_run_certifies() {
    for seed in 0..200 {
        let graph = Family::ZEROS.at(seed);
        let ln_z = enumerate(&graph).ln_z;
        let mut last = f64::NEG_INFINITY;
        for sweeps in [0, 1, 2, 5] {
            let limits = Limits {
                sweeps: Some(sweeps),
                tolerance: 0.0,
            };
            let run = mean_field(&graph, seed, 1, &limits, &Budget::unlimited());
            let lower = elbo(&run.point, &graph);
            assert!(run.trace.len() <= sweeps);
            assert!(lower >= last - slack(last) && lower <= ln_z + slack(ln_z));
            last = lower;
        }
        let over = Budget::unlimited().capped(Duration::ZERO);
        let run = mean_field(&graph, seed, 3, &LIMITS, &over);
        assert!(run.trace.is_empty() && elbo(&run.point, &graph) <= ln_z + slack(ln_z));
    }
}

#[test]
fn a_grid_of_strong_couplings_needs_several_starts() {
    let graph = ising_grid(10, 2.0, 0.1, &mut rng(4));
    let value = |starts| {
        let run = mean_field(&graph, 1, starts, &LIMITS, &Budget::unlimited());
        elbo(&run.point, &graph)
    };
    assert!(value(12) > value(1) + 0.1);
}

#[test]
fn the_number_of_threads_changes_nothing() {
    let graph = ising_grid(6, 1.5, 0.1, &mut rng(5));
    let run = || mean_field(&graph, 9, 6, &LIMITS, &Budget::unlimited()).point;
    assert_eq!(on_threads(1, run), on_threads(4, run));
}

#[test]
fn a_zero_is_met_however_small_the_probabilities() {
    let scope = vec![VarId(0), VarId(1)];
    let table = Table::from_values(scope, vec![2, 2], &[1.0, 1.0, 1.0, 0.0]).unwrap();
    let graph = FactorGraph::new(vec![2, 2], vec![table]).unwrap();
    let tiny = vec![1.0, 1e-200];
    let point = MeanField {
        q: vec![tiny.clone(), tiny],
    };
    assert!(elbo(&point, &graph) == f64::NEG_INFINITY);
    let mut ascent = MeanFieldAscent::new(&graph, &point).unwrap();
    assert!(ascent.elbo() == f64::NEG_INFINITY);
    assert!(ascent.sweep().is_finite());
}

#[test]
fn what_is_no_distribution_is_refused() {
    let graph = FactorGraph::new(vec![2, 1], vec![]).unwrap();
    let bad: [&[&[f64]]; 7] = [
        &[&[0.5, 0.5]],
        &[&[0.5, 0.5], &[1.0], &[1.0]],
        &[&[0.5, 0.25, 0.25], &[1.0]],
        &[&[1.5, -0.5], &[1.0]],
        &[&[f64::NAN, 1.0], &[1.0]],
        &[&[0.5, 0.6], &[1.0]],
        &[&[f64::INFINITY, 0.0], &[1.0]],
    ];
    for q in bad {
        let point = MeanField {
            q: q.iter().map(|q| q.to_vec()).collect(),
        };
        assert!(
            matches!(point.verify(&graph), Err(Flaw::Invalid(_))),
            "{q:?}"
        );
        assert!(MeanFieldAscent::new(&graph, &point).is_err(), "{q:?}");
    }
    // A sum that is off by rounding is normalised and cannot raise the bound.
    let point = MeanField {
        q: vec![vec![0.5 + 1e-9, 0.5 + 1e-9], vec![1.0 + 1e-9]],
    };
    assert!(elbo(&point, &graph) <= 2f64.ln() + 1e-15);
}

#[test]
fn what_is_no_configuration_is_refused() {
    let graph = FactorGraph::new(vec![2, 1], vec![]).unwrap();
    for states in [vec![], vec![0], vec![2, 0], vec![0, 0, 0]] {
        assert!(Configuration { states }.verify(&graph).is_err());
    }
}

#[test]
fn a_model_without_variables_is_its_constant() {
    let graph = FactorGraph::new(vec![], vec![Table::constant(1.5).unwrap()]).unwrap();
    let run = mean_field(&graph, 0, 2, &LIMITS, &Budget::unlimited());
    assert!(near(elbo(&run.point, &graph), 1.5));
    assert_eq!(run.stop, Stop::Converged);
}

/// Colouring a random graph near the threshold takes backtracking and restarts.
#[test]
fn a_hard_colouring_is_found() {
    let mut rng = rng(6);
    let n = 60;
    let differ: Vec<f64> = (0..9).map(|i| f64::from(i % 4 != 0)).collect();
    let factors = (0..2 * n)
        .map(|_| {
            let a = rng.random_range(0..n);
            let b = (a + rng.random_range(1..n)) % n;
            let scope = vec![VarId::new(a), VarId::new(b)];
            Table::from_values(scope, vec![3, 3], &differ).unwrap()
        })
        .collect();
    let graph = FactorGraph::new(vec![3; n], factors).unwrap();
    let found = AllowedSearch::default()
        .find(&graph, &mut rng, &Budget::unlimited())
        .expect("colourable")
        .expect("found");
    assert!(graph.ln_value(&found.states).is_finite());
}

#[test]
fn block_updates_never_lower_the_bound_and_reach_a_fixed_point() {
    let mut zeros = 0;
    for seed in 0..1000 {
        let graph = Family::ZEROS.at(seed);
        let ln_z = enumerate(&graph).ln_z;
        let mut rng = rng(seed);
        let start = random_point(&graph, &mut rng);
        let damping = [0.0, 0.3, 0.7][rng.random_range(0..3)];
        let ascent = MeanFieldAscent::new(&graph, &start).unwrap();
        let mut ascent = ascent.with_block_updates(damping);
        assert!(ascent.change().is_infinite());
        let mut value = elbo(&start, &graph);
        zeros += usize::from(value == f64::NEG_INFINITY);
        for _ in 0..300 {
            let next = ascent.sweep();
            assert_at_least(next, value, seed);
            value = next;
            if ascent.change() < 1e-10 {
                break;
            }
        }
        assert_at_most(value, ln_z, seed);
        assert!(near(elbo(&ascent.point(), &graph), value), "seed {seed}");
        if ascent.change() < 1e-10 && value.is_finite() {
            // Updates one after the other find nothing to gain either.
            let mut plain = MeanFieldAscent::new(&graph, &ascent.point()).unwrap();
            let next = plain.sweep();
            assert!(
                (next - value).abs() < 1e-6,
                "seed {seed}: {next} after {value}"
            );
        }
    }
    assert!(zeros > 50, "only {zeros} starts with a bound of −∞");
}

/// The posterior of a sparse code: `exp(−½ β ‖v − Σ_i h_i w_i‖² + Σ_i b h_i)` over binary units `h`,
/// as a model on the complete graph, and its logarithm at the `h` that `v` was made of.
fn sparse_code(units: usize, dimension: usize, precision: f64, seed: u64) -> (FactorGraph, f64) {
    const BIAS: f64 = -3.0;
    let mut rng = rng(seed);
    let mut noise = |scale: f64| -> Vec<f64> {
        let entry = |_| scale * (2.0 * rng.random::<f64>() - 1.0);
        (0..dimension).map(entry).collect()
    };
    let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    let w: Vec<Vec<f64>> = (0..units).map(|_| noise(0.5)).collect();
    let on: Vec<usize> = (0..units).step_by(20).collect();
    let mut v = noise(precision.sqrt().recip());
    let residual = dot(&v, &v);
    for &i in &on {
        v.iter_mut().zip(&w[i]).for_each(|(v, w)| *v += w);
    }
    let planted = BIAS * on.len() as f64 - 0.5 * precision * residual;
    let constant = -0.5 * precision * dot(&v, &v);
    let mut tables = vec![Table::from_ln(Vec::new(), Vec::new(), vec![constant]).unwrap()];
    for i in 0..units {
        let field = BIAS + precision * (dot(&w[i], &v) - 0.5 * dot(&w[i], &w[i]));
        let scope = vec![VarId::new(i)];
        tables.push(Table::from_ln(scope, vec![2], vec![0.0, field]).unwrap());
        for j in 0..i {
            let ln = vec![0.0, 0.0, 0.0, -precision * dot(&w[i], &w[j])];
            let scope = vec![VarId::new(i), VarId::new(j)];
            tables.push(Table::from_ln(scope, vec![2, 2], ln).unwrap());
        }
    }
    (FactorGraph::new(vec![2; units], tables).unwrap(), planted)
}

/// Fields of hundreds of nats: what is not cooled from far above them ends in a maximum that is
/// hundreds of nats worse than the assignment behind the data.
#[test]
fn strong_fields_are_annealed_from_far_above() {
    for seed in 0..8 {
        let (graph, planted) = sparse_code(100, 64, 100.0, seed);
        let run = mean_field(&graph, seed, 4, &LIMITS, &Budget::unlimited());
        let bound = elbo(&run.point, &graph);
        assert!(bound > planted - 1e-6, "seed {seed}: {bound} {planted}");
    }
}
