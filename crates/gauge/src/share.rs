//! How a large clique is shared among threads.
//!
//! It is cut along its slowest column axes into parts that depend on the schedule alone. What a
//! part writes, it owns: its columns, and of the adjoint of each input either the slices that belong
//! to its columns or, of an input that lacks these axes, a copy of its own; copies are added up in
//! order.

use std::ops::Range;

use forney_exact::Step;
use forney_exact::layout::{Access, MAX_INPUTS, Plan};

use crate::sum::Kind;
use crate::tiles;

/// Parts of a large clique, if the cardinalities allow it.
const PARTS: usize = 16;

/// Clique entries that are worth a part.
const LEAST_ENTRIES: usize = 4096;

/// Copies of adjoints may have as many entries as the clique divided by this.
const COPY_RATIO: usize = 4;

/// Row states of an input that can be divided.
const MAX_ROWS: usize = 8;

/// A clique in parts.
#[derive(Clone, Debug)]
pub(crate) struct Cut {
    parts: usize,
    /// How the adjoint of each input is collected.
    collect: Vec<Collect>,
}

/// How the adjoint of an input is collected.
#[derive(Clone, Debug)]
struct Collect {
    /// Do the parts have slices of their own, and not copies?
    divided: bool,
    /// Where it is gathered before it is added up; empty if it is written where it belongs.
    gathered: Range<usize>,
}

impl Cut {
    /// Cuts a large clique if it is to be `shared`, as finely as copies allow.
    pub(crate) fn of(step: &Step, shared: bool) -> Self {
        let wanted = PARTS.min(step.entries() / LEAST_ENTRIES);
        let (mut axes, mut parts) = (0, 1);
        let mut finest = Self::along(step, axes, parts);
        for card in &step.plan.outer {
            if !shared || parts >= wanted {
                break;
            }
            axes += 1;
            parts *= card;
            let cut = Self::along(step, axes, parts);
            let copied = cut.collect.iter().filter(|collect| !collect.divided);
            let copied: usize = copied.map(|collect| collect.gathered.len()).sum();
            if copied <= step.entries() / COPY_RATIO {
                finest = cut;
            }
        }
        finest
    }

    fn along(step: &Step, axes: usize, parts: usize) -> Self {
        let mut end = 0;
        let inputs = step.inputs.iter().zip(&step.plan.inputs);
        let collect = inputs.map(|(input, access)| {
            let spread = access.spread.as_ref().map(|spread| spread.entries());
            let len = spread.unwrap_or(input.len);
            let divided = parts == 1 || divides(&step.plan, axes, access, len);
            let gathered = match (divided, spread) {
                (true, None) => 0,
                (true, Some(len)) => len,
                (false, _) => parts * len,
            };
            end += gathered;
            Collect {
                divided,
                gathered: end - gathered..end,
            }
        });
        let collect = collect.collect();
        Self { parts, collect }
    }

    pub(crate) fn parts(&self) -> usize {
        self.parts
    }

    /// Entries that are gathered.
    pub(crate) fn gathered(&self) -> usize {
        self.collect.last().map_or(0, |last| last.gathered.end)
    }

    pub(crate) fn forward(&self, plan: &Plan, tables: &[&[f64]], kind: Kind, whole: Forward<'_>) {
        let blocks = self.blocks(plan);
        share(self.parts, whole, &|part: Forward<'_>| {
            tiles::forward(plan, tables, kind, part.first * blocks, part);
        });
    }

    /// Adds to the targets, the adjoints of the inputs; without slopes those are 1 if `signed`, and
    /// otherwise signs.
    pub(crate) fn backward(
        &self,
        plan: &Plan,
        tables: &[&[f64]],
        signed: bool,
        columns: Columns<'_>,
        targets: &mut [&mut [f64]],
        gathered: &mut [f64],
    ) {
        let gathered = &mut gathered[..self.gathered()];
        gathered.fill(0.0);
        let mut whole = Backward {
            first: 0,
            columns,
            targets: Default::default(),
        };
        let mut rest = &mut *gathered;
        let inputs = self
            .collect
            .iter()
            .zip(&plan.inputs)
            .zip(targets.iter_mut());
        for (out, ((collect, access), target)) in whole.targets.iter_mut().zip(inputs) {
            let (own, after) = rest.split_at_mut(collect.gathered.len());
            rest = after;
            let table = if own.is_empty() { &mut **target } else { own };
            *out = if self.parts > 1 && collect.divided {
                Target::divided(table, access.row_states)
            } else {
                Target::copies(table)
            };
        }
        let blocks = self.blocks(plan);
        share(self.parts, whole, &|part: Backward<'_>| {
            tiles::backward(plan, tables, signed, part.first * blocks, part);
        });
        for ((collect, access), target) in self.collect.iter().zip(&plan.inputs).zip(targets) {
            let gathered = &mut gathered[collect.gathered.clone()];
            if gathered.is_empty() {
                continue;
            }
            let copies = if collect.divided { 1 } else { self.parts };
            let (sum, others) = gathered.split_at_mut(gathered.len() / copies);
            for copy in others.chunks_exact(sum.len()) {
                for (sum, x) in sum.iter_mut().zip(copy) {
                    *sum += x;
                }
            }
            match &access.spread {
                Some(spread) => spread.fold(sum, target),
                None => {
                    for (a, sum) in target.iter_mut().zip(sum) {
                        *a += *sum;
                    }
                }
            }
        }
    }

    /// Blocks of columns in each part.
    fn blocks(&self, plan: &Plan) -> usize {
        plan.outer.iter().product::<usize>() / self.parts
    }
}

