//! Which steps of a schedule run side by side.
//!
//! The steps are in post-order, so a subtree is a range of them, and so are subtrees side by side.

use std::ops::Range;

use forney_exact::Schedule;

/// Schedules with fewer clique entries than this take less time than it costs to wake a thread.
const LEAST_SHARED: f64 = 65_536.0;

/// Less than this many clique entries are not worth a task of their own.
const LEAST_ENTRIES: f64 = 8192.0;

/// No task is cut below this share of the whole.
const LEAST_SHARE: f64 = 1.0 / 64.0;

/// Is a schedule large enough to be worth several threads?
pub(crate) fn is_shared(schedule: &Schedule) -> bool {
    schedule.demand().total_entries >= LEAST_SHARED
}

/// What is done one after the other: forward in this order, backward from the end.
#[derive(Clone, Debug)]
pub(crate) enum Task {
    /// Consecutive steps, and the workspace that they share.
    Steps(Range<usize>, usize),
    /// Subtrees before this step beside those from it on.
    Fork(usize, [Vec<Task>; 2]),
}

impl Task {
    /// Cuts a schedule. The cut depends on the schedule alone, so the numbers do not depend on the
    /// threads; a small one is a single range of steps.
    pub(crate) fn cut(schedule: &Schedule) -> Vec<Self> {
        let steps = schedule.steps();
        let mut first: Vec<usize> = (0..steps.len()).collect();
        let mut entries_before = vec![0.0];
        for (at, step) in steps.iter().enumerate() {
            if let Some(parent) = step.parent {
                first[parent] = first[parent].min(first[at]);
            }
            entries_before.push(entries_before[at] + step.entries() as f64);
        }
        let total = entries_before[steps.len()];
        let forest = Forest {
            first,
            entries_before,
            least: if is_shared(schedule) {
                LEAST_ENTRIES.max(total * LEAST_SHARE)
            } else {
                f64::INFINITY
            },
        };
        let mut tasks = forest.cut(0..steps.len());
        number(&mut tasks, &mut 0);
        tasks
    }

    /// The first workspace of some tasks.
    pub(crate) fn first(tasks: &[Self]) -> usize {
        match tasks.first() {
            Some(Self::Steps(_, workspace)) => *workspace,
            Some(Self::Fork(_, [one, _])) => Self::first(one),
            None => 0,
        }
    }

    /// All ranges of steps that share a workspace, by its number.
    pub(crate) fn ranges(tasks: &[Self]) -> Vec<Range<usize>> {
        let ranges = tasks.iter().flat_map(|task| match task {
            Self::Steps(range, _) => vec![range.clone()],
            Self::Fork(_, sides) => sides.iter().flat_map(|side| Self::ranges(side)).collect(),
        });
        ranges.collect()
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

    /// Cuts whole subtrees that lie side by side.
    fn cut(&self, mut steps: Range<usize>) -> Vec<Task> {
        let mut before = steps.start..steps.start;
        let mut after = steps.end..steps.end;
        let mut tasks = Vec::new();
        while self.entries(&steps) > self.least {
            let mut trees = Vec::new();
            let mut end = steps.end;
            while end > steps.start {
                let tree = self.first[end - 1]..end;
                end = tree.start;
                trees.push(tree);
            }
            let smaller = |at: usize| {
                self.entries(&(steps.start..at))
                    .min(self.entries(&(at..steps.end)))
            };
            let starts = trees.iter().map(|tree| tree.start);
            let even = starts.max_by(|&a, &b| smaller(a).total_cmp(&smaller(b)));
            match even.filter(|&at| smaller(at) >= self.least) {
                Some(at) => {
                    let sides = [steps.start..at, at..steps.end].map(|side| self.cut(side));
                    tasks.push(Task::Fork(at, sides));
                    before.end = steps.start;
                    after.start = steps.end;
                    steps = at..at;
                }
                None => {
                    // One tree is nearly all: what lies beside it and its root are not worth tasks.
                    let entries = |tree: &&Range<usize>| self.entries(tree);
                    let large = trees
                        .iter()
                        .max_by(|a, b| entries(a).total_cmp(&entries(b)));
                    let large = large.cloned().unwrap_or(steps);
                    steps = large.start..large.end - 1;
                    before.end = steps.start;
                    after.start = steps.end;
                }
            }
        }
        if tasks.is_empty() {
            return vec![Task::Steps(before.start..after.end, 0)];
        }
        tasks.insert(0, Task::Steps(before, 0));
        tasks.push(Task::Steps(after, 0));
        tasks.retain(|task| !matches!(task, Task::Steps(steps, _) if steps.is_empty()));
        tasks
    }
}

/// Gives every range of steps its workspace.
fn number(tasks: &mut [Task], next: &mut usize) {
    for task in tasks {
        match task {
            Task::Steps(_, workspace) => {
                *workspace = *next;
                *next += 1;
            }
            Task::Fork(_, sides) => sides.iter_mut().for_each(|side| number(side, next)),
        }
    }
}
