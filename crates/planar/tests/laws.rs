//! Laws of planar models against enumeration, elimination and Onsager's free energy.

use forney_certify::Budget;
use forney_exact::{Heuristic, greedy, marginals};
use forney_model::enumerate::enumerate;
use forney_model::generate::ising_grid;
use forney_model::{FactorGraph, Table, VarId};
use forney_planar::{Planar, PlanarError, Solution};
use forney_testing::{on_threads, rng};
use rand::{Rng, RngExt};

fn coupling(u: u32, v: u32, j: f64) -> Table {
    let ln = vec![j, -j, -j, j];
    Table::from_ln(vec![VarId(u), VarId(v)], vec![2, 2], ln).unwrap()
}

fn field(v: u32, h: f64) -> Table {
    Table::from_ln(vec![VarId(v)], vec![2], vec![h, -h]).unwrap()
}

fn model(variables: u32, factors: Vec<Table>) -> FactorGraph {
    FactorGraph::new(vec![2; variables as usize], factors).unwrap()
}

fn draw(graph: &FactorGraph) -> Result<Planar, PlanarError> {
    Planar::new(graph, &Budget::unlimited())
}

fn solve(graph: &FactorGraph) -> Solution {
    draw(graph)
        .unwrap()
        .solve(f64::INFINITY, &Budget::unlimited())
        .unwrap()
}

/// The error that a solution names covers its distance from what is known to some digits.
fn is(found: &Solution, ln_z: f64) {
    let off = (found.ln_z - ln_z).abs();
    let zero = f64::NEG_INFINITY;
    let covered = match ln_z > zero {
        true => off <= found.error + 1e-13 * ln_z.abs().max(1.0),
        false => found.ln_z <= zero,
    };
    assert!(covered, "{found:?} {ln_z}");
}

/// Pairs of a random planar graph: a polygon cut into triangles inside and outside, of which some are left out, its
/// corners named at random.
fn pairs(vertices: u32, keep: f64, rng: &mut impl Rng) -> Vec<(u32, u32)> {
    let mut pairs: Vec<(u32, u32)> = (0..vertices).map(|v| (v, (v + 1) % vertices)).collect();
    for _ in 0..2 {
        let mut ring: Vec<u32> = (0..vertices).collect();
        while ring.len() > 3 {
            let at = rng.random_range(0..ring.len());
            let beside = [ring.len() - 1, 1].map(|step| ring[(at + step) % ring.len()]);
            pairs.push((beside[0], beside[1]));
            ring.remove(at);
        }
    }
    for pair in &mut pairs {
        *pair = (pair.0.min(pair.1), pair.0.max(pair.1));
    }
    pairs.sort_unstable();
    pairs.dedup();
    pairs.retain(|&(u, v)| u != v && rng.random_bool(keep));
    let mut names: Vec<u32> = (0..vertices).collect();
    for at in (1..names.len()).rev() {
        names.swap(at, rng.random_range(0..=at));
    }
    let named = |(u, v): (u32, u32)| (names[u as usize], names[v as usize]);
    pairs.into_iter().map(named).collect()
}

fn grid(rows: u32, mut j: impl FnMut() -> f64) -> FactorGraph {
    let mut factors = Vec::new();
    for v in 0..rows * rows {
        if v % rows + 1 < rows {
            factors.push(coupling(v, v + 1, j()));
        }
        if v + rows < rows * rows {
            factors.push(coupling(v, v + rows, j()));
        }
    }
    model(rows * rows, factors)
}

#[test]
fn random_planar_models_equal_enumeration() {
    for seed in 0..1000 {
        let mut rng = rng(seed);
        let vertices = rng.random_range(3..13);
        let keep = rng.random_range(0.2..1.0);
        let strength = [0.5, 2.0, 6.0][seed as usize % 3];
        let factors = (pairs(vertices, keep, &mut rng).into_iter())
            .map(|(u, v)| coupling(u, v, rng.random_range(-strength..strength)));
        let graph = model(vertices, factors.collect());
        let found = solve(&graph);
        is(&found, enumerate(&graph).ln_z);
        assert!(found.symmetric);
    }
}

