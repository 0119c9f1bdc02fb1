//! How many entries of messages are alive together.

use crate::post_order::post_order;

/// No parent.
const NONE: u32 = u32::MAX;

/// The most entries of messages that are alive together when buckets run in the order of a schedule:
/// a message lives until the bucket that receives it is done.
///
/// `parents` holds the receiver of each bucket, which comes later, or `u32::MAX`; `silent` buckets are
/// summed out together with their receiver, so that what they receive lives until that one is done.
pub(super) fn live_entries(parents: &[u32], silent: &[bool], messages: &[f64]) -> f64 {
    let n = parents.len();
    // The bucket that is done when this one is: its own, or a receiver if it is silent.
    let mut done_with: Vec<u32> = (0..n as u32).collect();
    for at in (0..n).rev().filter(|&at| silent[at] && parents[at] != NONE) {
        done_with[at] = done_with[parents[at] as usize];
    }
    let kept: Vec<u32> = (0..n as u32)
        .filter(|&at| done_with[at as usize] == at)
        .collect();
    let mut number = vec![NONE; n];
    for (at, &bucket) in (0u32..).zip(&kept) {
        number[bucket as usize] = at;
    }
    let receiver = |&bucket: &u32| match parents[bucket as usize] {
        NONE => NONE,
        parent => number[done_with[parent as usize] as usize],
    };
    let receivers: Vec<u32> = kept.iter().map(receiver).collect();
    let entries: Vec<f64> = kept
        .iter()
        .map(|&bucket| messages[bucket as usize])
        .collect();
    if !entries.iter().sum::<f64>().is_finite() {
        return f64::INFINITY;
    }
    let mut received = vec![0.0; kept.len()];
    let (mut alive, mut most) = (0.0, 0.0f64);
    for bucket in post_order(&receivers, &entries) {
        let bucket = bucket as usize;
        alive += entries[bucket];
        most = most.max(alive);
        alive -= received[bucket];
        if let Some(sum) = received.get_mut(receivers[bucket] as usize) {
            *sum += entries[bucket];
        }
    }
    most
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_lives_until_its_receiver_is_done() {
        // 0 and 1 feed 2, which feeds 3.
        let parents = [2, 2, 3, NONE];
        let none = [false; 4];
        let messages = [4.0, 2.0, 8.0, 0.0];
        assert!((live_entries(&parents, &none, &messages) - 14.0).abs() < 1e-12);
        // Fused, 3 reads 0 and 1 itself and has no message to make.
        let fused = [false, false, true, false];
        assert!((live_entries(&parents, &fused, &messages) - 6.0).abs() < 1e-12);
    }

    #[test]
    fn messages_too_large_to_count_are_infinite() {
        let huge = [f64::MAX, f64::MAX, 0.0];
        assert!(live_entries(&[2, 2, NONE], &[false; 3], &huge).is_infinite());
    }
}
