//! The order of steps that keeps the fewest messages alive.

/// No parent.
const NONE: u32 = u32::MAX;

/// Numbers the nodes of a forest children first, each subtree contiguous; `parents` holds `u32::MAX`
/// for roots.
///
/// Among the children of a node the one whose subtree needs most memory beyond its own message
/// goes first (Liu 1987), which minimises the peak over all post-orders. Returns the old numbers
/// in their new order; iterative, so a chain of any length fits the call stack.
pub(crate) fn post_order(parents: &[u32], message_entries: &[f64]) -> Vec<u32> {
    let n = parents.len();
    // The children of `v` are `children[first[v]..first[v + 1]]`, ascending; the roots come last.
    let slot = |parent: u32| if parent == NONE { n } else { parent as usize };
    let mut first = vec![0u32; n + 3];
    for &parent in parents {
        first[slot(parent) + 2] += 1;
    }
    for at in 2..first.len() {
        first[at] += first[at - 1];
    }
    let mut children = vec![0u32; n];
    for (node, &parent) in (0u32..).zip(parents) {
        let place = &mut first[slot(parent) + 1];
        children[*place as usize] = node;
        *place += 1;
    }
    let range = |node: usize| first[node] as usize..first[node + 1] as usize;

    let mut peak = vec![0.0f64; n];
    let mut top_down = Vec::with_capacity(n);
    top_down.extend_from_slice(&children[range(n)]);
    let mut seen = 0;
    while let Some(&node) = top_down.get(seen) {
        top_down.extend_from_slice(&children[range(node as usize)]);
        seen += 1;
    }
    for &node in top_down.iter().rev() {
        let below = &mut children[range(node as usize)];
        below.sort_by(|&a, &b| {
            let saved = |c: u32| peak[c as usize] - message_entries[c as usize];
            saved(b).total_cmp(&saved(a)).then(a.cmp(&b))
        });
        let (mut held, mut most) = (0.0, 0.0f64);
        for &child in &*below {
            most = most.max(held + peak[child as usize]);
            held += message_entries[child as usize];
        }
        peak[node as usize] = most.max(held + message_entries[node as usize]);
    }

    let mut order = Vec::with_capacity(n);
    // What is left to visit of the children of each node on the way down; the roots are those of `n`.
    let mut stack = vec![(n, range(n))];
    while let Some((node, rest)) = stack.last_mut() {
        if let Some(at) = rest.next() {
            let child = children[at] as usize;
            stack.push((child, range(child)));
        } else {
            if *node < n {
                order.push(*node as u32);
            }
            stack.pop();
        }
    }
    order
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn children_come_first_and_the_hungry_one_before_the_others() {
        // 4 has children 0 and 3; 3 has child 2, which has child 1 with a large message.
        let order = post_order(&[4, 2, 3, 4, NONE], &[5.0, 100.0, 10.0, 1.0, 1.0]);
        assert_eq!(order, vec![1, 2, 3, 0, 4]);
    }
}
