//! Rows with missing values, grouped by what is missing.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use forney_exact::{Heuristic, Order, Schedule, Whole, greedy};
use forney_model::{FactorGraph, Table, VarId, table_len};
use ndarray::ArrayView2;

use super::model::{BayesNet, CHECKED, observed};
use crate::LatentError;
use crate::check::{shape, within};
use crate::em::model::Examples;
use crate::em::visit::Visit;

/// A group holds so many rows that its largest clique has about this many entries.
const ENTRIES: f64 = 65_536.0;

/// At most so many rows in a group.
const ROWS: usize = 256;

/// Distinct rows and how often each occurs, grouped by the variables that they miss.
///
/// An elimination order is found once for each pattern of missing values and compiled once for each
/// size of its groups; all rows of a group share one elimination, in which the row is one more
/// variable, the last.
#[derive(Clone, Debug)]
pub struct Observations {
    cards: Vec<usize>,
    scopes: Vec<Vec<usize>>,
    pub(super) patterns: Vec<Pattern>,
    pub(super) groups: Vec<Group>,
    /// The groups of each batch, and the number of its rows.
    batches: Vec<(Range<usize>, usize)>,
}

/// What the rows with the same missing variables share.
#[derive(Clone, Debug)]
pub(super) struct Pattern {
    /// The missing variables; their places in the list are their numbers in the graph of a group.
    pub(super) missing: Vec<usize>,
    /// Their cardinalities.
    cards: Vec<usize>,
    /// The order in which they are eliminated.
    order: Vec<VarId>,
    /// By family: which of its table entries belong to which missing states.
    pub(super) slices: Vec<Slice>,
    /// Rows in a group.
    rows: usize,
}

/// A family with some of its variables observed.
#[derive(Clone, Debug)]
pub(super) struct Slice {
    /// The missing variables of the scope, by their numbers in the graph of a group.
    pub(super) scope: Vec<VarId>,
    pub(super) cards: Vec<usize>,
    /// The place in the family's table of each joint state of them, last fastest, all observed
    /// variables in state 0.
    pub(super) offsets: Vec<usize>,
    /// The observed variables and their strides.
    pub(super) observed: Vec<(usize, usize)>,
}

/// Rows of one pattern.
#[derive(Clone, Debug)]
pub(super) struct Group {
    pub(super) pattern: usize,
    /// The states of all variables; those of missing ones mean nothing.
    pub(super) rows: Vec<Vec<usize>>,
    /// How often each row occurs.
    pub(super) counts: Vec<f64>,
    /// The elimination of all rows together; groups of the same pattern and size share it.
    pub(super) schedule: Arc<Schedule>,
}

/// A group that still grows.
struct Open {
    pattern: usize,
    rows: Vec<Vec<usize>>,
    counts: Vec<f64>,
}

impl Observations {
    /// The rows of `data`, one column for each variable and [`MISSING`](super::MISSING) where nothing
    /// was observed, in batches of `batch` rows (in one, if `None`).
    ///
    /// # Errors
    /// No rows, another number of columns than variables, a state that does not exist, or
    /// [`TooLarge`](forney_exact::TooLarge) if inference for a pattern needs more than `memory` bytes.
    pub fn new(
        net: &BayesNet,
        data: ArrayView2<'_, i32>,
        memory: f64,
        batch: Option<usize>,
        seed: u64,
    ) -> Result<Self, LatentError> {
        shape("the columns of the data", net.cards.len(), data.ncols())?;
        let visit = Visit::new(data.nrows(), batch, seed)?;
        let mut all = Self {
            cards: net.cards.clone(),
            scopes: net
                .families
                .iter()
                .map(|family| family.scope.clone())
                .collect(),
            patterns: Vec::new(),
            groups: Vec::new(),
            batches: Vec::new(),
        };
        let mut known: BTreeMap<Vec<bool>, usize> = BTreeMap::new();
        let mut compiled: BTreeMap<(usize, usize), Arc<Schedule>> = BTreeMap::new();
        for batch in 0..visit.batches() {
            let mut distinct: BTreeMap<(Vec<bool>, Vec<usize>), f64> = BTreeMap::new();
            for row in visit.at(visit.batch(batch)) {
                let mut states = Vec::with_capacity(net.cards.len());
                let mut missing = Vec::with_capacity(net.cards.len());
                for (column, (&state, &card)) in data.row(row).iter().zip(&net.cards).enumerate() {
                    let state = observed(row, column, state, card)?;
                    missing.push(state.is_none());
                    states.push(state.unwrap_or(0));
                }
                *distinct.entry((missing, states)).or_default() += 1.0;
            }
            let mut open: Vec<Open> = Vec::new();
            for ((missing, row), count) in distinct {
                let pattern = match known.get(&missing) {
                    Some(&pattern) => pattern,
                    None => {
                        all.patterns.push(Pattern::new(net, &missing, memory)?);
                        known.insert(missing, all.patterns.len() - 1);
                        all.patterns.len() - 1
                    }
                };
                let most = all.patterns[pattern].rows;
                let fits = |group: &&mut Open| group.pattern == pattern && group.rows.len() < most;
                match open.last_mut().filter(fits) {
                    Some(group) => {
                        group.rows.push(row);
                        group.counts.push(count);
                    }
                    None => open.push(Open {
                        pattern,
                        rows: vec![row],
                        counts: vec![count],
                    }),
                }
            }
            let first = all.groups.len();
            for group in open {
                let key = (group.pattern, group.rows.len());
                let pattern = &all.patterns[group.pattern];
                let schedule = compiled
                    .entry(key)
                    .or_insert_with(|| pattern.compile(key.1));
                all.groups.push(Group {
                    pattern: group.pattern,
                    rows: group.rows,
                    counts: group.counts,
                    schedule: Arc::clone(schedule),
                });
            }
            let range = first..all.groups.len();
            all.batches.push((range, visit.batch(batch).len()));
        }
        Ok(all)
    }

