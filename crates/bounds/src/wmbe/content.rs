//! Content-based partitions: which tables stay together is decided by their numbers.

use std::marker::PhantomData;

use forney_certify::Budget;
use forney_exact::{Bucket, Order, SplitRule};
use forney_model::FactorGraph;

use rand::RngExt;
use rand_pcg::Pcg64;

use super::messages::Messages;
use super::mini_buckets::MiniBuckets;
use super::{CliqueLimit, WeightMap};
use crate::buckets::{Algebra, Pending};

/// Larger buckets are split by scope: pairs are compared with each other. Set by hand, not tuned.
const MOST_TABLES: usize = 64;

/// No pair gains more than this: a hard zero that only the product sees would gain infinitely much.
/// Set by hand, not tuned.
const MOST_GAIN: f64 = 100.0;

/// Content-based greedy partition (Rollon & Dechter 2010): again and again the two mini-buckets
/// are merged that lose most if they are eliminated apart.
///
/// ```text
/// gain(A, B) = ± mean_y [ ln μ_A(y) μ_B(y) − ln μ_AB(y) ]  ≥ 0       log relative error
/// μ_A μ_B = (Σ_x f_A^{1/w})^w (Σ_x f_B^{1/v})^v ,   μ_AB = Σ_x f_A f_B
/// ```
///
/// The weights `w + v = 1` are those from which the side `S` starts. The tables include the messages
/// of earlier buckets, which the rule works out on its way, with such weights and no shifts. A rule
/// serves one compilation.
///
/// # Complexity
/// For each pair of tables in a bucket that is split, the entries of their product.
///
/// # Example
/// ```
/// use forney_bounds::wmbe::{CliqueLimit, ContentMiniBuckets};
/// use forney_certify::{Above, Budget};
/// use forney_exact::{Heuristic, Schedule, greedy};
/// use forney_model::generate::ising_grid;
/// use rand::SeedableRng;
/// let model = ising_grid(6, 1.0, 0.1, &mut rand_pcg::Pcg64::seed_from_u64(1));
/// let order = greedy(&model, Heuristic::MinFill, None);
/// let limit = CliqueLimit { ibound: 3, entries: 1e6 };
/// let budget = Budget::unlimited();
/// let mut rule = ContentMiniBuckets::<Above>::new(&model, &order, limit, 1e9, &budget);
/// let schedule = Schedule::compile(&model, &order, &mut rule)?;
/// assert!(!schedule.is_exact() && schedule.demand().width <= 3);
/// # Ok::<(), forney_exact::TooLarge>(())
/// ```
#[derive(Clone, Debug)]
pub struct ContentMiniBuckets<'g, S: WeightMap> {
    limit: CliqueLimit,
    memory: f64,
    budget: Budget,
    messages: Messages<'g>,
    side: PhantomData<S>,
}

impl<'g, S: WeightMap> ContentMiniBuckets<'g, S> {
    /// The rule for one compilation of this model in this order.
    ///
    /// Buckets whose tables could exceed `memory` bytes, and all once the budget ends, are split by
    /// scope.
    #[must_use]
    pub fn new(
        graph: &'g FactorGraph,
        order: &Order,
        limit: CliqueLimit,
        memory: f64,
        budget: &Budget,
    ) -> Self {
        Self {
            limit,
            memory,
            budget: budget.clone(),
            messages: Messages::new(graph, order),
            side: PhantomData,
        }
    }

    /// Splits a bucket after gains to which some noise was given.
    pub(super) fn split_with(
        &mut self,
        bucket: &Bucket<'_>,
        noise: Option<Pcg64>,
    ) -> Vec<Vec<usize>> {
        let tables = self.messages.take(bucket.variable);
        let groups = self
            .choose(bucket, &tables, noise.clone())
            .unwrap_or_else(|| {
                let seed = noise.map(|mut noise| noise.random());
                MiniBuckets::new(self.limit, seed).split(bucket)
            });
        self.settle(&tables, &groups);
        groups
    }

    /// Follows a split that was decided elsewhere.
    pub(super) fn follow(&mut self, bucket: &Bucket<'_>, groups: &[Vec<usize>]) {
        let tables = self.messages.take(bucket.variable);
        self.settle(&tables, groups);
    }

    fn settle(&mut self, tables: &[usize], groups: &[Vec<usize>]) {
        let weights = match groups.len() {
            1 => vec![1.0],
            mini_buckets => neutral::<S>(mini_buckets),
        };
        for (group, weight) in groups.iter().zip(weights) {
            let members = group.iter().map(|&at| tables[at]).collect();
            self.messages.post(members, weight);
        }
    }

