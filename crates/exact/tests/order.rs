//! Laws of elimination orders.

use std::collections::BTreeSet;

use forney_certify::Budget;
use forney_exact::{
    Cost, Effort, Heuristic, Keep, Order, OrderError, Schedule, Whole, frontier, frontier_within,
    greedy, greedy_within, quick, search,
};
use forney_model::generate::ising_grid;
use forney_model::{FactorGraph, Table, VarId};
use forney_testing::{Family, rng};
use rand::RngExt;

fn rounds(rounds: usize) -> Effort {
    Effort {
        rounds: Some(rounds),
        budget: Budget::unlimited(),
        memory: None,
    }
}

/// Models too large to enumerate: orders look at scopes alone.
const FAMILY: Family = Family {
    variables: 0..14,
    factors: 0..20,
    max_scope: 0..5,
    zeros: &[0.2],
    ..Family::SMALL
};

fn models(count: u64) -> impl Iterator<Item = (u64, FactorGraph)> {
    (0..count).map(|seed| (seed, FAMILY.at(seed)))
}

fn pairs(variables: usize, links: impl IntoIterator<Item = (usize, usize)>) -> FactorGraph {
    let table = |(a, b)| {
        Table::from_ln(vec![VarId::new(a), VarId::new(b)], vec![2, 2], vec![0.0; 4]).unwrap()
    };
    FactorGraph::new(vec![2; variables], links.into_iter().map(table).collect()).unwrap()
}

/// A bucket, or some that are summed out together, with the entries of its message.
#[derive(Clone, Debug, Default)]
struct Node {
    message: f64,
    children: Vec<Node>,
}

impl Node {
    /// The most entries that are alive until its message is, with the best order of its children.
    fn peak(&self) -> f64 {
        let mut places: Vec<usize> = (0..self.children.len()).collect();
        let mut least = f64::INFINITY;
        permutations(&mut places, 0, &mut |places| {
            let (mut held, mut most) = (0.0, 0.0f64);
            for &place in places {
                most = most.max(held + self.children[place].peak());
                held += self.children[place].message;
            }
            least = least.min(most.max(held + self.message));
        });
        least
    }
}

fn permutations(places: &mut [usize], from: usize, visit: &mut impl FnMut(&[usize])) {
    if from == places.len() {
        return visit(places);
    }
    for at in from..places.len() {
        places.swap(from, at);
        permutations(places, from + 1, visit);
        places.swap(from, at);
    }
}

/// Elimination on sets of variables, one bucket after another.
fn naive(graph: &FactorGraph, order: &Order) -> Cost {
    let mut scopes: Vec<BTreeSet<VarId>> = graph
        .factors()
        .iter()
        .map(|f| {
            f.scope()
                .iter()
                .copied()
                .filter(|&v| graph.card(v) > 1)
                .collect()
        })
        .collect();
    let entries =
        |set: &BTreeSet<VarId>| set.iter().map(|&v| graph.card(v) as f64).product::<f64>();
    let mut cost = Cost::default();
    let mut messages: Vec<(BTreeSet<VarId>, Node)> = Vec::new();
    let mut roots = Node::default();
    for &v in order.vars() {
        let (bucket, rest): (Vec<_>, Vec<_>) = scopes.into_iter().partition(|s| s.contains(&v));
        let (received, waiting): (Vec<_>, Vec<_>) =
            messages.into_iter().partition(|(m, _)| m.contains(&v));
        let mut clique: BTreeSet<VarId> = bucket.iter().flatten().copied().collect();
        clique.insert(v);
        cost.width = cost.width.max(clique.len() - 1);
        cost.max_entries = cost.max_entries.max(entries(&clique));
        let absorbing = received.iter().position(|(m, _)| *m == clique);
        if absorbing.is_none() {
            cost.total_entries += entries(&clique);
        }
        let mut node = Node::default();
        for (at, (message, below)) in received.into_iter().enumerate() {
            if absorbing == Some(at) {
                node.children.extend(below.children);
            } else {
                node.children.push(below);
                cost.total_messages += entries(&message);
            }
        }
        clique.remove(&v);
        scopes = rest;
        messages = waiting;
        if !clique.is_empty() {
            scopes.push(clique.clone());
            node.message = entries(&clique);
            messages.push((clique, node));
        } else {
            roots.children.push(node);
        }
    }
    // Each tree is done before the next one begins, and all that is left of it is a number.
    cost.live_messages = roots.children.iter().map(Node::peak).fold(0.0, f64::max);
    cost
}

