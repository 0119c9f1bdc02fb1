//! A graph under elimination, with the fill-in of every vertex kept up to date.

use std::cell::Cell;

use crate::watch::Watch;

/// Joining the neighbours of a vertex that has more of them is expensive: it takes time that grows with
/// the cube of their number, and no table over so many variables is ever made.
const MOST_NEIGHBOURS: u32 = 128;

/// Entries of neighbour lists that may be looked at, whatever the graph, and for each vertex and edge.
const WORK: u64 = 20_000_000;
const WORK_EACH: u64 = 200;

/// The graph that is left while vertices are eliminated.
///
/// `fill(v) = Σ w_a w_b` over the pairs `a, b` of neighbours of `v` that are not neighbours of each
/// other. An elimination changes it only at the neighbours of `v` and at common neighbours of new edges.
pub(super) struct Elimination<'a> {
    /// `log2 |X_v|`.
    log2: &'a [f64],
    weight: &'a [f64],
    /// Neighbours, ascending; eliminated ones are dropped when they are the majority, so that a hub
    /// loses its leaves in linear time.
    adjacent: Vec<Vec<u32>>,
    degree: Vec<u32>,
    /// `Σ w_u` over the neighbours.
    around: Vec<f64>,
    /// `Σ log2 |X_u|` over the neighbours.
    log2_around: Vec<f64>,
    fill: Vec<f64>,
    gone: Vec<bool>,
    touched: Vec<u32>,
    is_touched: Vec<bool>,
    /// Entries of neighbour lists that may still be looked at.
    work: Cell<u64>,
}

impl<'a> Elimination<'a> {
    /// The graph of sizes `log2` and of neighbours, ascending. The weights must be whole numbers, so
    /// that sums and differences of them are exact. Fills are wrong if the watch ends it, or the work
    /// that is allowed.
    pub(super) fn new(
        log2: &'a [f64],
        adjacent: Vec<Vec<u32>>,
        weight: &'a [f64],
        watch: &Watch<'_>,
    ) -> Self {
        let n = log2.len();
        let edges: usize = adjacent.iter().map(Vec::len).sum();
        let sum = |of: &[f64]| -> Vec<f64> {
            let sum = |list: &Vec<u32>| list.iter().map(|&u| of[u as usize]).sum();
            adjacent.iter().map(sum).collect()
        };
        let mut graph = Self {
            log2,
            weight,
            degree: adjacent.iter().map(|list| list.len() as u32).collect(),
            around: sum(weight),
            log2_around: sum(log2),
            adjacent,
            fill: vec![0.0; n],
            gone: vec![false; n],
            touched: Vec::new(),
            is_touched: vec![false; n],
            work: Cell::new(WORK + WORK_EACH * (n + edges) as u64),
        };
        for a in 0..n as u32 {
            if watch.stop_at(a as usize) || graph.is_exhausted() {
                break;
            }
            for at in 0..graph.adjacent[a as usize].len() {
                let b = graph.adjacent[a as usize][at];
                if a < b {
                    let mut shared = 0.0;
                    graph.for_each_common(a, b, |c| shared += weight[c as usize]);
                    for (v, other) in [(a, b), (b, a)] {
                        let w = weight[other as usize];
                        graph.fill[v as usize] += 0.5 * w * (graph.around[v as usize] - w - shared);
                    }
                }
            }
        }
        graph
    }

    pub(super) fn fill(&self, v: u32) -> f64 {
        self.fill[v as usize]
    }

    pub(super) fn degree(&self, v: u32) -> usize {
        self.degree[v as usize] as usize
    }

    /// `log2` of the entries of the clique of `v`.
    pub(super) fn log2_clique(&self, v: u32) -> f64 {
        self.log2[v as usize] + self.log2_around[v as usize]
    }

    pub(super) fn is_gone(&self, v: u32) -> bool {
        self.gone[v as usize]
    }

    /// Would the elimination of `v` take long?
    pub(super) fn is_expensive(&self, v: u32) -> bool {
        self.fill[v as usize] > 0.0 && self.degree[v as usize] > MOST_NEIGHBOURS
    }

    /// Is the work that is allowed done?
    pub(super) fn is_exhausted(&self) -> bool {
        self.work.get() == 0
    }

