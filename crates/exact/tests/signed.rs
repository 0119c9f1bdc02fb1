//! Laws of passes over tables of either sign.

use std::sync::Arc;

use forney_exact::{Bucket, Engine, Heuristic, Keep, Schedule, SplitRule, Whole, greedy};
use forney_model::walk::{Offsets, advance, strides_within};
use forney_model::{FactorGraph, VarId};
use forney_testing::Family;
use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64;

/// Splits every bucket in two where it has two tables at least.
struct Halves;

impl SplitRule for Halves {
    fn split(&mut self, bucket: &Bucket<'_>) -> Vec<Vec<usize>> {
        let tables: Vec<usize> = (0..bucket.scopes.len()).collect();
        let parts = tables.chunks(tables.len().div_ceil(2).max(1));
        parts.map(<[usize]>::to_vec).collect()
    }
}

/// All entries positive, so that what stays outside of the bases can be told.
const POSITIVE: Family = Family {
    variables: 2..6,
    factors: 3..10,
    zeros: &[0.0],
    ..Family::TINY
};

/// Entries of either sign for each base, some of them 0.
fn signed_entries(schedule: &Schedule, zeros: f64, rng: &mut Pcg64) -> Vec<Vec<f64>> {
    let entry = |rng: &mut Pcg64| match rng.random_bool(zeros) {
        true => 0.0,
        false => 2.0 * rng.random::<f64>() - 1.0,
    };
    let bases = schedule.bases().iter();
    bases
        .map(|base| (0..base.len).map(|_| entry(rng)).collect())
        .collect()
}

/// `Σ_x Π_b f_b(x)` by enumeration.
fn total(graph: &FactorGraph, schedule: &Schedule, entries: &[Vec<f64>]) -> f64 {
    let scope: Vec<VarId> = graph.variables().collect();
    let walks: Vec<Vec<usize>> = schedule
        .bases()
        .iter()
        .map(|base| {
            let own: Vec<usize> = base.scope.iter().map(|&v| graph.card(v)).collect();
            let strides = strides_within(&scope, &base.scope, &own);
            Offsets::new(graph.cards(), &strides).collect()
        })
        .collect();
    let (mut state, mut at, mut sum) = (vec![0; scope.len()], 0, 0.0);
    loop {
        sum += entries
            .iter()
            .zip(&walks)
            .map(|(f, walk)| f[walk[at]])
            .product::<f64>();
        at += 1;
        if !advance(&mut state, graph.cards(), |_, _| ()) {
            return sum;
        }
    }
}

fn engine(
    schedule: &Arc<Schedule>,
    graph: &FactorGraph,
    keep: bool,
    entries: &[Vec<f64>],
) -> Engine {
    let vary = vec![true; schedule.bases().len()];
    let mut engine = Engine::signed(Arc::clone(schedule), graph, keep, &vary);
    for (base, entries) in entries.iter().enumerate() {
        engine.set_base(base, entries);
    }
    engine
}

/// What stays outside of the bases: `ln Z` of the model less that of its bases.
fn outside(schedule: &Arc<Schedule>, graph: &FactorGraph) -> f64 {
    let vary = vec![true; schedule.bases().len()];
    let mut engine = Engine::signed(Arc::clone(schedule), graph, true, &vary);
    let plain: Vec<Vec<f64>> = (0..vary.len()).map(|base| engine.base(base)).collect();
    engine.forward(&[], &[]) - total(graph, schedule, &plain).ln()
}

#[test]
fn without_splits_it_is_the_sum_with_its_gradient_at_zeros_too() {
    let mut rng = Pcg64::seed_from_u64(1);
    let mut checked = 0;
    for case in 0..1000 {
        let graph = POSITIVE.draw(&mut rng);
        let order = greedy(&graph, Heuristic::MinFill, None);
        let schedule = Arc::new(Schedule::compile(&graph, &order, &mut Whole).unwrap());
        let mut entries = signed_entries(&schedule, 0.2, &mut rng);
        let sum = total(&graph, &schedule, &entries);
        // Sums that cancel have no digits to compare.
        if sum.abs() < 1e-6 {
            continue;
        }
        checked += 1;
        let mut engine = engine(&schedule, &graph, true, &entries);
        let value = engine.forward(&[], &[]) - outside(&schedule, &graph);
        assert!(
            (value - sum.abs().ln()).abs() < 1e-8,
            "case {case}: {value} {sum}"
        );
        engine.backward(&[], &[], false, &mut [], &mut []);
        for base in 0..entries.len() {
            let mut gradient = vec![0.0; entries[base].len()];
            engine.base_gradient(base, &entries[base], &mut gradient);
            for at in 0..gradient.len() {
                // The sum is linear in every entry.
                let before = std::mem::replace(&mut entries[base][at], 1.0);
                let one = total(&graph, &schedule, &entries);
                entries[base][at] = 0.0;
                let zero = total(&graph, &schedule, &entries);
                entries[base][at] = before;
                let expected = (one - zero) / sum;
                let scale = 1e-8 * (1.0 + expected.abs() + 1.0 / sum.abs());
                assert!(
                    (gradient[at] - expected).abs() < scale,
                    "case {case}: {} {expected}",
                    gradient[at]
                );
            }
        }
    }
    assert!(checked > 800, "{checked}");
}

#[test]
fn with_splits_it_bounds_the_sum_and_absolute_values_bound_it_less() {
    let mut rng = Pcg64::seed_from_u64(2);
    let (mut split, mut tighter) = (0, 0);
    for case in 0..1000 {
        let graph = POSITIVE.draw(&mut rng);
        let order = greedy(&graph, Heuristic::MinFill, None);
        let schedule = Arc::new(Schedule::compile(&graph, &order, &mut Halves).unwrap());
        split += usize::from(!schedule.is_exact());
        let weights = vec![0.5; schedule.num_weights()];
        let shifts: Vec<f64> = (0..schedule.num_shifts()).map(|_| rng.random()).collect();
        let entries = signed_entries(&schedule, 0.1, &mut rng);
        let exact = total(&graph, &schedule, &entries).abs().ln();
        let outside = {
            let whole = Schedule::compile(&graph, &order, &mut Whole).unwrap();
            let ln_z = Engine::new(whole.into(), &graph, Keep::Live).forward(&[], &[]);
            let vary = vec![true; schedule.bases().len()];
            let engine = Engine::signed(Arc::clone(&schedule), &graph, true, &vary);
            let plain: Vec<Vec<f64>> = (0..vary.len()).map(|base| engine.base(base)).collect();
            ln_z - total(&graph, &schedule, &plain).ln()
        };
        let kept = engine(&schedule, &graph, true, &entries).forward(&weights, &shifts);
        let dropped = engine(&schedule, &graph, false, &entries).forward(&weights, &shifts);
        if exact > -20.0 {
            assert!(
                kept - outside >= exact - 1e-8,
                "case {case}: {kept} {exact}"
            );
        }
        assert!(dropped >= kept - 1e-8, "case {case}: {dropped} {kept}");
        tighter += usize::from(kept < dropped - 1e-6);
        // Absolute values are those of a model with positive tables.
        let positive: Vec<Vec<f64>> = entries
            .iter()
            .map(|entries| entries.iter().map(|x| x.abs()).collect())
            .collect();
        let plain = engine(&schedule, &graph, true, &positive).forward(&weights, &shifts);
        let same = forney_testing::near(dropped, plain);
        assert!(same, "case {case}: {plain} {dropped}");
    }
    assert!(split > 400 && tighter > 100, "{split} {tighter}");
}
