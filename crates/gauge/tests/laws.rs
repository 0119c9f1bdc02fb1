//! Laws of gauges and gauged bounds, against enumeration on random models.

use std::sync::Arc;

use forney_bounds::wmbe::{self, CliqueLimit, MiniBuckets};
use forney_certify::{Above, Below, Budget, Certificate, Lbfgs, Objective, Refine, slack};
use forney_exact::{Order, Schedule, Whole};
use forney_gauge::{
    Adam, GaugeError, GaugeObjective, GaugeOptions, GaugedWmbe, Gauges, Published, SignedTable,
    Variant, gauged_wmbe, gauged_wmbe_below,
};
use forney_model::enumerate::{enumerate, for_each_assignment};
use forney_model::generate::{RandomModel, ising_grid, mobius, random};
use forney_model::{FactorGraph, Forney, Table, VarId};
use nalgebra::DMatrix;
use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64;

/// Factors of up to three variables whose legs are paired at random, so that much has to be split.
fn regular(rng: &mut Pcg64, zeros: f64, spread: f64) -> FactorGraph {
    let factors = rng.random_range(4..8);
    let mut scopes = vec![Vec::new(); factors];
    let mut cards = Vec::new();
    for _ in 0..4 * factors {
        let (a, b) = (rng.random_range(0..factors), rng.random_range(0..factors));
        if a != b && scopes[a].len() < 3 && scopes[b].len() < 3 {
            scopes[a].push(VarId::new(cards.len()));
            scopes[b].push(VarId::new(cards.len()));
            cards.push([1, 2, 2, 2, 3][rng.random_range(0..5)]);
        }
    }
    let tables = scopes.into_iter().map(|scope: Vec<VarId>| {
        let own: Vec<usize> = scope.iter().map(|v| cards[v.index()]).collect();
        let entry = |rng: &mut Pcg64| {
            let ln = spread * (2.0 * rng.random::<f64>() - 1.0);
            if rng.random::<f64>() < zeros {
                f64::NEG_INFINITY
            } else {
                ln
            }
        };
        let ln = (0..own.iter().product()).map(|_| entry(rng)).collect();
        Table::from_ln(scope, own, ln).unwrap()
    });
    let tables = tables.collect();
    FactorGraph::new(cards, tables).unwrap()
}

/// Small models of every awkward kind, in Forney form and small enough to enumerate.
fn model(seed: u64) -> (FactorGraph, Pcg64) {
    let mut rng = Pcg64::seed_from_u64(seed);
    loop {
        if !seed.is_multiple_of(4) {
            let zeros = [0.0, 0.05, 0.2][rng.random_range(0..3)];
            let graph = regular(
                &mut rng,
                zeros,
                if seed.is_multiple_of(11) { 1500.0 } else { 2.0 },
            );
            let states: f64 = graph.cards().iter().map(|&c| c as f64).product();
            if states < 3e3 {
                return (graph, rng);
            }
            continue;
        }
        let spec = RandomModel {
            variables: rng.random_range(1..6),
            max_card: rng.random_range(1..4),
            factors: rng.random_range(0..7),
            max_scope: 3,
            zeros: [0.0, 0.1, 0.4][rng.random_range(0..3)],
            spread: if seed.is_multiple_of(11) { 1500.0 } else { 2.0 },
        };
        let forney = Forney::new(&random(&spec, &mut rng), 3).unwrap();
        let states: f64 = forney.graph().cards().iter().map(|&c| c as f64).product();
        if states < 3e3 {
            return (forney.graph().clone(), rng);
        }
    }
}

fn random_gauges(graph: &FactorGraph, rng: &mut Pcg64) -> Gauges {
    let mut matrices = Vec::new();
    for v in graph.variables() {
        let card = graph.card(v);
        let noise = DMatrix::from_fn(card, card, |_, _| 1.2 * (2.0 * rng.random::<f64>() - 1.0));
        if rng.random::<f64>() < 0.8 {
            matrices.push((v, DMatrix::identity(card, card) + noise));
        }
    }
    // A noise that happens to be singular is as good as none.
    Gauges::new(graph, matrices).unwrap_or_else(|_| Gauges::identity(graph))
}

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
        let ln_scale: f64 = tables.iter().map(|t| t.ln_scale).sum();
        let (sum, absolute) = brute_force(graph.cards(), &tables);
        let expected = (enumerate(&graph).ln_z - ln_scale).exp();
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
    let grid = ising_grid(3, 1.0, 0.1, &mut Pcg64::seed_from_u64(1));
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

