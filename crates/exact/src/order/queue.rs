//! Queues of vertices by their scores.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// What a vertex is compared by: score, tie-breaker and vertex, from the highest bits down. One whole
/// number, as the order of a large graph takes most of its time for comparing them.
pub(super) type Place = u128;

/// The place of a vertex with this score; of equal scores the lower tie-breaker comes first.
pub(super) fn place(score: f64, tie: u32, v: u32) -> Place {
    Place::from(bits(score)) << 64 | Place::from(tie) << 32 | Place::from(v)
}

/// The tie-breaker of a place.
pub(super) fn tie(place: Place) -> u32 {
    (place >> 32) as u32
}

/// The vertex of a place.
pub(super) fn vertex(place: Place) -> u32 {
    place as u32
}

/// A whole number that grows with the score, as `f64::total_cmp` has it.
fn bits(score: f64) -> u64 {
    let bits = score.to_bits();
    if score.is_sign_negative() {
        !bits
    } else {
        bits | 1 << 63
    }
}

/// A queue of vertices whose scores change: of the lowest stage the one with the least score.
///
/// One heap for each stage, so that each is small. Old places stay in them until they are popped.
pub(super) struct Queue {
    stages: Vec<BinaryHeap<Reverse<Place>>>,
    /// No vertex is in a lower one.
    lowest: usize,
    /// The place of each vertex now.
    current: Vec<Place>,
}

impl Queue {
    /// An empty queue for so many vertices; stages are numbered from 0.
    pub(super) fn new(vertices: usize) -> Self {
        Self {
            stages: Vec::new(),
            lowest: 0,
            current: vec![0; vertices],
        }
    }

    /// Gives a vertex a score, with a new tie-breaker if it had another one.
    pub(super) fn set(&mut self, stage: u32, v: u32, score: f64, tie: impl FnOnce() -> u32) {
        let current = &mut self.current[v as usize];
        if (*current >> 64) as u64 == bits(score) {
            return;
        }
        *current = place(score, tie(), v);
        let stage = stage as usize;
        if stage >= self.stages.len() {
            self.stages.resize_with(stage + 1, BinaryHeap::new);
        }
        self.stages[stage].push(Reverse(*current));
        self.lowest = self.lowest.min(stage);
    }

    /// The next vertex; one that had a score before may come again.
    pub(super) fn pop(&mut self) -> Option<u32> {
        while let Some(stage) = self.stages.get_mut(self.lowest) {
            match stage.pop() {
                Some(Reverse(place)) if self.current[vertex(place) as usize] == place => {
                    return Some(vertex(place));
                }
                Some(_) => {}
                None => self.lowest += 1,
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stages_come_first_then_scores_then_ties() {
        let mut queue = Queue::new(7);
        let all = [
            (1, -3.0, 0),
            (0, 2.5, 1),
            (0, -0.5, 9),
            (0, -4.0, 9),
            (0, 0.0, 3),
            (0, 2.5, 0),
            (3, f64::NEG_INFINITY, 0),
        ];
        for (v, &(stage, score, tie)) in (0u32..).zip(&all) {
            queue.set(stage, v, score, || tie);
        }
        // A score that is no other keeps its tie-breaker, and one that was left behind is skipped.
        queue.set(0, 3, -4.0, || unreachable!("the same score"));
        queue.set(0, 4, -0.0, || 1);
        queue.set(0, 4, 0.0, || 4);
        let popped = std::iter::from_fn(|| queue.pop());
        assert_eq!(popped.collect::<Vec<u32>>(), vec![3, 2, 4, 5, 1, 0, 6]);
    }
}
