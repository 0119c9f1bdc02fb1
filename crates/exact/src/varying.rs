//! Which tables of an engine its caller sets, and which steps depend on none of them.

use crate::schedule::{Schedule, Source};
use crate::table::Signs;

/// What an engine knows of tables that its caller sets.
#[derive(Clone, Debug, Default)]
pub(crate) struct Varying {
    /// By step; empty if no table has a sign.
    signs: Vec<Signs>,
    /// For each base that varies the step that it enters, and as which input; empty if none does.
    pub(crate) holders: Vec<Option<(usize, usize)>>,
}

impl Varying {
    pub(crate) fn new(schedule: &Schedule, keep_signs: bool, vary: &[bool]) -> Self {
        let steps = schedule.steps();
        let mut keeps: Vec<bool> = Vec::with_capacity(steps.len());
        let mut holders = vec![None; schedule.bases().len()];
        for (at, step) in steps.iter().enumerate() {
            keeps.push(keep_signs && step.weight.is_none() && step.children().all(|c| keeps[c]));
            for (place, input) in step.inputs.iter().enumerate() {
                match input.source {
                    Source::Base(base) if vary[base] => holders[base] = Some((at, place)),
                    _ => {}
                }
            }
        }
        let signs = steps.iter().enumerate().map(|(at, step)| {
            match (keeps[at], step.parent.is_some_and(|parent| keeps[parent])) {
                (false, _) => Signs::Absent,
                (true, false) => Signs::Dropped,
                (true, true) => Signs::Kept,
            }
        });
        Self {
            signs: signs.collect(),
            holders,
        }
    }

    /// What a step does with signs.
    pub(crate) fn signs(&self, step: usize) -> Signs {
        self.signs.get(step).copied().unwrap_or(Signs::Absent)
    }

    /// Does the caller set this base?
    pub(crate) fn holds(&self, base: usize) -> bool {
        self.holders.get(base).is_some_and(Option::is_some)
    }
}

/// Which steps have neither weights, shifts nor bases that vary in their subtrees.
pub(crate) fn fixed_steps(schedule: &Schedule, varies: impl Fn(usize) -> bool) -> Vec<bool> {
    let mut fixed: Vec<bool> = Vec::with_capacity(schedule.steps().len());
    for step in schedule.steps() {
        let inputs = step.inputs.iter().all(|input| match input.source {
            Source::Base(base) => !varies(base),
            Source::Message(child) => fixed[child],
            Source::Shift(..) => false,
        });
        fixed.push(step.weight.is_none() && inputs);
    }
    fixed
}
