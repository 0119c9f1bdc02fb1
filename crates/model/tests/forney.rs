//! Laws of the Forney form: two factors for each variable, the same `Z` and the same marginals.

use forney_model::enumerate::enumerate;
use forney_model::generate::ising_grid;
use forney_model::{FactorGraph, Forney, ForneyError, Table, VarId, check_forney};
use forney_testing::{Family, near, num_assignments};
use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64;

#[test]
fn the_equality_form_keeps_z_and_marginals() {
    let (mut compared, mut joined) = (0, 0);
    for seed in 0..1500 {
        let mut rng = Pcg64::seed_from_u64(seed);
        let graph = Family::TINY.draw(&mut rng);
        let legs = rng.random_range(3..6);
        let forney = Forney::new(&graph, legs).unwrap();
        check_forney(forney.graph()).unwrap();
        for v in graph.variables() {
            assert_eq!(forney.copies(v)[0], v);
            assert!(forney.copies(v).iter().all(|&u| forney.original(u) == v));
        }
        assert_eq!(
            forney.lift(&graph.variables().collect::<Vec<_>>()).len(),
            forney.graph().num_variables()
        );
        if num_assignments(forney.graph()) > 2e4 {
            continue;
        }
        compared += 1;
        joined += usize::from(forney.graph().num_variables() > graph.num_variables());
        let (before, after) = (enumerate(&graph), enumerate(forney.graph()));
        assert!(near(before.ln_z, after.ln_z), "seed {seed}");
        for (v, marginal) in before.marginals.iter().enumerate() {
            for (a, b) in marginal.iter().zip(&after.marginals[v]) {
                assert!(near(*a, *b), "seed {seed}");
            }
        }
    }
    assert!(compared >= 1000, "{compared} models compared");
    assert!(joined > 300, "{joined} models had copies");
}

#[test]
fn the_grid_cover_keeps_z_and_copies_nothing() {
    for (rows, cols) in [
        (1, 1),
        (1, 5),
        (5, 1),
        (2, 2),
        (2, 5),
        (3, 3),
        (3, 4),
        (4, 4),
    ] {
        let l = rows.max(cols);
        let square = ising_grid(l, 1.0, 0.5, &mut Pcg64::seed_from_u64(3));
        // The part of a square grid that fits, renumbered row by row.
        let fits = |v: &VarId| v.index() / l < rows && v.index() % l < cols;
        let renumber = |v: &VarId| VarId::new(v.index() / l * cols + v.index() % l);
        let factors = square
            .factors()
            .iter()
            .filter(|f| f.scope().iter().all(fits));
        let factors = factors.map(|f| {
            let scope = f.scope().iter().map(renumber).collect();
            f.renamed(scope).unwrap()
        });
        let graph = FactorGraph::new(vec![2; rows * cols], factors.collect()).unwrap();
        let forney = Forney::of_grid(&graph, rows, cols).unwrap();
        check_forney(forney.graph()).unwrap();
        assert_eq!(forney.graph().num_variables(), rows * cols);
        let (before, after) = (enumerate(&graph), enumerate(forney.graph()));
        assert!(near(before.ln_z, after.ln_z), "{rows} × {cols}");
    }
}

#[test]
fn an_even_square_has_the_factors_that_levin_and_nave_count() {
    for l in [4, 6, 10] {
        let graph = ising_grid(l, 1.0, 0.1, &mut Pcg64::seed_from_u64(1));
        let forney = Forney::of_grid(&graph, l, l).unwrap();
        assert_eq!(forney.graph().num_factors(), l * l / 2 + l);
    }
}

#[test]
fn what_is_no_grid_is_refused_with_the_factor() {
    let graph = ising_grid(4, 1.0, 0.1, &mut Pcg64::seed_from_u64(1));
    assert!(matches!(
        Forney::of_grid(&graph, 2, 8),
        Err(ForneyError::NotAGrid { .. })
    ));
    assert!(matches!(
        Forney::of_grid(&graph, 3, 5),
        Err(ForneyError::WrongGrid { variables: 16, .. })
    ));
    let error = check_forney(&graph).unwrap_err();
    assert!(matches!(error, ForneyError::Degree { degree: 3, .. }));
    let wide = Table::from_ln(vec![VarId(0)], vec![300], vec![0.0; 300]).unwrap();
    let hub = FactorGraph::new(vec![300], vec![wide; 5]).unwrap();
    assert!(Forney::new(&hub, usize::MAX).is_err());
    assert!(Forney::new(&hub, 3).is_err());
}
