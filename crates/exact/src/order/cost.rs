//! The cost of an order, by symbolic elimination.

use super::primal::Primal;

/// What elimination in a given order costs, counted before anything is allocated.
///
/// The numbers of entries are floating point so that no model overflows them; they may be `+∞`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Cost {
    /// `max_v |C_v| − 1`, where variables of cardinality 1 do not count.
    pub width: usize,
    /// `max_v Π_{u ∈ C_v} |X_u|`: the largest bucket.
    pub max_entries: f64,
    /// The multiply-adds of elimination: `Π_{u ∈ C_v} |X_u|` summed over buckets, where a bucket whose
    /// clique is what an earlier bucket sends it is part of that earlier one.
    pub total_entries: f64,
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
        let mut messages: Vec<Vec<u32>> = vec![Vec::new(); n];
        let mut children: Vec<Vec<u32>> = vec![Vec::new(); n];
        let mut mark = vec![u32::MAX; n];
        let mut cost = Self {
            width: 0,
            max_entries: 0.0,
            total_entries: 0.0,
        };
        for (at, &v) in (0u32..).zip(order) {
            mark[v as usize] = at;
            let mut message = Vec::new();
            let mut add = |u: u32| {
                if position[u as usize] > at && mark[u as usize] != at {
                    mark[u as usize] = at;
                    message.push(u);
                }
            };
            primal.adjacent[v as usize]
                .iter()
                .copied()
                .for_each(&mut add);
            let mut absorbed = false;
            let mut largest_child = 0;
            for child in std::mem::take(&mut children[v as usize]) {
                let sent = std::mem::take(&mut messages[child as usize]);
                largest_child = largest_child.max(sent.len());
                sent.into_iter().for_each(&mut add);
            }
            absorbed |= largest_child == message.len() + 1;
            let log2: f64 = primal.log2[v as usize]
                + message
                    .iter()
                    .map(|&u| primal.log2[u as usize])
                    .sum::<f64>();
            let entries = log2.exp2();
            cost.width = cost.width.max(message.len());
            cost.max_entries = cost.max_entries.max(entries);
            if !absorbed {
                cost.total_entries += entries;
            }
            if let Some(&parent) = message.iter().min_by_key(|&&u| position[u as usize]) {
                children[parent as usize].push(v);
                messages[v as usize] = message;
            }
        }
        cost
    }
}
