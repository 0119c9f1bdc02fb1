//! From scopes, order and split rule to a [`Schedule`].

use std::collections::HashMap;

use forney_model::{FactorGraph, FactorId, VarId};

use crate::buffers::Buffers;
use crate::error::TooLarge;
use crate::layout::{MAX_INPUTS, Plan};
use crate::order::Order;
use crate::post_order::post_order;
use crate::schedule::{Base, Demand, Input, Schedule, Shift, Source, Split, Step};

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

/// Steps that eliminate several variables at once have at most this many rows.
const MAX_ROWS: usize = 1024;

/// Larger cliques are refused before anything of their size is worked out.
const MAX_ENTRIES: f64 = (1u64 << 44) as f64;

/// Tables are multiplied before they meet the clique if their product is this much smaller.
const JOIN_RATIO: f64 = 8.0;

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

struct Compiler<'g> {
    graph: &'g FactorGraph,
    order: &'g [VarId],
    position: Vec<usize>,
    buckets: Vec<Vec<Pending>>,
    steps: Vec<Draft>,
    bases: Vec<(Vec<FactorId>, Vec<usize>)>,
    shifts: Vec<Vec<usize>>,
    splits: Vec<(VarId, Vec<usize>)>,
    constants: Vec<FactorId>,
    free: Vec<VarId>,
}

