//! Local search over orders and partitions, by the bound that they give.
//!
//! A small change of a good structure keeps most of its mini-buckets, and with them their weights and
//! cost shifts, so that a few evaluations tell whether the change pays.

use forney_certify::Budget;
use forney_exact::{Bucket, Schedule, SplitRule};
use rand::SeedableRng;
use rand_pcg::Pcg64;
use rayon::prelude::*;

use super::carry::Carried;
use super::structure::{Candidate, Mutation, Setting, Structure};
use super::{ContentMiniBuckets, WeightMap};
use crate::race::{Account, Proof, Racer, tighter};

// What the search gains with these is in docs/decisions.md; they were set by hand with it, and not tuned
// one by one.

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

/// A racer on a structure of mini-buckets, which can go on where it is on another one.
pub trait Mover: Racer + Sync + Sized {
    /// Where it is: shifts and logits of the weights along these mini-buckets.
    fn place(&self) -> (&Structure, &Schedule, Vec<f64>);

    /// What its evaluations have gained, in nats.
    fn gained(&self) -> f64;

    /// The bytes that it would hold on another structure.
    fn bytes_on(&self, schedule: &Schedule) -> f64;

    /// The same on another structure, at these shifts and logits.
    fn on(&self, candidate: Candidate, point: Vec<f64>) -> Self;
}

/// A local search, which ends once an evaluation gains no more than `least_gain`, in nats.
pub struct LocalSearch<'g> {
    /// What all structures have in common.
    pub setting: Setting<'g>,
    /// In nats.
    pub least_gain: f64,
}

/// What a change has to reach, and within how many evaluations.
#[derive(Clone, Copy)]
struct Target {
    value: f64,
    evaluations: usize,
}

/// A change that was tried.
struct Trial<R> {
    mutation: Mutation,
    /// What came of it if it is better.
    better: Option<R>,
    evaluations: usize,
}

impl LocalSearch<'_> {
    /// Changes the structure of the incumbent while that pays; its best proof on the way.
    pub fn improve<R>(
        &self,
        incumbent: &mut R,
        account: &mut Account<'_, '_>,
    ) -> Option<Proof<R::Side, R::Witness>>
    where
        R: Mover,
        R::Side: WeightMap,
    {
        let gained = incumbent.gained();
        let margin = (MARGIN * gained).min(ENOUGH);
        // A start at an infinity leaves NaN, and nothing to compare with.
        if gained.is_nan() {
            return None;
        }
        let mut proof = None;
        let mut rng = Pcg64::seed_from_u64(self.setting.seed);
        let mut again: Vec<Mutation> = Vec::new();
        let mut window = (incumbent.value(), account.spent());
        for round in 1.. {
            let fits = (account.memory() / incumbent.bytes()) as usize;
            let batch = BATCH.min(fits.saturating_sub(1));
            let batch = batch.min(account.left() / SLICE);
            let (parent, schedule, point) = incumbent.place();
            if batch == 0 || schedule.is_exact() || account.is_over() {
                break;
            }
            let mut mutations = std::mem::take(&mut again);
            mutations.truncate(batch);
            while mutations.len() < batch {
                mutations.push(Mutation::propose(
                    schedule,
                    self.setting.fixed.is_some(),
                    &mut rng,
                ));
            }
            let carried = Carried::new(schedule, &point);
            let target = Target {
                value: incumbent.value() - margin,
                evaluations: MOST.min(account.left() / batch),
            };
            let (from, shared) = (&*incumbent, &*account);
            let trials: Vec<Trial<R>> = mutations
                .into_par_iter()
                .map(|mutation| {
                    let memory = shared.memory() / BATCH as f64;
                    let budget = shared.budget();
                    let mover = self.change(mutation, parent, &carried, from, memory, budget);
                    attempt(mutation, mover, target, shared)
                })
                .collect();
            account.spend::<R::Side>(trials.iter().map(|trial| trial.evaluations).sum());
            let mut better: Vec<(Mutation, R)> = (trials.into_iter())
                .filter_map(|trial| Some((trial.mutation, trial.better?)))
                .collect();
            better.sort_by(|(_, a), (_, b)| a.value().total_cmp(&b.value()));
            let mut better = better.into_iter();
            if let Some((_, best)) = better.next() {
                *incumbent = best;
                proof = tighter(proof, account.prove(incumbent));
            }
            // What improved the old incumbent may improve the new one as well.
            again = better.map(|(mutation, _)| mutation).collect();
            if round % WINDOW == 0 {
                let gain = window.0 - incumbent.value();
                if gain <= self.least_gain * (account.spent() - window.1) as f64 {
                    break;
                }
                window = (incumbent.value(), account.spent());
            }
        }
        proof
    }

    /// The mover on a changed structure, at its weights and shifts; `None` if that is the same again, or too
    /// large.
    fn change<R>(
        &self,
        mutation: Mutation,
        parent: &Structure,
        carried: &Carried<'_>,
        from: &R,
        memory: f64,
        budget: &Budget,
    ) -> Option<R>
    where
        R: Mover,
        R::Side: WeightMap,
    {
        let Setting { graph, limit, .. } = self.setting;
        let order = mutation.order(parent);
        let mut content = ContentMiniBuckets::<R::Side>::new(graph, &order, limit, memory, budget);
        // Partitions stay as they are; what the mutation touches is split by content.
        let mut rule = |bucket: &Bucket<'_>| match (mutation, parent.kept(bucket)) {
            (Mutation::Split { variable, seed }, _) if variable == bucket.variable => {
                content.split_with(bucket, Some(Pcg64::seed_from_u64(seed)))
            }
            (_, Some(groups)) => {
                content.follow(bucket, &groups);
                groups
            }
            (_, None) => content.split(bucket),
        };
        let candidate = Candidate::new(graph, order, &mut rule).ok()?;
        // Written so that bytes that are NaN do not fit.
        let fits = from.bytes_on(&candidate.schedule) <= memory;
        if !fits || budget.stop().is_some() {
            return None;
        }
        let point = carried.start::<R::Side>(&candidate.schedule)?;
        Some(from.on(candidate, point))
    }
}

/// Optimises a changed structure while there is hope.
fn attempt<R: Mover>(
    mutation: Mutation,
    mover: Option<R>,
    target: Target,
    account: &Account<'_, '_>,
) -> Trial<R> {
    let mut trial = Trial {
        mutation,
        better: None,
        evaluations: 0,
    };
    let Some(mut mover) = mover else {
        return trial;
    };
    loop {
        let before = mover.value();
        let left = target.evaluations.saturating_sub(mover.evaluations());
        let (_, gains) = account.cycle(&mut mover, SLICE.min(left));
        let gain = before - mover.value();
        // Written so that NaN has no hope.
        let hope = mover.value() - HOPE * gain < target.value;
        let spent = mover.evaluations() >= target.evaluations;
        if !gains || !hope || spent || account.budget().stop().is_some() {
            break;
        }
    }
    trial.evaluations = mover.evaluations();
    trial.better = (mover.value() < target.value).then_some(mover);
    trial
}

#[cfg(test)]
mod tests;
