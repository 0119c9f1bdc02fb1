//! Laws of pruning and simplification: nothing that is computed from a model may change.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use forney_certify::Budget;
use forney_model::enumerate::{Enumeration, enumerate, for_each_assignment};
use forney_model::{
    Contradiction, Domains, Evidence, FactorGraph, Propagation, Table, VarId, simplify,
};
use forney_testing::{Family, near};
use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64;

const MODELS: u64 = 1500;

/// Probing with all the time that it wants.
fn probe(domains: &mut Domains, graph: &FactorGraph) -> Result<usize, Contradiction> {
    domains.probe(graph, &Budget::unlimited())
}

/// Probing that is interrupted before it begins.
fn probe_in_no_time(domains: &mut Domains, graph: &FactorGraph) -> Result<usize, Contradiction> {
    domains.probe(graph, &Budget::new(None, Arc::new(AtomicBool::new(true))))
}

fn assert_same(found: &Enumeration, expected: &Enumeration, marginals: &[Vec<f64>], seed: u64) {
    assert!(near(found.ln_z, expected.ln_z), "ln Z of seed {seed}");
    assert!(near(found.ln_max, expected.ln_max), "ln max of seed {seed}");
    for (a, b) in marginals
        .iter()
        .flatten()
        .zip(expected.marginals.iter().flatten())
    {
        assert!(near(*a, *b), "marginals of seed {seed}");
    }
}

#[test]
fn pruning_and_probing_keep_z_marginals_and_maximum() {
    let (mut removed, mut contradictions) = (0, 0);
    for seed in 0..MODELS {
        let graph = Family::ZEROS.at(seed);
        let expected = enumerate(&graph);
        for method in [Domains::prune, probe, probe_in_no_time] {
            let mut domains = Domains::full(&graph);
            match method(&mut domains, &graph) {
                Ok(gone) => {
                    removed += gone;
                    let restriction = domains.restrict(&graph);
                    let found = enumerate(restriction.graph());
                    let marginals = restriction.lift_marginals(&found.marginals);
                    assert_same(&found, &expected, &marginals, seed);
                }
                Err(Contradiction) => {
                    contradictions += 1;
                    assert_eq!(domains, Domains::full(&graph));
                    assert!(expected.ln_z == f64::NEG_INFINITY, "seed {seed}");
                }
            }
        }
    }
    assert!(removed > 300 && contradictions > 300);
}

/// The allowed states of all variables.
fn states(graph: &FactorGraph, domains: &Domains) -> Vec<Vec<usize>> {
    let states = |v| domains.states(v).collect();
    graph.variables().map(states).collect()
}

/// The definition, word by word: remove unsupported states one after another.
fn naive_prune(graph: &FactorGraph) -> Option<Vec<Vec<usize>>> {
    naive_prune_from(graph, states(graph, &Domains::full(graph)))
}

fn naive_prune_from(graph: &FactorGraph, mut states: Vec<Vec<usize>>) -> Option<Vec<Vec<usize>>> {
    loop {
        let mut unsupported = None;
        for table in graph.factors() {
            let mut supported = vec![Vec::new(); graph.num_variables()];
            let mut any = false;
            for_each_assignment(table.cards(), |entry| {
                let agrees = (table.scope().iter().zip(entry))
                    .all(|(v, state)| states[v.index()].contains(state));
                if agrees && table.relative()[table.flat_index(entry.iter().copied())].is_finite() {
                    any = true;
                    for (v, &state) in table.scope().iter().zip(entry) {
                        supported[v.index()].push(state);
                    }
                }
            });
            if !any {
                return None;
            }
            for v in table.scope() {
                let gone =
                    (states[v.index()].iter()).find(|state| !supported[v.index()].contains(state));
                unsupported = unsupported.or(gone.map(|&state| (v.index(), state)));
            }
        }
        let Some((v, state)) = unsupported else {
            return Some(states);
        };
        states[v].retain(|&s| s != state);
    }
}

#[test]
fn pruning_reaches_the_fixed_point_of_its_definition() {
    for seed in 0..MODELS {
        let graph = Family::ZEROS.at(seed);
        let mut domains = Domains::full(&graph);
        let pruned = domains.prune(&graph).ok();
        assert_eq!(
            pruned.map(|_| states(&graph, &domains)),
            naive_prune(&graph),
            "seed {seed}"
        );
        if pruned.is_some() {
            assert_eq!(domains.prune(&graph), Ok(0), "seed {seed}");
        }
    }
}

#[test]
fn pruned_domains_of_a_restriction_are_those_of_the_clamped_model() {
    for seed in 0..MODELS {
        let graph = Family::ZEROS.at(seed);
        let Some(v) = graph.variables().last() else {
            continue;
        };
        let mut evidence = Evidence::default();
        evidence.observe(v, graph.card(v) - 1).unwrap();
        let mut domains = Domains::observed(&graph, &evidence).unwrap();
        let mut indicator = vec![f64::NEG_INFINITY; graph.card(v)];
        indicator[graph.card(v) - 1] = 0.0;
        let mut factors = graph.factors().to_vec();
        factors.push(Table::from_ln(vec![v], vec![graph.card(v)], indicator).unwrap());
        let clamped = FactorGraph::new(graph.cards().to_vec(), factors).unwrap();
        let pruned = domains.prune(&graph).ok();
        assert_eq!(
            pruned.map(|_| states(&graph, &domains)),
            naive_prune(&clamped),
            "seed {seed}"
        );
    }
}