fn shuffled(graph: &FactorGraph, rng: &mut Pcg64) -> Order {
    let mut vars: Vec<VarId> = graph.variables().collect();
    vars.shuffle(rng);
    Order::new(vars, graph).unwrap()
}

fn split_schedule(graph: &FactorGraph, order: &Order) -> Arc<Schedule> {
    let wide = |f: &Table| f.cards().iter().filter(|&&card| card > 1).count();
    let largest = graph.factors().iter().map(wide).max().unwrap_or(0);
    let limit = CliqueLimit {
        ibound: largest.saturating_sub(1),
        entries: 1e6,
    };
    Arc::new(Schedule::compile(graph, order, &mut MiniBuckets::new(limit, None)).unwrap())
}

#[test]
fn every_witness_bounds_z_from_above() {
    let (mut split, mut refused) = (0, 0);
    for seed in 0..1000 {
        let (graph, mut rng) = model(seed);
        let exact = enumerate(&graph).ln_z;
        let order = shuffled(&graph, &mut rng);
        let schedule = split_schedule(&graph, &order);
        split += usize::from(!schedule.is_exact());
        let objective = GaugeObjective::<Above>::new(Arc::clone(&schedule), &graph, true);
        let mut start = objective.start();
        let gauges = objective.num_gauge_entries();
        let amplitude = [0.0, 0.5, 2.0][rng.random_range(0..3)];
        for (at, x) in start.iter_mut().enumerate() {
            let amplitude = if at < gauges { amplitude } else { 1.0 };
            *x += amplitude * (2.0 * rng.random::<f64>() - 1.0);
        }
        let mut adam = Adam::new(objective, start.clone(), 0.1, 20);
        for _ in 0..20 {
            adam.sweep();
        }
        for point in [start, adam.point()] {
            let Ok(witness) = adam.objective().witness(&point, &graph) else {
                continue;
            };
            match witness.verify(&graph) {
                Ok(bound) => assert!(
                    bound.ln() >= exact - slack(exact),
                    "seed {seed}: {} below {exact}",
                    bound.ln()
                ),
                Err(_) => refused += 1,
            }
        }
    }
    assert!(split > 400, "{split} schedules had splits");
    // Those with entries beyond the range of plain numbers.
    assert!(refused < 250, "{refused} witnesses refused");
}

#[test]
fn every_witness_bounds_z_from_below() {
    let (mut split, mut gauged, mut refused) = (0, 0, 0);
    for seed in 0..1000 {
        let (graph, mut rng) = model(seed);
        let exact = enumerate(&graph).ln_z;
        let order = shuffled(&graph, &mut rng);
        let schedule = split_schedule(&graph, &order);
        split += usize::from(!schedule.is_exact());
        let objective = GaugeObjective::<Below>::new(schedule, &graph, true);
        gauged += usize::from(objective.num_gauge_entries() > 0);
        let start = objective.start();
        let barred = objective.clone().with_barrier(0.01);
        let mut climb = Lbfgs::new(barred, start.clone(), 10);
        for _ in 0..20 {
            climb.sweep();
        }
        for point in [start, climb.point()] {
            let witness = objective.witness(&point, &graph).unwrap();
            match witness.verify(&graph) {
                Ok(bound) => assert!(
                    bound.ln() <= exact + slack(exact),
                    "seed {seed}: {} above {exact}",
                    bound.ln()
                ),
                Err(_) => refused += 1,
            }
        }
    }
    assert!(split > 400, "{split} schedules had splits");
    assert!(gauged > 200, "{gauged} models had gauges");
    assert!(refused < 250, "{refused} witnesses refused");
}

#[test]
fn a_lower_bound_refuses_negative_tables() {
    let graph = mobius(12, 1.0, &mut Pcg64::seed_from_u64(1));
    let order = Order::new(graph.variables().collect(), &graph).unwrap();
    let objective = GaugeObjective::<Below>::new(split_schedule(&graph, &order), &graph, true);
    let good = objective.witness(&objective.start(), &graph).unwrap();
    assert!(good.verify(&graph).is_ok());
    let turn = DMatrix::from_row_slice(2, 2, &[0.8, -0.6, 0.6, 0.8]);
    let mut negative = good.clone();
    negative.gauges = Gauges::new(&graph, vec![(VarId(0), turn)]).unwrap();
    let flaw = negative.verify(&graph).unwrap_err();
    assert!(flaw.to_string().contains("may be negative"), "{flaw}");
    let mut reversed = good;
    reversed.weights.fill(0.5);
    assert!(reversed.verify(&graph).is_err());
}

