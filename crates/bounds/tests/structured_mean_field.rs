//! Laws of the ELBO and of structured mean field, against enumeration.

use std::time::Duration;

use forney_bounds::{
    ForestAscent, MeanField, StartError, StructuredAscent, Tractable, mean_field,
    structured_mean_field,
};
use forney_certify::{Budget, Certificate, Flaw, Limits, Refine, slack};
use forney_exact::{Heuristic, greedy};
use forney_model::enumerate::{enumerate, for_each_assignment};
use forney_model::generate::ising_grid;
use forney_model::{FactorGraph, Table, VarId};
use forney_testing::{Family, assert_at_least, assert_at_most, near, on_threads, rng};
use rand::RngExt;
use rand_pcg::Pcg64;

const MODELS: u64 = 1000;

const LIMITS: Limits = Limits {
    sweeps: Some(50),
    tolerance: 1e-9,
};

/// A random distribution over the variables of a model, not over its factors.
fn random_q(graph: &FactorGraph, rng: &mut Pcg64) -> Tractable {
    let n = graph.num_variables();
    let most = rng.random_range(0..n + 1);
    let scopes: Vec<Vec<VarId>> = (0..n)
        .map(|_| (rng.random_range(0..n), rng.random_range(0..n)))
        .filter(|(u, v)| u != v)
        .map(|(u, v)| vec![VarId::new(u), VarId::new(v)])
        .take(most)
        .collect();
    let tables = scopes.into_iter().map(|scope| {
        let cards: Vec<usize> = scope.iter().map(|&v| graph.card(v)).collect();
        let entry = |_| 2.0 * rng.random::<f64>();
        let ln = (0..cards.iter().product()).map(entry).collect();
        Table::from_ln(scope, cards, ln).unwrap()
    });
    let q = FactorGraph::new(graph.cards().to_vec(), tables.collect()).unwrap();
    Tractable {
        order: greedy(&q, Heuristic::MinFill, None),
        q,
        memory: 1e9,
    }
}

/// `KL(q ‖ p)` by enumeration.
fn divergence(q: &FactorGraph, p: &FactorGraph) -> f64 {
    let (ln_q, ln_p) = (enumerate(q).ln_z, enumerate(p).ln_z);
    let mut sum = 0.0;
    for_each_assignment(q.cards(), |x| {
        let q = q.ln_value(x) - ln_q;
        if q > f64::NEG_INFINITY {
            sum += q.exp() * (q - (p.ln_value(x) - ln_p));
        }
    });
    sum
}

#[test]
fn the_elbo_is_ln_z_less_the_divergence() {
    let mut finite = 0;
    for seed in 0..MODELS {
        let graph = Family::SMALL.at(seed);
        let ln_z = enumerate(&graph).ln_z;
        if ln_z == f64::NEG_INFINITY {
            continue;
        }
        let point = random_q(&graph, &mut rng(seed));
        let lower = point.verify(&graph).unwrap().ln();
        let expected = ln_z - divergence(&point.q, &graph);
        assert!(near(lower, expected), "seed {seed}: {lower} {expected}");
        finite += usize::from(lower.is_finite());
    }
    assert!(finite > 300, "{finite}");
}

#[test]
fn the_model_itself_is_the_best_distribution() {
    for seed in 0..MODELS {
        let graph = Family::SMALL.at(seed);
        let ln_z = enumerate(&graph).ln_z;
        let itself = Tractable {
            q: graph.clone(),
            order: greedy(&graph, Heuristic::MinFill, None),
            memory: 1e9,
        };
        match itself.verify(&graph) {
            Ok(lower) => assert!(near(lower.ln(), ln_z), "seed {seed}"),
            Err(Flaw::Invalid(_)) => assert_eq!(ln_z.to_bits(), f64::NEG_INFINITY.to_bits()),
            Err(flaw) => panic!("seed {seed}: {flaw}"),
        }
    }
}

#[test]
fn structured_is_a_bound_and_never_below_naive() {
    let mut better = 0;
    for seed in 0..MODELS {
        let graph = Family::SMALL.at(seed);
        let ln_z = enumerate(&graph).ln_z;
        let budget = Budget::unlimited();
        let naive = mean_field(&graph, seed, 2, &LIMITS, &budget).point;
        let naive = naive.verify(&graph).unwrap().ln();
        let ibound = (seed % 4) as usize;
        let run = structured_mean_field(&graph, ibound, seed, 2, 1e9, &LIMITS, &budget).unwrap();
        let lower = run.point.verify(&graph).unwrap().ln();
        assert_at_most(lower, ln_z, seed);
        assert_at_least(lower, naive, seed);
        assert_eq!(lower.is_finite(), ln_z.is_finite(), "seed {seed}");
        better += usize::from(lower > naive + 1e-3);
    }
    assert!(better > 100, "{better}");
}

