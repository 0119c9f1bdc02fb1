//! Which mini-buckets of a variable exchange a cost shift.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};

use super::scopes::Place;

/// Pairs of mini-buckets that exchange a cost shift: a spanning tree of largest overlaps, grown from
/// the first one. Of equal overlaps the mini-bucket that comes first joins, to the one that joined
/// first.
///
/// `unions` are the scopes of the mini-buckets; each begins with the variable that they share.
///
/// # Complexity
/// Overlaps are counted variable by variable, so that mini-buckets that share nothing but the first
/// one cost nothing: a hub with 10^5 neighbours has 10^4 of them.
pub(super) fn pairs(unions: &[Vec<Place>]) -> Vec<(usize, usize)> {
    let mut holders: HashMap<Place, Vec<usize>> = HashMap::new();
    for (at, union) in unions.iter().enumerate() {
        for &position in &union[1..] {
            holders.entry(position).or_default().push(at);
        }
    }
    let mut inside = vec![false; unions.len()];
    // The largest overlap with one that is inside, and with which.
    let mut best = vec![(1, 0); unions.len()];
    let mut waiting: BinaryHeap<(usize, Reverse<usize>)> =
        (1..unions.len()).map(|at| (1, Reverse(at))).collect();
    let mut shared = vec![0; unions.len()];
    let mut pairs = Vec::with_capacity(unions.len() - 1);
    let mut joins = 0;
    loop {
        inside[joins] = true;
        let mut met = Vec::new();
        for position in &unions[joins][1..] {
            for &at in &holders[position] {
                if !inside[at] {
                    if shared[at] == 0 {
                        met.push(at);
                    }
                    shared[at] += 1;
                }
            }
        }
        for at in met {
            let overlap = 1 + std::mem::take(&mut shared[at]);
            if overlap > best[at].0 {
                best[at] = (overlap, joins);
                waiting.push((overlap, Reverse(at)));
            }
        }
        // An entry that is out of date has a smaller overlap than one that was popped before it.
        let next = std::iter::from_fn(|| waiting.pop()).find(|&(_, Reverse(at))| !inside[at]);
        let Some((_, Reverse(at))) = next else {
            return pairs;
        };
        pairs.push((best[at].1, at));
        joins = at;
    }
}

#[cfg(test)]
mod tests {
    use rand::{RngExt, SeedableRng};

    use super::*;

    /// The definition: of all overlaps between inside and outside the largest.
    fn slow(unions: &[Vec<Place>]) -> Vec<(usize, usize)> {
        let mut inside = vec![0];
        let mut pairs = Vec::new();
        while inside.len() < unions.len() {
            let mut best = (0, 0, 0);
            for s in (0..unions.len()).filter(|s| !inside.contains(s)) {
                for &r in &inside {
                    let common = unions[r].iter().filter(|p| unions[s].contains(p));
                    let overlap = common.count();
                    if overlap > best.0 {
                        best = (overlap, r, s);
                    }
                }
            }
            inside.push(best.2);
            pairs.push((best.1, best.2));
        }
        pairs
    }

    #[test]
    fn it_is_the_tree_of_largest_overlaps() {
        for seed in 0..1000 {
            let mut rng = rand_pcg::Pcg64::seed_from_u64(seed);
            let groups = rng.random_range(1..9);
            let unions = (0..groups).map(|_| {
                let others = (1..10).filter(|_| rng.random::<f64>() < 0.3);
                [0].into_iter().chain(others).collect()
            });
            let unions: Vec<Vec<Place>> = unions.collect();
            assert_eq!(pairs(&unions), slow(&unions), "seed {seed}");
        }
    }
}
