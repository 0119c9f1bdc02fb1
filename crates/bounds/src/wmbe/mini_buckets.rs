//! Which tables of a bucket stay together.

use forney_exact::{Bucket, SplitRule};
use forney_model::{FactorGraph, VarId};
use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64;

use crate::BoundError;

/// How large a clique may be.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CliqueLimit {
    /// At most `ibound + 1` variables, the eliminated one included.
    pub ibound: usize,
    /// At most this many table entries, so that large cardinalities do not exhaust memory.
    pub entries: f64,
}

impl CliqueLimit {
    /// Checks that every factor of the model fits an ibound by itself.
    ///
    /// # Errors
    /// [`BoundError::IboundTooSmall`], with the least ibound that works.
    pub fn admit(ibound: usize, graph: &FactorGraph) -> Result<(), BoundError> {
        let size = |v: &&VarId| graph.card(**v) > 1;
        let scopes = graph
            .factors()
            .iter()
            .map(|f| f.scope().iter().filter(size).count());
        match scopes.enumerate().max_by_key(|&(_, scope)| scope) {
            Some((factor, scope)) if scope > ibound + 1 => Err(BoundError::IboundTooSmall {
                ibound,
                least: scope - 1,
                factor,
                scope,
            }),
            _ => Ok(()),
        }
    }

    pub(super) fn holds(&self, scope: &[VarId], cards: &[usize]) -> bool {
        scope.len() <= self.ibound + 1
            && scope
                .iter()
                .map(|v| cards[v.index()] as f64)
                .product::<f64>()
                <= self.entries
    }
}

/// Scope-based greedy partition: the largest tables first, each into the mini-bucket with which it
/// shares most variables and still fits.
#[derive(Clone, Debug)]
pub struct MiniBuckets {
    limit: CliqueLimit,
    /// Perturbs the choice, to search over partitions.
    noise: Option<Pcg64>,
}

impl MiniBuckets {
    /// The deterministic partition, or a random one near it for each seed.
    #[must_use]
    pub fn new(limit: CliqueLimit, seed: Option<u64>) -> Self {
        Self {
            limit,
            noise: seed.map(Pcg64::seed_from_u64),
        }
    }
}

impl SplitRule for MiniBuckets {
    fn split(&mut self, bucket: &Bucket<'_>) -> Vec<Vec<usize>> {
        let scopes = bucket.scopes;
        let whole = union(scopes.iter());
        if self.limit.holds(&whole, bucket.cards) {
            return vec![(0..scopes.len()).collect()];
        }
        let mut tables: Vec<(f64, usize)> = (0..scopes.len())
            .map(|at| {
                let noise = self
                    .noise
                    .as_mut()
                    .map_or(0.0, |rng| 1.5 * rng.random::<f64>());
                (scopes[at].len() as f64 + noise, at)
            })
            .collect();
        tables.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        let mut groups: Vec<(Vec<VarId>, Vec<usize>)> = Vec::new();
        for (_, at) in tables {
            let mut best: Option<(usize, usize, Vec<VarId>)> = None;
            for (number, (scope, _)) in groups.iter().enumerate() {
                let joint = union([scope, &scopes[at]]);
                let growth = joint.len() - scope.len();
                if self.limit.holds(&joint, bucket.cards)
                    && best.as_ref().is_none_or(|&(_, least, _)| growth < least)
                {
                    best = Some((number, growth, joint));
                }
            }
            match best {
                Some((number, _, joint)) => {
                    groups[number].0 = joint;
                    groups[number].1.push(at);
                }
                None => groups.push((scopes[at].clone(), vec![at])),
            }
        }
        groups.into_iter().map(|(_, tables)| tables).collect()
    }
}

fn union<'s>(scopes: impl IntoIterator<Item = &'s Vec<VarId>>) -> Vec<VarId> {
    let mut all: Vec<VarId> = scopes.into_iter().flatten().copied().collect();
    all.sort_unstable();
    all.dedup();
    all
}