#[test]
fn agreements_are_those_of_the_joint() {
    for seed in 0..200 {
        let mut rng = rng(seed);
        let vertices = rng.random_range(3..12);
        let factors = (pairs(vertices, 0.8, &mut rng).into_iter())
            .map(|(u, v)| coupling(u, v, rng.random_range(-1.5..1.5)));
        let graph = model(vertices, factors.collect());
        let order = greedy(&graph, Heuristic::MinFill, None);
        let joint = marginals(&graph, &order, f64::INFINITY).unwrap();
        let found = solve(&graph);
        assert_eq!(found.agree.len(), graph.num_factors());
        for (factor, agree) in found.agree {
            let joint = &joint.factors[factor.index()];
            assert!(
                (joint[0] + joint[3] - agree).abs() < 1e-9,
                "{agree} {joint:?}"
            );
        }
    }
}

/// Fields are couplings to one more spin: on a tree, and on the corners of one face, that can be drawn.
#[test]
fn fields_that_can_be_drawn() {
    for seed in 0..200 {
        let mut rng = rng(seed);
        let vertices = rng.random_range(2..12);
        let mut factors: Vec<Table> = (1..vertices)
            .map(|v| coupling(rng.random_range(0..v), v, rng.random_range(-1.0..1.0)))
            .collect();
        if seed % 2 == 1 {
            factors = (0..vertices)
                .map(|v| coupling(v, (v + 1) % (vertices + 1), 0.4))
                .collect();
            factors.push(coupling(0, vertices, -0.7));
        }
        let all = vertices + 1;
        factors.extend((0..vertices).map(|v| field(v, rng.random_range(-1.0..1.0))));
        let graph = model(all, factors);
        let found = solve(&graph);
        is(&found, enumerate(&graph).ln_z);
        assert!(!found.symmetric);
    }
}

#[test]
fn hard_zeros_tie_spins() {
    for seed in 0..300 {
        let mut rng = rng(seed);
        let vertices = rng.random_range(3..11);
        let factors = (pairs(vertices, 0.9, &mut rng).into_iter()).map(|(u, v)| {
            let j = rng.random_range(-1.0..1.0);
            let (alike, other) = match rng.random_range(0..4) {
                0 => (j, f64::NEG_INFINITY),
                1 => (f64::NEG_INFINITY, j),
                _ => (j, -j),
            };
            let ln = vec![alike, other, other, alike];
            Table::from_ln(vec![VarId(u), VarId(v)], vec![2, 2], ln).unwrap()
        });
        let mut factors: Vec<Table> = factors.collect();
        if seed % 3 == 0 {
            let fixed = vec![0.3, f64::NEG_INFINITY];
            factors.push(Table::from_ln(vec![VarId(0)], vec![2], fixed).unwrap());
        }
        let graph = model(vertices, factors);
        is(&solve(&graph), enumerate(&graph).ln_z);
    }
}

#[test]
fn other_input_is_ordinary() {
    // No factor, a constant, parts that hang together with nothing, a variable of one state, a factor of no weight.
    is(&solve(&model(3, Vec::new())), 3.0 * 2f64.ln());
    let one = Table::from_ln(vec![VarId(3)], vec![1], vec![2.5]).unwrap();
    let mut factors = vec![one, Table::constant(-1.25).unwrap()];
    factors.extend([
        coupling(0, 1, 0.4),
        coupling(1, 0, 0.3),
        coupling(4, 5, 900.0),
    ]);
    let graph = FactorGraph::new(vec![2, 2, 2, 1, 2, 2], factors).unwrap();
    is(&solve(&graph), enumerate(&graph).ln_z);
    let nothing = Table::from_ln(vec![VarId(0)], vec![2], vec![f64::NEG_INFINITY; 2]).unwrap();
    is(&solve(&model(2, vec![nothing])), f64::NEG_INFINITY);
    // A spin that differs from itself, along a cycle.
    let differ = |u, v| {
        let ln = vec![f64::NEG_INFINITY, 0.0, 0.0, f64::NEG_INFINITY];
        Table::from_ln(vec![VarId(u), VarId(v)], vec![2, 2], ln).unwrap()
    };
    let cycle = model(3, vec![differ(0, 1), differ(1, 2), differ(2, 0)]);
    is(&solve(&cycle), f64::NEG_INFINITY);
}

#[test]
fn large_planar_graphs_are_drawn() {
    for seed in 0..60 {
        let mut rng = rng(seed);
        let vertices = rng.random_range(20..400);
        let keep = [1.0, 0.9, 0.6][seed as usize % 3];
        let factors = (pairs(vertices, keep, &mut rng).into_iter())
            .map(|(u, v)| coupling(u, v, rng.random_range(-0.3..0.3)));
        let found = solve(&model(vertices, factors.collect()));
        assert!(found.error < 1e-9);
    }
}

