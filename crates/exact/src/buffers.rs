//! Which messages share a buffer.

use std::collections::BTreeSet;

/// A buffer for every message, shared by messages that are never alive together.
///
/// Worked out once, so that a pass allocates nothing and its memory is known beforehand.
#[derive(Clone, Debug, Default)]
pub(crate) struct Buffers {
    /// Entries of each buffer.
    pub(crate) sizes: Vec<usize>,
    /// The buffer of each step's message.
    of_step: Vec<u32>,
}

impl Buffers {
    /// `lens` are the lengths of the messages of all steps, `children(s)` whose messages step `s`
    /// reads.
    ///
    /// A message takes the smallest free buffer that holds it, or else lets the largest free one
    /// grow.
    ///
    /// # Complexity
    /// Linear in the steps times the logarithm of the number of buffers.
    pub(crate) fn assign<I: Iterator<Item = usize>>(
        lens: impl Iterator<Item = usize>,
        children: impl Fn(usize) -> I,
    ) -> Self {
        let mut buffers = Self::default();
        let mut free: BTreeSet<(usize, u32)> = BTreeSet::new();
        for (step, len) in lens.enumerate() {
            let fitting = free.range((len, 0)..).next();
            let choice = fitting.or_else(|| free.last()).copied();
            let buffer = match choice {
                Some(choice) => {
                    free.remove(&choice);
                    choice.1
                }
                None => {
                    buffers.sizes.push(0);
                    buffers.sizes.len() as u32 - 1
                }
            };
            let size = &mut buffers.sizes[buffer as usize];
            *size = (*size).max(len);
            buffers.of_step.push(buffer);
            free.extend(children(step).map(|child| {
                let buffer = buffers.of_step[child];
                (buffers.sizes[buffer as usize], buffer)
            }));
        }
        buffers
    }

    /// The buffer of a step's message.
    pub(crate) fn of(&self, step: usize) -> usize {
        self.of_step[step] as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chain_needs_two_buffers() {
        let children = |step: usize| step.checked_sub(1).into_iter();
        let buffers = Buffers::assign([7; 100].into_iter(), children);
        assert_eq!(buffers.sizes, vec![7, 7]);
        assert!((1..100).all(|step| buffers.of(step) != buffers.of(step - 1)));
    }
}
