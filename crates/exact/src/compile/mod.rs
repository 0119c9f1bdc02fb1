//! From scopes, order and split rule to a [`Schedule`].
//!
//! Buckets become [`Draft`]s along the order; [`fuse`] fuses a bucket with the one that feeds it where
//! that costs no more, [`inputs`] multiplies small tables beforehand, and [`emit`] numbers the steps
//! and plans their walks.

mod emit;
mod fuse;
mod inputs;

use forney_model::{FactorGraph, FactorId, VarId};

use crate::error::TooLarge;
use crate::order::Order;
use crate::schedule::{Schedule, Source};

/// A bucket before it becomes steps: the variable to eliminate and the scopes that hold it.
#[derive(Clone, Copy, Debug)]
pub struct Bucket<'b> {
    /// The variable.
    pub variable: VarId,
    /// The scope of each table in the bucket, ascending in elimination position; the first entry
    /// of each is `variable`.
    pub scopes: &'b [Vec<VarId>],
    /// Cardinalities of the model.
    pub cards: &'b [usize],
}

/// Decides which tables of a bucket stay together.
pub trait SplitRule {
    /// The mini-buckets, as positions in [`Bucket::scopes`]; together a partition of them.
    fn split(&mut self, bucket: &Bucket<'_>) -> Vec<Vec<usize>>;
}

/// Exact elimination: no bucket is ever split.
#[derive(Clone, Copy, Debug, Default)]
pub struct Whole;

impl SplitRule for Whole {
    fn split(&mut self, bucket: &Bucket<'_>) -> Vec<Vec<usize>> {
        vec![(0..bucket.scopes.len()).collect()]
    }
}

impl Schedule {
    /// Compiles the elimination of `graph` along `order`.
    ///
    /// Only scopes and cardinalities are read; nothing of the size of a table is allocated.
    ///
    /// # Errors
    /// [`TooLarge`] if a clique has more entries than can be addressed.
    ///
    /// # Panics
    /// If `order` belongs to another model, or `rule` returns no partition.
    ///
    /// # Complexity
    /// Time and memory grow with the number of scope entries of all buckets.
    pub fn compile(
        graph: &FactorGraph,
        order: &Order,
        rule: &mut dyn SplitRule,
    ) -> Result<Self, TooLarge> {
        Compiler::new(graph, order).run(rule)
    }
}

/// A table waiting in a bucket; its scope is in elimination positions, ascending.
#[derive(Clone)]
struct Pending {
    scope: Vec<usize>,
    source: Source,
}

/// A step before its walk is planned.
struct Draft {
    /// Ascending in elimination position; empty once the step is fused with its receiver.
    scope: Vec<usize>,
    eliminated: usize,
    inputs: Vec<Pending>,
    split: bool,
}

impl Draft {
    /// The drafts whose messages it receives.
    fn children(&self) -> impl Iterator<Item = usize> + '_ {
        self.inputs.iter().filter_map(|input| match input.source {
            Source::Message(child) => Some(child),
            Source::Base(_) | Source::Shift(..) => None,
        })
    }
}

struct Compiler<'g> {
    graph: &'g FactorGraph,
    order: &'g [VarId],
    position: Vec<usize>,
    buckets: Vec<Vec<Pending>>,
    drafts: Vec<Draft>,
    bases: Vec<(Vec<FactorId>, Vec<usize>)>,
    shifts: Vec<Vec<usize>>,
    splits: Vec<(VarId, Vec<usize>)>,
    constants: Vec<FactorId>,
    free: Vec<VarId>,
    /// Variables of the largest bucket, minus 1.
    width: usize,
}

impl<'g> Compiler<'g> {
    fn new(graph: &'g FactorGraph, order: &'g Order) -> Self {
        let n = graph.num_variables();
        assert_eq!(order.vars().len(), n, "an order of another model");
        let mut position = vec![0; n];
        for (at, v) in order.vars().iter().enumerate() {
            position[v.index()] = at;
        }
        let mut compiler = Self {
            graph,
            order: order.vars(),
            position,
            buckets: vec![Vec::new(); n],
            drafts: Vec::new(),
            bases: Vec::new(),
            shifts: Vec::new(),
            splits: Vec::new(),
            constants: Vec::new(),
            free: Vec::new(),
            width: 0,
        };
        for (a, factor) in graph.factors().iter().enumerate() {
            let mut scope: Vec<usize> = factor
                .scope()
                .iter()
                .filter(|&&v| graph.card(v) > 1)
                .map(|v| compiler.position[v.index()])
                .collect();
            scope.sort_unstable();
            match scope.first() {
                None => compiler.constants.push(FactorId::new(a)),
                Some(&first) => {
                    let base = compiler.bases.len();
                    compiler.bases.push((vec![FactorId::new(a)], scope.clone()));
                    compiler.buckets[first].push(Pending {
                        scope,
                        source: Source::Base(base),
                    });
                }
            }
        }
        compiler
    }

