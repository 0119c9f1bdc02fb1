//! What loses nothing is held once: graphs as well as tables.

use forney_model::generate::ising_grid;
use forney_model::{
    Domains, Evidence, FactorGraph, Table, VarId, simplify, simplify_sum, without_barren,
};
use rand::SeedableRng;

/// Are the lists of two graphs the same memory?
fn shared(a: &FactorGraph, b: &FactorGraph) -> bool {
    let cards = std::ptr::eq(a.cards(), b.cards());
    cards && std::ptr::eq(a.factors(), b.factors())
}

fn restricted(graph: &FactorGraph, evidence: &Evidence) -> FactorGraph {
    let domains = Domains::observed(graph, evidence).unwrap();
    domains.restrict(graph).graph().clone()
}

fn cycle() -> FactorGraph {
    let link = |a, b| {
        let values = [1.0, 2.0, 3.0, 5.0];
        Table::from_values(vec![VarId(a), VarId(b)], vec![2, 2], &values).unwrap()
    };
    let links = [(0, 1), (1, 2), (2, 3), (3, 0)];
    FactorGraph::new(vec![2; 4], links.map(|(a, b)| link(a, b)).to_vec()).unwrap()
}

#[test]
fn a_model_with_nothing_to_lose_is_shared() {
    let graph = cycle();
    assert!(shared(&graph, &restricted(&graph, &Evidence::default())));
    assert!(shared(&graph, &without_barren(&graph).unwrap().0));
    assert!(shared(&graph, &simplify(&graph).unwrap()));
    assert!(shared(&graph, &simplify_sum(&graph).unwrap()));
}

#[test]
fn a_model_that_loses_something_is_another_one() {
    let graph = cycle();
    let mut evidence = Evidence::default();
    evidence.observe(VarId(2), 1).unwrap();
    let observed = restricted(&graph, &evidence);
    assert!(!shared(&graph, &observed));
    assert_eq!(observed.cards(), [2, 2, 1, 2]);
    // Variables of one state leave the scopes even where no state goes.
    let again = restricted(&observed, &Evidence::default());
    assert!(again.factors().iter().all(|f| f.scope() != [VarId(2)]));

    // The fields are multiplied into the couplings.
    let rng = &mut rand_pcg::Pcg64::seed_from_u64(1);
    let grid = ising_grid(3, 1.0, 0.1, rng);
    let simple = simplify(&grid).unwrap();
    assert!(!shared(&grid, &simple));
    assert!(simple.num_factors() < grid.num_factors());
    assert!(shared(&simple, &simplify(&simple).unwrap()));
}
