//! Simulated annealing of a contraction tree.
//!
//! A move exchanges a table with the sibling of its parent, `((A, B), C) → ((C, B), A)`, and changes two
//! contractions only (Kalachev, Panteleev and Yung 2021, arXiv:2108.05665).

use rand::RngExt;
use rand_pcg::Pcg64;

use super::tree::{Layout, Tree, log2_of};
use crate::dispatch::dispatch;

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

    #[inline(always)]
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
        sweep(self, beta);
        let total = total(&self.sizes);
        if total < self.best_total {
            self.best_total = total;
            self.best.clone_from(&self.tree);
        }
    }

    /// Tries the move number `draw`; what is left to chance is uniform.
    #[inline(always)]
    fn step(&mut self, beta: f64, draw: usize, chance: u32) {
        let tree = &mut self.tree;
        let units = &self.layout.units_of_word;
        let (leaves, words) = (tree.leaves, units.len());
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
        let (mut lower, mut upper) = (0, 0);
        for ((((a, b), c), p), units) in a.iter().zip(b).zip(c).zip(p).zip(units) {
            let joined = c | b;
            let kept = joined & (a | p);
            lower += u64::from(joined.count_ones()) * units;
            upper += u64::from((kept | a).count_ones()) * units;
        }
        let (lower, upper) = (log2_of(lower), log2_of(upper));
        let before = self
            .log_sum
            .of(self.sizes[inner], self.sizes[parent - leaves]);
        let change = self.log_sum.of(lower, upper) - before;
        if change > 0.0 && !is_made(beta * change, chance) {
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

dispatch! {
    /// The moves of a sweep. Vector units come with an instruction that counts bits, which is most of
    /// the work.
    fn sweep(chain: &mut Chain<'_>, beta: f64) {
        let draws = 2 * chain.sizes.len() as u64;
        for _ in 0..chain.sizes.len() {
            // Half of the bits draw a move, the others decide whether it is made.
            let bits: u64 = chain.rng.random();
            let draw = ((bits >> 32) * draws) >> 32;
            chain.step(beta, draw as usize, bits as u32);
        }
    }
}

/// True with probability `2^−x`.
///
/// With probability `2^−h` a number starts with `h` zeros, so only where `x` is about as many is there
/// more to look at than those.
#[inline(always)]
fn is_made(x: f64, chance: u32) -> bool {
    let zeros = f64::from(chance.leading_zeros());
    x <= zeros || x < zeros + 1.0 && f64::from(chance) < (32.0 - x).exp2()
}

fn total(sizes: &[f64]) -> f64 {
    sizes.iter().map(|size| size.exp2()).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dispatch::at_each_level;
    use rand::SeedableRng;

    #[test]
    fn a_move_is_made_as_often_as_it_should_be() {
        let mut rng = Pcg64::seed_from_u64(5);
        for x in [0.0, 0.3, 1.0, 2.5, 4.75] {
            let draws = 200_000;
            let made = (0..draws).filter(|_| is_made(x, rng.random())).count();
            let (share, expected) = (made as f64 / f64::from(draws), (-x).exp2());
            assert!((share - expected).abs() < 0.005, "{share} for 2^-{x}");
        }
    }

    /// A ring with chords, of three cardinalities, with more variables than a word has bits.
    fn ring() -> (Layout, Vec<Vec<u32>>, Vec<u32>) {
        let n = 150u32;
        let log2: Vec<f64> = (0..n).map(|v| [1.0, 1.5, 2.25][v as usize % 3]).collect();
        let links = (0..n).map(|v| vec![v, (v + 1) % n]);
        let chords = (0..n).map(|v| vec![v, (v + 31) % n]);
        (
            Layout::new(&log2),
            links.chain(chords).collect(),
            (0..n).collect(),
        )
    }

    #[test]
    fn every_vector_width_anneals_alike() {
        let (layout, scopes, order) = ring();
        let runs = at_each_level(|| {
            let tree = Tree::from_order(&layout, &scopes, &order);
            let mut chain = Chain::new(&layout, tree, Pcg64::seed_from_u64(1));
            (0..20).for_each(|at| chain.sweep(f64::from(at)));
            (chain.best().order(&layout), chain.best_total)
        });
        assert!(runs.iter().all(|run| run.1 == runs[0].1));
    }

    #[test]
    fn a_sweep_keeps_scopes_and_sizes_of_the_tree() {
        let (layout, scopes, order) = ring();
        let tree = Tree::from_order(&layout, &scopes, &order);
        let mut chain = Chain::new(&layout, tree, Pcg64::seed_from_u64(2));
        (0..10).for_each(|_| chain.sweep(2.0));
        assert_eq!(chain.sizes, chain.tree.sizes(&layout));
        let mut ended = chain.tree.order(&layout);
        ended.sort_unstable();
        assert_eq!(ended, order);
    }
}
