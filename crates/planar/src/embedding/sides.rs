//! Which back edges lie on which side.

use super::search::{NONE, Search};

/// Back edges on one side, from the one that returns lowest to the one that returns highest.
#[derive(Clone, Copy)]
struct Interval {
    low: u32,
    high: u32,
}

impl Interval {
    const EMPTY: Self = Self {
        low: NONE,
        high: NONE,
    };

    fn is_empty(self) -> bool {
        self.high == NONE
    }
}

/// Back edges on opposite sides.
#[derive(Clone, Copy)]
struct Pair {
    left: Interval,
    right: Interval,
}

/// The test, and what it finds out about sides.
pub(super) struct Test<'s, 'g> {
    search: &'s Search<'g>,
    stack: Vec<Pair>,
    /// The edge whose side the side of an edge is relative to.
    relative: Vec<u32>,
    opposite: Vec<bool>,
    /// Where the stack stood when an edge was reached.
    bottom: Vec<u32>,
    /// The back edge of an edge that returns lowest.
    lowest: Vec<u32>,
    /// Twice the low point, and one more for an edge that returns to two heights.
    nesting: Vec<i64>,
}

impl<'s, 'g> Test<'s, 'g> {
    pub(super) fn new(search: &'s Search<'g>) -> Self {
        let edges = search.edges.len();
        let nesting = (0..edges).map(|edge| {
            let chordal = search.second[edge] < search.height[search.source(edge as u32) as usize];
            2 * i64::from(search.low[edge]) + i64::from(chordal)
        });
        Self {
            nesting: nesting.collect(),
            search,
            stack: Vec::new(),
            relative: vec![NONE; edges],
            opposite: vec![false; edges],
            bottom: vec![0; edges],
            lowest: vec![NONE; edges],
        }
    }

    fn low(&self, edge: u32) -> u32 {
        self.search.low[edge as usize]
    }

    /// Walks the tree again, inner edges first.
    pub(super) fn is_planar(&mut self) -> bool {
        let search = self.search;
        let (leaving, begins) = search.leaving(|edge| self.nesting[edge as usize]);
        let mut next = begins.clone();
        for &root in &search.roots {
            let mut path = vec![root];
            while let Some(&v) = path.last() {
                let at = next[v as usize];
                if at < begins[v as usize + 1] {
                    let edge = leaving[at as usize];
                    let w = search.target(edge);
                    let tree = search.parent[w as usize] == edge;
                    // A tree edge is left here when the walk comes back from beyond it.
                    if self.bottom[edge as usize] == 0 {
                        self.bottom[edge as usize] = self.stack.len() as u32 + 1;
                        if tree {
                            path.push(w);
                            continue;
                        }
                        self.lowest[edge as usize] = edge;
                        let right = Interval {
                            low: edge,
                            high: edge,
                        };
                        self.stack.push(Pair {
                            left: Interval::EMPTY,
                            right,
                        });
                    }
                    next[v as usize] += 1;
                    if self.low(edge) < search.height[v as usize] {
                        let above = search.parent[v as usize];
                        if at == begins[v as usize] {
                            self.lowest[above as usize] = self.lowest[edge as usize];
                        } else if !self.constrain(edge, above) {
                            return false;
                        }
                    }
                    continue;
                }
                path.pop();
                if search.parent[v as usize] != NONE {
                    self.leave(search.parent[v as usize]);
                }
            }
        }
        true
    }

    /// Does an interval return above what an edge returns to?
    fn conflicts(&self, interval: Interval, edge: u32) -> bool {
        !interval.is_empty() && self.low(interval.high) > self.low(edge)
    }

