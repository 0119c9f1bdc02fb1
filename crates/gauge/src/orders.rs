//! Which orders and partitions race with gauges moving from the start.

use forney_bounds::wmbe::{Candidate, MiniBuckets, Setting};
use forney_exact::{Bucket, Heuristic, Order, SplitRule, TooLarge, frontier, greedy};
use forney_model::FactorGraph;
use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64;

/// How likely a bucket that fits is split all the same, where only the partition is free: candidate
/// by candidate. Set by hand, not tuned.
const LOOSE: [f64; 4] = [0.05, 0.03, 0.1, 0.2];

/// Candidate `number` of `count` in a race.
///
/// # Errors
/// As [`forney_exact::Schedule::compile`].
pub(crate) fn gauged_candidate(
    setting: &Setting<'_>,
    (number, count): (usize, usize),
) -> Result<Candidate, TooLarge> {
    let graph = setting.graph;
    let seed = setting.seed.wrapping_add(number as u64);
    let mut random = Pcg64::seed_from_u64(seed);
    let (order, noisy, share) = match setting.fixed {
        Some(order) if number == 0 => (order.clone(), false, 0.0),
        Some(order) => (order.clone(), true, LOOSE[number % LOOSE.len()]),
        None => {
            let noisy = number % count >= count.div_ceil(2).max(4);
            (gauged_order(graph, number, &mut random), noisy, 0.0)
        }
    };
    let mut rule = MiniBuckets::new(setting.limit, noisy.then_some(seed));
    let mut random = Pcg64::seed_from_u64(if noisy { seed } else { 0 });
    // In Forney form a bucket holds two tables, so the size limit leaves no choice. Splitting one that
    // fits keeps later cliques small: on the clockwise order of a Möbius ladder one early split takes
    // one end of the ladder out of every clique after it, and half as many splits remain.
    let mut loosened = |bucket: &Bucket<'_>| {
        let parts = rule.split(bucket);
        if parts.len() == 1 && random.random::<f64>() < share {
            return parts[0].iter().map(|&table| vec![table]).collect();
        }
        parts
    };
    Candidate::new(graph, order, &mut loosened)
}

/// Orders for gauges: three deterministic ones, then mostly frontier orders, which win most races.
fn gauged_order(graph: &FactorGraph, number: usize, ties: &mut Pcg64) -> Order {
    match number {
        0 => frontier(graph, None),
        1 => greedy(graph, Heuristic::MinFill, None),
        2 => greedy(graph, Heuristic::MinSize, None),
        n if n % 4 == 3 => greedy(graph, Heuristic::MinFill, Some(ties)),
        n if n % 8 == 6 => greedy(graph, Heuristic::MinSize, Some(ties)),
        _ => frontier(graph, Some(ties)),
    }
}
