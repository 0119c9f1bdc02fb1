//! From sides to a rotation.

use super::Rotation;
use super::search::{NONE, Search};

impl Search<'_> {
    /// The rotation that signed nesting depths describe.
    pub(super) fn draw(&self, depth: &[i64]) -> Rotation {
        let (leaving, begins) = self.leaving(|edge| depth[edge as usize]);
        let mut rotation = Ring::new(2 * self.edges.len());
        let vertices = self.height.len();
        // Back edges arrive beside the tree edge that is being walked: on its left, or on its right.
        let mut left = vec![NONE; vertices];
        let mut right = vec![NONE; vertices];
        for v in 0..vertices {
            let edges = &leaving[begins[v] as usize..begins[v + 1] as usize];
            let up = self.parent[v];
            let first = (up != NONE).then(|| self.along[up as usize] ^ 1);
            let darts = edges.iter().map(|&edge| self.along[edge as usize]);
            rotation.close(first.into_iter().chain(darts));
        }
        let mut next = begins.clone();
        for &root in &self.roots {
            let mut path = vec![root];
            while let Some(&v) = path.last() {
                let at = next[v as usize];
                if at == begins[v as usize + 1] {
                    path.pop();
                    continue;
                }
                next[v as usize] += 1;
                let edge = leaving[at as usize];
                let dart = self.along[edge as usize];
                let w = self.target(edge);
                if self.parent[w as usize] == edge {
                    left[v as usize] = dart;
                    right[v as usize] = dart;
                    path.push(w);
                } else if depth[edge as usize] >= 0 {
                    rotation.after(right[w as usize], dart ^ 1);
                } else {
                    rotation.before(left[w as usize], dart ^ 1);
                    left[w as usize] = dart ^ 1;
                }
            }
        }
        rotation.next
    }
}

/// Darts in rings, one around each vertex.
struct Ring {
    next: Vec<u32>,
    last: Vec<u32>,
}

impl Ring {
    fn new(darts: usize) -> Self {
        Self {
            next: vec![NONE; darts],
            last: vec![NONE; darts],
        }
    }

    /// Makes a ring.
    fn close(&mut self, darts: impl Iterator<Item = u32>) {
        let mut first = NONE;
        for dart in darts {
            if first == NONE {
                first = dart;
                self.next[dart as usize] = dart;
                self.last[dart as usize] = dart;
            } else {
                self.before(first, dart);
            }
        }
    }

    fn before(&mut self, place: u32, dart: u32) {
        self.after(self.last[place as usize], dart);
    }

    fn after(&mut self, place: u32, dart: u32) {
        let next = self.next[place as usize];
        self.next[place as usize] = dart;
        self.last[dart as usize] = place;
        self.next[dart as usize] = next;
        self.last[next as usize] = dart;
    }
}
