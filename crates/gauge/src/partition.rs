//! Partitions to choose from where the order is given: buckets that would fit are split now and then.
//!
//! In Forney form a bucket holds two tables, so the size limit leaves no choice. Splitting one that
//! fits keeps later cliques small: on the clockwise order of a Möbius ladder one early split takes
//! one end of the ladder out of every clique after it, and half as many splits remain.

use forney_bounds::wmbe::{CliqueLimit, MiniBuckets};
use forney_exact::{Bucket, SplitRule};
use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64;

/// [`MiniBuckets`] that splits a bucket which fits with some probability, each table by itself.
#[derive(Clone, Debug)]
pub(crate) struct Loosened {
    rule: MiniBuckets,
    /// Probability of such a split.
    share: f64,
    random: Pcg64,
}

impl Loosened {
    /// The greedy partition, or one near it for each seed; beyond that it splits with probability
    /// `share`.
    pub(crate) fn new(limit: CliqueLimit, seed: Option<u64>, share: f64) -> Self {
        Self {
            rule: MiniBuckets::new(limit, seed),
            share,
            random: Pcg64::seed_from_u64(seed.unwrap_or(0)),
        }
    }
}

impl SplitRule for Loosened {
    fn split(&mut self, bucket: &Bucket<'_>) -> Vec<Vec<usize>> {
        let parts = self.rule.split(bucket);
        if parts.len() == 1 && self.random.random::<f64>() < self.share {
            return parts[0].iter().map(|&table| vec![table]).collect();
        }
        parts
    }
}
