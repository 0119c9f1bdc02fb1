//! The cost of an order, from the elimination tree alone.
//!
//! The clique of `v` holds `u` if `v` is in the *row subtree* of `u`: the paths of the elimination tree
//! from the earlier neighbours of `u` up to `u`. Each row subtree adds the size of its variable at its
//! leaves, takes it back where two leaves meet and above its root; the sums over subtrees are then the
//! sizes of all cliques, and none was formed (Gilbert, Ng and Peyton 1994).

use super::live::live_entries;
use super::primal::Primal;
use crate::engine::Keep;
use crate::post_order::post_order;

/// What elimination in a given order costs, counted before anything is allocated.
///
/// The message of a bucket is the table that it leaves behind, over `N_v`. A bucket whose clique is the
/// message that an earlier one sends it is summed out together with that one: it has no clique to run
/// over and the message is never stored. The numbers of entries are floating point so that no model
/// overflows them; they may be `+∞`.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Cost {
    /// `max_v |C_v| − 1`, where variables of cardinality 1 do not count.
    pub width: usize,
    /// The largest bucket, `max_v Π_{u ∈ C_v} |X_u|`.
    pub max_entries: f64,
    /// The multiply-adds of elimination: `Π_{u ∈ C_v} |X_u|`, summed over buckets.
    pub total_entries: f64,
    /// The entries of all messages.
    pub total_messages: f64,
    /// The most entries of messages that are alive together.
    pub live_messages: f64,
}

const NONE: u32 = u32::MAX;

/// The number of variables of a clique, and `log2` of its entries.
#[derive(Clone, Copy, Debug, Default)]
struct Size {
    variables: i64,
    log2: f64,
}

impl Size {
    fn add(&mut self, other: Self) {
        self.variables += other.variables;
        self.log2 += other.log2;
    }

    fn take(&mut self, other: Self) {
        self.variables -= other.variables;
        self.log2 -= other.log2;
    }
}

impl Cost {
    /// About the bytes that messages take, before anything is compiled: a schedule fuses more buckets,
    /// and so takes less, but shares buffers of unequal lengths.
    #[must_use]
    pub fn bytes(&self, keep: Keep) -> f64 {
        const BYTES: f64 = 8.0;
        match keep {
            Keep::Live => BYTES * self.live_messages,
            // Each with the message that comes back.
            Keep::All => 2.0 * BYTES * self.total_messages,
        }
    }

    /// The cost of an order, and `log2` of all entries, which is finite whatever the order.
    ///
    /// # Complexity
    /// Almost linear in the edges of the primal graph.
    pub(super) fn of(primal: &Primal, order: &[u32]) -> (Self, f64) {
        let tree = Tree::new(primal, order);
        let cliques = tree.cliques(primal, order);
        let mut absorbed = vec![false; order.len()];
        // Buckets that are summed out with their receiver, and the messages of the others.
        let mut silent = vec![false; order.len()];
        let mut messages = vec![0.0; order.len()];
        let mut cost = Self::default();
        for (at, clique) in cliques.iter().enumerate() {
            cost.width = cost.width.max(clique.variables as usize - 1);
            cost.max_entries = cost.max_entries.max(clique.log2.exp2());
            let parent = tree.parent[at] as usize;
            let Some(receiver) = cliques.get(parent) else {
                continue;
            };
            if !absorbed[parent] && clique.variables - 1 == receiver.variables {
                absorbed[parent] = true;
                silent[at] = true;
            } else {
                let message = (clique.log2 - primal.log2[order[at] as usize]).exp2();
                cost.total_messages += message;
                messages[at] = message;
            }
        }
        cost.live_messages = live_entries(&tree.parent, &silent, &messages);
        let run = || {
            let buckets = cliques.iter().zip(&absorbed);
            buckets
                .filter(|(_, gone)| !**gone)
                .map(|(size, _)| size.log2)
        };
        // The sum of nothing is a negative zero.
        cost.total_entries = 0.0 + run().map(f64::exp2).sum::<f64>();
        let most = run().fold(0.0, f64::max);
        let relative: f64 = run().map(|log2| (log2 - most).exp2()).sum();
        (cost, most + relative.max(1.0).log2())
    }
}

/// The elimination tree, by position in the order.
struct Tree {
    position: Vec<u32>,
    /// The bucket that receives the message of each; `u32::MAX` if none does.
    parent: Vec<u32>,
}

impl Tree {
    fn new(primal: &Primal, order: &[u32]) -> Self {
        let mut position = vec![0u32; order.len()];
        for (at, &v) in (0u32..).zip(order) {
            position[v as usize] = at;
        }
        let mut parent = vec![NONE; order.len()];
        // Shortcuts to some ancestor, so that no path is walked twice.
        let mut ancestor = vec![NONE; order.len()];
        for (at, &v) in (0u32..).zip(order) {
            for &u in &primal.adjacent[v as usize] {
                let mut below = position[u as usize];
                while below < at {
                    let next = std::mem::replace(&mut ancestor[below as usize], at);
                    if next == NONE {
                        parent[below as usize] = at;
                        break;
                    }
                    below = next;
                }
            }
        }
        Self { position, parent }
    }

    /// The sizes of all cliques.
    fn cliques(&self, primal: &Primal, order: &[u32]) -> Vec<Size> {
        let n = order.len();
        let children_first = post_order(&self.parent, &vec![0.0; n]);
        let mut rank = vec![0u32; n];
        // The least rank in the subtree of each.
        let mut first = vec![NONE; n];
        for (at, &node) in (0u32..).zip(&children_first) {
            let node = node as usize;
            rank[node] = at;
            first[node] = first[node].min(at);
            if let Some(above) = first.get(self.parent[node] as usize) {
                first[self.parent[node] as usize] = first[node].min(*above);
            }
        }
        let size = |node: usize| Size {
            variables: 1,
            log2: primal.log2[order[node] as usize],
        };
        let mut sizes = vec![Size::default(); n];
        // Of each row subtree the leaf that came last.
        let mut leaf = vec![NONE; n];
        // Of nodes that are done, an ancestor; of others, themselves.
        let mut ancestor: Vec<u32> = (0..n as u32).collect();
        for &node in &children_first {
            let node = node as usize;
            for &u in &primal.adjacent[order[node] as usize] {
                let row = self.position[u as usize] as usize;
                let last = leaf[row];
                let below = last != NONE && rank[last as usize] >= first[node];
                if row <= node || below {
                    continue;
                }
                sizes[node].add(size(row));
                if last != NONE {
                    sizes[find(&mut ancestor, last)].take(size(row));
                }
                leaf[row] = node as u32;
            }
            if leaf[node] == NONE {
                sizes[node].add(size(node));
            }
            let parent = self.parent[node];
            if parent != NONE {
                ancestor[node] = parent;
                let own = sizes[node];
                sizes[parent as usize].add(own);
                sizes[parent as usize].take(size(node));
            }
        }
        sizes
    }
}

/// The first ancestor that is not done.
fn find(ancestor: &mut [u32], node: u32) -> usize {
    let mut top = node;
    while ancestor[top as usize] != top {
        top = ancestor[top as usize];
    }
    let mut at = node;
    while at != top {
        at = std::mem::replace(&mut ancestor[at as usize], top);
    }
    top as usize
}
