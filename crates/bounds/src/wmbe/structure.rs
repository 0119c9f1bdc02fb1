//! What makes a mini-bucket schedule: an order and the partitions of its buckets, and their changes.

use std::sync::Arc;

use forney_exact::{Bucket, Order, Schedule, SplitRule, TooLarge};
use forney_model::{FactorGraph, VarId};
use rand::RngExt;
use rand_pcg::Pcg64;

use super::CliqueLimit;

/// The scopes of the tables in each mini-bucket, their variables by number.
type Split = Vec<Vec<Vec<VarId>>>;

/// The share of changes that split a bucket anew; the others change the order, which pays more often. Set
/// by hand, not tuned.
const SPLITTING: f64 = 0.1;

/// An elimination order, and which tables of each bucket stay together.
#[derive(Clone, Debug)]
pub struct Structure {
    /// The order.
    pub order: Order,
    /// By variable; `None` where nothing is split.
    splits: Vec<Option<Split>>,
}

/// What all structures of a race have in common.
#[derive(Clone, Copy)]
pub struct Setting<'f> {
    /// The model.
    pub graph: &'f FactorGraph,
    /// How large cliques may be.
    pub limit: CliqueLimit,
    /// The caller's order, if it fixed one; then only partitions vary.
    pub fixed: Option<&'f Order>,
    /// Seed of ties and partitions.
    pub seed: u64,
}

/// A structure and the schedule that it gives.
#[derive(Clone, Debug)]
pub struct Candidate {
    /// The order and the partitions.
    pub structure: Structure,
    /// What is computed along them.
    pub schedule: Arc<Schedule>,
}

impl Candidate {
    /// Compiles an order with a rule, and keeps what that decides.
    ///
    /// # Errors
    /// As [`Schedule::compile`].
    pub fn new(
        graph: &FactorGraph,
        order: Order,
        rule: &mut dyn SplitRule,
    ) -> Result<Self, TooLarge> {
        let mut splits = vec![None; graph.num_variables()];
        let mut recorder = |bucket: &Bucket<'_>| {
            let groups = rule.split(bucket);
            if groups.len() > 1 {
                let scopes = |group: &Vec<usize>| {
                    let scopes = group.iter().map(|&at| sorted(&bucket.scopes[at]));
                    scopes.collect()
                };
                splits[bucket.variable.index()] = Some(groups.iter().map(scopes).collect());
            }
            groups
        };
        let schedule = Schedule::compile(graph, &order, &mut recorder)?.into();
        let structure = Structure { order, splits };
        Ok(Self {
            structure,
            schedule,
        })
    }
}

/// A small change of a [`Structure`], which can be made in others as well.
#[derive(Clone, Copy, Debug)]
pub(super) enum Mutation {
    /// A variable takes the place of another in the order.
    Move { variable: VarId, place: VarId },
    /// The bucket of a variable is split anew.
    Split { variable: VarId, seed: u64 },
}

impl Structure {
    /// The mini-buckets of a bucket whose tables have the scopes that they had when it was split.
    pub(super) fn kept(&self, bucket: &Bucket<'_>) -> Option<Vec<Vec<usize>>> {
        let split = self.splits[bucket.variable.index()].as_ref()?;
        let mut left: Vec<Option<Vec<VarId>>> = (bucket.scopes.iter())
            .map(|scope| Some(sorted(scope)))
            .collect();
        let mut take = |scope: &Vec<VarId>| {
            let at = left.iter().position(|held| held.as_ref() == Some(scope))?;
            left[at] = None;
            Some(at)
        };
        let groups: Option<Vec<Vec<usize>>> = (split.iter())
            .map(|group| group.iter().map(&mut take).collect())
            .collect();
        groups.filter(|_| left.iter().all(Option::is_none))
    }
}

impl Mutation {
    /// A random change near a split: of the order of two variables that meet there, or of its
    /// partition.
    ///
    /// # Panics
    /// If nothing is split.
    pub(super) fn propose(schedule: &Schedule, fixed: bool, rng: &mut Pcg64) -> Self {
        let splits = schedule.splits();
        let split = &splits[rng.random_range(0..splits.len())];
        if fixed || rng.random_bool(SPLITTING) {
            return Self::Split {
                variable: split.variable,
                seed: rng.random(),
            };
        }
        let cliques = split
            .steps
            .iter()
            .map(|&step| &schedule.steps()[step].scope);
        let mut scope: Vec<VarId> = cliques.flatten().copied().collect();
        scope.sort_unstable();
        scope.dedup();
        let mut pick = || scope[rng.random_range(0..scope.len())];
        Self::Move {
            variable: pick(),
            place: pick(),
        }
    }

    /// The order that it makes of a structure's.
    pub(super) fn order(self, parent: &Structure) -> Order {
        match self {
            Self::Move { variable, place } => parent.order.moved(variable, place),
            Self::Split { .. } => parent.order.clone(),
        }
    }
}

fn sorted(scope: &[VarId]) -> Vec<VarId> {
    let mut scope = scope.to_vec();
    scope.sort_unstable();
    scope
}