#[test]
fn every_function_returns_a_permutation() {
    for (seed, graph) in models(1000) {
        let mut orders = vec![
            frontier(&graph, None),
            frontier(&graph, Some(&mut rng(seed))),
        ];
        for heuristic in Heuristic::ALL {
            orders.push(greedy(&graph, heuristic, None));
            orders.push(greedy(&graph, heuristic, Some(&mut rng(seed))));
        }
        orders.push(search(&graph, seed, &rounds(2)));
        orders.push(quick(&graph, &Budget::unlimited()));
        for order in orders {
            assert_eq!(
                Order::new(order.vars().to_vec(), &graph),
                Ok(order),
                "seed {seed}"
            );
        }
    }
}

#[test]
fn cost_agrees_with_naive_elimination() {
    for (seed, graph) in models(1000) {
        let order = if seed % 2 == 0 {
            frontier(&graph, Some(&mut rng(seed)))
        } else {
            greedy(&graph, Heuristic::MinFill, Some(&mut rng(seed)))
        };
        let (cost, naive) = (order.cost(&graph), naive(&graph, &order));
        assert_eq!(cost.width, naive.width, "seed {seed}");
        for (fast, slow) in [
            (cost.max_entries, naive.max_entries),
            (cost.total_entries, naive.total_entries),
            (cost.total_messages, naive.total_messages),
            (cost.live_messages, naive.live_messages),
        ] {
            assert!(
                (fast - slow).abs() <= 1e-8 * slow,
                "seed {seed}: {cost:?}, {naive:?}"
            );
        }
    }
}

#[test]
fn trees_have_width_one_and_cliques_of_n_width_n_minus_one() {
    let mut rng = rng(5);
    let tree = pairs(300, (1..300).map(|v| (v, rng.random_range(0..v))));
    let clique = pairs(9, (0..9).flat_map(|v| (0..v).map(move |u| (u, v))));
    for (graph, width) in [(tree, 1), (clique, 8)] {
        for heuristic in Heuristic::ALL {
            assert_eq!(greedy(&graph, heuristic, None).cost(&graph).width, width);
        }
        assert_eq!(search(&graph, 1, &rounds(2)).cost(&graph).width, width);
    }
}

#[test]
fn grids_have_the_width_of_their_side() {
    for side in [5, 10, 20, 30] {
        let grid = ising_grid(side, 1.0, 0.1, &mut rng(1));
        assert_eq!(frontier(&grid, None).cost(&grid).width, side);
        let fill = greedy(&grid, Heuristic::MinFill, None).cost(&grid).width;
        assert!(
            fill >= side && fill <= 2 * side,
            "side {side}, width {fill}"
        );
    }
}

#[test]
fn search_is_no_worse_than_what_it_starts_from() {
    for side in [4, 8, 12] {
        let grid = ising_grid(side, 1.0, 0.1, &mut rng(1));
        let total = |order: Order| order.cost(&grid).total_entries;
        let best = Heuristic::ALL.map(|h| total(greedy(&grid, h, None)));
        let best = best
            .into_iter()
            .fold(total(frontier(&grid, None)), f64::min);
        let found = total(search(&grid, 3, &rounds(3)));
        assert!(found <= 1.05 * best, "side {side}: {found} against {best}");
    }
}

#[test]
fn a_large_grid_is_swept_along_diagonals() {
    let grid = ising_grid(20, 1.0, 0.1, &mut rng(1));
    let found = search(&grid, 1, &rounds(1)).cost(&grid).total_entries;
    assert!(found.log2() < 27.2, "2^{} entries", found.log2());
}

#[test]
fn the_same_seed_gives_the_same_order_on_any_number_of_threads() {
    let mut all = (0..90).flat_map(|v| [(v, (v + 1) % 90), (v, (7 * v + 3) % 90)]);
    let graph = pairs(90, all.by_ref().filter(|(a, b)| a != b));
    let on = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .unwrap();
        // Enough rounds that some of them start anew.
        pool.install(|| search(&graph, 11, &rounds(7)))
    };
    let one = on(1);
    assert_eq!(one, on(4));
    let other = greedy(&graph, Heuristic::MinFill, Some(&mut rng(1)));
    assert_ne!(one, other);
}

#[test]
fn an_exhausted_budget_still_gives_an_order() {
    let grid = ising_grid(12, 1.0, 0.1, &mut rng(1));
    let budget = Budget::unlimited().capped(std::time::Duration::ZERO);
    let order = search(
        &grid,
        1,
        &Effort {
            rounds: None,
            budget,
            memory: None,
        },
    );
    assert!(Order::new(order.vars().to_vec(), &grid).is_ok());
}

/// Bytes of a pass that keeps messages only as long as they are read.
fn live_bytes(graph: &FactorGraph, order: &Order) -> f64 {
    let schedule = Schedule::compile(graph, order, &mut Whole).unwrap();
    schedule.demand().live_bytes
}

