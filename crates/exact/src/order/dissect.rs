//! Nested dissection: separators that are eliminated after what they separate (George 1973).
//!
//! A part is cut at a level of a breadth-first search from its end, the separator is improved by moving
//! its vertices to one side and what they touch on the other into it (Fiduccia and Mattheyses 1982),
//! and both sides are cut again.

use std::collections::BinaryHeap;

use forney_certify::Budget;
use rand::RngExt;
use rand_pcg::Pcg64;

use super::primal::{Marks, Primal};
use super::queue::{Place, place, tie, vertex};
use super::quotient::{Score, quotient_order};
use crate::watch::Watch;

/// Parts of at most so many vertices are not cut.
const LEAST: usize = 48;
/// No side of a cut has less than this share of a part.
const SHARE: f64 = 0.2;
/// Passes over a separator.
const PASSES: usize = 4;
/// Moves in a row that may make a separator no smaller.
const PATIENCE: usize = 100;
/// Cuts within cuts.
const DEEPEST: u32 = 40;

/// An order for a sparse matrix: nested dissection, and within its parts little fill.
///
/// `adjacent` lists the neighbours of each node, ascending; it is symmetric and holds no node itself. When the budget
/// ends, what is left comes in some order.
///
/// # Complexity
/// `O(m log n)` for `m` edges.
///
/// # Example
/// ```
/// use forney_certify::Budget;
/// let path = vec![vec![1], vec![0, 2], vec![1]];
/// assert_eq!(forney_exact::dissection(path, &Budget::unlimited()).len(), 3);
/// ```
#[must_use]
pub fn dissection(adjacent: Vec<Vec<u32>>, budget: &Budget) -> Vec<u32> {
    let log2 = vec![1.0; adjacent.len()];
    let primal = Primal { log2, adjacent };
    let watch = Watch::new(Some(budget));
    let stage = stages(&primal, None, &watch);
    let all: Vec<u32> = (0..primal.len() as u32).collect();
    let Primal { log2, adjacent } = primal;
    quotient_order(
        &all,
        adjacent,
        &log2,
        Some(&stage),
        Score::Fill,
        None,
        &watch,
    )
}

/// For every vertex the stage in which it is eliminated: 0 in the parts that are not cut, the later the
/// fewer cuts led to a separator.
///
/// # Complexity
/// `O(m log n)`: every level of cuts looks at each edge a few times. When the watch ends it, parts stay
/// uncut.
pub(super) fn stages(primal: &Primal, mut ties: Option<&mut Pcg64>, watch: &Watch<'_>) -> Vec<u32> {
    let n = primal.len();
    let mut dissection = Dissection {
        primal,
        part: vec![0; n],
        side: vec![Side::Outside; n],
        marks: Marks::new(n),
    };
    let mut stage = vec![0; n];
    let mut parts = 1;
    let mut open: Vec<(Vec<u32>, u32)> = vec![((0..n as u32).collect(), 0)];
    while let Some((mut vertices, depth)) = open.pop() {
        if vertices.len() <= LEAST || depth >= DEEPEST || watch.stop() {
            continue;
        }
        if let Some(rng) = &mut ties {
            let start = rng.random_range(0..vertices.len());
            vertices.swap(0, start);
        }
        for connected in dissection.connected(&vertices, &mut parts) {
            let Some([one, two, between]) = dissection.cut(&connected, watch) else {
                continue;
            };
            for &v in &between {
                stage[v as usize] = DEEPEST - depth;
                dissection.part[v as usize] = u32::MAX;
            }
            for side in [one, two] {
                for &v in &side {
                    dissection.part[v as usize] = parts;
                }
                parts += 1;
                open.push((side, depth + 1));
            }
        }
    }
    stage
}

/// Where a vertex is while a part is cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Side {
    One,
    Two,
    Between,
    /// Not in the part.
    Outside,
}

impl Side {
    fn other(self) -> Self {
        match self {
            Self::One => Self::Two,
            _ => Self::One,
        }
    }
}

struct Dissection<'a> {
    primal: &'a Primal,
    /// The part of each vertex; none for those in separators.
    part: Vec<u32>,
    side: Vec<Side>,
    /// Of breadth-first searches and of locked vertices.
    marks: Marks,
}