#[test]
fn both_sides_close_on_z() {
    let graph = mobius(24, 1.0, &mut Pcg64::seed_from_u64(2));
    let order = Order::new(graph.variables().collect(), &graph).unwrap();
    let exact = forney_exact::ln_z(&graph, &order, f64::INFINITY).unwrap();
    let options = GaugeOptions {
        limit: CliqueLimit {
            ibound: 3,
            entries: 1e6,
        },
        candidates: 8,
        iterations: Some(400),
        ..GaugeOptions::default()
    };
    let budget = Budget::unlimited();
    let mut trace = Vec::new();
    let above = gauged_wmbe(&graph, &options, &budget, &mut |bound, _| {
        trace.push(bound.ln());
    });
    let above = above.unwrap();
    let below = gauged_wmbe_below(&graph, &options, &budget, &mut |_, _| {}).unwrap();
    assert!(below.bound.ln() <= exact && exact <= above.bound.ln());
    assert!(above.bound.ln() - below.bound.ln() < 0.5);
    assert!(
        trace.is_sorted_by(|a, b| a > b),
        "only improvements are seen"
    );
    assert_eq!(above.witness.verify(&graph).unwrap(), above.bound);

    // A larger ibound goes on from the gauges of the smaller one, whatever their sides.
    let next = GaugeOptions {
        limit: CliqueLimit {
            ibound: 4,
            entries: 1e6,
        },
        order: Some(above.order),
        gauges: Some(above.witness.gauges),
        ..options
    };
    let wider = gauged_wmbe(&graph, &next, &budget, &mut |_, _| {}).unwrap();
    assert!(exact <= wider.bound.ln() && wider.bound.ln() < above.bound.ln() + 0.1);
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
            assert!(bound.ln() >= exact - slack(exact), "seed {seed}");
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

#[test]
fn the_optimiser_and_the_witness_agree() {
    for seed in 0..20 {
        let graph = mobius(12, 1.0, &mut Pcg64::seed_from_u64(seed));
        let order = Order::new(graph.variables().collect(), &graph).unwrap();
        let objective = GaugeObjective::<Above>::new(split_schedule(&graph, &order), &graph, true);
        let start = objective.start();
        let mut adam = Adam::new(objective, start, 0.1, 100);
        let first = adam.sweep();
        for _ in 0..99 {
            adam.sweep();
        }
        let bound = adam.objective().witness(&adam.point(), &graph).unwrap();
        let bound = bound.verify(&graph).unwrap();
        assert!((bound.ln() - adam.value()).abs() < 1e-9);
        assert!(adam.value() < first - 0.1, "gauges pay on this family");
        assert!(bound.ln() >= enumerate(&graph).ln_z);
    }
}

/// A ring with chords over variables of one cardinality: six factors of three variables.
fn ring(card: usize, zero: bool, rng: &mut Pcg64) -> FactorGraph {
    let factors = (0..6usize).map(|a| {
        let scope = [(a + 5) % 6, a, 6 + a % 3].map(VarId::new).to_vec();
        let entries = (0..card.pow(3)).map(|_| 2.0 * rng.random::<f64>() - 1.0);
        let mut ln: Vec<f64> = entries.collect();
        if zero {
            ln[rng.random_range(0..card.pow(3))] = f64::NEG_INFINITY;
        }
        Table::from_ln(scope, vec![card; 3], ln).unwrap()
    });
    let factors = factors.collect();
    FactorGraph::new(vec![card; 9], factors).unwrap()
}

fn check_gradient(objective: &mut impl Objective, mut x: Vec<f64>, seed: u64) {
    let mut gradient = vec![0.0; x.len()];
    let mut unused = gradient.clone();
    let value = objective.evaluate(&x, &mut gradient);
    assert!(value.is_finite(), "seed {seed}");
    for at in 0..x.len() {
        let here = x[at];
        let step = 1e-6;
        let mut side = |to: f64| {
            x[at] = to;
            objective.evaluate(&x, &mut unused)
        };
        let slope = (side(here + step) - side(here - step)) / (2.0 * step);
        x[at] = here;
        assert!(
            (slope - gradient[at]).abs() < 1e-5 * (1.0 + slope.abs()),
            "seed {seed}, coordinate {at}: {slope} and {}",
            gradient[at]
        );
    }
}

#[test]
fn gradients_agree_with_finite_differences() {
    for seed in 0..30 {
        let mut rng = Pcg64::seed_from_u64(seed);
        let graph = ring(2 + seed as usize % 3, true, &mut rng);
        let order = Order::new(graph.variables().collect(), &graph).unwrap();
        let schedule = split_schedule(&graph, &order);
        assert!(!schedule.is_exact());
        let mut objective = GaugeObjective::<Above>::new(schedule, &graph, seed % 2 == 0);
        let mut x = objective.start();
        for x in &mut x {
            *x += 0.8 * (2.0 * rng.random::<f64>() - 1.0);
        }
        check_gradient(&mut objective, x, seed);
    }
}

#[test]
fn gradients_below_agree_with_finite_differences() {
    for seed in 0..30 {
        let mut rng = Pcg64::seed_from_u64(seed);
        let graph = ring(2 + seed as usize % 3, false, &mut rng);
        let order = Order::new(graph.variables().collect(), &graph).unwrap();
        let schedule = split_schedule(&graph, &order);
        let objective = GaugeObjective::<Below>::new(schedule, &graph, true);
        let gauges = objective.num_gauge_entries();
        let mut x = objective.start();
        for (at, x) in x.iter_mut().enumerate() {
            // Small enough for every table to stay positive.
            let amplitude = if at < gauges { 0.01 } else { 0.5 };
            *x += amplitude * (2.0 * rng.random::<f64>() - 1.0);
        }
        check_gradient(&mut objective.with_barrier(0.1), x, seed);
    }
}

/// Theorem 1 of the paper: on binary models whose factors are invariant under flipping their whole
/// scope, no reparameterisation helps, and a gauge off the diagonal does.
#[test]
fn symmetric_models_gain_by_gauges_alone() {
    for seed in 0..20 {
        let mut rng = Pcg64::seed_from_u64(seed);
        let factors = (0..12usize).map(|a| {
            let scope = [(a + 11) % 12, a, 12 + a % 6].map(VarId::new).to_vec();
            let half: Vec<f64> = (0..4).map(|_| 2.0 * rng.random::<f64>() - 1.0).collect();
            let ln = half.iter().chain(half.iter().rev()).copied().collect();
            Table::from_ln(scope, vec![2; 3], ln).unwrap()
        });
        let graph = FactorGraph::new(vec![2; 18], factors.collect()).unwrap();
        let order = Order::new(graph.variables().collect(), &graph).unwrap();
        let mut objective =
            GaugeObjective::<Above>::new(split_schedule(&graph, &order), &graph, true);
        let x = objective.start();
        let mut gradient = vec![0.0; x.len()];
        objective.evaluate(&x, &mut gradient);
        let gauges = gradient[..objective.num_gauge_entries()].chunks_exact(4);
        let (mut diagonal, mut off) = (0.0f64, 0.0f64);
        for gauge in gauges {
            // The diagonal's trace is the scale of the gauge, along which nothing changes.
            diagonal = diagonal.max((gauge[0] - gauge[3]).abs());
            off = off.max(gauge[1].abs().max(gauge[2].abs()));
        }
        assert!(diagonal < 1e-12, "seed {seed}: {diagonal}");
        assert!(off > 1e-3, "seed {seed}: {off}");
    }
}

#[test]
fn a_broken_witness_proves_nothing() {
    let graph = mobius(12, 1.0, &mut Pcg64::seed_from_u64(1));
    let order = Order::new(graph.variables().collect(), &graph).unwrap();
    let objective = GaugeObjective::<Above>::new(split_schedule(&graph, &order), &graph, true);
    let good = objective.witness(&objective.start(), &graph).unwrap();
    assert!(good.verify(&graph).is_ok());
    let broken = |change: &dyn Fn(&mut GaugedWmbe<Above>)| {
        let mut witness = good.clone();
        change(&mut witness);
        witness.verify(&graph).is_err()
    };
    assert!(broken(&|w| w.weights[0] += 0.1));
    assert!(broken(&|w| {
        w.weights[0] = -0.5;
        w.weights[1] = 1.5;
    }));
    assert!(broken(&|w| w.weights[0] = f64::NAN));
    assert!(broken(&|w| w.shifts[0] = f64::INFINITY));
    assert!(broken(&|w| {
        w.shifts.pop();
    }));
    let other = mobius(14, 1.0, &mut Pcg64::seed_from_u64(1));
    assert!(good.verify(&other).is_err());
    assert!(broken(&|w| w.gauges = Gauges::identity(&other)));
}

#[test]
fn the_same_seed_gives_the_same_bound_on_any_number_of_threads() {
    let graph = mobius(24, 1.0, &mut Pcg64::seed_from_u64(4));
    let options = GaugeOptions {
        limit: CliqueLimit {
            ibound: 3,
            entries: 1e6,
        },
        candidates: 8,
        iterations: Some(200),
        ..GaugeOptions::default()
    };
    let run = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .unwrap();
        let report =
            pool.install(|| gauged_wmbe(&graph, &options, &Budget::unlimited(), &mut |_, _| {}));
        report.unwrap()
    };
    let (one, four) = (run(1), run(4));
    assert_eq!(one.bound, four.bound);
    assert!(one.iterations <= 200);
    let impossible = GaugeOptions {
        limit: CliqueLimit {
            ibound: 1,
            entries: 1e6,
        },
        ..options
    };
    assert!(gauged_wmbe(&graph, &impossible, &Budget::unlimited(), &mut |_, _| {}).is_err());
    let small = GaugeOptions {
        memory: 100.0,
        ..GaugeOptions::default()
    };
    assert!(gauged_wmbe(&graph, &small, &Budget::unlimited(), &mut |_, _| {}).is_err());
}