#[test]
fn a_search_within_a_limit_of_memory_finds_an_order_that_fits_where_the_cheapest_does_not() {
    let grid = ising_grid(14, 1.0, 0.1, &mut rng(1));
    let cheapest = search(&grid, 2, &rounds(4));
    let limit = 0.8 * live_bytes(&grid, &cheapest);
    let effort = Effort {
        memory: Some((Keep::Live, limit)),
        ..rounds(4)
    };
    let fitting = search(&grid, 2, &effort);
    assert!(live_bytes(&grid, &fitting) <= limit);
    assert!(fitting.cost(&grid).total_entries <= 1.1 * cheapest.cost(&grid).total_entries);
}

#[test]
fn a_limit_of_memory_that_all_orders_keep_changes_nothing() {
    let grid = ising_grid(10, 1.0, 0.1, &mut rng(1));
    let effort = Effort {
        memory: Some((Keep::All, 1e12)),
        ..rounds(4)
    };
    assert_eq!(search(&grid, 5, &effort), search(&grid, 5, &rounds(4)));
}

#[test]
fn large_narrow_models_have_small_width() {
    let n = 100_000;
    let chain = pairs(n, (1..n).map(|v| (v - 1, v)));
    let star = pairs(n, (1..n).map(|v| (0, v)));
    let ladder = (0..n)
        .flat_map(|v| [(v, v + 1), (v, v + 4)])
        .filter(|&(a, b)| b < n && (a % 4 != 3 || b == a + 4));
    let wheel = (1..n).flat_map(|v| [(0, v), (v, v % (n - 1) + 1)]);
    for (graph, most) in [
        (chain, 1),
        (star, 1),
        (pairs(n, ladder), 5),
        (pairs(n, wheel), 3),
    ] {
        assert!(greedy(&graph, Heuristic::MinFill, None).cost(&graph).width <= most);
        assert!(search(&graph, 1, &rounds(0)).cost(&graph).width <= most);
    }
}

#[test]
fn where_cliques_are_large_an_order_is_still_good() {
    // Exact scores would cost too much here, so that bounds of them take over.
    let side = 120;
    let grid = ising_grid(side, 1.0, 0.1, &mut rng(1));
    for heuristic in Heuristic::ALL {
        let width = greedy(&grid, heuristic, None).cost(&grid).width;
        assert!(width <= 2 * side, "{heuristic:?}: width {width}");
    }
    assert_eq!(quick(&grid, &Budget::unlimited()).cost(&grid).width, side);
}

#[test]
fn hubs_cost_no_more_than_their_neighbours() {
    // Two hubs, both beside everything on a ring of as many links.
    let n = 50_000;
    let ring = (0..n).map(|v| (v, (v + 1) % n));
    let spokes = (0..n).flat_map(|v| [(v, n), (v, n + 1)]);
    let graph = pairs(n + 2, ring.chain(spokes));
    let order = quick(&graph, &Budget::unlimited());
    assert!(order.cost(&graph).width <= 4);
    let schedule = Schedule::compile(&graph, &order, &mut Whole).unwrap();
    assert_eq!(schedule.check(&graph), Ok(()));
}

#[test]
fn what_is_over_before_it_begins_is_over_at_once() {
    let grid = ising_grid(12, 1.0, 0.1, &mut rng(1));
    let over = Budget::unlimited().capped(std::time::Duration::ZERO);
    assert_eq!(greedy_within(&grid, Heuristic::MinFill, None, &over), None);
    assert_eq!(frontier_within(&grid, None, &over), None);
    let order = quick(&grid, &over);
    assert!(Order::new(order.vars().to_vec(), &grid).is_ok());
    let compiled = Schedule::compile_within(&grid, &order, &mut Whole, &over);
    assert!(compiled.unwrap().is_none());
    let unlimited = Budget::unlimited();
    let same = greedy(&grid, Heuristic::MinFill, None);
    assert_eq!(
        greedy_within(&grid, Heuristic::MinFill, None, &unlimited),
        Some(same)
    );
}

#[test]
fn what_is_not_a_permutation_is_refused() {
    let graph = FactorGraph::new(vec![2; 3], vec![]).unwrap();
    let order = |list: &[u32]| Order::new(list.iter().map(|&v| VarId(v)).collect(), &graph);
    assert!(order(&[2, 0, 1]).is_ok());
    let (position, variables) = (1, 3);
    assert_eq!(
        order(&[0, 3, 1]),
        Err(OrderError::Unknown {
            position,
            var: VarId(3),
            variables
        })
    );
    assert_eq!(
        order(&[1, 1, 0]),
        Err(OrderError::Repeated {
            position,
            var: VarId(1)
        })
    );
    assert_eq!(
        order(&[2, 1]),
        Err(OrderError::Missing {
            var: VarId(0),
            variables
        })
    );
}
