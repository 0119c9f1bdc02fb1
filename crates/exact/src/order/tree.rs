//! Contraction trees: leaves are tables, an inner node multiplies two and sums out what ends there.
//!
//! | symbol | name |
//! |---|---|
//! | `s_X` | variables of the table of node `X`: those below it that also occur elsewhere |
//! | `s_A ∪ s_B` | the variables that the contraction of `A` and `B` runs over |
//!
//! An elimination order gives a tree, bucket by bucket, and a tree gives an order: the variables in
//! the order in which they end. Neither way loses more than the order inside a bucket decides.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::primal::UNIT;
use super::queue::{Place, place, vertex};

/// `log2` of the entries of a table from whole units, as sets of variables are measured in.
#[inline(always)]
pub(super) fn log2_of(units: u64) -> f64 {
    // Signed numbers are converted in one instruction, and no size has the highest bit.
    units.cast_signed() as f64 * (1.0 / UNIT)
}

/// Sets of variables as bits, arranged so that each word holds variables of one cardinality.
pub(super) struct Layout {
    /// Of the variables in each word `log2` of the cardinality, in whole units.
    pub(super) units_of_word: Vec<u64>,
    bit_of: Vec<usize>,
    variable_at: Vec<u32>,
}

impl Layout {
    pub(super) fn new(log2: &[f64]) -> Self {
        let mut by_size: Vec<u32> = (0..log2.len() as u32).collect();
        by_size.sort_by(|&a, &b| {
            log2[a as usize]
                .total_cmp(&log2[b as usize])
                .then(a.cmp(&b))
        });
        let mut layout = Self {
            units_of_word: Vec::new(),
            bit_of: vec![0; log2.len()],
            variable_at: Vec::new(),
        };
        for class in
            by_size.chunk_by(|&a, &b| log2[a as usize].total_cmp(&log2[b as usize]).is_eq())
        {
            for &v in class {
                layout.bit_of[v as usize] = layout.variable_at.len();
                layout.variable_at.push(v);
            }
            let words = layout.variable_at.len().div_ceil(64);
            layout.variable_at.resize(64 * words, u32::MAX);
            let units = (log2[class[0] as usize] * UNIT) as u64;
            layout.units_of_word.resize(words, units);
        }
        layout
    }

    /// Words of a set.
    pub(super) fn words(&self) -> usize {
        self.units_of_word.len()
    }

    fn set(&self, scope: &[u32]) -> Vec<u64> {
        let mut bits = vec![0u64; self.words()];
        for &v in scope {
            let bit = self.bit_of[v as usize];
            bits[bit / 64] |= 1 << (bit % 64);
        }
        bits
    }

    /// `log2` of the entries of a table over the variables of the words given.
    pub(super) fn size(&self, words: impl Iterator<Item = u64>) -> f64 {
        let pairs = words.zip(&self.units_of_word);
        log2_of(
            pairs
                .map(|(word, units)| u64::from(word.count_ones()) * units)
                .sum(),
        )
    }

    fn variables(&self, bits: impl Iterator<Item = u64>) -> Vec<u32> {
        let mut variables = Vec::new();
        for (at, mut word) in bits.enumerate() {
            while word != 0 {
                variables.push(self.variable_at[64 * at + word.trailing_zeros() as usize]);
                word &= word - 1;
            }
        }
        variables
    }
}

/// A binary tree over `leaves` tables; nodes `0..leaves` are the tables, the others inner nodes.
#[derive(Clone)]
pub(super) struct Tree {
    pub(super) leaves: usize,
    /// Children of inner node `leaves + i`.
    pub(super) children: Vec<[u32; 2]>,
    pub(super) parent: Vec<u32>,
    /// `s_X` of every node, [`Layout::words`] each.
    pub(super) scopes: Vec<u64>,
    pub(super) root: u32,
}

