//! Local search over orders and partitions, by the bound that they give.
//!
//! A small change of a good structure keeps most of its mini-buckets, and with them their weights and
//! cost shifts, so that a few evaluations tell whether the change pays.

use forney_certify::Budget;
use forney_exact::{Bucket, SplitRule};
use forney_model::FactorGraph;
use rand::SeedableRng;
use rand_pcg::Pcg64;
use rayon::prelude::*;

use super::carry::Carried;
use super::racer::{Racer, bytes};
use super::structure::{Mutation, Structure};
use super::{Candidate, CliqueLimit, ContentMiniBuckets, WeightMap};
use crate::board::{Board, Post};

/// Changes that are tried at once, whatever the number of threads.
const BATCH: usize = 8;

/// Evaluations of a trial at a time, and in all.
const SLICE: usize = 8;
const MOST: usize = 64;

/// A trial ends when even so many times its last gain would leave it behind.
const HOPE: f64 = 8.0;

/// A change counts if it gains this part of what shifts and weights have gained in all, or so many
/// nats: less comes from the further evaluations alone.
const MARGIN: f64 = 1e-3;
const ENOUGH: f64 = 2e-2;

/// Batches after which the gain is judged.
const WINDOW: usize = 32;

/// What a local search works with.
pub(crate) struct Search<'g> {
    pub(crate) graph: &'g FactorGraph,
    pub(crate) limit: CliqueLimit,
    /// Bytes for all trials at once.
    pub(crate) memory: f64,
    /// Is the order the caller's, so that only partitions change?
    pub(crate) fixed: bool,
    pub(crate) seed: u64,
    /// The search ends once an evaluation gains no more than this, in nats.
    pub(crate) least_gain: f64,
}

/// What a change has to reach, and within how many evaluations.
#[derive(Clone, Copy)]
struct Target {
    value: f64,
    evaluations: usize,
}

/// A change that was tried.
struct Trial<S: WeightMap> {
    mutation: Mutation,
    /// What came of it if it is better.
    better: Option<Racer<S>>,
    evaluations: usize,
}

impl Search<'_> {
    /// Changes the structure of the incumbent while that pays, by so many evaluations at most.
    pub(crate) fn improve<S>(
        &self,
        incumbent: &mut Racer<S>,
        evaluations: usize,
        budget: &Budget,
        board: &Board<'_>,
    ) where
        S: WeightMap + Post,
    {
        let gained = incumbent.first_value() - incumbent.value();
        let margin = (MARGIN * gained).min(ENOUGH);
        // A start at an infinity leaves NaN, and nothing to compare with.
        if gained.is_nan() {
            return;
        }
        let mut rng = Pcg64::seed_from_u64(self.seed);
        let mut again: Vec<Mutation> = Vec::new();
        let mut left = evaluations;
        let mut window = (incumbent.value(), 0);
        for round in 1.. {
            let fits = (self.memory / incumbent.bytes) as usize;
            let batch = BATCH.min(fits.saturating_sub(1)).min(left / SLICE);
            let nothing = batch == 0 || incumbent.schedule().is_exact();
            if nothing || budget.stop().is_some() {
                break;
            }
            let mut mutations = std::mem::take(&mut again);
            mutations.truncate(batch);
            while mutations.len() < batch {
                let schedule = incumbent.schedule();
                mutations.push(Mutation::propose(schedule, self.fixed, &mut rng));
            }
            let point = incumbent.point();
            let carried = Carried::new(incumbent.schedule(), &point);
            let target = Target {
                value: incumbent.value() - margin,
                evaluations: MOST.min(left / batch),
            };
            let parent = &incumbent.structure;
            let trials: Vec<Trial<S>> = mutations
                .into_par_iter()
                .map(|mutation| self.attempt(mutation, parent, &carried, target, budget, board))
                .collect();
            let tried: usize = trials.iter().map(|trial| trial.evaluations).sum();
            left = left.saturating_sub(tried);
            window.1 += tried;
            let mut better: Vec<(Mutation, Racer<S>)> = (trials.into_iter())
                .filter_map(|trial| Some((trial.mutation, trial.better?)))
                .collect();
            better.sort_by(|(_, a), (_, b)| a.value().total_cmp(&b.value()));
            let mut better = better.into_iter();
            if let Some((_, best)) = better.next() {
                *incumbent = best;
                incumbent.prove(self.graph, board);
            }
            // What improved the old incumbent may improve the new one as well.
            again = better.map(|(mutation, _)| mutation).collect();
            if round % WINDOW == 0 {
                let gain = window.0 - incumbent.value();
                if gain <= self.least_gain * window.1 as f64 {
                    break;
                }
                window = (incumbent.value(), 0);
            }
        }
    }

    /// Compiles one change and optimises it while there is hope.
    fn attempt<S>(
        &self,
        mutation: Mutation,
        parent: &Structure,
        carried: &Carried<'_>,
        target: Target,
        budget: &Budget,
        board: &Board<'_>,
    ) -> Trial<S>
    where
        S: WeightMap + Post,
    {
        let racer = self.compile(mutation, parent, carried, budget);
        let mut trial = Trial {
            mutation,
            better: None,
            evaluations: 0,
        };
        let Some(mut racer) = racer else {
            return trial;
        };
        board.count::<S>(racer.evaluations());
        loop {
            let before = racer.value();
            let left = target.evaluations.saturating_sub(racer.evaluations());
            let alive = racer.run(SLICE.min(left), budget, board);
            let gain = before - racer.value();
            // Written so that NaN has no hope.
            let hope = racer.value() - HOPE * gain < target.value;
            let spent = racer.evaluations() >= target.evaluations;
            if !alive || !hope || spent || budget.stop().is_some() {
                break;
            }
        }
        trial.evaluations = racer.evaluations();
        trial.better = (racer.value() < target.value).then_some(racer);
        trial
    }

    /// A changed structure, at the weights and shifts of its parent; `None` if it is the parent
    /// again, or too large.
    fn compile<S>(
        &self,
        mutation: Mutation,
        parent: &Structure,
        carried: &Carried<'_>,
        budget: &Budget,
    ) -> Option<Racer<S>>
    where
        S: WeightMap + Post,
    {
        let order = mutation.order(parent);
        let memory = self.memory / BATCH as f64;
        let mut rule = Mutated::<S> {
            parent,
            mutation,
            content: ContentMiniBuckets::new(self.graph, &order, self.limit, memory, budget),
        };
        let (structure, schedule) = Structure::compile(self.graph, order, &mut rule).ok()?;
        if bytes(&schedule) > memory || budget.stop().is_some() {
            return None;
        }
        let start = carried.start::<S>(&schedule)?;
        let candidate = Candidate {
            structure,
            schedule: schedule.into(),
        };
        Some(Racer::at(candidate, self.graph, start))
    }
}

/// Keeps the partitions of a structure; what a mutation touches is split by content.
struct Mutated<'s, S: WeightMap> {
    parent: &'s Structure,
    mutation: Mutation,
    content: ContentMiniBuckets<'s, S>,
}

impl<S: WeightMap> SplitRule for Mutated<'_, S> {
    fn split(&mut self, bucket: &Bucket<'_>) -> Vec<Vec<usize>> {
        if let Mutation::Split { variable, seed } = self.mutation
            && variable == bucket.variable
        {
            let noise = Pcg64::seed_from_u64(seed);
            return self.content.split_with(bucket, Some(noise));
        }
        match self.parent.kept(bucket) {
            Some(groups) => {
                self.content.follow(bucket, &groups);
                groups
            }
            None => self.content.split(bucket),
        }
    }
}

#[cfg(test)]
mod tests;
