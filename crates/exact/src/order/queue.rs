//! A queue of vertices: of the lowest stage the one with the least score.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// One heap for each stage, so that each is small. A place in a heap is one whole number, as the order
/// of a large graph takes most of its time for comparing them: score, tie-breaker and vertex, from
/// the highest bits down.
pub(super) struct Queue {
    stages: Vec<BinaryHeap<Reverse<Place>>>,
    /// No vertex is in a lower one.
    lowest: usize,
}

/// What a vertex is compared by.
pub(super) type Place = u128;

/// The place of a vertex with this score; of equal scores the lower tie-breaker comes first.
pub(super) fn place(score: f64, tie: u32, v: u32) -> Place {
    Place::from(bits(score)) << 64 | Place::from(tie) << 32 | Place::from(v)
}

/// Does a place have this score?
pub(super) fn has_score(place: Place, score: f64) -> bool {
    (place >> 64) as u64 == bits(score)
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

impl Queue {
    /// An empty queue; stages are numbered from 0.
    pub(super) fn new() -> Self {
        Self {
            stages: Vec::new(),
            lowest: 0,
        }
    }

    pub(super) fn push(&mut self, stage: u32, place: Place) {
        let stage = stage as usize;
        if stage >= self.stages.len() {
            self.stages.resize_with(stage + 1, BinaryHeap::new);
        }
        self.stages[stage].push(Reverse(place));
        self.lowest = self.lowest.min(stage);
    }

    pub(super) fn pop(&mut self) -> Option<Place> {
        while let Some(stage) = self.stages.get_mut(self.lowest) {
            if let Some(Reverse(place)) = stage.pop() {
                return Some(place);
            }
            self.lowest += 1;
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stages_come_first_then_scores_then_ties() {
        let mut queue = Queue::new();
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
            queue.push(stage, place(score, tie, v));
        }
        let popped = std::iter::from_fn(|| queue.pop()).map(vertex);
        assert_eq!(popped.collect::<Vec<u32>>(), vec![3, 2, 4, 5, 1, 0, 6]);
        assert!(has_score(place(-0.0, 7, 8), -0.0) && !has_score(place(0.0, 7, 8), -0.0));
    }
}
