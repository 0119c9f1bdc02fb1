//! A graph drawn on the sphere, cut into triangles, and oriented so that perfect matchings all count with one sign.
//!
//! The dual of a triangulation has three edges at each of its vertices. A set of edges of the triangulation is the
//! border between up and down spins if and only if its dual has an even number of edges at every vertex, so that the
//! edges *not* in it are one or three at each: the perfect matchings of the dual with every vertex widened to a
//! triangle of three *darts* (Kasteleyn 1963; Fisher 1966; Schraudolph and Kamenetsky 2008). Couplings of 0 complete
//! the triangles.

use crate::darts::Darts;
use crate::embedding::Rotation;
use crate::ising::Coupling;

const NONE: u32 = u32::MAX;

/// Triangles of darts: `2e` and `2e + 1` are the two sides of edge `e`.
pub(crate) struct Map {
    /// The next dart of the triangle to the left of a dart.
    pub(crate) next: Vec<u32>,
    /// The vertex that a dart leaves.
    tail: Vec<u32>,
    /// Couplings by edge; those that complete triangles are 0.
    pub(crate) couplings: Vec<f64>,
    /// Is the dual of an edge oriented from its second side to its first?
    reversed: Vec<bool>,
    /// Number of connected components.
    pub(crate) components: usize,
}

impl Map {
    /// The triangulation; `None` if the rotation is no embedding in the sphere.
    ///
    /// Every vertex has two neighbours at least.
    pub(crate) fn new(vertices: usize, edges: &[Coupling], rotation: &Rotation) -> Option<Self> {
        let mut tail: Vec<u32> = edges.iter().flat_map(|edge| edge.ends).collect();
        let mut next: Vec<u32> = (0..tail.len()).map(|d| rotation[d ^ 1]).collect();
        let mut couplings: Vec<f64> = edges.iter().map(|edge| edge.j).collect();

        let mut faces = 0;
        let mut seen = vec![false; next.len()];
        let mut walk = Vec::new();
        for first in 0..seen.len() {
            if seen[first] {
                continue;
            }
            faces += 1;
            walk.clear();
            let mut dart = first;
            while !seen[dart] {
                seen[dart] = true;
                walk.push(dart as u32);
                dart = next[dart] as usize;
            }
            fan(&walk, &mut next, &mut tail, &mut couplings);
        }
        let (reversed, components) = orientation(vertices, &tail);
        // Euler's formula, on as many spheres as there are components.
        if vertices + faces != edges.len() + 2 * components {
            return None;
        }
        Some(Self {
            next,
            tail,
            couplings,
            reversed,
            components,
        })
    }

    /// The ends of an edge.
    pub(crate) fn ends(&self, edge: u32) -> [u32; 2] {
        [0, 1].map(|side| self.tail[2 * edge as usize + side])
    }

    /// The three neighbours of a dart: the other side of its edge, and the next and the last dart of its triangle.
    pub(crate) fn around(&self, dart: u32) -> [u32; 3] {
        let second = self.next[dart as usize];
        [dart ^ 1, second, self.next[second as usize]]
    }

    /// The signs of the elements of the matrix at [these places](Self::around).
    pub(crate) fn signs(&self, dart: u32) -> [f64; 3] {
        let forward = (dart & 1 == 0) != self.reversed[dart as usize / 2];
        [if forward { 1.0 } else { -1.0 }, -1.0, 1.0]
    }
}

/// Cuts a face into triangles that meet in the tail of its first dart. It has three darts at least: no two edges have
/// the same ends, and no vertex has only one.
fn fan(walk: &[u32], next: &mut Vec<u32>, tail: &mut Vec<u32>, couplings: &mut Vec<f64>) {
    let apex = tail[walk[0] as usize];
    fn close(next: &mut [u32], triangle: [u32; 3]) {
        let [a, b, c] = triangle.map(|dart| dart as usize);
        (next[a], next[b], next[c]) = (triangle[1], triangle[2], triangle[0]);
    }
    // The side of the last chord that looks at what is left of the face.
    let mut first = walk[0];
    for (&dart, &after) in walk[1..].iter().zip(&walk[2..walk.len() - 1]) {
        let chord = tail.len() as u32;
        tail.extend([tail[after as usize], apex]);
        next.extend([NONE; 2]);
        couplings.push(0.0);
        close(next, [first, dart, chord]);
        first = chord + 1;
    }
    close(next, [first, walk[walk.len() - 2], walk[walk.len() - 1]]);
}

/// Which dual edges point from the second side to the first, so that around every vertex but one of each component an
/// odd number of them points clockwise; with the three edges of every triangle pointing clockwise this is the
/// orientation of Kasteleyn (1963).
///
/// A dual edge that points clockwise around one end of its edge points counterclockwise around the other one. Beside them
/// the number of components.
fn orientation(vertices: usize, tail: &[u32]) -> (Vec<bool>, usize) {
    let edges = tail.len() / 2;
    let darts = Darts::new(vertices, tail.iter().copied());
    let mut up = vec![NONE; vertices];
    let mut seen = vec![false; vertices];
    let mut order = Vec::with_capacity(vertices);
    for root in 0..vertices {
        if seen[root] {
            continue;
        }
        seen[root] = true;
        let mut at = order.len();
        order.push(root as u32);
        while let Some(&v) = order.get(at) {
            at += 1;
            for &dart in darts.around(v) {
                let w = tail[dart as usize ^ 1] as usize;
                if !seen[w] {
                    seen[w] = true;
                    up[w] = dart ^ 1;
                    order.push(w as u32);
                }
            }
        }
    }
    // Dual edges that are no tree edges point clockwise around the tail of the first side.
    let mut tree = vec![false; edges];
    for &dart in up.iter().filter(|&&dart| dart != NONE) {
        tree[dart as usize / 2] = true;
    }
    let mut odd = vec![false; vertices];
    for edge in (0..edges).filter(|&edge| !tree[edge]) {
        odd[tail[2 * edge] as usize] ^= true;
    }
    let mut reversed = vec![false; edges];
    for &v in order.iter().rev() {
        let dart = up[v as usize];
        if dart == NONE {
            continue;
        }
        // The tree edge counts at `v` if that is what is missing there, and at its parent otherwise.
        let (edge, here) = (dart as usize / 2, !odd[v as usize]);
        let counts = if here { dart } else { dart ^ 1 };
        odd[tail[counts as usize] as usize] ^= true;
        reversed[edge] = counts & 1 == 1;
    }
    let components = up.iter().filter(|&&dart| dart == NONE).count();
    (reversed, components)
}
