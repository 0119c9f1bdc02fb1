//! What a greedy order picks by.

/// A score with its tie-breaker; the vertex decides what is left.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Key(pub(super) f64, pub(super) u32, pub(super) u32);

impl Eq for Key {}
impl PartialOrd for Key {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Key {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        let ties = (self.1, self.2).cmp(&(other.1, other.2));
        self.0.total_cmp(&other.0).then(ties)
    }
}
