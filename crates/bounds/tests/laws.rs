//! Laws of mini-bucket witnesses.

use std::sync::Arc;

use forney_bounds::wmbe::{CliqueLimit, MiniBuckets, WeightMap, Wmbe, WmbeObjective};
use forney_certify::{Above, Below, Certificate, Lbfgs, Refine, slack};
use forney_exact::{Heuristic, Order, Schedule, greedy, ln_z};
use forney_model::generate::{ising_grid, mobius};
use forney_model::{FactorGraph, Table, VarId};
use forney_testing::{assert_near, rng};

fn descent<S: WeightMap>(schedule: &Arc<Schedule>, graph: &FactorGraph) -> Lbfgs<WmbeObjective<S>> {
    let objective = WmbeObjective::new(Arc::clone(schedule), graph);
    Lbfgs::new(objective, WmbeObjective::<S>::start(schedule), 10)
}

/// The bound after one more sweep; number and witness belong together.
fn swept<S: WeightMap>(descent: &mut Lbfgs<WmbeObjective<S>>, graph: &FactorGraph) -> f64 {
    descent.sweep();
    let witness = descent.objective().witness(&descent.point());
    let bound = witness.verify(graph).unwrap().ln();
    assert_near(bound, S::SENSE * descent.value(), "the witness");
    bound
}

#[test]
fn optimising_tightens_both_sides_and_every_stop_certifies() {
    let mut rng = rng(5);
    for graph in [ising_grid(5, 1.0, 0.1, &mut rng), mobius(12, 1.0, &mut rng)] {
        let minfill = greedy(&graph, Heuristic::MinFill, None);
        let exact = ln_z(&graph, &minfill, f64::INFINITY).unwrap();
        let order = Order::new(graph.variables().collect(), &graph).unwrap();
        let limit = CliqueLimit {
            ibound: 3,
            entries: 1e6,
        };
        let mut rule = MiniBuckets::new(limit, None);
        let schedule = Arc::new(Schedule::compile(&graph, &order, &mut rule).unwrap());
        assert!(!schedule.is_exact());
        schedule.check(&graph).unwrap();

        let mut above = descent::<Above>(&schedule, &graph);
        let mut below = descent::<Below>(&schedule, &graph);
        let (mut upper, mut lower) = (f64::INFINITY, f64::NEG_INFINITY);
        for _ in 0..40 {
            let (up, low) = (swept(&mut above, &graph), swept(&mut below, &graph));
            assert!(low <= exact + slack(exact) && up >= exact - slack(exact));
            assert!(
                up <= upper + slack(up) && low >= lower - slack(low),
                "monotone"
            );
            (upper, lower) = (up, low);
        }
        assert!(
            upper - exact < 2.0 && exact - lower < 4.0,
            "{lower} {exact} {upper}"
        );
    }
}

#[test]
fn a_tampered_witness_proves_nothing() {
    let graph = ising_grid(4, 1.0, 0.1, &mut rng(2));
    let order = Order::new(graph.variables().collect(), &graph).unwrap();
    let limit = CliqueLimit {
        ibound: 2,
        entries: 1e6,
    };
    let mut rule = MiniBuckets::new(limit, None);
    let schedule = Arc::new(Schedule::compile(&graph, &order, &mut rule).unwrap());
    let start = WmbeObjective::<Above>::start(&schedule);
    let good = WmbeObjective::<Above>::new(Arc::clone(&schedule), &graph).witness(&start);
    assert!(good.verify(&graph).is_ok());

    let mut light = good.clone();
    light.weights[0] *= 0.5;
    assert!(
        light.verify(&graph).is_err(),
        "weights that sum to less than 1"
    );
    let mut negative = good.clone();
    negative.weights[0] -= 1.0;
    negative.weights[1] += 1.0;
    assert!(
        negative.verify(&graph).is_err(),
        "a negative weight in an upper bound"
    );
    let mut nan = good.clone();
    nan.weights[0] = f64::NAN;
    assert!(nan.verify(&graph).is_err());
    let mut shifted = good.clone();
    shifted.shifts[0] = f64::INFINITY;
    assert!(shifted.verify(&graph).is_err());
    let mut short = good.clone();
    short.shifts.pop();
    assert!(short.verify(&graph).is_err());
    let (weights, shifts) = (good.weights.clone(), good.shifts.clone());
    let reversed = Wmbe::<Below>::new(Arc::clone(&schedule), weights, shifts);
    assert!(
        reversed.verify(&graph).is_err(),
        "positive weights in a lower bound"
    );
    let other = ising_grid(3, 1.0, 0.1, &mut rng(2));
    assert!(good.verify(&other).is_err(), "another model");
    let mut factors = graph.factors().to_vec();
    factors.push(Table::from_ln(vec![VarId(0)], vec![2], vec![1.0, 2.0]).unwrap());
    let larger = FactorGraph::new(graph.cards().to_vec(), factors).unwrap();
    assert!(good.verify(&larger).is_err(), "a factor more");
}