#[test]
fn a_large_ibound_is_exact() {
    for seed in 0..MODELS {
        let graph = Family::SMALL.at(seed);
        let ln_z = enumerate(&graph).ln_z;
        let budget = Budget::unlimited();
        let run = structured_mean_field(&graph, 8, seed, 1, 1e9, &LIMITS, &budget).unwrap();
        let lower = run.point.verify(&graph).unwrap().ln();
        assert!(near(lower, ln_z), "seed {seed}: {lower} for {ln_z}");
    }
}

#[test]
fn no_update_lowers_the_bound_and_sweeps_report_it() {
    for seed in 0..MODELS {
        let graph = Family::SMALL.at(seed);
        let start = MeanField::uniform(&graph);
        let mut before = start.verify(&graph).unwrap().ln();
        let mut ascent = StructuredAscent::new(&graph, &start, 1, 1e9).unwrap();
        assert!(near(ascent.elbo(), before), "seed {seed}");
        let point = ascent.point().verify(&graph).unwrap().ln();
        assert!(near(point, before), "seed {seed}: {point} {before}");
        for _ in 0..2 {
            for block in 0..ascent.num_blocks() {
                ascent.update(block);
                let after = ascent.point().verify(&graph).unwrap().ln();
                assert!(near(ascent.elbo(), after), "seed {seed}");
                assert_at_least(after, before, seed);
                before = after;
            }
        }
        assert!(near(ascent.sweep(), ascent.elbo()));
    }
}

#[test]
fn a_stopped_run_certifies() {
    for seed in 0..100 {
        let graph = Family::SMALL.at(seed);
        let ln_z = enumerate(&graph).ln_z;
        for sweeps in [0, 1, 3] {
            let limits = Limits {
                sweeps: Some(sweeps),
                tolerance: 0.0,
            };
            let budget = Budget::unlimited();
            let run = structured_mean_field(&graph, 1, seed, 3, 1e9, &limits, &budget).unwrap();
            let lower = run.point.verify(&graph).unwrap().ln();
            assert!(run.trace.len() <= sweeps && lower <= ln_z + slack(ln_z));
        }
        let over = Budget::unlimited().capped(Duration::ZERO);
        let run = structured_mean_field(&graph, 1, seed, 3, 1e9, &LIMITS, &over).unwrap();
        let lower = run.point.verify(&graph).unwrap().ln();
        assert!(run.trace.is_empty() && lower <= ln_z + slack(ln_z));
    }
}

#[test]
fn most_of_the_gap_of_a_grid_is_closed() {
    let graph = ising_grid(9, 1.0, 0.1, &mut rng(4));
    let order = greedy(&graph, Heuristic::MinFill, None);
    let ln_z = forney_exact::ln_z(&graph, &order, 1e9).unwrap();
    let budget = Budget::unlimited();
    let naive = mean_field(&graph, 1, 4, &LIMITS, &budget).point;
    let naive = ln_z - naive.verify(&graph).unwrap().ln();
    let run = structured_mean_field(&graph, 4, 1, 4, 1e9, &LIMITS, &budget).unwrap();
    let structured = ln_z - run.point.verify(&graph).unwrap().ln();
    assert!(structured < 0.3 * naive, "{structured} of {naive}");
}

#[test]
fn the_number_of_threads_changes_nothing() {
    let graph = ising_grid(6, 1.5, 0.1, &mut rng(5));
    let run = |threads| {
        let budget = Budget::unlimited();
        on_threads(threads, || {
            structured_mean_field(&graph, 2, 9, 4, 1e9, &LIMITS, &budget)
        })
    };
    assert_eq!(run(1).unwrap().point, run(4).unwrap().point);
}

#[test]
fn what_proves_nothing_is_refused() {
    let graph = FactorGraph::new(vec![2, 2], vec![]).unwrap();
    let other = FactorGraph::new(vec![2], vec![]).unwrap();
    let order = greedy(&graph, Heuristic::MinFill, None);
    let point = |q: &FactorGraph, memory| Tractable {
        q: q.clone(),
        order: order.clone(),
        memory,
    };
    assert!(point(&graph, 1e9).verify(&graph).is_ok());
    assert!(point(&other, 1e9).verify(&graph).is_err());
    let pair = Table::from_ln(vec![VarId(0), VarId(1)], vec![2, 2], vec![0.0; 4]).unwrap();
    let pair = FactorGraph::new(vec![2, 2], vec![pair]).unwrap();
    assert!(point(&pair, 1.0).verify(&graph).is_err());
    let ascent = StructuredAscent::new(&pair, &MeanField::uniform(&pair), 1, 1.0);
    assert!(ascent.is_err());
}

