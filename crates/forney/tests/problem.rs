//! The questions against enumeration.

use forney::model::enumerate::enumerate;
use forney::model::generate::ising_grid;
use forney::{Budget, Error, FactorGraph, Limits, Problem, Table, VarId};
use forney_testing::Family;
use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64;

/// With a variable to observe.
const OBSERVED: Family = Family {
    variables: 1..8,
    ..Family::SMALL
};

/// The model with a factor that allows one state of a variable alone.
fn clamped(graph: &FactorGraph, v: VarId, state: usize) -> FactorGraph {
    let card = graph.card(v);
    let mut values = vec![0.0; card];
    values[state] = 1.0;
    let mut factors = graph.factors().to_vec();
    factors.push(Table::from_values(vec![v], vec![card], &values).unwrap());
    FactorGraph::new(graph.cards().to_vec(), factors).unwrap()
}

#[test]
fn answers_are_those_of_enumeration() {
    let mut rng = Pcg64::seed_from_u64(1);
    let limits = Limits::default();
    let mut impossible = 0;
    for case in 0..1000 {
        let graph = OBSERVED.draw(&mut rng);
        let v = VarId(rng.random_range(0..graph.num_variables() as u32));
        let state = rng.random_range(0..graph.card(v));
        let expected = enumerate(&clamped(&graph, v, state));
        let problem = Problem::new(graph).observe(v, state).unwrap();
        let ln_z = problem.ln_z(&limits).unwrap();
        let bracket = problem.bracket(&limits).unwrap().bracket;
        let (lower, upper) = (bracket.lower().ln(), bracket.upper().ln());
        if expected.ln_z == f64::NEG_INFINITY {
            impossible += 1;
            let infinite = [ln_z, lower, upper].iter().all(|x| *x == f64::NEG_INFINITY);
            assert!(infinite, "case {case}: {ln_z} {lower} {upper}");
            assert!(matches!(problem.marginals(&limits), Err(Error::Impossible)));
            assert!(matches!(
                problem.most_probable(&limits),
                Err(Error::Impossible)
            ));
            continue;
        }
        assert!((ln_z - expected.ln_z).abs() < 1e-9, "case {case}");
        assert!(
            (lower - ln_z).abs() < 1e-9 && (upper - ln_z).abs() < 1e-9,
            "case {case}"
        );
        let p = problem.marginals(&limits).unwrap();
        for (p, expected) in p.iter().zip(&expected.marginals) {
            for (p, expected) in p.iter().zip(expected) {
                assert!((p - expected).abs() < 1e-9, "case {case}");
            }
        }
        let best = problem.most_probable(&limits).unwrap();
        assert!(
            (best.ln_value - expected.ln_max).abs() < 1e-9,
            "case {case}"
        );
        let value = problem.graph().ln_value(&best.states);
        assert!((best.ln_value - value).abs() < 1e-12, "case {case}");
        assert_eq!(best.states[v.index()], state, "case {case}");
    }
    assert!(impossible > 10, "{impossible}");
}

#[test]
fn limits_are_refusals_with_their_reasons() {
    let graph = forney::model::generate::ising_grid(12, 1.0, 0.1, &mut Pcg64::seed_from_u64(1));
    let problem = Problem::new(graph);
    let little = Limits {
        memory: 1000.0,
        ..Limits::seconds(1.0)
    };
    let refused = problem.ln_z(&little).unwrap_err();
    assert!(
        matches!(refused, Error::NoFit(no_fit) if no_fit.bytes > 1000.0),
        "{refused}"
    );
    assert!(refused.to_string().contains("1000 B allowed"), "{refused}");
    let over = Limits {
        budget: Budget::unlimited().capped(std::time::Duration::ZERO),
        ..Limits::default()
    };
    assert!(matches!(problem.marginals(&over), Err(Error::Stopped(_))));
    assert!(Problem::read("no such file").is_err());
    let problem = problem.observe(VarId(0), 1).unwrap();
    assert!(problem.clone().observe(VarId(0), 0).is_err());
    assert!(problem.observe(VarId(1), 2).is_err());
}

#[test]
fn the_readme_shows_the_example_that_compiles() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let read = |path: &str| std::fs::read_to_string(root.join(path)).unwrap();
    let example = read("crates/forney/examples/bracket.rs");
    let code = &example[example.find("use forney").expect("imports")..];
    assert!(read("README.md").contains(&format!("```rust\n{code}```")));
}

/// Spins in the plane without fields: more of them than any elimination could take.
#[test]
fn planar_models_are_answered_at_any_size() {
    let grid = ising_grid(50, 1.0, 0.0, &mut Pcg64::seed_from_u64(2));
    let problem = Problem::new(grid);
    let limits = Limits::default();
    let ln_z = problem.ln_z(&limits).unwrap();
    let bracket = problem.bracket(&limits).unwrap().bracket;
    assert!((bracket.lower().ln() - ln_z).abs() < 1e-6 && bracket.gap() < 1e-6);
    let marginals = problem.marginals(&limits).unwrap();
    assert!(marginals.iter().flatten().all(|p| (p - 0.5).abs() < 1e-15));
    // An observation is a field, though one that can be drawn.
    let observed = problem.observe(VarId(0), 1).unwrap();
    assert!((observed.ln_z(&limits).unwrap() + 2f64.ln() - ln_z).abs() < 1e-6);
}
