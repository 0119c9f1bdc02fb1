//! A perfect matching of the darts that weighs much, whose pairs are eliminated together.
//!
//! Every assignment of the spins is one: darts of edges whose ends agree meet across the edge, and where two darts of
//! a triangle are left they meet in it. The sums over matchings are about as accurate as they are close to the weight
//! of this one, so it is an assignment of low energy that is taken.

use forney_certify::DoubleDouble;

use crate::ising::Coupling;
use crate::map::Map;
use crate::ties::Ties;

/// Sweeps in which every spin that gains by it is turned over.
const SWEEPS: usize = 50;

/// Darts by twos.
pub(crate) struct Pairing {
    /// The two darts of each pair.
    pub(crate) darts: Vec<[u32; 2]>,
    /// The pair of each dart.
    pub(crate) of: Vec<u32>,
    /// `Σ J s s` of the assignment.
    pub(crate) energy: DoubleDouble,
}

impl Pairing {
    /// The pairs of an assignment, `true` being down.
    pub(crate) fn new(map: &Map, down: &[bool]) -> Self {
        let count = map.next.len();
        let disagree = |dart: u32| {
            let [u, v] = map.ends(dart / 2);
            down[u as usize] != down[v as usize]
        };
        let mut of = vec![u32::MAX; count];
        let mut darts: Vec<[u32; 2]> = Vec::with_capacity(count / 2);
        for dart in 0..count as u32 {
            if of[dart as usize] != u32::MAX {
                continue;
            }
            let second = map.next[dart as usize];
            let third = map.next[second as usize];
            let mate = match disagree(dart) {
                false => dart ^ 1,
                true if disagree(second) => second,
                true => third,
            };
            of[dart as usize] = darts.len() as u32;
            of[mate as usize] = darts.len() as u32;
            darts.push([dart, mate]);
        }
        let terms =
            map.couplings
                .iter()
                .enumerate()
                .map(|(edge, j)| match disagree(2 * edge as u32) {
                    true => -j,
                    false => *j,
                });
        let energy = terms.map(DoubleDouble::from).sum();
        Self { darts, of, energy }
    }

    /// The pairs that have a neighbour in each pair.
    pub(crate) fn beside(&self, map: &Map) -> Vec<Vec<u32>> {
        let beside = |(at, darts): (usize, &[u32; 2])| {
            let mut list: Vec<u32> = Vec::with_capacity(4);
            for &dart in darts {
                let others = map.around(dart).map(|other| self.of[other as usize]);
                list.extend(others);
            }
            list.sort_unstable();
            list.dedup();
            list.retain(|&other| other as usize != at);
            list
        };
        self.darts.iter().enumerate().map(beside).collect()
    }

    /// The order of the pairs by the later of their darts: what separates darts of one order separates pairs, too.
    pub(crate) fn order(&self, places: &[u32]) -> Vec<u32> {
        let mut order: Vec<u32> = (0..self.darts.len() as u32).collect();
        let last = |&pair: &u32| {
            self.darts[pair as usize]
                .map(|dart| places[dart as usize])
                .into_iter()
                .max()
        };
        order.sort_by_key(last);
        order
    }

    /// The places of the darts in an order of the pairs.
    pub(crate) fn places(&self, order: &[u32]) -> Vec<u32> {
        let mut places = vec![0; self.of.len()];
        for (at, &pair) in order.iter().enumerate() {
            for dart in self.darts[pair as usize] {
                places[dart as usize] = at as u32;
            }
        }
        places
    }
}

/// An assignment of low energy: the surest guesses, negative where two ends differ, have their way; then spins turn over where
/// that gains.
pub(crate) fn low_energy(
    spins: usize,
    guesses: impl Iterator<Item = ([u32; 2], f64)>,
    couplings: &[Coupling],
) -> Vec<bool> {
    let mut surest: Vec<([u32; 2], f64)> = guesses.collect();
    surest.sort_by(|(_, a), (_, b)| b.abs().total_cmp(&a.abs()));
    let mut ties = Ties::new(spins);
    for (ends, guess) in surest {
        ties.tie(ends, guess < 0.0);
    }
    let mut down: Vec<bool> = (0..spins as u32).map(|v| ties.find(v).1).collect();
    let mut beside: Vec<Vec<(u32, f64)>> = vec![Vec::new(); spins];
    for coupling in couplings {
        let [u, v] = coupling.ends;
        beside[u as usize].push((v, coupling.j));
        beside[v as usize].push((u, coupling.j));
    }
    for _ in 0..SWEEPS {
        let mut turned = false;
        for v in 0..spins {
            let field: f64 = (beside[v].iter())
                .map(|&(u, j)| if down[u as usize] == down[v] { j } else { -j })
                .sum();
            if field < 0.0 {
                down[v] = !down[v];
                turned = true;
            }
        }
        if !turned {
            break;
        }
    }
    down
}