    /// Checks that the data were grouped for a net of the same structure.
    pub(super) fn check_structure(&self, net: &BayesNet) -> Result<(), LatentError> {
        shape("the columns of the data", self.cards.len(), net.cards.len())?;
        let same = self.cards == net.cards
            && self
                .scopes
                .iter()
                .eq(net.families.iter().map(|family| &family.scope));
        within(
            "the structure",
            "that for which the data were grouped",
            0.0,
            same,
        )
    }
}

impl Pattern {
    fn new(net: &BayesNet, is_missing: &[bool], memory: f64) -> Result<Self, LatentError> {
        let missing: Vec<usize> = (0..net.cards.len()).filter(|&v| is_missing[v]).collect();
        let cards: Vec<usize> = missing.iter().map(|&v| net.cards[v]).collect();
        let mut number = vec![0; net.cards.len()];
        for (at, &v) in missing.iter().enumerate() {
            number[v] = at;
        }
        let slices: Vec<Slice> = net
            .families
            .iter()
            .map(|family| Slice::new(&family.scope, &net.cards, is_missing, &number))
            .collect();
        let flat = slices.iter().map(|slice| {
            let entries = vec![0.0; slice.offsets.len()];
            Table::from_ln(slice.scope.clone(), slice.cards.clone(), entries)
        });
        let graph = FactorGraph::new(cards.clone(), flat.collect::<Result<_, _>>()?)?;
        let order = greedy(&graph, Heuristic::MinFill, None);
        let demand = Schedule::compile(&graph, &order, &mut Whole)?.demand();
        demand.admit(demand.kept_bytes, memory)?;
        let affordable =
            (memory / demand.kept_bytes.max(1.0)).min(ENTRIES / demand.max_entries.max(1.0));
        Ok(Self {
            missing,
            cards,
            order: order.vars().to_vec(),
            slices,
            rows: (affordable as usize).clamp(1, ROWS),
        })
    }

    /// The tables of the missing variables and of the row, which runs fastest; `entries` are those of
    /// a family.
    pub(super) fn graph(
        &self,
        rows: usize,
        entries: impl Fn(usize, &Slice) -> Vec<f64>,
    ) -> FactorGraph {
        let row = VarId::new(self.missing.len());
        let with_rows = |cards: &[usize]| [cards, &[rows]].concat();
        let factors = self.slices.iter().enumerate().map(|(family, slice)| {
            let scope = [slice.scope.as_slice(), &[row]].concat();
            let table = Table::from_ln(scope, with_rows(&slice.cards), entries(family, slice));
            table.expect(CHECKED)
        });
        FactorGraph::new(with_rows(&self.cards), factors.collect()).expect(CHECKED)
    }

    /// The elimination of so many rows: it depends on scopes alone, not on the tables.
    pub(super) fn compile(&self, rows: usize) -> Arc<Schedule> {
        let graph = self.graph(rows, |_, slice| vec![0.0; slice.offsets.len() * rows]);
        let last = VarId::new(self.missing.len());
        let order = Order::new(self.order.iter().copied().chain([last]).collect(), &graph);
        let order = order.expect(CHECKED);
        Schedule::compile(&graph, &order, &mut Whole)
            .expect("the group was sized by what this pattern needs")
            .into()
    }
}

impl Slice {
    fn new(scope: &[usize], cards: &[usize], is_missing: &[bool], number: &[usize]) -> Self {
        let mut slice = Self {
            scope: Vec::new(),
            cards: Vec::new(),
            offsets: vec![0],
            observed: Vec::new(),
        };
        let scope_cards: Vec<usize> = scope.iter().map(|&v| cards[v]).collect();
        for (at, &v) in scope.iter().enumerate() {
            let stride = table_len(&scope_cards[at + 1..]).expect("the table of the family exists");
            if !is_missing[v] {
                slice.observed.push((v, stride));
                continue;
            }
            slice.scope.push(VarId::new(number[v]));
            slice.cards.push(cards[v]);
            let states = 0..cards[v];
            slice.offsets = slice
                .offsets
                .iter()
                .flat_map(|offset| states.clone().map(move |state| offset + state * stride))
                .collect();
        }
        slice
    }

    /// The place in the family's table at which the entries of a row begin.
    pub(super) fn base(&self, row: &[usize]) -> usize {
        self.observed
            .iter()
            .map(|&(v, stride)| row[v] * stride)
            .sum()
    }
}

impl Examples for Observations {
    const GRAIN: usize = 1;

    fn batches(&self) -> usize {
        self.batches.len()
    }

    fn units(&self, batch: usize) -> Range<usize> {
        self.batches[batch].0.clone()
    }

    fn examples(&self, batch: usize) -> usize {
        self.batches[batch].1
    }
}
