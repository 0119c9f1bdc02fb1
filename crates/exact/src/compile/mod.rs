//! From scopes, order and split rule to a [`Schedule`].
//!
//! Buckets become [`Draft`]s along the order; [`fuse`] fuses a bucket with the one that feeds it where
//! that costs no more, [`inputs`] multiplies small tables beforehand, and [`emit`] numbers the steps
//! and plans their walks. A model of a million variables has a million drafts, so what is kept for
//! each of them is kept small: [`buckets`] are linked lists, a draft knows where its tables come from
//! and not their scopes, which are worked out again where they are needed, and [`plans`] are shared.

mod buckets;
mod emit;
mod fuse;
mod inputs;
mod plans;
mod scopes;
mod shifts;

use forney_certify::Budget;
use forney_model::{FactorGraph, FactorId, VarId};

use crate::error::TooLarge;
use crate::order::Order;
use crate::schedule::Schedule;
use crate::watch::Watch;
use buckets::{Buckets, Origin, Products};
use scopes::{Place, intersection, union};

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
///
/// Closures `FnMut(&Bucket) -> Vec<Vec<usize>>` are rules.
pub trait SplitRule {
    /// The mini-buckets, as positions in [`Bucket::scopes`]; together a partition of them.
    fn split(&mut self, bucket: &Bucket<'_>) -> Vec<Vec<usize>>;
}

impl<F: FnMut(&Bucket<'_>) -> Vec<Vec<usize>>> SplitRule for F {
    fn split(&mut self, bucket: &Bucket<'_>) -> Vec<Vec<usize>> {
        self(bucket)
    }
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

/// A step before its walk is planned.
#[derive(Default)]
struct Draft {
    /// Ascending; empty once the step is fused with its receiver.
    scope: Box<[Place]>,
    eliminated: u32,
    split: bool,
    inputs: Vec<Origin>,
}

impl Draft {
    /// How many variables of its scope it eliminates, the first ones.
    fn eliminated(&self) -> usize {
        self.eliminated as usize
    }

    /// The scope of its message.
    fn message(&self) -> &[Place] {
        &self.scope[self.eliminated()..]
    }

    /// The drafts whose messages it receives.
    fn children(&self) -> impl Iterator<Item = usize> + '_ {
        self.inputs.iter().filter_map(|table| match *table {
            Origin::Message(child) => Some(child as usize),
            Origin::Base(_) | Origin::Shift(..) => None,
        })
    }
}

/// The tables of one bucket, in lists that the next bucket uses again.
#[derive(Default)]
struct Tables {
    origins: Vec<Origin>,
    /// The scope of each table; there are more of them if an earlier bucket had more tables.
    scopes: Vec<Vec<Place>>,
    /// The same as variables.
    variables: Vec<Vec<VarId>>,
}

impl Tables {
    fn scopes(&self) -> &[Vec<Place>] {
        &self.scopes[..self.origins.len()]
    }
}

struct Compiler<'g> {
    graph: &'g FactorGraph,
    order: &'g [VarId],
    position: Vec<Place>,
    drafts: Vec<Draft>,
    products: Products,
    shifts: Vec<Vec<Place>>,
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
        Self {
            graph,
            order: order.vars(),
            position,
            drafts: Vec::new(),
            products: Products::new(graph.num_factors()),
            shifts: Vec::new(),
            splits: Vec::new(),
            constants: Vec::new(),
            free: Vec::new(),
            width: 0,
        }
    }

    /// The places in the order of the variables of a factor, those of one state left out.
    fn factor_positions(&self, a: usize) -> impl Iterator<Item = Place> + '_ {
        let scope = self.graph.factors()[a].scope().iter();
        let several = scope.filter(|&&v| self.graph.card(v) > 1);
        several.map(|v| self.position[v.index()])
    }

    fn card(&self, place: Place) -> usize {
        self.graph.card(self.order[place as usize])
    }

    /// Entries of a table over `scope`, as a float so that nothing overflows.
    fn entries(&self, scope: &[Place]) -> f64 {
        scope.iter().map(|&p| self.card(p) as f64).product()
    }

    /// The scope of a table.
    fn write_scope(&self, origin: Origin, scope: &mut Vec<Place>) {
        scope.clear();
        match origin {
            Origin::Base(leader) => self.write_base(leader, scope),
            Origin::Message(draft) => {
                scope.extend_from_slice(self.drafts[draft as usize].message());
            }
            Origin::Shift(shift, _) => scope.extend_from_slice(&self.shifts[shift as usize]),
        }
    }

    /// The variables of all factors of a base.
    fn write_base(&self, leader: u32, scope: &mut Vec<Place>) {
        for factor in self.products.of(leader) {
            scope.extend(self.factor_positions(factor));
        }
        scope.sort_unstable();
        scope.dedup();
    }

    fn run(
        mut self,
        rule: &mut dyn SplitRule,
        watch: &Watch<'_>,
    ) -> Result<Option<Schedule>, TooLarge> {
        if !self.fill_buckets(rule, watch) || !self.prepare_inputs(watch) {
            return Ok(None);
        }
        self.emit(watch)
    }

    /// Makes drafts of all buckets; false if the watch ended it.
    fn fill_buckets(&mut self, rule: &mut dyn SplitRule, watch: &Watch<'_>) -> bool {
        let mut buckets = Buckets::new(self.order.len(), self.graph.num_factors());
        // A bucket hands out the factor that came last first.
        for a in (0..self.graph.num_factors()).rev() {
            match self.factor_positions(a).min() {
                Some(first) => buckets.post_factor(first as usize, a),
                None => self.constants.push(FactorId::new(a)),
            }
        }
        self.constants.reverse();
        let mut tables = Tables::default();
        for (at, &variable) in self.order.iter().enumerate() {
            if watch.stop_at(at) {
                return false;
            }
            buckets.take(at, &mut tables.origins);
            if tables.origins.is_empty() {
                if self.graph.card(variable) > 1 {
                    self.free.push(variable);
                }
                continue;
            }
            self.write_scopes(&mut tables);
            let groups = rule.split(&Bucket {
                variable,
                scopes: &tables.variables[..tables.origins.len()],
                cards: self.graph.cards(),
            });
            assert_eq!(
                groups.iter().map(Vec::len).sum::<usize>(),
                tables.origins.len(),
                "a partition"
            );
            let from = self.splits.len();
            if groups.len() == 1 {
                let scope = union(tables.scopes().iter().map(Vec::as_slice));
                let draft = self.push_draft(scope, tables.origins.clone(), false);
                self.post(draft, &mut buckets);
            } else {
                self.split_bucket(variable, &tables, &groups);
                for &draft in self.splits[from..].iter().flat_map(|(_, drafts)| drafts) {
                    self.post(draft, &mut buckets);
                }
            }
        }
        true
    }

    fn write_scopes(&self, tables: &mut Tables) {
        let Tables {
            origins,
            scopes,
            variables,
        } = tables;
        if scopes.len() < origins.len() {
            scopes.resize_with(origins.len(), Vec::new);
            variables.resize_with(origins.len(), Vec::new);
        }
        for ((&origin, scope), variables) in origins.iter().zip(scopes).zip(variables) {
            self.write_scope(origin, scope);
            variables.clear();
            variables.extend(scope.iter().map(|&p| self.order[p as usize]));
        }
    }

    fn split_bucket(&mut self, variable: VarId, tables: &Tables, groups: &[Vec<usize>]) {
        let scopes = tables.scopes();
        let mut members: Vec<Vec<Origin>> = groups
            .iter()
            .map(|group| group.iter().map(|&t| tables.origins[t]).collect())
            .collect();
        let unions: Vec<Vec<Place>> = groups
            .iter()
            .map(|group| union(group.iter().map(|&t| &scopes[t][..])))
            .collect();
        for (r, s) in shifts::pairs(&unions) {
            let shift = self.shifts.len() as u32;
            self.shifts.push(intersection(&unions[r], &unions[s]));
            members[r].push(Origin::Shift(shift, true));
            members[s].push(Origin::Shift(shift, false));
        }
        let drafts = unions.into_iter().zip(members);
        let drafts = drafts.map(|(scope, tables)| self.push_draft(scope, tables, true));
        let drafts = drafts.collect();
        self.splits.push((variable, drafts));
    }

    /// Puts the message of a draft into the bucket of its earliest variable.
    fn post(&self, number: usize, buckets: &mut Buckets) {
        if let Some(&first) = self.drafts[number].message().first() {
            buckets.post_message(first as usize, number);
        }
    }

    /// The step of a (mini-)bucket, fused with those that feed it where that pays.
    fn push_draft(&mut self, scope: Vec<Place>, inputs: Vec<Origin>, split: bool) -> usize {
        self.width = self.width.max(scope.len() - 1);
        let mut draft = Draft {
            scope: scope.into(),
            eliminated: 1,
            split,
            inputs,
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
