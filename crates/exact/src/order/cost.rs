//! The cost of an order, by symbolic elimination.

use super::primal::Primal;

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
    /// The largest message.
    pub max_message: f64,
    /// The entries of all messages.
    pub total_messages: f64,
}

impl Cost {
    /// Symbolic elimination along the elimination tree: the clique of `v` is `v`, its later
    /// neighbours in the graph, and what its children in the tree send.
    pub(super) fn of(primal: &Primal, order: &[u32]) -> Self {
        let n = primal.len();
        let mut position = vec![0u32; n];
        for (at, &v) in (0u32..).zip(order) {
            position[v as usize] = at;
        }
        let entries = |scope: &[u32]| {
            let log2: f64 = scope.iter().map(|&u| primal.log2[u as usize]).sum();
            log2.exp2()
        };
        let mut mail: Vec<Vec<Vec<u32>>> = vec![Vec::new(); n];
        let mut mark = vec![u32::MAX; n];
        let mut cost = Self::default();
        for (at, &v) in (0u32..).zip(order) {
            let received = std::mem::take(&mut mail[v as usize]);
            let adjacent = &primal.adjacent[v as usize];
            let mut clique = vec![v];
            mark[v as usize] = at;
            for &u in received.iter().flatten().chain(adjacent) {
                if position[u as usize] > at && mark[u as usize] != at {
                    mark[u as usize] = at;
                    clique.push(u);
                }
            }
            let absorbing = received
                .iter()
                .position(|message| message.len() == clique.len());
            for (child, message) in received.iter().enumerate() {
                if absorbing != Some(child) {
                    cost.max_message = cost.max_message.max(entries(message));
                    cost.total_messages += entries(message);
                }
            }
            cost.width = cost.width.max(clique.len() - 1);
            cost.max_entries = cost.max_entries.max(entries(&clique));
            if absorbing.is_none() {
                cost.total_entries += entries(&clique);
            }
            clique.swap_remove(0);
            if let Some(&next) = clique.iter().min_by_key(|&&u| position[u as usize]) {
                mail[next as usize].push(clique);
            }
        }
        cost
    }
}
