use forney_certify::{Above, Below};
use forney_exact::{Heuristic, Schedule, greedy};
use forney_model::enumerate::enumerate;
use forney_model::generate::ising_grid;
use forney_model::{FactorGraph, VarId};

use std::sync::Arc;

use super::*;
use crate::board::Board;
use crate::wmbe::{CliqueLimit, MiniBuckets, PlainRacer, WmbeObjective};

const LIMIT: CliqueLimit = CliqueLimit {
    ibound: 2,
    entries: 1e6,
};

fn grid(side: usize, seed: u64) -> FactorGraph {
    ising_grid(side, 1.0, 0.2, &mut Pcg64::seed_from_u64(seed))
}

/// A partition by scope with some noise, and its schedule.
fn structure(graph: &FactorGraph, seed: u64) -> (Structure, Schedule) {
    let order = greedy(graph, Heuristic::MinFill, None);
    let rule = &mut MiniBuckets::new(LIMIT, Some(seed));
    let Candidate {
        structure,
        schedule,
    } = Candidate::new(graph, order, rule).unwrap();
    (structure, Arc::unwrap_or_clone(schedule))
}

/// At its start.
fn racer<S: WeightMap>(
    graph: &FactorGraph,
    (structure, schedule): (Structure, Schedule),
) -> PlainRacer<S> {
    let candidate = Candidate {
        structure,
        schedule: schedule.into(),
    };
    PlainRacer::new(candidate, graph)
}

fn search(graph: &FactorGraph) -> LocalSearch<'_> {
    let setting = Setting {
        graph,
        limit: LIMIT,
        fixed: None,
        seed: 7,
    };
    LocalSearch {
        setting,
        least_gain: 0.0,
    }
}

#[test]
fn what_no_change_touches_is_split_as_before() {
    for seed in 0..100 {
        let graph = grid(5, seed);
        let (parent, schedule) = structure(&graph, seed);
        // A variable in its own place.
        let variable = VarId::new(seed as usize % 25);
        let mutation = Mutation::Move {
            variable,
            place: variable,
        };
        let point = WmbeObjective::<Above>::start(&schedule);
        let carried = Carried::new(&schedule, &point);
        let unlimited = Budget::unlimited();
        let mover = racer::<Above>(&graph, (parent.clone(), schedule.clone()));
        let again = search(&graph).change(mutation, &parent, &carried, &mover, 1e9, &unlimited);
        assert!(again.is_none(), "seed {seed}");
    }
}

#[test]
fn carried_parameters_bound_and_come_close_to_where_they_were() {
    let mut rng = Pcg64::seed_from_u64(3);
    let (mut tried, mut nearer) = (0, 0);
    for seed in 0..60 {
        let graph = grid(4, seed);
        let ln_z = enumerate(&graph).ln_z;
        let (parent, schedule) = structure(&graph, seed);
        let budget = Budget::unlimited();
        let mut racer = racer::<Above>(&graph, (parent.clone(), schedule.clone()));
        racer.cycle(100, &budget);
        let point = racer.point();
        let carried = Carried::new(&schedule, &point);
        for _ in 0..4 {
            let mutation = Mutation::propose(&schedule, false, &mut rng);
            let changed = search(&graph).change(mutation, &parent, &carried, &racer, 1e9, &budget);
            let Some(changed) = changed else {
                continue;
            };
            let start = WmbeObjective::<Above>::start(changed.schedule());
            let candidate = Candidate {
                structure: changed.structure().clone(),
                schedule: Arc::clone(changed.schedule()),
            };
            let anew = PlainRacer::<Above>::at(candidate, &graph, start);
            assert!(changed.value() >= ln_z - 1e-9, "seed {seed}");
            tried += 1;
            nearer += usize::from(changed.value() < anew.value());
        }
    }
    // A change that touches most of a small grid may start anew as well.
    assert!(tried > 60 && 10 * nearer > 9 * tried, "{nearer} of {tried}");
}

#[test]
fn a_search_tightens_both_sides_and_keeps_to_its_evaluations() {
    fn law<S: WeightMap>(graph: &FactorGraph, ln_z: f64) -> f64 {
        let budget = Budget::unlimited();
        let watch = &mut |_: &crate::Progress| {};
        let board = Board::new(&budget, watch);
        let mut racer = racer::<S>(graph, structure(graph, 1));
        racer.cycle(200, &budget);
        let before = racer.value();
        let mut account = Account::new(&board, &budget, 1e9, Some(2_000));
        search(graph).improve(&mut racer, &mut account);
        assert!(account.spent() <= 2_000 && board.counted::<S>() == account.spent());
        assert!(S::SENSE * (racer.value() * S::SENSE - ln_z) >= -1e-9);
        before - racer.value()
    }
    let mut gains = [0.0; 2];
    for seed in 0..5 {
        let graph = grid(4, seed);
        let ln_z = enumerate(&graph).ln_z;
        gains[0] += law::<Above>(&graph, ln_z);
        gains[1] += law::<Below>(&graph, ln_z);
    }
    assert!(gains.iter().all(|&gain| gain > 0.1), "{gains:?}");
}

#[test]
fn the_order_is_kept_where_it_is_the_callers() {
    let graph = grid(5, 2);
    let (_, schedule) = structure(&graph, 2);
    let mut rng = Pcg64::seed_from_u64(5);
    for _ in 0..50 {
        let mutation = Mutation::propose(&schedule, true, &mut rng);
        assert!(matches!(mutation, Mutation::Split { .. }));
    }
}
