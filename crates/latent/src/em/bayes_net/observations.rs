//! Rows with missing values, grouped by what is missing.

use std::collections::BTreeMap;
use std::ops::Range;

use forney_exact::{Heuristic, Schedule, Whole, greedy};
use forney_model::{FactorGraph, Table, VarId, table_len};
use ndarray::ArrayView2;

use super::{BayesNet, observed};
use crate::LatentError;
use crate::check::{shape, within};
use crate::em::Examples;
use crate::em::visit::Visit;

/// A group holds so many rows that its largest clique has about this many entries.
const ENTRIES: f64 = 65_536.0;

/// At most so many rows in a group.
const ROWS: usize = 256;

/// Distinct rows and how often each occurs, grouped by the variables that they miss.
///
/// An elimination order is found once for each pattern of missing values, and all rows of a group share
/// one elimination, in which the row is one more variable, the last.
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
    /// The order in which they are eliminated.
    pub(super) order: Vec<VarId>,
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
            let first = all.groups.len();
            for ((missing, row), count) in distinct {
                let pattern = match known.get(&missing) {
                    Some(&pattern) => pattern,
                    None => {
                        all.patterns.push(Pattern::new(net, &missing, memory)?);
                        known.insert(missing, all.patterns.len() - 1);
                        all.patterns.len() - 1
                    }
                };
                all.add(pattern, row, count, first);
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

    /// Adds a row to the last group, or to a new one if it does not belong there.
    fn add(&mut self, pattern: usize, row: Vec<usize>, count: f64, first: usize) {
        let most = self.patterns[pattern].rows;
        let fits = |group: &&mut Group| group.pattern == pattern && group.rows.len() < most;
        match self.groups[first..].last_mut().filter(fits) {
            Some(group) => {
                group.rows.push(row);
                group.counts.push(count);
            }
            None => self.groups.push(Group {
                pattern,
                rows: vec![row],
                counts: vec![count],
            }),
        }
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
        let graph = FactorGraph::new(cards, flat.collect::<Result<_, _>>()?)?;
        let order = greedy(&graph, Heuristic::MinFill, None);
        let demand = Schedule::compile(&graph, &order, &mut Whole)?.demand();
        demand.admit(demand.kept_bytes, memory)?;
        let affordable =
            (memory / demand.kept_bytes.max(1.0)).min(ENTRIES / demand.max_entries.max(1.0));
        Ok(Self {
            missing,
            order: order.vars().to_vec(),
            slices,
            rows: (affordable as usize).clamp(1, ROWS),
        })
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
