//! Simulated annealing of a contraction tree.
//!
//! A move exchanges a table with the sibling of its parent, `((A, B), C) → ((C, B), A)`, and changes two
//! contractions only (Kalachev, Panteleev and Yung 2021, arXiv:2108.05665).

use rand::RngExt;
use rand_pcg::Pcg64;

use super::tree::{Layout, Tree};

/// A tree under annealing, with the best one met.
pub(super) struct Chain<'a> {
    layout: &'a Layout,
    tree: Tree,
    sizes: Vec<f64>,
    log_sum: LogSum,
    rng: Pcg64,
    best: Tree,
    best_total: f64,
}

/// `log2(2^a + 2^b)` by linear interpolation, exact where the difference is a multiple of `1/STEPS`.
struct LogSum(Vec<f64>);

impl LogSum {
    const STEPS: f64 = 16.0;

    fn new() -> Self {
        let above =
            |step: u32| (-f64::from(step) / Self::STEPS).exp2().ln_1p() * std::f64::consts::LOG2_E;
        Self((0..=640).map(above).collect())
    }

    fn of(&self, a: f64, b: f64) -> f64 {
        let at = (a - b).abs() * Self::STEPS;
        let step = at as usize;
        match self.0.get(step..step + 2) {
            Some(&[left, right]) => a.max(b) + left + (right - left) * (at - step as f64),
            _ => a.max(b),
        }
    }
}

impl<'a> Chain<'a> {
    pub(super) fn new(layout: &'a Layout, tree: Tree, rng: Pcg64) -> Self {
        let sizes = tree.sizes(layout);
        Self {
            layout,
            best: tree.clone(),
            best_total: total(&sizes),
            tree,
            sizes,
            log_sum: LogSum::new(),
            rng,
        }
    }

    pub(super) fn best(&self) -> &Tree {
        &self.best
    }

    /// As many moves as there are inner nodes, at inverse temperature `beta`: a move that multiplies
    /// the cost of its two contractions by `r > 1` is made with probability `r^−β`.
    pub(super) fn sweep(&mut self, beta: f64) {
        for _ in 0..self.sizes.len() {
            self.step(beta);
        }
        let total = total(&self.sizes);
        if total < self.best_total {
            self.best_total = total;
            self.best.clone_from(&self.tree);
        }
    }

    fn step(&mut self, beta: f64) {
        let tree = &mut self.tree;
        let (leaves, words) = (tree.leaves, self.layout.words);
        let draw = self.rng.random_range(0..2 * self.sizes.len());
        let (inner, side) = (draw / 2, draw % 2);
        let node = leaves + inner;
        if node == tree.root as usize {
            return;
        }
        let parent = tree.parent[node] as usize;
        let [first, second] = tree.children[parent - leaves];
        let uncle_side = usize::from(first as usize == node);
        let uncle = if uncle_side == 1 { second } else { first } as usize;
        let moved = tree.children[inner][side] as usize;
        let stays = tree.children[inner][1 - side] as usize;
        let scope = |node: usize| &tree.scopes[node * words..(node + 1) * words];
        let (a, b, c, p) = (scope(moved), scope(stays), scope(uncle), scope(parent));
        let (mut lower, mut upper) = (0.0, 0.0);
        for w in 0..words {
            let joined = c[w] | b[w];
            let kept = joined & (a[w] | p[w]);
            let log2 = self.layout.log2_of_word[w];
            lower += f64::from(joined.count_ones()) * log2;
            upper += f64::from((kept | a[w]).count_ones()) * log2;
        }
        let before = self
            .log_sum
            .of(self.sizes[inner], self.sizes[parent - leaves]);
        let change = self.log_sum.of(lower, upper) - before;
        if change > 0.0 && self.rng.random::<f64>() >= (-beta * change).exp2() {
            return;
        }
        for w in 0..words {
            let (a, b, c) = (moved * words + w, stays * words + w, uncle * words + w);
            let s = &mut tree.scopes;
            s[node * words + w] = (s[c] | s[b]) & (s[a] | s[parent * words + w]);
        }
        tree.children[inner][side] = uncle as u32;
        tree.children[parent - leaves][uncle_side] = moved as u32;
        tree.parent[uncle] = node as u32;
        tree.parent[moved] = parent as u32;
        self.sizes[inner] = lower;
        self.sizes[parent - leaves] = upper;
    }
}

fn total(sizes: &[f64]) -> f64 {
    sizes.iter().map(|size| size.exp2()).sum()
}