    /// The vertices that are left, and their neighbours.
    pub(super) fn into_rest(self) -> (Vec<u32>, Vec<Vec<u32>>) {
        let Self {
            mut adjacent, gone, ..
        } = self;
        let rest = (0..adjacent.len() as u32).filter(|&v| !gone[v as usize]);
        let rest: Vec<u32> = rest.collect();
        for &v in &rest {
            adjacent[v as usize].retain(|&u| !gone[u as usize]);
        }
        (rest, adjacent)
    }

    pub(super) fn neighbours(&self, v: u32) -> impl Iterator<Item = u32> + '_ {
        let list = self.adjacent[v as usize].iter().copied();
        list.filter(|&u| !self.gone[u as usize])
    }

    /// Makes the neighbours of `v` a clique and removes `v`; returns the vertices whose score changed.
    pub(super) fn eliminate(&mut self, v: u32) -> &[u32] {
        for u in self.touched.drain(..) {
            self.is_touched[u as usize] = false;
        }
        let around: Vec<u32> = self.neighbours(v).collect();
        let simplicial = self.fill[v as usize] <= 0.0;
        let w = self.weight[v as usize];
        for &a in &around {
            let mut shared = 0.0;
            if simplicial {
                shared = self.around[v as usize] - self.weight[a as usize];
            } else {
                self.for_each_common(a, v, |c| shared += self.weight[c as usize]);
            }
            self.fill[a as usize] -= w * (self.around[a as usize] - w - shared);
        }
        self.gone[v as usize] = true;
        self.adjacent[v as usize] = Vec::new();
        for &a in &around {
            self.around[a as usize] -= w;
            self.log2_around[a as usize] -= self.log2[v as usize];
            self.degree[a as usize] -= 1;
            let list = &mut self.adjacent[a as usize];
            if list.len() > 2 * self.degree[a as usize] as usize {
                list.retain(|&u| !self.gone[u as usize]);
            }
            self.touch(a);
        }
        if !simplicial {
            let mut common = Vec::new();
            for (at, &a) in around.iter().enumerate() {
                for &b in &around[at + 1..] {
                    if let Err(place) = self.adjacent[a as usize].binary_search(&b) {
                        common.clear();
                        self.for_each_common(a, b, |c| common.push(c));
                        self.join(a, b, place, &common);
                    }
                }
            }
        }
        &self.touched
    }

    /// Adds the edge `a b` with its common neighbours; `place` is where `b` belongs in the list of `a`.
    fn join(&mut self, a: u32, b: u32, place: usize, common: &[u32]) {
        let mut shared = 0.0;
        for &c in common {
            shared += self.weight[c as usize];
            self.fill[c as usize] -= self.weight[a as usize] * self.weight[b as usize];
            self.touch(c);
        }
        self.adjacent[a as usize].insert(place, b);
        let place = self.adjacent[b as usize].partition_point(|&u| u < a);
        self.adjacent[b as usize].insert(place, a);
        for (v, other) in [(a, b), (b, a)] {
            let w = self.weight[other as usize];
            self.fill[v as usize] += w * (self.around[v as usize] - shared);
            self.around[v as usize] += w;
            self.log2_around[v as usize] += self.log2[other as usize];
            self.degree[v as usize] += 1;
        }
    }

    fn touch(&mut self, v: u32) {
        if !std::mem::replace(&mut self.is_touched[v as usize], true) {
            self.touched.push(v);
        }
    }

    /// Visits the common neighbours: a merge, or a search of each in the other list if that is much longer.
    fn for_each_common(&self, a: u32, b: u32, mut visit: impl FnMut(u32)) {
        let (mut short, mut long) = (
            &self.adjacent[a as usize][..],
            &self.adjacent[b as usize][..],
        );
        if short.len() > long.len() {
            std::mem::swap(&mut short, &mut long);
        }
        let mut visit = |u: u32| {
            if !self.gone[u as usize] {
                visit(u);
            }
        };
        let searched = long.len() > 16 * short.len();
        let looks = short.len() + if searched { 0 } else { long.len() };
        self.work.set(self.work.get().saturating_sub(looks as u64));
        if searched {
            for &u in short {
                if long.binary_search(&u).is_ok() {
                    visit(u);
                }
            }
            return;
        }
        let mut at = 0;
        for &u in short {
            while at < long.len() && long[at] < u {
                at += 1;
            }
            if at < long.len() && long[at] == u {
                visit(u);
            }
        }
    }
}