#[test]
fn probing_removes_at_most_what_cannot_be_assigned() {
    let mut more = 0;
    for seed in 0..MODELS {
        let graph = Family::ZEROS.at(seed);
        let pruned = naive_prune(&graph);
        let mut expected = pruned.clone();
        // Singleton consistency by its definition.
        while let Some(states) = &expected {
            let single = graph.variables().find_map(|v| {
                let impossible = |&state: &usize| {
                    let mut assigned = states.clone();
                    assigned[v.index()] = vec![state];
                    naive_prune_from(&graph, assigned).is_none()
                };
                let state = states[v.index()].iter().copied().find(impossible)?;
                Some((v, state))
            });
            let Some((v, state)) = single else { break };
            let mut fewer = states.clone();
            fewer[v.index()].retain(|&s| s != state);
            expected = naive_prune_from(&graph, fewer);
        }
        let within = |inner: &[Vec<usize>], outer: &[Vec<usize>]| {
            (inner.iter().zip(outer)).all(|(a, b)| a.iter().all(|state| b.contains(state)))
        };
        let mut domains = Domains::full(&graph);
        match (probe(&mut domains, &graph), expected) {
            (Err(Contradiction), expected) => assert!(expected.is_none(), "seed {seed}"),
            (Ok(_), expected) => {
                let pruned = pruned.expect("probing prunes first");
                let states = states(&graph, &domains);
                assert!(within(&states, &pruned), "seed {seed}");
                more += usize::from(states != pruned);
                if let Some(expected) = expected {
                    assert!(within(&expected, &states), "seed {seed}");
                }
            }
        }
    }
    assert!(more > 5, "only {more} models where probing removes more");
}

#[test]
fn undoing_gives_back_every_state_and_every_support() {
    let mut undone = 0;
    for seed in 0..MODELS {
        let graph = Family::ZEROS.at(seed);
        let Ok(mut propagation) = Propagation::new(&graph, &Domains::full(&graph)) else {
            continue;
        };
        let states = |propagation: &Propagation| -> Vec<Vec<usize>> {
            let allowed = |v| propagation.allowed(v).collect();
            graph.variables().map(allowed).collect()
        };
        let fresh = states(&propagation);
        let mut rng = Pcg64::seed_from_u64(seed);
        for _ in 0..4 {
            let mark = propagation.mark();
            let mut expected = Some(fresh.clone());
            for _ in 0..graph.num_variables() {
                let v = VarId::new(rng.random_range(0..graph.num_variables()));
                let state = rng.random_range(0..graph.card(v));
                let found = if rng.random() {
                    if let Some(states) = &mut expected {
                        states[v.index()].retain(|&s| s == state);
                    }
                    propagation.assign(v, state)
                } else {
                    if let Some(states) = &mut expected {
                        states[v.index()].retain(|&s| s != state);
                    }
                    propagation.remove(v, state)
                };
                expected = expected
                    .filter(|states| states.iter().all(|states| !states.is_empty()))
                    .and_then(|states| naive_prune_from(&graph, states));
                assert_eq!(found.is_ok(), expected.is_some(), "seed {seed}");
                match &expected {
                    Some(expected) => assert_eq!(&states(&propagation), expected, "seed {seed}"),
                    None => break,
                }
            }
            propagation.undo(mark);
            undone += 1;
            assert_eq!(states(&propagation), fresh, "seed {seed}");
        }
    }
    assert!(undone > 1000);
}

/// A zero can only matter where nearly all else is decided.
#[test]
fn one_zero_in_a_wide_table_costs_next_to_nothing() {
    const WIDE: usize = 16;
    let wide: Vec<VarId> = (0..WIDE).map(VarId::new).collect();
    let mut values = vec![1.0; 1 << WIDE];
    values[0] = 0.0;
    let table = Table::from_values(wide, vec![2; WIDE], &values).unwrap();
    let graph = FactorGraph::new(vec![2; WIDE], vec![table]).unwrap();
    let mut propagation = Propagation::new(&graph, &Domains::full(&graph)).unwrap();
    // To see that there is a zero it looks at every entry once, 64 at a time.
    let begun = propagation.work();
    assert!(begun < (1 << WIDE) / 16, "{begun}");
    for v in graph.variables().skip(1) {
        propagation.assign(v, 0).unwrap();
    }
    assert!(propagation.allowed(VarId(0)).eq([1]));
    let work = propagation.work() - begun;
    assert!(work < 40 * WIDE * WIDE, "{work}");
}

