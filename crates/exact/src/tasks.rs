//! Which steps run side by side.
//!
//! The steps are in post-order, so a subtree is a range of them, and so are subtrees side by side.

use std::ops::Range;

use crate::schedule::Schedule;

/// Subtrees below this many entries are not worth a task of their own.
const LEAST_ENTRIES: f64 = 8192.0;

/// No task is cut below this share of the whole.
const LEAST_SHARE: f64 = 1.0 / 64.0;

/// The bucket forest cut into subtrees that run in parallel, and what runs after them.
///
/// The cut depends on the schedule alone, so the numbers do not depend on the threads.
#[derive(Clone, Debug)]
pub(crate) struct Tasks(Vec<Task>);

/// What is done one after the other: forward in this order, backward from the end.
#[derive(Clone, Debug)]
enum Task {
    /// Consecutive steps.
    Steps(Range<usize>),
    /// Subtrees before this step beside those from it on.
    Fork(usize, [Vec<Task>; 2]),
}

impl Tasks {
    pub(crate) fn new(schedule: &Schedule) -> Self {
        let steps = schedule.steps();
        let mut first: Vec<usize> = (0..steps.len()).collect();
        let mut entries_before = vec![0.0];
        for (at, step) in steps.iter().enumerate() {
            if let Some(parent) = step.parent {
                first[parent] = first[parent].min(first[at]);
            }
            entries_before.push(entries_before[at] + step.entries() as f64);
        }
        let least = LEAST_ENTRIES.max(LEAST_SHARE * entries_before[steps.len()]);
        let forest = Forest {
            first,
            entries_before,
            least,
        };
        Self(forest.cut(0..steps.len()))
    }

    /// Runs `work` on ranges of steps, children first; it gets the states of the steps from `first` on, among
    /// which those of the subtrees of the range are.
    pub(crate) fn forward<T: Send>(
        &self,
        states: &mut [T],
        work: &(impl Fn(usize, Range<usize>, &mut [T]) + Sync),
    ) {
        run(&self.0, false, 0, states, work);
    }

    /// As [`Tasks::forward`], the ranges in the opposite order.
    pub(crate) fn backward<T: Send>(
        &self,
        states: &mut [T],
        work: &(impl Fn(usize, Range<usize>, &mut [T]) + Sync),
    ) {
        run(&self.0, true, 0, states, work);
    }
}

/// The tasks in their order, or from the end.
fn run<T: Send>(
    tasks: &[Task],
    from_end: bool,
    first: usize,
    states: &mut [T],
    work: &(impl Fn(usize, Range<usize>, &mut [T]) + Sync),
) {
    for at in 0..tasks.len() {
        match &tasks[if from_end { tasks.len() - 1 - at } else { at }] {
            Task::Steps(steps) => work(first, steps.clone(), states),
            Task::Fork(at, [one, two]) => {
                let (before, after) = states.split_at_mut(at - first);
                rayon::join(
                    || run(one, from_end, first, before, work),
                    || run(two, from_end, *at, after, work),
                );
            }
        }
    }
}

struct Forest {
    /// The first step of the subtree of each step.
    first: Vec<usize>,
    /// Clique entries of all steps before each.
    entries_before: Vec<f64>,
    least: f64,
}

impl Forest {
    fn entries(&self, steps: &Range<usize>) -> f64 {
        self.entries_before[steps.end] - self.entries_before[steps.start]
    }

    /// Cuts whole subtrees that lie side by side: where they can be halved they are, and where one of them is
    /// nearly all its root comes after what lies below.
    fn cut(&self, mut steps: Range<usize>) -> Vec<Task> {
        let (start, end) = (steps.start, steps.end);
        // What runs before the cuts so far, and after them.
        let (mut before, mut after) = (start..start, end..end);
        let mut forks = Vec::new();
        while self.entries(&steps) > self.least {
            let mut trees = Vec::new();
            let mut end = steps.end;
            while end > steps.start {
                let tree = self.first[end - 1]..end;
                end = tree.start;
                trees.push(tree);
            }
            let smaller = |at: usize| {
                let sides = [steps.start..at, at..steps.end];
                sides
                    .iter()
                    .map(|side| self.entries(side))
                    .fold(f64::INFINITY, f64::min)
            };
            let starts = trees.iter().map(|tree| tree.start);
            let even = starts.max_by(|&a, &b| smaller(a).total_cmp(&smaller(b)));
            if let Some(at) = even.filter(|&at| smaller(at) >= self.least) {
                let sides = [steps.start..at, at..steps.end].map(|side| self.cut(side));
                forks.push(Task::Fork(at, sides));
                (before.end, after.start) = (steps.start, steps.end);
                break;
            }
            // What lies beside the largest tree, and its root, are not worth tasks.
            let entries = |tree: &&Range<usize>| self.entries(tree);
            let largest = trees
                .iter()
                .max_by(|a, b| entries(a).total_cmp(&entries(b)));
            let Some(largest) = largest else { break };
            steps = largest.start..largest.end - 1;
            (before.end, after.start) = (steps.start, steps.end);
        }
        if forks.is_empty() {
            return vec![Task::Steps(start..end)];
        }
        let mut tasks = vec![Task::Steps(before)];
        tasks.append(&mut forks);
        tasks.push(Task::Steps(after));
        tasks
    }
}
