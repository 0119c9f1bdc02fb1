//! The order of steps that keeps the fewest messages alive.

/// Numbers the nodes of a forest children first, each subtree contiguous.
///
/// Among the children of a node the one whose subtree needs most memory beyond its own message
/// goes first (Liu 1987), which minimises the peak over all post-orders. Returns the old numbers
/// in their new order; iterative, so a chain of any length fits the call stack.
pub(crate) fn post_order(children: &[Vec<usize>], message_entries: &[f64]) -> Vec<usize> {
    let n = children.len();
    let mut is_child = vec![false; n];
    for &child in children.iter().flatten() {
        is_child[child] = true;
    }
    let roots: Vec<usize> = (0..n).filter(|&node| !is_child[node]).collect();

    // Any order with children first; the drafts were pushed that way.
    let mut sorted: Vec<Vec<usize>> = vec![Vec::new(); n];
    let mut peak = vec![0.0f64; n];
    let mut visit: Vec<usize> = roots.clone();
    let mut top_down = Vec::with_capacity(n);
    while let Some(node) = visit.pop() {
        top_down.push(node);
        visit.extend(&children[node]);
    }
    for &node in top_down.iter().rev() {
        let mut below = children[node].clone();
        below.sort_by(|&a, &b| {
            let saved = |c: usize| peak[c] - message_entries[c];
            saved(b).total_cmp(&saved(a)).then(a.cmp(&b))
        });
        let mut held = 0.0;
        for &child in &below {
            peak[node] = peak[node].max(held + peak[child]);
            held += message_entries[child];
        }
        peak[node] = peak[node].max(held + message_entries[node]);
        sorted[node] = below;
    }

    let mut order = Vec::with_capacity(n);
    for root in roots {
        // (node, next child to visit)
        let mut stack = vec![(root, 0)];
        while let Some((node, next)) = stack.last_mut() {
            if let Some(&child) = sorted[*node].get(*next) {
                *next += 1;
                stack.push((child, 0));
            } else {
                order.push(*node);
                stack.pop();
            }
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
        let children = [vec![], vec![], vec![1], vec![2], vec![0, 3]];
        let order = post_order(&children, &[5.0, 100.0, 10.0, 1.0, 1.0]);
        assert_eq!(order, vec![1, 2, 3, 0, 4]);
    }
}
