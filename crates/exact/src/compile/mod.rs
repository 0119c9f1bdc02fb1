//! From scopes, order and split rule to a [`Schedule`].
//!
//! Buckets become [`Draft`]s along the order; [`fuse`] fuses a bucket with the one that feeds it where
//! that costs no more, [`inputs`] multiplies small tables beforehand, and [`emit`] numbers the steps
//! and plans their walks. A model of a million variables has a million drafts, so what is kept for
//! each of them is kept small: [`buckets`] are linked lists, and [`plans`] are shared.

mod buckets;
mod emit;
mod fuse;
mod inputs;
mod plans;
mod shifts;

use forney_certify::Budget;
use forney_model::{FactorGraph, FactorId, VarId};

use crate::error::TooLarge;
use crate::order::Order;
use crate::schedule::{Schedule, Source};
use crate::watch::Watch;
use buckets::Buckets;

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
        let compiled = Compiler::new(graph, order).run(rule, &Watch::new(None))?;
        Ok(compiled.expect("without a budget nothing ends it"))
    }

    /// As [`Schedule::compile`]; `None` if the budget ended first.
    ///
    /// # Errors
    /// As [`Schedule::compile`].
    ///
    /// # Example
    /// ```
    /// use forney_certify::Budget;
    /// use forney_exact::{Heuristic, Schedule, Whole, greedy};
    /// use forney_model::generate::ising_grid;
    /// use rand::SeedableRng;
    /// use std::time::Duration;
    /// let model = ising_grid(4, 1.0, 0.1, &mut rand_pcg::Pcg64::seed_from_u64(1));
    /// let order = greedy(&model, Heuristic::MinFill, None);
    /// let over = Budget::unlimited().capped(Duration::ZERO);
    /// assert!(Schedule::compile_within(&model, &order, &mut Whole, &over)?.is_none());
    /// # Ok::<(), forney_exact::TooLarge>(())
    /// ```
    pub fn compile_within(
        graph: &FactorGraph,
        order: &Order,
        rule: &mut dyn SplitRule,
        budget: &Budget,
    ) -> Result<Option<Self>, TooLarge> {
        Compiler::new(graph, order).run(rule, &Watch::new(Some(budget)))
    }
}

/// A table waiting in a bucket; its scope is in elimination positions, ascending.
#[derive(Clone)]
struct Pending {
    scope: Vec<usize>,
    source: Source,
}

/// A step before its walk is planned.
#[derive(Default)]
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
    position: Vec<u32>,
    buckets: Buckets,
    drafts: Vec<Draft>,
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
        for (at, v) in (0u32..).zip(order.vars()) {
            position[v.index()] = at;
        }
        let mut compiler = Self {
            graph,
            order: order.vars(),
            position,
            buckets: Buckets::new(n, graph.num_factors()),
            drafts: Vec::new(),
            shifts: Vec::new(),
            splits: Vec::new(),
            constants: Vec::new(),
            free: Vec::new(),
            width: 0,
        };
        // A bucket hands out the factor that came last first.
        for a in (0..graph.num_factors()).rev() {
            match compiler.factor_positions(a).min() {
                Some(first) => compiler.buckets.post_factor(first, a),
                None => compiler.constants.push(FactorId::new(a)),
            }
        }
        compiler.constants.reverse();
        compiler
    }

    /// The places in the order of the variables of a factor, those of one state left out.
    fn factor_positions(&self, a: usize) -> impl Iterator<Item = usize> + '_ {
        let scope = self.graph.factors()[a].scope().iter();
        let several = scope.filter(|&&v| self.graph.card(v) > 1);
        several.map(|v| self.position[v.index()] as usize)
    }

    fn card(&self, position: usize) -> usize {
        self.graph.card(self.order[position])
    }

    /// Entries of a table over `scope`, as a float so that nothing overflows.
    fn entries(&self, scope: &[usize]) -> f64 {
        scope.iter().map(|&p| self.card(p) as f64).product()
    }

    fn run(
        mut self,
        rule: &mut dyn SplitRule,
        watch: &Watch<'_>,
    ) -> Result<Option<Schedule>, TooLarge> {
        for at in 0..self.order.len() {
            if watch.stop_at(at) {
                return Ok(None);
            }
            let tables = self.take_bucket(at);
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
        if !self.prepare_inputs(watch) {
            return Ok(None);
        }
        self.emit(watch)
    }

    /// The tables of a bucket: factors of the model, then messages as they were posted.
    fn take_bucket(&mut self, at: usize) -> Vec<Pending> {
        let (factors, messages) = self.buckets.take(at);
        let mut tables = Vec::with_capacity(factors.len() + messages.len());
        for a in factors {
            let mut scope: Vec<usize> = self.factor_positions(a).collect();
            scope.sort_unstable();
            tables.push(Pending {
                scope,
                source: Source::Base(a),
            });
        }
        tables.extend(messages.into_iter().map(|number| {
            let draft = &self.drafts[number];
            Pending {
                scope: draft.scope[draft.eliminated..].to_vec(),
                source: Source::Message(number),
            }
        }));
        tables
    }

    fn split_bucket(&mut self, at: usize, tables: &[Pending], groups: &[Vec<usize>]) {
        let mut members: Vec<Vec<Pending>> = groups
            .iter()
            .map(|g| g.iter().map(|&t| tables[t].clone()).collect())
            .collect();
        let unions: Vec<Vec<usize>> = members.iter().map(|tables| union(tables)).collect();
        for (r, s) in shifts::pairs(&unions) {
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
        if let Some(&first) = draft.scope.get(draft.eliminated) {
            self.buckets.post_message(first, number);
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
        let place = if split { None } else { self.fuse(&mut draft) };
        match place {
            Some(place) => {
                self.drafts[place] = draft;
                place
            }
            None => {
                self.drafts.push(draft);
                self.drafts.len() - 1
            }
        }
    }
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