    /// What returns through `edge` is on the other side of what earlier edges have returned above it.
    fn constrain(&mut self, edge: u32, above: u32) -> bool {
        let (mut left, mut right) = (Interval::EMPTY, Interval::EMPTY);
        let bottom = self.bottom[edge as usize] as usize - 1;
        while self.stack.len() > bottom {
            let Some(mut pair) = self.stack.pop() else {
                break;
            };
            if !pair.left.is_empty() {
                std::mem::swap(&mut pair.left, &mut pair.right);
            }
            if !pair.left.is_empty() {
                return false;
            }
            if self.low(pair.right.low) > self.low(above) {
                if right.is_empty() {
                    right.high = pair.right.high;
                } else {
                    self.relative[right.low as usize] = pair.right.high;
                }
                right.low = pair.right.low;
            } else {
                self.relative[pair.right.low as usize] = self.lowest[above as usize];
            }
        }
        while let Some(&top) = self.stack.last() {
            if !self.conflicts(top.left, edge) && !self.conflicts(top.right, edge) {
                break;
            }
            self.stack.pop();
            let mut pair = top;
            if self.conflicts(pair.right, edge) {
                std::mem::swap(&mut pair.left, &mut pair.right);
            }
            if self.conflicts(pair.right, edge) {
                return false;
            }
            if right.low != NONE {
                self.relative[right.low as usize] = pair.right.high;
            }
            if pair.right.low != NONE {
                right.low = pair.right.low;
            }
            if left.is_empty() {
                left.high = pair.left.high;
            } else {
                self.relative[left.low as usize] = pair.left.high;
            }
            left.low = pair.left.low;
        }
        if !left.is_empty() || !right.is_empty() {
            self.stack.push(Pair { left, right });
        }
        true
    }

    /// The lowest height that a pair returns to.
    fn lowest_of(&self, pair: Pair) -> u32 {
        let low = |interval: Interval| match interval.is_empty() {
            true => NONE,
            false => self.low(interval.low),
        };
        low(pair.left).min(low(pair.right))
    }

    /// The walk goes back over a tree edge: what returns to its source is over.
    fn leave(&mut self, edge: u32) {
        let search = self.search;
        let u = search.source(edge);
        let height = search.height[u as usize];
        while let Some(&top) = self.stack.last() {
            if self.lowest_of(top) != height {
                break;
            }
            self.stack.pop();
            if top.left.low != NONE {
                self.opposite[top.left.low as usize] = true;
            }
        }
        if let Some(mut pair) = self.stack.pop() {
            pair.left = self.trimmed(pair.left, pair.right.low, u);
            pair.right = self.trimmed(pair.right, pair.left.low, u);
            self.stack.push(pair);
        }
        if search.low[edge as usize] < height
            && let Some(top) = self.stack.last()
        {
            let (left, right) = (top.left.high, top.right.high);
            let higher = left != NONE && (right == NONE || self.low(left) > self.low(right));
            self.relative[edge as usize] = if higher { left } else { right };
        }
    }

    /// An interval without the back edges that end at `u`; one that is nothing else takes its side from `other`.
    fn trimmed(&mut self, mut interval: Interval, other: u32, u: u32) -> Interval {
        while interval.high != NONE && self.search.target(interval.high) == u {
            interval.high = self.relative[interval.high as usize];
        }
        if interval.high == NONE && interval.low != NONE {
            self.relative[interval.low as usize] = other;
            self.opposite[interval.low as usize] = true;
            interval.low = NONE;
        }
        interval
    }

    /// The nesting depths, negative on the left.
    pub(super) fn into_nesting(mut self) -> Vec<i64> {
        let mut chain = Vec::new();
        for edge in 0..self.relative.len() {
            let mut at = edge;
            while self.relative[at] != NONE {
                chain.push(at);
                at = std::mem::replace(&mut self.relative[at], NONE) as usize;
            }
            while let Some(before) = chain.pop() {
                self.opposite[before] ^= self.opposite[at];
                at = before;
            }
            if self.opposite[edge] {
                // A back edge to the root has depth 0: −1 puts it on the left of all others there.
                self.nesting[edge] = -self.nesting[edge] - 1;
            }
        }
        self.nesting
    }
}
