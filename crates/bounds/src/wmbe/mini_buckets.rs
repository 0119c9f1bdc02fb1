//! Which tables of a bucket stay together.

use std::collections::{BTreeMap, BTreeSet, HashMap};

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
        let mut groups = Groups::new(bucket, self.limit);
        for (_, at) in tables {
            groups.add(at);
        }
        groups.tables
    }
}

/// The mini-buckets so far.
///
/// A table goes where it brings in the fewest variables, and of equals into the first. Only groups that
/// share a variable beside the eliminated one are compared one by one; of the others, to which it brings
/// all but that one, the first with room is looked up, as a hub with 10^5 neighbours has 10^4 groups.
struct Groups<'b> {
    bucket: &'b Bucket<'b>,
    limit: CliqueLimit,
    scopes: Vec<Vec<VarId>>,
    tables: Vec<Vec<usize>>,
    /// The groups that hold each variable, the eliminated one left out.
    holders: HashMap<VarId, Vec<usize>>,
    /// The groups of each number of variables up to the ibound, which may take more.
    by_len: Vec<BTreeSet<usize>>,
}

impl<'b> Groups<'b> {
    fn new(bucket: &'b Bucket<'b>, limit: CliqueLimit) -> Self {
        Self {
            bucket,
            limit,
            scopes: Vec::new(),
            tables: Vec::new(),
            holders: HashMap::new(),
            by_len: Vec::new(),
        }
    }

    fn add(&mut self, at: usize) {
        let scope = &self.bucket.scopes[at];
        let mut shared: BTreeMap<usize, usize> = BTreeMap::new();
        for v in &scope[1..] {
            for &group in self.holders.get(v).into_iter().flatten() {
                *shared.entry(group).or_default() += 1;
            }
        }
        let mut by_growth: Vec<(usize, usize)> = shared
            .into_iter()
            .map(|(group, common)| (scope.len() - 1 - common, group))
            .collect();
        by_growth.sort_unstable();
        let fits = |group: usize| {
            let joint = union([&self.scopes[group], scope]);
            self.limit.holds(&joint, self.bucket.cards)
        };
        let sharing = by_growth.into_iter().map(|(_, group)| group);
        // A table of one variable brings in none, so that a full group takes it, too.
        let all = if scope.len() == 1 {
            self.scopes.len()
        } else {
            0
        };
        let group = sharing
            .chain(0..all)
            .chain(self.with_room(scope.len() - 1))
            .find(|&group| fits(group));
        let group = group.unwrap_or_else(|| {
            self.scopes.push(Vec::new());
            self.tables.push(Vec::new());
            self.scopes.len() - 1
        });
        let before = &self.scopes[group];
        if let Some(groups) = self.by_len.get_mut(before.len()) {
            groups.remove(&group);
        }
        let joint = union([before, scope]);
        let is_new = |v: &&VarId| **v != self.bucket.variable && before.binary_search(v).is_err();
        for &v in joint.iter().filter(is_new) {
            self.holders.entry(v).or_default().push(group);
        }
        self.scopes[group] = joint;
        self.tables[group].push(at);
        self.note_room(group);
    }

    /// Groups that may take so many variables more, the first one first.
    fn with_room(&self, growth: usize) -> impl Iterator<Item = usize> + '_ {
        let lens = (self.limit.ibound.saturating_add(2)).saturating_sub(growth);
        let sets = &self.by_len[..lens.min(self.by_len.len())];
        let begun = sets.iter().map(|set| {
            let mut rest = set.iter().copied();
            (rest.next(), rest)
        });
        let mut begun: Vec<_> = begun.collect();
        std::iter::from_fn(move || {
            let left = begun.iter_mut().filter(|(first, _)| first.is_some());
            let (first, rest) = left.min_by_key(|(first, _)| *first)?;
            std::mem::replace(first, rest.next())
        })
    }

    fn note_room(&mut self, group: usize) {
        let scope = &self.scopes[group];
        let entries: f64 = scope
            .iter()
            .map(|v| self.bucket.cards[v.index()] as f64)
            .product();
        // Another variable has at least two states.
        if scope.len() <= self.limit.ibound && 2.0 * entries <= self.limit.entries {
            if self.by_len.len() <= scope.len() {
                self.by_len.resize_with(scope.len() + 1, BTreeSet::new);
            }
            self.by_len[scope.len()].insert(group);
        }
    }
}

fn union<'s>(scopes: impl IntoIterator<Item = &'s Vec<VarId>>) -> Vec<VarId> {
    let mut all: Vec<VarId> = scopes.into_iter().flatten().copied().collect();
    all.sort_unstable();
    all.dedup();
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The rule as it reads: every table against every group.
    fn slow(bucket: &Bucket<'_>, limit: CliqueLimit, tables: &[usize]) -> Vec<Vec<usize>> {
        let mut groups: Vec<(Vec<VarId>, Vec<usize>)> = Vec::new();
        for &at in tables {
            let scope = &bucket.scopes[at];
            let growth = |g: &(Vec<VarId>, Vec<usize>)| union([&g.0, scope]).len() - g.0.len();
            let holds = |g: &&mut (Vec<VarId>, Vec<usize>)| {
                limit.holds(&union([&g.0, scope]), bucket.cards)
            };
            match groups.iter_mut().filter(holds).min_by_key(|g| growth(g)) {
                Some(group) => {
                    group.0 = union([&group.0, scope]);
                    group.1.push(at);
                }
                None => groups.push((scope.clone(), vec![at])),
            }
        }
        groups.into_iter().map(|(_, tables)| tables).collect()
    }

    #[test]
    fn every_table_goes_where_it_brings_in_the_fewest_variables() {
        for seed in 0..2000 {
            let mut rng = Pcg64::seed_from_u64(seed);
            let cards: Vec<usize> = (0..12).map(|_| rng.random_range(2..5)).collect();
            let scopes = (0..rng.random_range(1..15)).map(|_| {
                let density = rng.random::<f64>() * 0.4;
                let others = (1..12).filter(|_| rng.random::<f64>() < density);
                [0].into_iter().chain(others).map(VarId).collect()
            });
            let scopes: Vec<Vec<VarId>> = scopes.collect();
            let bucket = Bucket {
                variable: VarId(0),
                scopes: &scopes,
                cards: &cards,
            };
            let limit = CliqueLimit {
                ibound: rng.random_range(1..6),
                entries: [f64::INFINITY, 300.0, 40.0][seed as usize % 3],
            };
            let mut tables: Vec<usize> = (0..scopes.len()).collect();
            tables.sort_by_key(|&at| (std::cmp::Reverse(scopes[at].len()), at));
            let whole = union(scopes.iter());
            let expected = if limit.holds(&whole, &cards) {
                vec![(0..scopes.len()).collect()]
            } else {
                slow(&bucket, limit, &tables)
            };
            let found = MiniBuckets::new(limit, None).split(&bucket);
            assert_eq!(found, expected, "seed {seed}");
        }
    }
}
