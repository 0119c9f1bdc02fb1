//! Which steps run side by side.

use rayon::prelude::*;

use crate::schedule::Schedule;

/// Subtrees below this many entries are not worth a task of their own.
const LEAST_ENTRIES: f64 = 32_768.0;

/// The bucket forest cut into subtrees that run in parallel and a trunk that runs after them.
///
/// The cut depends on the schedule alone, so the numbers do not depend on the threads.
#[derive(Clone, Debug)]
pub(crate) struct Tasks {
    /// Contiguous ranges of steps, each a whole subtree (or several side by side).
    leaves: Vec<(usize, usize)>,
    /// All other steps, in order.
    trunk: Vec<usize>,
}

impl Tasks {
    pub(crate) fn new(schedule: &Schedule) -> Self {
        let steps = schedule.steps();
        let mut entries: Vec<f64> = steps.iter().map(|step| step.entries() as f64).collect();
        let mut first: Vec<usize> = (0..steps.len()).collect();
        for (at, step) in steps.iter().enumerate() {
            if let Some(parent) = step.parent {
                entries[parent] += entries[at];
                first[parent] = first[parent].min(first[at]);
            }
        }
        let total: f64 = steps.iter().map(|step| step.entries() as f64).sum();
        let most = LEAST_ENTRIES.max(total / 32.0);
        let mut leaves: Vec<(usize, usize)> = Vec::new();
        let mut trunk = Vec::new();
        let mut open = 0.0;
        for (at, step) in steps.iter().enumerate() {
            let whole = entries[at] <= most;
            let inside = step.parent.is_some_and(|parent| entries[parent] <= most);
            if !whole {
                trunk.push(at);
            } else if !inside {
                // Neighbouring small subtrees share a task.
                match leaves.last_mut() {
                    Some(last) if last.1 == first[at] && open + entries[at] <= most => {
                        last.1 = at + 1;
                        open += entries[at];
                    }
                    _ => {
                        leaves.push((first[at], at + 1));
                        open = entries[at];
                    }
                }
            }
        }
        Self { leaves, trunk }
    }

    /// Steps outside of all leaves, children first.
    pub(crate) fn trunk(&self) -> &[usize] {
        &self.trunk
    }

    /// Runs `work` on the states of every leaf range, in parallel; it gets the first step's number.
    pub(crate) fn each_leaf<T: Send>(
        &self,
        states: &mut [T],
        work: impl Fn(usize, &mut [T]) + Sync,
    ) {
        if let [(first, end)] = self.leaves[..] {
            return work(first, &mut states[first..end]);
        }
        let mut parts = Vec::with_capacity(self.leaves.len());
        let mut rest = states;
        let mut at = 0;
        for &(first, end) in &self.leaves {
            let (_, from) = rest.split_at_mut(first - at);
            let (part, after) = from.split_at_mut(end - first);
            parts.push((first, part));
            rest = after;
            at = end;
        }
        parts
            .into_par_iter()
            .for_each(|(first, part)| work(first, part));
    }
}
