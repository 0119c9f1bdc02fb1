//! Laws of gauges: they keep `Z`, compose, and are refused where they are none.

mod common;

use common::{model, random_gauges, shuffled};
use forney_certify::{Above, Certificate, DoubleDouble};
use forney_exact::{Schedule, Whole};
use forney_gauge::{GaugeError, GaugedWmbe, Gauges, SignedTable};
use forney_model::enumerate::{enumerate, for_each_assignment};
use forney_model::generate::ising_grid;
use forney_model::{FactorGraph, Forney, VarId};
use forney_testing::{assert_at_least, rng};
use nalgebra::DMatrix;
use std::sync::Arc;

/// `Σ_x Π_a f_a(x_a)` over every assignment, signs kept, and the same sum of absolute values.
fn brute_force(cards: &[usize], tables: &[SignedTable]) -> (f64, f64) {
    let (mut sum, mut absolute) = (0.0, 0.0);
    for_each_assignment(cards, |states| {
        let entry = |table: &SignedTable| {
            let axes = table.scope.iter().zip(&table.cards);
            table.values[axes.fold(0, |at, (v, card)| at * card + states[v.index()])]
        };
        let product: f64 = tables.iter().map(entry).product();
        sum += product;
        absolute += product.abs();
    });
    (sum, absolute)
}

#[test]
fn gauges_keep_z_with_negative_entries() {
    let mut negative = 0;
    for seed in 0..1000 {
        let (graph, mut rng) = model(seed);
        let gauges = random_gauges(&graph, &mut rng);
        let tables = gauges.transform(&graph);
        negative += usize::from(tables.iter().any(|t| t.values.iter().any(|&x| x < 0.0)));
        let ln_scale: DoubleDouble = tables.iter().map(|t| t.ln_scale).sum();
        let (sum, absolute) = brute_force(graph.cards(), &tables);
        let expected = (-ln_scale + enumerate(&graph).ln_z).exp();
        assert!(
            (sum - expected).abs() <= 1e-9 * (absolute + expected),
            "seed {seed}: {sum} instead of {expected}"
        );
    }
    assert!(negative > 400, "{negative} models had negative entries");
}

#[test]
fn one_gauge_after_another_is_one_gauge() {
    for seed in 0..200 {
        let (graph, mut rng) = model(seed);
        let (first, second) = (
            random_gauges(&graph, &mut rng),
            random_gauges(&graph, &mut rng),
        );
        let Ok(both) = first.then(&second, &graph) else {
            continue;
        };
        for a in (0..graph.num_factors()).map(forney_model::FactorId::new) {
            for &v in graph.factors()[a.index()].scope() {
                let one = DMatrix::identity(graph.card(v), graph.card(v));
                let part = |gauges: &Gauges| gauges.matrix(v, a).cloned().unwrap_or(one.clone());
                let error = part(&second) * part(&first) - part(&both);
                let size = part(&both).norm() * 1e-9 + 1e-6;
                assert!(error.norm() < size, "seed {seed}");
            }
        }
    }
}

#[test]
fn what_is_no_gauge_is_refused() {
    let grid = ising_grid(3, 1.0, 0.1, &mut rng(1));
    let one = DMatrix::<f64>::identity(2, 2);
    let refused = |graph: &FactorGraph, v: u32, matrix: DMatrix<f64>| {
        Gauges::new(graph, vec![(VarId(v), matrix)]).unwrap_err()
    };
    assert!(matches!(
        refused(&grid, 4, one.clone()),
        GaugeError::Degree { degree: 5, .. }
    ));
    let forney = Forney::of_grid(&grid, 3, 3).unwrap();
    let graph = forney.graph();
    assert!(matches!(
        refused(graph, 99, one.clone()),
        GaugeError::Variable { .. }
    ));
    assert!(matches!(
        refused(graph, 0, DMatrix::identity(3, 3)),
        GaugeError::Size { card: 2, .. }
    ));
    for bad in [[1.0, 1.0, 1.0, 1.0], [1.0, 0.0, 0.0, 1e-12], [f64::NAN; 4]] {
        let matrix = DMatrix::from_row_slice(2, 2, &bad);
        assert!(matches!(
            refused(graph, 0, matrix),
            GaugeError::Condition { .. }
        ));
    }
    let twice = vec![(VarId(0), one.clone()), (VarId(0), one)];
    assert!(Gauges::new(graph, twice).is_err());
}

#[test]
fn without_a_split_gauges_change_nothing() {
    for seed in 0..300 {
        let (graph, mut rng) = model(seed);
        let exact = enumerate(&graph).ln_z;
        let order = shuffled(&graph, &mut rng);
        let schedule = Arc::new(Schedule::compile(&graph, &order, &mut Whole).unwrap());
        let gauges = random_gauges(&graph, &mut rng);
        let witness = GaugedWmbe::<Above>::new(schedule, gauges, Vec::new(), Vec::new());
        if let Ok(bound) = witness.verify(&graph) {
            assert_at_least(bound.ln(), exact, seed);
            // Cancellation may cost digits, never the side.
            if exact.is_finite() {
                assert!(
                    bound.ln() <= exact + 1e-3,
                    "seed {seed}: {} {exact}",
                    bound.ln()
                );
            }
        }
    }
}