impl Dissection<'_> {
    fn size(&self, v: u32) -> f64 {
        self.primal.log2[v as usize]
    }

    fn weight(&self, vertices: &[u32]) -> f64 {
        vertices.iter().map(|&v| self.size(v)).sum()
    }

    fn neighbours(&self, v: u32) -> impl Iterator<Item = u32> + '_ {
        let part = self.part[v as usize];
        let all = self.primal.adjacent[v as usize].iter().copied();
        all.filter(move |&u| self.part[u as usize] == part)
    }

    /// The levels of a search within the part of `start`.
    fn levels(&mut self, start: u32) -> (Vec<u32>, Vec<usize>) {
        let own = self.part[start as usize];
        let inside = |u: u32| self.part[u as usize] == own;
        self.marks.levels(self.primal, start, inside)
    }

    /// Makes every connected part of a part one of its own; of each the vertices as a search reaches
    /// them.
    fn connected(&mut self, vertices: &[u32], parts: &mut u32) -> Vec<Vec<u32>> {
        let whole = self.part[vertices[0] as usize];
        let mut connected = Vec::new();
        for &v in vertices {
            if self.part[v as usize] == whole {
                let (reached, _) = self.levels(v);
                for &u in &reached {
                    self.part[u as usize] = *parts;
                }
                *parts += 1;
                connected.push(reached);
            }
        }
        connected
    }

    /// Two sides of a connected part and the separator between them; `None` if there is no small one.
    fn cut(&mut self, reached: &[u32], watch: &Watch<'_>) -> Option<[Vec<u32>; 3]> {
        if reached.len() <= LEAST {
            return None;
        }
        let (reached, begins) = self.levels(*reached.last()?);
        let total = self.weight(&reached);
        let mut before = 0.0;
        let mut best: Option<(f64, usize)> = None;
        for (level, pair) in begins.windows(2).enumerate() {
            let own = self.weight(&reached[pair[0]..pair[1]]);
            let after = total - before - own;
            let balance = before.min(after) / total;
            // The nearer to the middle the better, of levels of one weight.
            let score = own * (1.5 - balance);
            let best_so_far = best.is_none_or(|(least, _)| score < least);
            if balance >= SHARE && best_so_far {
                best = Some((score, level));
            }
            before += own;
        }
        let (_, level) = best?;
        for (at, &v) in reached.iter().enumerate() {
            self.side[v as usize] = if at < begins[level] {
                Side::One
            } else if at < begins[level + 1] {
                Side::Between
            } else {
                Side::Two
            };
        }
        let mut between = reached[begins[level]..begins[level + 1]].to_vec();
        let mut weights = [
            self.weight(&reached[..begins[level]]),
            self.weight(&reached[begins[level + 1]..]),
        ];
        for _ in 0..PASSES {
            if watch.stop() || !self.improve(&mut between, &mut weights, SHARE * total) {
                break;
            }
        }
        let mut sides = [Vec::new(), Vec::new(), Vec::new()];
        for v in reached {
            let side = std::mem::replace(&mut self.side[v as usize], Side::Outside);
            match side {
                Side::One => sides[0].push(v),
                Side::Two => sides[1].push(v),
                Side::Between | Side::Outside => sides[2].push(v),
            }
        }
        let [one, two, separator] = &sides;
        (separator.len() < one.len().min(two.len())).then_some(sides)
    }

    /// What the separator loses if `v` leaves it for a side.
    fn gain(&self, v: u32, to: Side) -> f64 {
        let pulled = self
            .neighbours(v)
            .filter(|&u| self.side[u as usize] == to.other());
        self.size(v) - pulled.map(|u| self.size(u)).sum::<f64>()
    }

    /// One pass: every vertex leaves the separator once at most, the best move first, and the best
    /// separator on the way stays. Returns whether it is smaller than the one before.
    fn improve(&mut self, between: &mut Vec<u32>, weights: &mut [f64; 2], least: f64) -> bool {
        self.marks.clear();
        let index = |side: Side| usize::from(side == Side::Two);
        let mut heap: BinaryHeap<Place> = BinaryHeap::new();
        let both = [Side::One, Side::Two];
        // A place of a move ends with the number of the side that the vertex goes to.
        let of_gain = |gain: f64, v: u32, to: Side| place(gain, v, index(to) as u32);
        for &v in &*between {
            heap.extend(both.map(|to| of_gain(self.gain(v, to), v, to)));
        }
        // Vertices that changed sides, with where they came from.
        let mut moves: Vec<(u32, Side)> = Vec::new();
        let (mut change, mut best, mut best_moves) = (0.0, 0.0, 0);
        let mut best_weights = *weights;
        let mut idle = 0;
        while let Some(best_move) = heap.pop() {
            let (v, side) = (tie(best_move), both[vertex(best_move) as usize]);
            if self.side[v as usize] != Side::Between || self.marks.has(v) {
                continue;
            }
            let now = self.gain(v, side);
            if of_gain(now, v, side) < best_move {
                heap.push(of_gain(now, v, side));
                continue;
            }
            let pulled: Vec<u32> = self
                .neighbours(v)
                .filter(|&u| self.side[u as usize] == side.other())
                .collect();
            let lost = self.weight(&pulled);
            if weights[index(side.other())] - lost < least {
                continue;
            }
            self.marks.put(v);
            moves.push((v, Side::Between));
            self.side[v as usize] = side;
            weights[index(side)] += self.size(v);
            weights[index(side.other())] -= lost;
            for &u in &pulled {
                moves.push((u, side.other()));
                self.side[u as usize] = Side::Between;
            }
            for &u in &pulled {
                heap.extend(both.map(|to| of_gain(self.gain(u, to), u, to)));
                let beside = self.neighbours(u);
                let beside = beside.filter(|&x| self.side[x as usize] == Side::Between);
                heap.extend(beside.map(|x| of_gain(self.gain(x, side), x, side)));
            }
            change += now;
            idle += 1;
            if change > best {
                (best, best_moves, best_weights, idle) = (change, moves.len(), *weights, 0);
            } else if idle >= PATIENCE {
                break;
            }
        }
        let touched: Vec<u32> = moves.iter().map(|&(v, _)| v).collect();
        for (v, from) in moves.drain(best_moves..).rev() {
            self.side[v as usize] = from;
        }
        *weights = best_weights;
        between.extend(touched);
        between.sort_unstable();
        between.dedup();
        between.retain(|&v| self.side[v as usize] == Side::Between);
        best > 0.0
    }
}
