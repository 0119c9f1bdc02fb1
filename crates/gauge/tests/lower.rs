//! Laws of gauged lower bounds, against enumeration on random models.

mod common;

use common::{model, shuffled, split_schedule};
use forney_certify::{Below, Certificate, Lbfgs, Objective, Refine};
use forney_exact::Order;
use forney_gauge::{GaugeObjective, Gauges};
use forney_model::VarId;
use forney_model::enumerate::enumerate;
use forney_model::generate::mobius;
use forney_testing::{assert_at_most, assert_gradient, ring, rng};
use nalgebra::DMatrix;
use rand::RngExt;

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
                Ok(bound) => assert_at_most(bound.ln(), exact, seed),
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
    let graph = mobius(12, 1.0, &mut rng(1));
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
fn gradients_below_agree_with_finite_differences() {
    for seed in 0..30 {
        let mut rng = rng(seed);
        let graph = ring(2 + seed as usize % 3, 0..0, &mut rng);
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
        let (mut objective, coordinates) = (objective.with_barrier(0.1), 0..x.len());
        let evaluate = |x: &[f64], gradient: &mut [f64]| objective.evaluate(x, gradient);
        let what = format!("seed {seed}");
        assert_gradient(evaluate, x, coordinates, (1e-6, 1e-5), &what);
    }
}
