//! A graph under elimination, with the fill-in of every vertex kept up to date.

use super::primal::Primal;

/// The graph that is left while vertices are eliminated.
///
/// `fill(v) = Σ w_a w_b` over the pairs `a, b` of neighbours of `v` that are not neighbours of each
/// other. An elimination changes it only at the neighbours of `v` and at common neighbours of new edges.
pub(super) struct Elimination<'a> {
    weight: &'a [f64],
    /// Neighbours, ascending; eliminated ones are dropped when they are the majority, so that a hub
    /// loses its leaves in linear time.
    adjacent: Vec<Vec<u32>>,
    degree: Vec<u32>,
    /// `Σ w_u` over the neighbours.
    around: Vec<f64>,
    fill: Vec<f64>,
    gone: Vec<bool>,
    touched: Vec<u32>,
    is_touched: Vec<bool>,
}

impl<'a> Elimination<'a> {
    pub(super) fn new(primal: &Primal, weight: &'a [f64]) -> Self {
        let n = primal.len();
        let adjacent = primal.adjacent.clone();
        let around: Vec<f64> = adjacent
            .iter()
            .map(|list| list.iter().map(|&u| weight[u as usize]).sum())
            .collect();
        let mut graph = Self {
            weight,
            degree: adjacent.iter().map(|list| list.len() as u32).collect(),
            adjacent,
            around,
            fill: vec![0.0; n],
            gone: vec![false; n],
            touched: Vec::new(),
            is_touched: vec![false; n],
        };
        for a in 0..n as u32 {
            for at in 0..graph.adjacent[a as usize].len() {
                let b = graph.adjacent[a as usize][at];
                if a < b {
                    let shared = graph.shared_weight(a, b);
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

    pub(super) fn is_gone(&self, v: u32) -> bool {
        self.gone[v as usize]
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
            let shared = if simplicial {
                self.around[v as usize] - self.weight[a as usize]
            } else {
                self.shared_weight(a, v)
            };
            self.fill[a as usize] -= w * (self.around[a as usize] - w - shared);
        }
        self.gone[v as usize] = true;
        self.adjacent[v as usize] = Vec::new();
        for &a in &around {
            self.around[a as usize] -= w;
            self.degree[a as usize] -= 1;
            let list = &mut self.adjacent[a as usize];
            if list.len() > 2 * self.degree[a as usize] as usize {
                list.retain(|&u| !self.gone[u as usize]);
            }
            self.touch(a);
        }
        if !simplicial {
            for (at, &a) in around.iter().enumerate() {
                for &b in &around[at + 1..] {
                    if let Err(place) = self.adjacent[a as usize].binary_search(&b) {
                        self.join(a, b, place);
                    }
                }
            }
        }
        &self.touched
    }

    /// Adds the edge `a b`; `place` is where `b` belongs in the list of `a`.
    fn join(&mut self, a: u32, b: u32, place: usize) {
        let (wa, wb) = (self.weight[a as usize], self.weight[b as usize]);
        let mut shared = 0.0;
        let mut common = Vec::new();
        self.for_each_common(a, b, |c| common.push(c));
        for c in common {
            shared += self.weight[c as usize];
            self.fill[c as usize] -= wa * wb;
            self.touch(c);
        }
        self.fill[a as usize] += wb * (self.around[a as usize] - shared);
        self.fill[b as usize] += wa * (self.around[b as usize] - shared);
        self.adjacent[a as usize].insert(place, b);
        let place = self.adjacent[b as usize].partition_point(|&u| u < a);
        self.adjacent[b as usize].insert(place, a);
        for (v, w) in [(a, wb), (b, wa)] {
            self.around[v as usize] += w;
            self.degree[v as usize] += 1;
        }
    }

    fn touch(&mut self, v: u32) {
        if !std::mem::replace(&mut self.is_touched[v as usize], true) {
            self.touched.push(v);
        }
    }

    fn shared_weight(&self, a: u32, b: u32) -> f64 {
        let mut sum = 0.0;
        self.for_each_common(a, b, |c| sum += self.weight[c as usize]);
        sum
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
        if long.len() > 16 * short.len() {
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