#[test]
fn the_published_steps_descend_in_every_variant() {
    let graph = mobius(24, 1.0, &mut Pcg64::seed_from_u64(2));
    let order = Order::new(graph.variables().collect(), &graph).unwrap();
    let schedule = split_schedule(&graph, &order);
    let exact = forney_exact::ln_z(&graph, &order, f64::INFINITY).unwrap();
    let after = |variant: Variant| {
        let mut descent = Published::new(Arc::clone(&schedule), &graph, variant);
        let value = (0..150).map(|_| descent.sweep()).last().unwrap();
        let witness = descent
            .objective()
            .witness(&descent.point(), &graph)
            .unwrap();
        let bound = witness.verify(&graph).unwrap().ln();
        // The witness keeps signs where the published method does not.
        assert!(exact <= bound && bound <= value + 1e-9, "{variant}");
        value
    };
    let gap = |name: &str| after(name.parse().unwrap()) - exact;
    let plain = gap("WMBE");
    for name in ["WMBE-w", "WMBE-theta", "wmbe-g"] {
        assert!(gap(name) < plain, "{name}");
    }
    assert!(gap("WMBE-Gw") < gap("WMBE-G") && gap("WMBE-thetaw") < gap("WMBE-θ"));
    assert!("WMBE-x".parse::<Variant>().is_err());
}

