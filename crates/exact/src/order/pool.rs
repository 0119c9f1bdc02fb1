//! The best orders of a part that a search has found.

/// An order of a part with what it is judged by.
pub(super) struct Found {
    /// About the bytes of messages.
    pub(super) bytes: f64,
    /// `log2` of the entries of its cliques.
    pub(super) log2_total: f64,
    pub(super) order: Vec<u32>,
}

/// As many orders are kept, so that chains start from different ones.
const KEPT: usize = 8;

/// The best orders so far, the best first: those within a number of bytes, or else nearest to it, and
/// of those the cheapest.
pub(super) struct Pool {
    limit: f64,
    found: Vec<Found>,
}

impl Pool {
    /// A pool without orders.
    pub(super) fn new(limit: f64) -> Self {
        Self {
            limit,
            found: Vec::new(),
        }
    }

    /// Adds orders; of those that are equal in all that counts, which are nearly always the same tree,
    /// one is kept.
    pub(super) fn extend(&mut self, found: impl IntoIterator<Item = Found>) {
        self.found.extend(found);
        let limit = self.limit;
        let compare = |a: &Found, b: &Found| {
            let bytes = a.bytes.max(limit).total_cmp(&b.bytes.max(limit));
            bytes.then(a.log2_total.total_cmp(&b.log2_total))
        };
        // The sort is stable: of equal orders the earlier one stays ahead.
        self.found.sort_by(compare);
        self.found.dedup_by(|b, a| compare(a, b).is_eq());
        self.found.truncate(KEPT);
    }

    /// The best order; there must be one.
    pub(super) fn best(&self) -> &Found {
        &self.found[0]
    }

    /// Is the best order within the number of bytes?
    pub(super) fn fits(&self) -> bool {
        self.best().bytes <= self.limit
    }

    /// The order to start chain number `chain` of so many from: the last one, which keeps most of it,
    /// from the best. At first they are spread over the pool: its best orders are often of one family,
    /// and the best one to start from may be another.
    pub(super) fn start(&self, chain: usize, chains: usize, spread: bool) -> &[u32] {
        let place = chains - 1 - chain;
        let rank = if spread {
            place * self.found.len() / chains
        } else {
            place % self.found.len()
        };
        &self.found[rank].order
    }

    pub(super) fn into_best(mut self) -> Vec<u32> {
        self.found.swap_remove(0).order
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(bytes: f64, log2_total: f64) -> Found {
        Found {
            bytes,
            log2_total,
            order: Vec::new(),
        }
    }

    #[test]
    fn what_fits_comes_before_what_is_cheap_and_the_nearest_where_nothing_fits() {
        let mut pool = Pool::new(10.0);
        pool.extend([found(40.0, 1.0), found(20.0, 9.0)]);
        assert!(!pool.fits());
        assert!((pool.best().bytes - 20.0).abs() < 1e-12);
        pool.extend([found(10.0, 8.0), found(5.0, 7.0), found(1.0, 7.5)]);
        assert!(pool.fits());
        assert!((pool.best().log2_total - 7.0).abs() < 1e-12);
        // Without a limit memory does not count.
        let mut pool = Pool::new(f64::INFINITY);
        pool.extend([found(40.0, 1.0), found(20.0, 9.0), found(30.0, 1.0)]);
        assert!(pool.fits() && pool.found.len() == 2);
        assert!((pool.best().bytes - 40.0).abs() < 1e-12);
    }

    #[test]
    fn chains_start_from_different_orders() {
        let mut pool = Pool::new(f64::INFINITY);
        pool.extend((0..20u32).map(|at| Found {
            order: vec![at],
            ..found(1.0, f64::from(at))
        }));
        let starts = |spread| [0, 1, 2, 3].map(|chain| pool.start(chain, 4, spread)[0]);
        assert_eq!(starts(true), [6, 4, 2, 0]);
        assert_eq!(starts(false), [3, 2, 1, 0]);
    }
}
