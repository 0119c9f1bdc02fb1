//! Spins that are equal or opposite.

/// Which spins are tied to which, and whether they are opposite: a union-find with signs.
pub(crate) struct Ties {
    parent: Vec<u32>,
    /// Is a spin opposite to its parent?
    turned: Vec<bool>,
}

impl Ties {
    pub(crate) fn new(spins: usize) -> Self {
        Self {
            parent: (0..spins as u32).collect(),
            turned: vec![false; spins],
        }
    }

    /// Number of spins.
    pub(crate) fn len(&self) -> usize {
        self.parent.len()
    }

    /// The spin that stands for it, and whether the two are opposite.
    pub(crate) fn find(&mut self, v: u32) -> (u32, bool) {
        let (mut root, mut turned) = (v, false);
        while self.parent[root as usize] != root {
            turned ^= self.turned[root as usize];
            root = self.parent[root as usize];
        }
        let (mut at, mut rest) = (v, turned);
        while self.parent[at as usize] != root {
            let next = self.parent[at as usize];
            let step = std::mem::replace(&mut self.turned[at as usize], rest);
            self.parent[at as usize] = root;
            rest ^= step;
            at = next;
        }
        (root, turned)
    }

    /// Ties two spins; false if they are tied the other way already.
    pub(crate) fn tie(&mut self, [u, v]: [u32; 2], opposite: bool) -> bool {
        let ((u, first), (v, second)) = (self.find(u), self.find(v));
        let turned = first ^ second ^ opposite;
        if u == v {
            return !turned;
        }
        self.parent[v as usize] = u;
        self.turned[v as usize] = turned;
        true
    }
}
