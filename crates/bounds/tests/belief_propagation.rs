//! Laws of belief propagation, against enumeration.

use forney_bounds::{BeliefPropagation, Beliefs, MessageSchedule, belief_propagation};
use forney_certify::{Budget, Limits, Refine, Run, Stop};
use forney_model::enumerate::enumerate;
use forney_model::generate::ising_grid;
use forney_model::{FactorGraph, Table, VarId};
use forney_testing::{Family, rng, without_cycles};

const MODELS: u64 = 1000;
const SCHEDULES: [MessageSchedule; 2] = [MessageSchedule::Parallel, MessageSchedule::Residual];

const LIMITS: Limits = Limits {
    sweeps: Some(200),
    tolerance: 1e-12,
};

fn with_spread(spread: f64) -> Family {
    Family {
        spread,
        ..Family::SMALL
    }
}

fn run(graph: &FactorGraph, schedule: MessageSchedule, damping: f64) -> Run<Beliefs> {
    belief_propagation(graph, schedule, damping, &LIMITS, &Budget::unlimited())
}

#[test]
fn it_is_exact_on_trees() {
    let mut joint = 0;
    for seed in 0..MODELS {
        let spread = if seed.is_multiple_of(7) { 900.0 } else { 2.0 };
        let graph = without_cycles(&with_spread(spread).at(seed));
        let exact = enumerate(&graph);
        for schedule in SCHEDULES {
            let found = run(&graph, schedule, 0.0);
            assert_eq!(found.stop, Stop::Converged, "seed {seed} {schedule:?}");
            let ln = found.point.ln_z.ln;
            let near = (ln - exact.ln_z).abs() < 1e-9 * exact.ln_z.abs().max(1.0);
            let both = ln.max(exact.ln_z) == f64::NEG_INFINITY;
            assert!(
                near || both,
                "seed {seed} {schedule:?}: {ln} for {}",
                exact.ln_z
            );
            for (found, exact) in found.point.variables.iter().zip(&exact.marginals) {
                for (p, q) in found.iter().zip(exact) {
                    assert!(
                        (p - q).abs() < 1e-8,
                        "seed {seed} {schedule:?}: {p} for {q}"
                    );
                }
            }
        }
        joint += usize::from(graph.factors().iter().any(|table| table.scope().len() > 1));
    }
    assert!(joint > 400, "{joint}");
}

/// Messages on the model as it is, without pruning: hard zeros make infinite messages.
#[test]
fn infinite_messages_are_exact_on_trees() {
    for seed in 0..MODELS {
        let graph = without_cycles(&Family::SMALL.at(seed));
        let exact = enumerate(&graph).ln_z;
        for schedule in SCHEDULES {
            let mut messages = BeliefPropagation::new(&graph, schedule, 0.0);
            for _ in 0..60 {
                messages.sweep();
            }
            let ln = messages.point().ln_z.ln;
            let both = ln.max(exact) == f64::NEG_INFINITY;
            assert!(
                (ln - exact).abs() < 1e-9 || both,
                "seed {seed}: {ln} for {exact}"
            );
        }
    }
}

#[test]
fn schedules_and_damping_agree_where_they_converge() {
    let mut agreed = 0;
    for seed in 0..MODELS {
        let graph = with_spread(0.5).at(seed);
        let runs = [
            run(&graph, MessageSchedule::Parallel, 0.0),
            run(&graph, MessageSchedule::Residual, 0.0),
            run(&graph, MessageSchedule::Parallel, 0.3),
        ];
        for run in &runs {
            assert!(!run.point.ln_z.ln.is_nan(), "seed {seed}");
            let sums = run.point.variables.iter().map(|p| p.iter().sum::<f64>());
            let mass = f64::from(run.point.ln_z.ln > f64::NEG_INFINITY);
            assert!(sums.into_iter().all(|sum| (sum - mass).abs() < 1e-9));
        }
        if runs.iter().all(|run| run.stop == Stop::Converged) {
            let values = runs.map(|run| run.point.ln_z.ln);
            let same = |a: f64, b: f64| (a - b).abs() < 1e-7 || a.max(b) == f64::NEG_INFINITY;
            assert!(
                same(values[0], values[1]) && same(values[0], values[2]),
                "seed {seed}"
            );
            agreed += 1;
        }
    }
    assert!(agreed > 900, "{agreed}");
}

#[test]
fn sweeps_report_the_value_of_their_point() {
    for seed in 0..MODELS {
        let graph = Family::SMALL.at(seed);
        for schedule in SCHEDULES {
            let mut messages = BeliefPropagation::new(&graph, schedule, 0.2);
            for _ in 0..3 {
                let value = messages.sweep();
                let point = messages.point().ln_z.ln;
                assert_eq!(value.to_bits(), point.to_bits(), "seed {seed}");
            }
        }
    }
}

#[test]
fn messages_that_do_not_settle_end_at_the_limit() {
    let graph = ising_grid(10, 5.0, 0.1, &mut rng(1));
    let limits = Limits {
        sweeps: Some(20),
        tolerance: 1e-12,
    };
    let budget = Budget::unlimited();
    let run = belief_propagation(&graph, MessageSchedule::Parallel, 0.0, &limits, &budget);
    assert_eq!((run.stop, run.trace.len()), (Stop::SweepLimit, 20));
    assert!(run.point.ln_z.ln.is_finite());
}

#[test]
fn a_message_that_is_on_its_way_has_not_converged() {
    // Two fields at the ends of a chain of symmetric links: until they meet no value changes.
    let link = |v: u32| {
        let scope = vec![VarId(v), VarId(v + 1)];
        Table::from_ln(scope, vec![2, 2], vec![2.0, 0.0, 0.0, 2.0]).unwrap()
    };
    let field = |v: u32| Table::from_ln(vec![VarId(v)], vec![2], vec![0.0, 3.0]).unwrap();
    let mut factors: Vec<Table> = (0..11).map(link).collect();
    factors.extend([field(0), field(11)]);
    let graph = FactorGraph::new(vec![2; 12], factors).unwrap();
    let exact = enumerate(&graph).ln_z;
    for schedule in SCHEDULES {
        let found = run(&graph, schedule, 0.0);
        assert!((found.point.ln_z.ln - exact).abs() < 1e-9);
    }
}