/// A function of two variables of many states: one entry of each row is not zero.
#[test]
fn an_assignment_costs_no_more_than_the_entries_that_agree() {
    const CARD: usize = 40;
    let mut values = vec![0.0; CARD * CARD * CARD];
    for row in 0..CARD * CARD {
        values[row * CARD + (row / CARD + row % CARD) % CARD] = 1.0;
    }
    let scope = vec![VarId(0), VarId(1), VarId(2)];
    let table = Table::from_values(scope, vec![CARD; 3], &values).unwrap();
    let graph = FactorGraph::new(vec![CARD; 3], vec![table]).unwrap();
    let mut propagation = Propagation::new(&graph, &Domains::full(&graph)).unwrap();
    for v in graph.variables() {
        let (mark, begun) = (propagation.mark(), propagation.work());
        propagation.assign(v, CARD / 2).unwrap();
        propagation.undo(mark);
        let work = propagation.work() - begun;
        assert!(work < 10 * CARD * CARD, "{v}: {work}");
    }
}

#[test]
fn simplifying_keeps_z_marginals_and_maximum_and_enlarges_nothing() {
    let mut fewer = 0;
    for seed in 0..MODELS {
        let mut graph = Family::ZEROS.at(seed);
        if seed % 2 == 0 {
            let mut domains = Domains::full(&graph);
            if probe(&mut domains, &graph).is_ok() {
                graph = domains.restrict(&graph).graph().clone();
            }
        }
        let expected = enumerate(&graph);
        let simple = simplify(&graph).unwrap();
        let found = enumerate(&simple);
        assert_same(&found, &expected, &found.marginals, seed);
        assert_eq!(simple.cards(), graph.cards());
        fewer += graph.num_factors() - simple.num_factors();
        for (at, table) in simple.factors().iter().enumerate() {
            let within = |other: &Table| table.scope().iter().all(|v| other.scope().contains(v));
            assert!(graph.factors().iter().any(within), "seed {seed}");
            let others = simple
                .factors()
                .iter()
                .enumerate()
                .filter(|&(b, _)| b != at);
            let alone = table.scope().is_empty() || !others.map(|(_, t)| t).any(within);
            assert!(alone, "seed {seed}");
        }
    }
    assert!(fewer > 1000);
}

#[test]
fn simplifying_drops_what_a_table_does_not_depend_on() {
    let scope = vec![VarId(0), VarId(1), VarId(2), VarId(3)];
    // f(a, b, c, d) = g(b), with d of cardinality 1.
    let values: Vec<f64> = (0..12).map(|i| [2.0, 0.0, 5.0][i / 2 % 3]).collect();
    let table = Table::from_values(scope, vec![2, 3, 2, 1], &values).unwrap();
    let graph = FactorGraph::new(vec![2, 3, 2, 1], vec![table]).unwrap();
    let simple = simplify(&graph).unwrap();
    let expected = Table::from_values(vec![VarId(1)], vec![3], &[2.0, 0.0, 5.0]).unwrap();
    assert_eq!(simple.factors(), [expected]);
}

#[test]
fn constants_become_one_and_zero_stays_zero() {
    let constant = |ln| Table::constant(ln).unwrap();
    let graph = FactorGraph::new(vec![2], vec![constant(1.0), constant(2.0)]).unwrap();
    assert_eq!(simplify(&graph).unwrap().factors(), [constant(3.0)]);
    let graph =
        FactorGraph::new(vec![2], vec![constant(1.0), constant(f64::NEG_INFINITY)]).unwrap();
    assert_eq!(
        simplify(&graph).unwrap().factors(),
        [constant(f64::NEG_INFINITY)]
    );
    assert_eq!(Domains::full(&graph).prune(&graph), Err(Contradiction));
    let unit = FactorGraph::new(vec![2], vec![constant(0.0)]).unwrap();
    assert_eq!(simplify(&unit).unwrap().num_factors(), 0);
}

#[test]
fn a_product_beyond_all_numbers_is_an_error() {
    let huge = Table::from_ln(vec![VarId(0)], vec![2], vec![1e308, 1.5e308]).unwrap();
    let graph = FactorGraph::new(vec![2], vec![huge.clone(), huge]).unwrap();
    assert!(simplify(&graph).is_err());
}

/// A chain of equalities of 100 000 variables whose end is observed, and a star.
#[test]
fn many_variables_take_no_quadratic_time() {
    const N: usize = 100_000;
    let equal = |a: usize, b: usize| {
        let values = [1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0];
        Table::from_values(vec![VarId::new(a), VarId::new(b)], vec![3, 3], &values).unwrap()
    };
    for next in [|i: usize| i - 1, |_: usize| 0] {
        let factors = (1..N).map(|i| equal(next(i), i)).collect();
        let graph = FactorGraph::new(vec![3; N], factors).unwrap();
        let mut evidence = Evidence::default();
        evidence.observe(VarId::new(N - 1), 2).unwrap();
        let mut domains = Domains::observed(&graph, &evidence).unwrap();
        assert_eq!(probe(&mut domains, &graph), Ok(2 * (N - 1)));
        assert!(graph.variables().all(|v| domains.states(v).eq([2])));
        let simple = simplify(domains.restrict(&graph).graph()).unwrap();
        assert_eq!(simple.num_factors(), 0);
        // Without the observation no probe fails; each would walk through all variables.
        assert_eq!(probe(&mut Domains::full(&graph), &graph), Ok(0));
    }
}