#[test]
fn what_is_not_planar_is_refused() {
    let complete = |n: u32| (0..n).flat_map(move |v| (0..v).map(move |u| (u, v)));
    let bipartite = (0..3).flat_map(|u| (3..6).map(move |v| (u, v)));
    for pairs in [complete(5).collect::<Vec<_>>(), bipartite.collect()] {
        // Each pair in turn as a path, among other spins.
        for long in 0..pairs.len() {
            let mut factors = Vec::new();
            for (at, &(u, v)) in pairs.iter().enumerate() {
                if at == long {
                    factors.extend([coupling(u, 6, 0.1), coupling(6, v, 0.1)]);
                } else {
                    factors.push(coupling(u, v, 0.1));
                }
            }
            let refused = draw(&model(8, factors)).err();
            assert_eq!(refused, Some(PlanarError::Crossing { fields: false }));
        }
    }
    let fields = draw(&ising_grid(4, 1.0, 0.1, &mut rng(1))).err();
    assert_eq!(fields, Some(PlanarError::Crossing { fields: true }));
    let three = FactorGraph::new(vec![3], Vec::new()).unwrap();
    assert!(matches!(
        draw(&three).err(),
        Some(PlanarError::Cardinality { states: 3, .. })
    ));
    let scope: Vec<VarId> = (0..3).map(VarId).collect();
    let triple = Table::from_ln(scope, vec![2; 3], vec![0.0; 8]).unwrap();
    let found = draw(&model(3, vec![triple])).err();
    assert!(matches!(
        found,
        Some(PlanarError::Scope { variables: 3, .. })
    ));
    let half = Table::from_values(vec![VarId(0), VarId(1)], vec![2, 2], &[1.0, 0.0, 1.0, 1.0]);
    let found = draw(&model(2, vec![half.unwrap()])).err();
    assert!(matches!(found, Some(PlanarError::Zeros { .. })));
}

#[test]
fn grids_equal_elimination() {
    for (rows, strength) in [(8, 0.4), (10, 1.0), (12, 2.0)] {
        let mut rng = rng(u64::from(rows));
        let graph = grid(rows, || {
            if rng.random_bool(0.5) {
                strength
            } else {
                -strength
            }
        });
        let order = greedy(&graph, Heuristic::MinFill, None);
        let found = solve(&graph);
        is(
            &found,
            forney_exact::ln_z(&graph, &order, f64::INFINITY).unwrap(),
        );
        assert!(found.error < 1e-4, "{}", found.error);
    }
}

/// At the critical point `ln Z / n → ½ ln 2 + 2 G / π`, with Catalan's constant (Onsager 1944); free borders take a
/// part of it that falls as `1/rows`.
#[test]
fn the_uniform_lattice_tends_to_onsager() {
    let critical = (1.0 + 2f64.sqrt()).ln() / 2.0;
    let limit = 2f64.ln() / 2.0 + 2.0 * 0.915_965_594_177_219 / std::f64::consts::PI;
    let per_spin = |rows: u32| solve(&grid(rows, || critical)).ln_z / f64::from(rows * rows);
    let [small, large] = [30, 60].map(per_spin);
    assert!(limit - large < 0.6 * (limit - small) && large < limit);
    // Without the part that falls as 1/rows.
    assert!(
        (2.0 * large - small - limit).abs() < 1e-3,
        "{small} {large} {limit}"
    );
}

#[test]
fn the_same_bits_on_any_number_of_threads() {
    let mut rng = rng(5);
    let graph = grid(40, || rng.random_range(-1.0..1.0));
    let [one, three] = [1, 3].map(|threads| on_threads(threads, || solve(&graph)));
    let bits = |found: &Solution| [found.ln_z, found.error].map(f64::to_bits);
    assert!(bits(&one) == bits(&three) && one.agree == three.agree);
}

#[test]
fn a_budget_ends_it() {
    let graph = grid(20, || 0.3);
    let planar = draw(&graph).unwrap();
    let over = Budget::unlimited().capped(std::time::Duration::ZERO);
    assert!(matches!(
        planar.solve(1e9, &over),
        Err(PlanarError::Stopped(_))
    ));
}
