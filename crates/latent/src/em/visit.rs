//! The order in which examples are visited.

use std::ops::Range;

use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64;

use crate::LatentError;
use crate::check::{enough, some};

/// A permutation of `0..n` that takes no memory, cut into batches.
///
/// Position `p` holds example `(start + p · stride) mod n` with a stride prime to `n`, so that each batch
/// is spread over all examples. With a single batch it is the identity.
#[derive(Clone, Debug)]
pub(super) struct Visit {
    n: usize,
    start: usize,
    stride: usize,
    batch: usize,
}

impl Visit {
    /// All of `n` examples in batches of `batch` (in one, if `None`).
    ///
    /// # Errors
    /// No examples, a batch of none.
    pub(super) fn new(n: usize, batch: Option<usize>, seed: u64) -> Result<Self, LatentError> {
        enough(n, 1)?;
        some("the batch size", batch.unwrap_or(1))?;
        let (mut start, mut stride) = (0, 1);
        if batch.is_some() {
            let mut rng = Pcg64::seed_from_u64(seed);
            start = rng.random_range(0..n);
            stride = rng.random_range(1..=n);
            while gcd(stride, n) != 1 {
                stride = stride % n + 1;
            }
        }
        Ok(Self {
            n,
            start,
            stride: stride % n,
            batch: batch.unwrap_or(n).min(n),
        })
    }

    /// Number of batches.
    pub(super) fn batches(&self) -> usize {
        self.n.div_ceil(self.batch)
    }

    /// The positions of a batch.
    pub(super) fn batch(&self, batch: usize) -> Range<usize> {
        let start = batch * self.batch;
        start..(start + self.batch).min(self.n)
    }

    /// The examples at some positions.
    pub(super) fn at(&self, positions: Range<usize>) -> impl Iterator<Item = usize> + use<> {
        let (n, stride) = (self.n, self.stride);
        let first = self.start as u128 + positions.start as u128 * stride as u128;
        let mut next = (first % n as u128) as usize;
        positions.map(move |_| {
            let example = next;
            next += stride;
            if next >= n {
                next -= n;
            }
            example
        })
    }
}

fn gcd(a: usize, b: usize) -> usize {
    if b == 0 { a } else { gcd(b, a % b) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_visit_every_example_once() {
        for n in 1..60 {
            for (seed, batch) in [(0, None), (1, Some(7)), (2, Some(1)), (3, Some(100))] {
                let visit = Visit::new(n, batch, seed).unwrap();
                let batches = (0..visit.batches()).map(|batch| visit.batch(batch));
                let mut seen: Vec<usize> = batches.flat_map(|range| visit.at(range)).collect();
                seen.sort_unstable();
                assert_eq!(seen, (0..n).collect::<Vec<_>>());
            }
        }
    }
}