/// Does an input hold the first outer axes, right after those of its rows?
fn divides(plan: &Plan, axes: usize, access: &Access, len: usize) -> bool {
    let mut span = len / access.row_states;
    access.row_states <= MAX_ROWS
        && plan.outer[..axes]
            .iter()
            .zip(&access.outer)
            .all(|(card, &stride)| {
                let outermost = stride * card == span;
                span = stride;
                outermost
            })
}

/// Something that belongs to a number of parts.
trait Divide: Send + Sized {
    /// The first `at` parts of so many, and the others.
    fn divide(self, parts: usize, at: usize) -> [Self; 2];
}

fn share<D: Divide>(parts: usize, whole: D, work: &(impl Fn(D) + Sync)) {
    if parts == 1 {
        return work(whole);
    }
    let half = parts / 2;
    let [one, two] = whole.divide(parts, half);
    rayon::join(|| share(half, one, work), || share(parts - half, two, work));
}

/// The first `at` of so many equal pieces, and the others.
fn pieces<T>(slice: &mut [T], parts: usize, at: usize) -> [&mut [T]; 2] {
    slice.split_at_mut(slice.len() / parts * at).into()
}

/// What a forward pass writes.
pub(crate) struct Forward<'c> {
    /// Number of the first part.
    pub(crate) first: usize,
    pub(crate) message: &'c mut [f64],
    /// Of each block, row by row.
    pub(crate) slopes: &'c mut [f64],
    pub(crate) entropies: &'c mut [f64],
    pub(crate) work: &'c mut [f64],
}

impl Divide for Forward<'_> {
    fn divide(self, parts: usize, at: usize) -> [Self; 2] {
        let [message, other_message] = pieces(self.message, parts, at);
        let [slopes, other_slopes] = pieces(self.slopes, parts, at);
        let [entropies, other_entropies] = pieces(self.entropies, parts, at);
        let [work, other_work] = pieces(self.work, parts, at);
        let one = Self {
            first: self.first,
            message,
            slopes,
            entropies,
            work,
        };
        let two = Self {
            first: self.first + at,
            message: other_message,
            slopes: other_slopes,
            entropies: other_entropies,
            work: other_work,
        };
        [one, two]
    }
}

/// The columns that a backward pass reads, and what it works in.
pub(crate) struct Columns<'c> {
    pub(crate) adjoint: &'c [f64],
    /// Of each block, row by row.
    pub(crate) slopes: &'c [f64],
    pub(crate) work: &'c mut [f64],
}

/// A part of a backward pass.
pub(crate) struct Backward<'c> {
    /// Number of the first part.
    first: usize,
    pub(crate) columns: Columns<'c>,
    pub(crate) targets: [Target<'c>; MAX_INPUTS],
}

impl Divide for Backward<'_> {
    fn divide(self, parts: usize, at: usize) -> [Self; 2] {
        let Columns {
            adjoint,
            slopes,
            work,
        } = self.columns;
        let adjoint = adjoint.split_at(adjoint.len() / parts * at);
        let slopes = slopes.split_at(slopes.len() / parts * at);
        let [work, other_work] = pieces(work, parts, at);
        let mut others: [Target<'_>; MAX_INPUTS] = Default::default();
        let mut targets = self.targets;
        for (target, other) in targets.iter_mut().zip(&mut others) {
            *other = target.cut(parts, at);
        }
        let one = Self {
            first: self.first,
            columns: Columns {
                adjoint: adjoint.0,
                slopes: slopes.0,
                work,
            },
            targets,
        };
        let two = Self {
            first: self.first + at,
            columns: Columns {
                adjoint: adjoint.1,
                slopes: slopes.1,
                work: other_work,
            },
            targets: others,
        };
        [one, two]
    }
}

/// The adjoint of an input as far as a part owns it.
#[derive(Default)]
pub(crate) struct Target<'t> {
    /// For each state of its rows the entries of the columns; a copy has one for all.
    rows: [&'t mut [f64]; MAX_ROWS],
    /// Entries of one state of its rows; 0 for copies.
    stride: usize,
    /// Entries before those of the part.
    skip: usize,
}

impl<'t> Target<'t> {
    /// A table with so many row states, each of which will be divided.
    fn divided(table: &'t mut [f64], states: usize) -> Self {
        let stride = table.len() / states;
        let mut target = Self {
            stride,
            ..Self::default()
        };
        for (row, slice) in target.rows.iter_mut().zip(table.chunks_exact_mut(stride)) {
            *row = slice;
        }
        target
    }

    /// A table for each part, one behind the other.
    fn copies(tables: &'t mut [f64]) -> Self {
        let mut target = Self::default();
        target.rows[0] = tables;
        target
    }

    /// Keeps the first `at` of so many parts and returns the others.
    fn cut(&mut self, parts: usize, at: usize) -> Self {
        let kept = self.rows[0].len() / parts * at;
        let mut other = Self {
            stride: self.stride,
            skip: self.skip + if self.stride > 0 { kept } else { 0 },
            ..Self::default()
        };
        for (own, other) in self.rows.iter_mut().zip(&mut other.rows) {
            [*own, *other] = pieces(std::mem::take(own), parts, at);
        }
        other
    }

    /// Entries that a block may touch.
    #[inline(always)]
    pub(crate) fn at(&mut self, start: usize, span: usize) -> &mut [f64] {
        let (row, start) = match self.stride {
            0 => (0, start),
            stride => (start / stride, start % stride - self.skip),
        };
        &mut self.rows[row][start..start + span]
    }
}