    fn card(&self, position: usize) -> usize {
        self.graph.card(self.order[position])
    }

    /// Entries of a table over `scope`, as a float so that nothing overflows.
    fn entries(&self, scope: &[usize]) -> f64 {
        scope.iter().map(|&p| self.card(p) as f64).product()
    }

    fn run(mut self, rule: &mut dyn SplitRule) -> Result<Schedule, TooLarge> {
        for at in 0..self.order.len() {
            let tables = std::mem::take(&mut self.buckets[at]);
            let variable = self.order[at];
            if tables.is_empty() {
                if self.graph.card(variable) > 1 {
                    self.free.push(variable);
                }
                continue;
            }
            let scopes: Vec<Vec<VarId>> = tables
                .iter()
                .map(|t| t.scope.iter().map(|&p| self.order[p]).collect())
                .collect();
            let groups = rule.split(&Bucket {
                variable,
                scopes: &scopes,
                cards: self.graph.cards(),
            });
            assert_eq!(
                groups.iter().map(Vec::len).sum::<usize>(),
                tables.len(),
                "a partition"
            );
            if groups.len() == 1 {
                let draft = self.push_draft(tables, false);
                self.post(draft);
            } else {
                self.split_bucket(at, &tables, &groups);
            }
        }
        self.prepare_inputs();
        self.emit()
    }

    fn split_bucket(&mut self, at: usize, tables: &[Pending], groups: &[Vec<usize>]) {
        let mut members: Vec<Vec<Pending>> = groups
            .iter()
            .map(|g| g.iter().map(|&t| tables[t].clone()).collect())
            .collect();
        let unions: Vec<Vec<usize>> = members.iter().map(|tables| union(tables)).collect();
        for (r, s) in shift_pairs(&unions) {
            let scope = intersection(&unions[r], &unions[s]);
            let shift = self.shifts.len();
            self.shifts.push(scope.clone());
            members[r].push(Pending {
                scope: scope.clone(),
                source: Source::Shift(shift, true),
            });
            members[s].push(Pending {
                scope,
                source: Source::Shift(shift, false),
            });
        }
        let drafts: Vec<usize> = members
            .into_iter()
            .map(|tables| self.push_draft(tables, true))
            .collect();
        for &draft in &drafts {
            self.post(draft);
        }
        self.splits.push((self.order[at], drafts));
    }

    /// Puts the message of a draft into the bucket of its earliest variable.
    fn post(&mut self, number: usize) {
        let draft = &self.drafts[number];
        let scope = draft.scope[draft.eliminated..].to_vec();
        if let Some(&first) = scope.first() {
            self.buckets[first].push(Pending {
                scope,
                source: Source::Message(number),
            });
        }
    }

    /// The step of a (mini-)bucket, fused with those that feed it where that pays.
    fn push_draft(&mut self, tables: Vec<Pending>, split: bool) -> usize {
        let scope = union(&tables);
        self.width = self.width.max(scope.len() - 1);
        let mut draft = Draft {
            scope,
            eliminated: 1,
            inputs: tables,
            split,
        };
        if !split {
            self.fuse(&mut draft);
        }
        self.drafts.push(draft);
        self.drafts.len() - 1
    }
}

/// Pairs of mini-buckets that exchange a cost shift: a spanning tree of largest overlaps.
fn shift_pairs(unions: &[Vec<usize>]) -> Vec<(usize, usize)> {
    let mut inside = vec![0];
    let mut outside: Vec<usize> = (1..unions.len()).collect();
    let mut pairs = Vec::new();
    while !outside.is_empty() {
        let mut best = (0, 0, 0);
        for (at, &s) in outside.iter().enumerate() {
            for &r in &inside {
                let overlap = intersection(&unions[r], &unions[s]).len();
                if overlap > best.2 {
                    best = (r, at, overlap);
                }
            }
        }
        let (r, at, _) = best;
        let s = outside.remove(at);
        inside.push(s);
        pairs.push((r, s));
    }
    pairs
}

fn union(tables: &[Pending]) -> Vec<usize> {
    let mut scope: Vec<usize> = tables
        .iter()
        .flat_map(|t| t.scope.iter().copied())
        .collect();
    scope.sort_unstable();
    scope.dedup();
    scope
}

fn intersection(a: &[usize], b: &[usize]) -> Vec<usize> {
    a.iter()
        .copied()
        .filter(|p| b.binary_search(p).is_ok())
        .collect()
}

/// The union of two ascending scopes.
fn merged(a: &[usize], b: &[usize]) -> Vec<usize> {
    let mut scope = [a, b].concat();
    scope.sort_unstable();
    scope.dedup();
    scope
}