    /// The partition; `None` to leave it to the scopes.
    fn choose(
        &mut self,
        bucket: &Bucket<'_>,
        tables: &[usize],
        noise: Option<Pcg64>,
    ) -> Option<Vec<Vec<usize>>> {
        let scopes = || tables.iter().map(|&at| self.messages.scope(at));
        debug_assert!(scopes().eq(bucket.scopes.iter().map(|scope| &scope[..])));
        let whole = self.messages.algebra.union(scopes());
        if self.limit.holds(&whole, bucket.cards) {
            return Some(vec![(0..tables.len()).collect()]);
        }
        let clique = self.messages.algebra.entries(&whole);
        let clique = clique.min(self.limit.entries);
        // Every table with its messages and one product, at the worst.
        let work = 3.0 * (tables.len() + 1) as f64 * clique;
        let bytes = 8.0 * (self.messages.demand(tables) + work);
        let large = tables.len() > MOST_TABLES || bytes > self.memory;
        if large || self.budget.stop().is_some() {
            return None;
        }
        self.messages.look(tables);
        let tables = tables.iter().map(|&at| self.messages.table(at)).collect();
        let mut merging = Merging::<S> {
            limit: self.limit,
            cards: bucket.cards,
            algebra: &self.messages.algebra,
            noise,
            side: PhantomData,
        };
        merging.merge(tables, &self.budget)
    }
}

/// The partition of one bucket.
struct Merging<'m, S> {
    limit: CliqueLimit,
    cards: &'m [usize],
    algebra: &'m Algebra,
    /// Multiplies every gain by a random factor within `e^{±1}`.
    noise: Option<Pcg64>,
    side: PhantomData<S>,
}

impl<S: WeightMap> Merging<'_, S> {
    /// Merges the mini-buckets while a pair fits; `None` if the budget ends before.
    fn merge(&mut self, tables: Vec<&Pending>, budget: &Budget) -> Option<Vec<Vec<usize>>> {
        let mut groups: Vec<Group> = (tables.into_iter().enumerate())
            .map(|(at, table)| Group {
                members: vec![at],
                apart: self.apart(table),
                table: table.clone(),
                gains: Vec::new(),
            })
            .collect();
        for at in 0..groups.len() {
            self.compare(&mut groups, at, budget)?;
        }
        while let Some((first, second)) = best_pair(&groups) {
            let absorbed = groups.remove(second);
            for group in &mut groups {
                if second < group.gains.len() {
                    group.gains.remove(second);
                }
            }
            let host = &mut groups[first];
            host.members.extend(absorbed.members);
            let pair = [&host.table, &absorbed.table];
            host.table = self.algebra.product(pair);
            host.apart = self.apart(&host.table);
            self.compare(&mut groups, first, budget)?;
            for later in first + 1..groups.len() {
                let gain = self.gain(&groups[first], &groups[later]);
                groups[later].gains[first] = gain;
            }
        }
        Some(groups.into_iter().map(|group| group.members).collect())
    }

    /// Compares a group with all earlier ones; `None` if the budget has ended.
    fn compare(&mut self, groups: &mut [Group], at: usize, budget: &Budget) -> Option<()> {
        if budget.stop().is_some() {
            return None;
        }
        let gains = (0..at).map(|earlier| self.gain(&groups[earlier], &groups[at]));
        groups[at].gains = gains.collect();
        Some(())
    }

    /// A table eliminated by itself, as the first and as the second of two.
    fn apart(&self, table: &Pending) -> [Pending; 2] {
        let weights = neutral::<S>(2);
        [weights[0], weights[1]].map(|weight| self.algebra.eliminate(table, weight))
    }

    /// What is gained by eliminating two groups together; `None` if that exceeds the limit.
    fn gain(&mut self, a: &Group, b: &Group) -> Option<f64> {
        let scope = self.algebra.union([&a.table.scope[..], &b.table.scope]);
        if !self.limit.holds(&scope, self.cards) {
            return None;
        }
        let rest = scope[1..].to_vec();
        let apart = (self.algebra).product_over([&a.apart[0], &b.apart[1]], rest);
        let together = self.algebra.product_over([&a.table, &b.table], scope);
        let together = self.algebra.eliminate(&together, 1.0);
        let gains = (apart.ln.iter().zip(&together.ln)).map(|(apart, together)| {
            if apart.to_bits() == together.to_bits() {
                // Zeros, seen either way.
                0.0
            } else {
                (S::SENSE * (apart - together)).min(MOST_GAIN)
            }
        });
        let gain = gains.sum::<f64>() / apart.ln.len() as f64;
        let noise = self.noise.as_mut().map(|rng| rng.random_range(-1.0..1.0));
        Some(gain * noise.map_or(1.0, f64::exp))
    }
}

/// A mini-bucket that may still grow.
struct Group {
    members: Vec<usize>,
    /// Their product.
    table: Pending,
    /// Its messages.
    apart: [Pending; 2],
    /// What merging it with each earlier group gains.
    gains: Vec<Option<f64>>,
}

/// The pair with the largest gain.
fn best_pair(groups: &[Group]) -> Option<(usize, usize)> {
    let mut best = None;
    let mut most = f64::NEG_INFINITY;
    for (second, group) in groups.iter().enumerate() {
        for (first, gain) in group.gains.iter().enumerate() {
            if let Some(gain) = gain
                && *gain > most
            {
                most = *gain;
                best = Some((first, second));
            }
        }
    }
    best
}

impl<S: WeightMap> SplitRule for ContentMiniBuckets<'_, S> {
    fn split(&mut self, bucket: &Bucket<'_>) -> Vec<Vec<usize>> {
        self.split_with(bucket, None)
    }
}

/// The weights of a split before any step.
fn neutral<S: WeightMap>(mini_buckets: usize) -> Vec<f64> {
    let mut weights = vec![0.0; mini_buckets];
    S::weights(&S::start(mini_buckets), &mut weights);
    weights
}