/// A step before its walk is planned.
struct Draft {
    scope: Vec<usize>,
    eliminated: usize,
    inputs: Vec<Pending>,
    split: bool,
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
            steps: Vec::new(),
            bases: Vec::new(),
            shifts: Vec::new(),
            splits: Vec::new(),
            constants: Vec::new(),
            free: Vec::new(),
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
                self.whole_bucket(at, tables);
            } else {
                self.split_bucket(at, &tables, &groups);
            }
        }
        self.finish()
    }

    fn whole_bucket(&mut self, at: usize, tables: Vec<Pending>) {
        // A bucket that holds one message only continues the sum of the step that sent it.
        if let [
            Pending {
                source: Source::Message(child),
                ..
            },
        ] = tables[..]
        {
            let rows = self.entries(&self.steps[child].scope[..=self.steps[child].eliminated]);
            let draft = &mut self.steps[child];
            if !draft.split && draft.eliminated > 0 && rows <= MAX_ROWS as f64 {
                draft.eliminated += 1;
                self.post(child);
                return;
            }
        }
        let step = self.push_step(at, tables, false);
        self.post(step);
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
        let steps: Vec<usize> = members
            .into_iter()
            .map(|tables| self.push_step(at, tables, true))
            .collect();
        for &step in &steps {
            self.post(step);
        }
        self.splits.push((self.order[at], steps));
    }

    /// Puts the message of `step` into the bucket of its earliest variable.
    fn post(&mut self, step: usize) {
        let draft = &self.steps[step];
        let scope = draft.scope[draft.eliminated..].to_vec();
        if let Some(&first) = scope.first() {
            self.buckets[first].push(Pending {
                scope,
                source: Source::Message(step),
            });
        }
    }

    fn push_step(&mut self, at: usize, tables: Vec<Pending>, split: bool) -> usize {
        let scope = union(&tables);
        debug_assert_eq!(scope[0], at);
        let clique = self.entries(&scope);
        let tables = self.merge_bases(tables, clique);
        let inputs = self.join_small(tables, clique);
        self.steps.push(Draft {
            scope,
            eliminated: 1,
            inputs,
            split,
        });
        self.steps.len() - 1
    }

    /// Multiplies factors of the model into few tables: those inside another's scope always,
    /// others while the product stays far smaller than the clique.
    fn merge_bases(&mut self, tables: Vec<Pending>, clique: f64) -> Vec<Pending> {
        let (mut bases, mut rest): (Vec<Pending>, Vec<Pending>) = tables
            .into_iter()
            .partition(|t| matches!(t.source, Source::Base(_)));
        // Largest first, so that one pass absorbs every scope that lies inside an earlier one.
        bases.sort_by_key(|t| std::cmp::Reverse(t.scope.len()));
        let mut kept: Vec<Pending> = Vec::new();
        let mut same: HashMap<Vec<usize>, usize> = HashMap::new();
        for table in bases {
            let host = same.get(&table.scope).copied().or_else(|| {
                // The search over all hosts is quadratic, so a hub with thousands of factors
                // merges equal scopes only.
                let few = kept.len() <= 64;
                few.then(|| kept.iter().position(|k| is_subset(&table.scope, &k.scope)))
                    .flatten()
            });
            match host {
                Some(host) => self.absorb(&mut kept[host], &table),
                None => {
                    same.insert(table.scope.clone(), kept.len());
                    kept.push(table);
                }
            }
        }
        while kept.len() <= 64
            && let Some((i, j, size)) = self.smallest_pair(&kept)
            && size * JOIN_RATIO <= clique
        {
            let absorbed = kept.swap_remove(j);
            self.absorb(&mut kept[i], &absorbed);
        }
        rest.extend(kept);
        rest
    }

    fn absorb(&mut self, host: &mut Pending, guest: &Pending) {
        let (Source::Base(into), Source::Base(from)) = (host.source, guest.source) else {
            unreachable!("only bases are merged at load time");
        };
        let moved = std::mem::take(&mut self.bases[from].0);
        self.bases[into].0.extend(moved);
        host.scope = merge(&host.scope, &guest.scope);
        self.bases[into].1.clone_from(&host.scope);
    }

    /// Joins tables before they meet the clique: those whose product is far smaller, and as many
    /// as it takes to have at most [`MAX_INPUTS`].
    fn join_small(&mut self, mut tables: Vec<Pending>, clique: f64) -> Vec<Pending> {
        while tables.len() > 8 * MAX_INPUTS {
            tables.sort_by(|a, b| {
                a.scope
                    .len()
                    .cmp(&b.scope.len())
                    .then(a.scope.cmp(&b.scope))
            });
            let chunks: Vec<Vec<Pending>> =
                tables.chunks(MAX_INPUTS).map(<[Pending]>::to_vec).collect();
            tables = chunks.into_iter().map(|chunk| self.join(chunk)).collect();
        }
        while let Some((i, j, size)) = self.smallest_pair(&tables)
            && (tables.len() > MAX_INPUTS || (tables.len() > 2 && size * JOIN_RATIO <= clique))
        {
            let second = tables.swap_remove(j);
            let first = std::mem::replace(&mut tables[i], second.clone());
            tables[i] = self.join(vec![first, second]);
        }
        tables
    }

    fn join(&mut self, inputs: Vec<Pending>) -> Pending {
        if inputs.len() == 1 {
            return inputs.into_iter().next().expect("one table");
        }
        let scope = union(&inputs);
        self.steps.push(Draft {
            scope: scope.clone(),
            eliminated: 0,
            inputs,
            split: false,
        });
        Pending {
            scope,
            source: Source::Message(self.steps.len() - 1),
        }
    }

    /// The pair `i < j` with the smallest product, and its entries.
    fn smallest_pair(&self, tables: &[Pending]) -> Option<(usize, usize, f64)> {
        let mut best: Option<(usize, usize, f64)> = None;
        for j in 1..tables.len() {
            for i in 0..j {
                let size = self.entries(&merge(&tables[i].scope, &tables[j].scope));
                if best.is_none_or(|(_, _, least)| size < least) {
                    best = Some((i, j, size));
                }
            }
        }
        best
    }

    /// The cost of the cliques, checked before anything of their size is worked out.
    fn cliques(&self) -> Result<Demand, TooLarge> {
        let mut demand = Demand::default();
        for draft in &self.steps {
            let entries = self.entries(&draft.scope);
            demand.width = demand.width.max(draft.scope.len() - 1);
            demand.max_entries = demand.max_entries.max(entries);
            demand.total_entries += entries;
            demand.message_entries += self.entries(&draft.scope[draft.eliminated..]);
        }
        if demand.max_entries > MAX_ENTRIES {
            let bytes = demand.max_entries * 8.0;
            return Err(TooLarge {
                width: demand.width,
                bytes,
                limit: MAX_ENTRIES * 8.0,
            });
        }
        Ok(demand)
    }

    fn finish(self) -> Result<Schedule, TooLarge> {
        let mut demand = self.cliques()?;
        let children: Vec<Vec<usize>> = self
            .steps
            .iter()
            .map(|draft| {
                let message = |input: &Pending| match input.source {
                    Source::Message(child) => Some(child),
                    _ => None,
                };
                draft.inputs.iter().filter_map(message).collect()
            })
            .collect();
        let message_entries: Vec<f64> = self
            .steps
            .iter()
            .map(|draft| self.entries(&draft.scope[draft.eliminated..]))
            .collect();
        let order = post_order(&children, &message_entries);
        let mut renumbered = vec![0; order.len()];
        for (new, &old) in order.iter().enumerate() {
            renumbered[old] = new;
        }
        let mut parents = vec![None; order.len()];
        for (old, children) in children.iter().enumerate() {
            for &child in children {
                parents[renumbered[child]] = Some(renumbered[old]);
            }
        }
        let mut weights = HashMap::new();
        let mut splits = Vec::new();
        for (variable, steps) in &self.splits {
            let steps: Vec<usize> = steps.iter().map(|&old| renumbered[old]).collect();
            let first_weight = weights.len();
            for &step in &steps {
                weights.insert(step, weights.len());
            }
            splits.push(Split {
                variable: *variable,
                steps,
                first_weight,
            });
        }
        let mut bases = Vec::new();
        let mut base_number = vec![0; self.bases.len()];
        for (old, (factors, scope)) in self.bases.iter().enumerate() {
            if !factors.is_empty() {
                base_number[old] = bases.len();
                bases.push(Base {
                    factors: factors.clone(),
                    scope: self.variables(scope),
                    len: self.entries(scope) as usize,
                });
            }
        }
        let mut shifts = Vec::new();
        let mut offset = 0;
        for scope in &self.shifts {
            let len = self.entries(scope) as usize;
            shifts.push(Shift {
                scope: self.variables(scope),
                offset,
                len,
            });
            offset += len;
        }
        let steps: Vec<Step> = order
            .iter()
            .enumerate()
            .map(|(new, &old)| {
                let draft = &self.steps[old];
                let axes = |scope: &[usize]| -> Vec<(usize, usize)> {
                    scope.iter().map(|&p| (p, self.card(p))).collect()
                };
                let (rows, cols) = draft.scope.split_at(draft.eliminated);
                let input_axes: Vec<_> = draft.inputs.iter().map(|t| axes(&t.scope)).collect();
                let inputs = draft.inputs.iter().map(|table| Input {
                    source: match table.source {
                        Source::Base(base) => Source::Base(base_number[base]),
                        Source::Message(child) => Source::Message(renumbered[child]),
                        shift @ Source::Shift(..) => shift,
                    },
                    len: self.entries(&table.scope) as usize,
                });
                Step {
                    scope: self.variables(&draft.scope),
                    eliminated: draft.eliminated,
                    rows: self.entries(rows) as usize,
                    cols: self.entries(cols) as usize,
                    inputs: inputs.collect(),
                    parent: parents[new],
                    weight: weights.get(&new).copied(),
                    plan: Plan::new(&axes(rows), &axes(cols), &input_axes),
                }
            })
            .collect();
        let lens: Vec<usize> = steps.iter().map(|step| step.cols).collect();
        let children: Vec<Vec<usize>> =
            steps.iter().map(|step| step.children().collect()).collect();
        let buffers = Buffers::assign(&lens, &children);
        let entries_of_inputs = |step: &Step| {
            step.inputs
                .iter()
                .map(|input| input.len as f64)
                .sum::<f64>()
        };
        let base_entries: f64 = bases.iter().map(|base| base.len as f64).sum();
        let shared: f64 = buffers.sizes.iter().map(|&size| size as f64).sum();
        demand.live_bytes = 8.0 * (base_entries + shared);
        // Message, sums, adjoint and ratio of each step; powers and beliefs of each input.
        demand.kept_bytes = 8.0
            * (base_entries
                + 4.0 * demand.message_entries
                + 2.0 * steps.iter().map(entries_of_inputs).sum::<f64>());
        Ok(Schedule {
            cards: self.graph.cards().to_vec(),
            order: self.order.to_vec(),
            steps,
            bases,
            shifts,
            splits,
            constants: self.constants,
            free: self.free,
            num_weights: weights.len(),
            num_shifts: offset,
            buffers,
            demand,
        })
    }

    fn variables(&self, scope: &[usize]) -> Vec<VarId> {
        scope.iter().map(|&p| self.order[p]).collect()
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

fn merge(a: &[usize], b: &[usize]) -> Vec<usize> {
    let mut scope = [a, b].concat();
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

fn is_subset(a: &[usize], b: &[usize]) -> bool {
    a.iter().all(|p| b.binary_search(p).is_ok())
}