/// Of the cost shifts `diag(e^θ)` only those of split variables matter, so that plain mini-buckets
/// with published steps go the same way.
#[test]
fn diagonal_gauges_are_the_cost_shifts_of_plain_mini_buckets() {
    let graph = mobius(24, 1.0, &mut Pcg64::seed_from_u64(2));
    let order = Order::new(graph.variables().collect(), &graph).unwrap();
    let schedule = split_schedule(&graph, &order);
    let pairs = [
        (Variant::W, wmbe::Variant::W),
        (Variant::Theta, wmbe::Variant::Theta),
        (Variant::ThetaW, wmbe::Variant::ThetaW),
    ];
    for (gauged, variant) in pairs {
        let mut descent = Published::new(Arc::clone(&schedule), &graph, gauged);
        let value = (0..50)
            .map(|_| descent.sweep())
            .fold(f64::INFINITY, f64::min);
        let options = wmbe::VariantOptions {
            variant,
            steps: wmbe::Steps::Published,
            partition: wmbe::Partition::Scope,
            limit: CliqueLimit {
                ibound: 2,
                entries: 1e6,
            },
            order: Some(order.clone()),
            iterations: Some(51),
            memory: 1e9,
        };
        let budget = Budget::unlimited();
        let plain = wmbe::mini_buckets::<Above>(&graph, &options, &budget, &mut |_, _| {});
        let plain = plain.unwrap().bound.ln();
        assert!((plain - value).abs() < 1e-4, "{gauged}: {plain} {value}");
    }
}
