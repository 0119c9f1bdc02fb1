//! The depth-first search that orients the edges.

use crate::darts::Darts;
use crate::ising::Coupling;

pub(super) const NONE: u32 = u32::MAX;

/// The depth-first search.
pub(super) struct Search<'g> {
    pub(super) edges: &'g [Coupling],
    darts: Darts,
    pub(super) height: Vec<u32>,
    /// The edge to the parent.
    pub(super) parent: Vec<u32>,
    /// The vertices without a parent, one in each component.
    pub(super) roots: Vec<u32>,
    /// The dart along which an edge is walked.
    pub(super) along: Vec<u32>,
    /// The heights of the lowest and the second lowest vertex that an edge returns to.
    pub(super) low: Vec<u32>,
    pub(super) second: Vec<u32>,
}

impl<'g> Search<'g> {
    pub(super) fn new(vertices: usize, edges: &'g [Coupling]) -> Self {
        Self {
            edges,
            darts: Darts::new(vertices, edges.iter().flat_map(|edge| edge.ends)),
            height: vec![NONE; vertices],
            parent: vec![NONE; vertices],
            roots: Vec::new(),
            along: vec![NONE; edges.len()],
            low: vec![NONE; edges.len()],
            second: vec![NONE; edges.len()],
        }
    }

    fn head(&self, dart: u32) -> u32 {
        self.edges[dart as usize / 2].ends[1 - (dart & 1) as usize]
    }

    pub(super) fn source(&self, edge: u32) -> u32 {
        self.head(self.along[edge as usize] ^ 1)
    }

    pub(super) fn target(&self, edge: u32) -> u32 {
        self.head(self.along[edge as usize])
    }

    /// Orients all edges and finds their low points.
    pub(super) fn orient(&mut self) {
        let vertices = self.height.len() as u32;
        let mut next = vec![0u32; vertices as usize];
        for root in 0..vertices {
            if self.height[root as usize] != NONE {
                continue;
            }
            self.height[root as usize] = 0;
            self.roots.push(root);
            let mut path = vec![root];
            while let Some(&v) = path.last() {
                let Some(&dart) = self.darts.around(v).get(next[v as usize] as usize) else {
                    path.pop();
                    let edge = self.parent[v as usize];
                    if edge != NONE {
                        self.passed(edge);
                    }
                    continue;
                };
                next[v as usize] += 1;
                let edge = dart / 2;
                if self.along[edge as usize] != NONE {
                    continue;
                }
                self.along[edge as usize] = dart;
                let height = self.height[v as usize];
                self.low[edge as usize] = height;
                self.second[edge as usize] = height;
                let w = self.head(dart);
                if self.height[w as usize] == NONE {
                    self.height[w as usize] = height + 1;
                    self.parent[w as usize] = edge;
                    path.push(w);
                } else {
                    self.low[edge as usize] = self.height[w as usize];
                    self.passed(edge);
                }
            }
        }
    }

    /// What lies beyond an edge is known: the edge to the parent of its source hears of it.
    fn passed(&mut self, edge: u32) {
        let above = self.parent[self.source(edge) as usize];
        if above == NONE {
            return;
        }
        let (above, edge) = (above as usize, edge as usize);
        let (low, second) = (self.low[edge], self.second[edge]);
        if low < self.low[above] {
            self.second[above] = self.low[above].min(second);
            self.low[above] = low;
        } else if low > self.low[above] {
            self.second[above] = self.second[above].min(low);
        } else {
            self.second[above] = self.second[above].min(second);
        }
    }

    /// The edges that leave each vertex, in the order of a key; where those of each vertex begin.
    pub(super) fn leaving<K: Ord>(&self, key: impl Fn(u32) -> K) -> (Vec<u32>, Vec<u32>) {
        let mut begins = vec![0];
        let mut leaving = Vec::with_capacity(self.edges.len());
        for v in 0..self.height.len() as u32 {
            let from = leaving.len();
            let darts = self.darts.around(v).iter();
            leaving.extend(
                darts
                    .filter(|&&d| self.along[d as usize / 2] == d)
                    .map(|d| d / 2),
            );
            leaving[from..].sort_by_key(|&edge| key(edge));
            begins.push(leaving.len() as u32);
        }
        (leaving, begins)
    }
}
