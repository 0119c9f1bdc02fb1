//! Which messages share a buffer.

/// A buffer for every message, shared by messages that are never alive together.
///
/// Worked out once, so that a pass allocates nothing and its memory is known beforehand.
#[derive(Clone, Debug, Default)]
pub(crate) struct Buffers {
    /// Entries of each buffer.
    pub(crate) sizes: Vec<usize>,
    /// The buffer of each step's message.
    pub(crate) of_step: Vec<usize>,
}

impl Buffers {
    /// `lens[s]` is the length of the message of step `s`, `children[s]` whose messages it reads.
    ///
    /// A message takes the smallest free buffer that holds it, or else lets the largest free one
    /// grow.
    ///
    /// # Complexity
    /// Linear in the steps times the number of buffers, which is about the depth of the forest.
    pub(crate) fn assign(lens: &[usize], children: &[Vec<usize>]) -> Self {
        let mut buffers = Self::default();
        let mut free: Vec<usize> = Vec::new();
        for (&len, children) in lens.iter().zip(children) {
            let fits = |&(_, &b): &(usize, &usize)| buffers.sizes[b] >= len;
            let size = |&(_, &b): &(usize, &usize)| buffers.sizes[b];
            let choice = free
                .iter()
                .enumerate()
                .filter(fits)
                .min_by_key(size)
                .or_else(|| free.iter().enumerate().max_by_key(size))
                .map(|(at, _)| at);
            let buffer = match choice {
                Some(at) => free.swap_remove(at),
                None => {
                    buffers.sizes.push(0);
                    buffers.sizes.len() - 1
                }
            };
            buffers.sizes[buffer] = buffers.sizes[buffer].max(len);
            buffers.of_step.push(buffer);
            free.extend(children.iter().map(|&child| buffers.of_step[child]));
        }
        buffers
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chain_needs_two_buffers() {
        let children: Vec<Vec<usize>> = (0..100usize)
            .map(|s| s.checked_sub(1).into_iter().collect())
            .collect();
        let buffers = Buffers::assign(&[7; 100], &children);
        assert_eq!(buffers.sizes, vec![7, 7]);
        assert!((1..100).all(|s| buffers.of_step[s] != buffers.of_step[s - 1]));
    }
}