/// The value after so many sweeps, none of which lowers it.
fn climbed(ascent: &mut impl Refine, sweeps: usize, mut value: f64, seed: u64) -> f64 {
    for _ in 0..sweeps {
        let next = ascent.sweep();
        assert_at_least(next, value, seed);
        value = next;
    }
    value
}

#[test]
fn given_blocks_are_taken_as_they_are_or_refused() {
    for seed in 0..1000 {
        let graph = Family::SMALL.at(seed);
        let ln_z = enumerate(&graph).ln_z;
        let mut rng = rng(seed);
        let mut blocks = vec![Vec::new(); 3];
        for v in graph.variables() {
            blocks[rng.random_range(0..3)].push(v);
        }
        let start = MeanField::uniform(&graph);
        let mut ascent = StructuredAscent::over(&graph, &start, &blocks, 1e9).unwrap();
        assert_eq!(ascent.num_blocks(), 3);
        let value = climbed(&mut ascent, 4, start.verify(&graph).unwrap().ln(), seed);
        assert_at_most(value, ln_z, seed);
        if let Some(&v) = blocks.iter().flatten().next() {
            let twice = [blocks.clone(), vec![vec![v]]].concat();
            let refused = StructuredAscent::over(&graph, &start, &twice, 1e9).unwrap_err();
            assert_eq!(refused, StartError::Blocks(v));
            blocks
                .iter_mut()
                .for_each(|block| block.retain(|&u| u != v));
            let refused = StructuredAscent::over(&graph, &start, &blocks, 1e9).unwrap_err();
            assert_eq!(refused, StartError::Blocks(v));
        }
    }
}

#[test]
fn a_forest_never_lowers_the_bound_and_proves_it() {
    let mut above_naive = 0;
    for seed in 0..1000 {
        let graph = Family::SMALL.at(seed);
        let ln_z = enumerate(&graph).ln_z;
        let naive = mean_field(&graph, seed, 1, &LIMITS, &Budget::unlimited()).point;
        let mut ascent = ForestAscent::new(&graph, &naive, 1e9).unwrap();
        let first = naive.verify(&graph).unwrap().ln();
        let value = climbed(&mut ascent, 6, first, seed);
        assert_at_most(value, ln_z, seed);
        if value.is_finite() {
            let verified = ascent.point().verify(&graph).unwrap().ln();
            assert!(
                (verified - value).abs() <= 1e-8 * value.abs().max(1.0),
                "seed {seed}"
            );
        }
        above_naive += usize::from(value > first + 1e-6);
    }
    assert!(
        above_naive > 150,
        "only {above_naive} above naive mean field"
    );
}

#[test]
fn a_forest_is_exact_where_the_model_is_one() {
    for seed in 0..1000 {
        let mut rng = rng(seed);
        let cards: Vec<usize> = (0..rng.random_range(1..9))
            .map(|_| rng.random_range(1..4))
            .collect();
        let mut factors = Vec::new();
        for v in 1..cards.len() {
            let scope = [rng.random_range(0..v), v];
            let own = scope.map(|v| cards[v]).to_vec();
            // A first entry without zeros keeps Z positive.
            let ln = (0..own.iter().product()).map(|entry: usize| match rng.random::<f64>() {
                p if p < 0.2 && entry > 0 => f64::NEG_INFINITY,
                p => 4.0 * p - 2.0,
            });
            let ln = ln.collect();
            factors.push(Table::from_ln(scope.map(VarId::new).to_vec(), own, ln).unwrap());
        }
        let graph = FactorGraph::new(cards, factors).unwrap();
        let ln_z = enumerate(&graph).ln_z;
        let start = mean_field(&graph, seed, 1, &LIMITS, &Budget::unlimited()).point;
        let ascent = ForestAscent::new(&graph, &start, 1e9).unwrap();
        assert!((ascent.elbo() - ln_z).abs() <= slack(ln_z), "seed {seed}");
        let verified = ascent.point().verify(&graph).unwrap().ln();
        assert!((verified - ln_z).abs() <= slack(ln_z), "seed {seed}");
    }
}

#[test]
fn a_forest_spans_a_grid_that_is_too_wide_to_verify_at_once() {
    let graph = ising_grid(10, 1.0, 0.1, &mut rng(4));
    let naive = mean_field(&graph, 1, 1, &LIMITS, &Budget::unlimited()).point;
    let memory = 1e6;
    let mut ascent = ForestAscent::new(&graph, &naive, memory).unwrap();
    for _ in 0..10 {
        ascent.sweep();
    }
    let verified = ascent.point().verify(&graph).unwrap().ln();
    let first = naive.verify(&graph).unwrap().ln();
    assert!(verified > first + 1.0, "{verified} after {first}");
    assert!((verified - ascent.elbo()).abs() < 1e-8 * verified);
}