impl Tree {
    /// The tree of an order: each bucket multiplies its tables from the smallest to the largest.
    ///
    /// The scopes must form one connected part, with each variable in at least two of them.
    pub(super) fn from_order(layout: &Layout, scopes: &[Vec<u32>], order: &[u32]) -> Self {
        let leaves = scopes.len();
        let mut tree = Self {
            leaves,
            children: Vec::with_capacity(leaves),
            parent: vec![u32::MAX; 2 * leaves - 1],
            scopes: scopes.iter().flat_map(|scope| layout.set(scope)).collect(),
            root: 0,
        };
        let mut holders: Vec<Vec<u32>> = vec![Vec::new(); layout.variable_at.len()];
        for (leaf, scope) in (0u32..).zip(scopes) {
            for &v in scope {
                holders[layout.bit_of[v as usize]].push(leaf);
            }
        }
        for &v in order {
            let bit = layout.bit_of[v as usize];
            // The smallest two, again and again.
            let entry = |tree: &Self, node: u32| {
                Reverse(place(layout.size(tree.scope(layout, node)), 0, node))
            };
            let waiting = holders[bit].iter().map(|&node| entry(&tree, node));
            let mut waiting: BinaryHeap<Reverse<Place>> = waiting.collect();
            while let (Some(Reverse(a)), Some(Reverse(b))) = (waiting.pop(), waiting.pop()) {
                let node = tree.join(layout, vertex(a), vertex(b), &mut holders);
                if !waiting.is_empty() {
                    waiting.push(entry(&tree, node));
                }
            }
        }
        tree
    }

    pub(super) fn scope(
        &self,
        layout: &Layout,
        node: u32,
    ) -> impl Iterator<Item = u64> + Clone + '_ {
        let start = node as usize * layout.words();
        self.scopes[start..start + layout.words()].iter().copied()
    }

    fn union<'a>(&'a self, layout: &Layout, a: u32, b: u32) -> impl Iterator<Item = u64> + use<'a> {
        let (a, b) = (a as usize * layout.words(), b as usize * layout.words());
        let (a, b) = (
            &self.scopes[a..a + layout.words()],
            &self.scopes[b..b + layout.words()],
        );
        a.iter().zip(b).map(|(a, b)| a | b)
    }

    fn join(&mut self, layout: &Layout, a: u32, b: u32, holders: &mut [Vec<u32>]) -> u32 {
        let node = (self.leaves + self.children.len()) as u32;
        self.children.push([a, b]);
        self.parent[a as usize] = node;
        self.parent[b as usize] = node;
        self.root = node;
        let mut scope: Vec<u64> = self.union(layout, a, b).collect();
        for v in layout.variables(scope.iter().copied()) {
            let bit = layout.bit_of[v as usize];
            holders[bit].retain(|&holder| holder != a && holder != b);
            if holders[bit].is_empty() {
                scope[bit / 64] &= !(1 << (bit % 64));
            } else {
                holders[bit].push(node);
            }
        }
        self.scopes.extend(scope);
        node
    }

    /// `log2` of the contraction at each inner node.
    pub(super) fn sizes(&self, layout: &Layout) -> Vec<f64> {
        let children = self.children.iter();
        children
            .map(|&[a, b]| layout.size(self.union(layout, a, b)))
            .collect()
    }

    /// The variables in the order in which they end, from the leaves up.
    pub(super) fn order(&self, layout: &Layout) -> Vec<u32> {
        let mut preorder = Vec::with_capacity(self.children.len());
        let mut stack = vec![self.root];
        while let Some(node) = stack.pop() {
            if let Some(inner) = (node as usize).checked_sub(self.leaves) {
                preorder.push(node);
                stack.extend(self.children[inner]);
            }
        }
        let mut order = Vec::new();
        for &node in preorder.iter().rev() {
            let [a, b] = self.children[node as usize - self.leaves];
            let ended = self
                .union(layout, a, b)
                .zip(self.scope(layout, node))
                .map(|(all, kept)| all & !kept);
            order.extend(layout.variables(ended));
        }
        order
    }
}
