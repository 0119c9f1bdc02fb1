//! One step of a pass over signed tables.
//!
//! A small clique is written out as a whole, a large one block by block ([`crate::tiles`]).

use std::ops::Range;

use forney_exact::layout::{MAX_INPUTS, Plan};
use forney_exact::{Schedule, Source, Step};

use crate::engine::Origin;
use crate::share::{Columns, Cut, Forward};
use crate::sum::{self, Kind};
use crate::tasks::is_shared;
use crate::tiles;
use crate::walk::Walk;

/// Messages whose largest entry lies within this factor of 1 are left as they are: the product of
/// as many as a step may have is far from overflow.
const LARGE: f64 = 4_294_967_296.0;

/// Blocks of fewer columns cost more to find than to read.
const LEAST_BLOCK: usize = 16;

/// Where the numbers of one step lie.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    /// In `values`.
    inputs: Vec<Range<usize>>,
    /// Where the step begins in `values`.
    pub(crate) start: usize,
    pub(crate) message: Range<usize>,
    /// In `kept`: slopes of the clique, if they are kept.
    slopes: Range<usize>,
    /// In `kept`: entropies of the columns of a mini-bucket.
    entropies: Range<usize>,
    /// In `kept`: tables that are spread for their walk.
    spread: Range<usize>,
    reading: Reading,
    /// Does the sum keep its sign?
    pub(crate) signed: bool,
    pub(crate) root: bool,
    /// The message was multiplied by this, if it was far from 1.
    scale: Option<f64>,
    /// What the message stands for beside its entries.
    pub(crate) ln_scale: f64,
    /// `∂ ln Z_w / ∂w` after a backward pass.
    pub(crate) d_weight: f64,
}

/// How the clique is gone through.
#[derive(Clone, Debug)]
enum Reading {
    /// As a whole, with the walk of each input.
    Whole(Vec<Walk>),
    /// Block by block, in parts.
    Tiles(Cut),
}

/// What the steps that one thread runs work in.
#[derive(Clone, Debug)]
pub(crate) struct Workspace {
    clique: Vec<f64>,
    part: Vec<f64>,
    /// For weighted sums, and the blocks of all parts of a clique.
    work: Vec<f64>,
    /// Adjoints of inputs that are gathered before they are added up.
    gathered: Vec<f64>,
}

impl Workspace {
    pub(crate) fn new(steps: &[Step], shared: bool) -> Self {
        let [clique, work, gathered] = Self::lens(steps, shared);
        Self {
            clique: vec![0.0; clique],
            part: vec![0.0; clique],
            work: vec![0.0; work],
            gathered: vec![0.0; gathered],
        }
    }

    /// Entries that it will hold.
    pub(crate) fn entries(steps: &[Step], shared: bool) -> usize {
        let [clique, work, gathered] = Self::lens(steps, shared);
        2 * clique + work + gathered
    }

    fn lens(steps: &[Step], shared: bool) -> [usize; 3] {
        let [mut clique, mut work, mut gathered] = [0; 3];
        for step in steps {
            if is_whole(step) {
                clique = clique.max(step.entries());
                if step.weight.is_some() {
                    work = work.max(sum::work_len(step.rows, step.cols));
                }
            } else {
                let cut = Cut::of(step, shared);
                work = work.max(cut.parts() * tiles::work_len(&step.plan));
                gathered = gathered.max(cut.gathered());
            }
        }
        [clique, work, gathered]
    }
}

/// Is the clique written out as a whole?
fn is_whole(step: &Step) -> bool {
    step.plan.whole || step.plan.block < LEAST_BLOCK
}

/// Entries that are kept for the backward pass: slopes of the clique (block by block the sign of a
/// product is worked out again instead), entropies of the columns, and tables that are spread.
fn kept_lens(step: &Step, signed: bool) -> [usize; 3] {
    let split = step.weight.is_some();
    let whole = is_whole(step);
    let spreads = step.plan.inputs.iter().filter_map(|i| i.spread.as_ref());
    let only = |wanted: bool, len: usize| if wanted { len } else { 0 };
    [
        only(split || (whole && !signed), step.entries()),
        only(split, step.cols),
        only(!whole, spreads.map(|spread| spread.entries()).sum()),
    ]
}

/// Bytes that a step takes at most, what several steps share excluded.
pub(crate) fn bytes(step: &Step) -> f64 {
    let message = |source| matches!(source, Source::Message(_));
    let own = step.inputs.iter().filter(|input| !message(input.source));
    let own = own.map(|input| input.len as f64).sum::<f64>() + step.cols as f64;
    let kept = kept_lens(step, false).map(|len| len as f64);
    // The walk of each input holds 32 bits for each of its runs.
    let walks = if is_whole(step) {
        4.0 * (step.inputs.len() * step.entries()) as f64
    } else {
        0.0
    };
    8.0 * (2.0 * own + kept.iter().sum::<f64>()) + walks
}

impl Node {
    /// The step of this number, with its numbers from `start` in `values` and from `kept` in `kept`.
    pub(crate) fn new(
        schedule: &Schedule,
        number: usize,
        signed: bool,
        inputs: Vec<Range<usize>>,
        start: usize,
        message: Range<usize>,
        kept: usize,
    ) -> Self {
        let step = &schedule.steps()[number];
        let reading = if is_whole(step) {
            let card = |v: forney_model::VarId| schedule.cards()[v.index()];
            let walks = step.inputs.iter().map(|input| {
                let scope = match input.source {
                    Source::Base(base) => &schedule.bases()[base].scope[..],
                    Source::Message(child) => schedule.steps()[child].message_scope(),
                    Source::Shift(shift, _) => &schedule.shifts()[shift].scope[..],
                };
                Walk::new(&step.scope, scope, card)
            });
            Reading::Whole(walks.collect())
        } else {
            Reading::Tiles(Cut::of(step, is_shared(schedule)))
        };
        let mut end = kept;
        let [slopes, entropies, spread] = kept_lens(step, signed).map(|len| {
            end += len;
            end - len..end
        });
        Self {
            inputs,
            start,
            message,
            slopes,
            entropies,
            spread,
            reading,
            signed,
            root: step.parent.is_none(),
            scale: None,
            ln_scale: 0.0,
            d_weight: 0.0,
        }
    }

    /// Is its clique shared among threads?
    pub(crate) fn is_shared(&self) -> bool {
        matches!(&self.reading, Reading::Tiles(cut) if cut.parts() > 1)
    }

    pub(crate) fn kept_start(&self) -> usize {
        self.slopes.start
    }

    pub(crate) fn kept_end(&self) -> usize {
        self.spread.end
    }

    /// Writes the message; `values` and `kept` begin at `origin`.
    pub(crate) fn forward(
        &mut self,
        step: &Step,
        weight: Option<f64>,
        origin: Origin,
        values: &mut [f64],
        kept: &mut [f64],
        workspace: &mut Workspace,
    ) {
        let (before, rest) = values.split_at_mut(self.message.start - origin.values);
        let message = &mut rest[..self.message.len()];
        let kept = &mut kept[self.slopes.start - origin.kept..self.spread.end - origin.kept];
        let (slopes, kept) = kept.split_at_mut(self.slopes.len());
        let (entropies, spread) = kept.split_at_mut(self.entropies.len());
        let input =
            |range: &Range<usize>| &before[range.start - origin.values..range.end - origin.values];
        let kind = match weight {
            Some(weight) => Kind::Weighted(weight),
            None if self.signed => Kind::Signed,
            None => Kind::Absolute,
        };
        match &self.reading {
            Reading::Whole(walks) => {
                let product: &mut [f64] = if slopes.is_empty() {
                    &mut workspace.clique[..step.entries()]
                } else {
                    slopes
                };
                for (number, (range, walk)) in self.inputs.iter().zip(walks).enumerate() {
                    if number == 0 {
                        walk.load(input(range), product);
                    } else {
                        walk.multiply(input(range), product);
                    }
                }
                match kind {
                    Kind::Weighted(weight) => {
                        sum::weighted(product, weight, message, entropies, &mut workspace.work);
                    }
                    Kind::Signed => sum::signed(product, message),
                    Kind::Absolute => sum::absolute(product, message),
                }
            }
            Reading::Tiles(cut) => {
                let mut rest = &mut *spread;
                for (range, access) in self.inputs.iter().zip(&step.plan.inputs) {
                    if let Some(spread) = &access.spread {
                        let (out, after) = rest.split_at_mut(spread.entries());
                        spread.spread(input(range), out);
                        rest = after;
                    }
                }
                let tables = tables(&step.plan, &self.inputs, input, spread);
                let tables = &tables[..self.inputs.len()];
                let work = &mut workspace.work[..cut.parts() * tiles::work_len(&step.plan)];
                let forward = Forward {
                    first: 0,
                    message,
                    slopes,
                    entropies,
                    work,
                };
                cut.forward(&step.plan, tables, kind, forward);
            }
        }
        let most = sum::largest(message);
        (self.scale, self.ln_scale) = (None, 0.0);
        // A message of zeros, or one that is not finite, goes on as it is.
        if !(1.0 / LARGE..=LARGE).contains(&most) && most > 0.0 && most.is_finite() {
            let scale = 1.0 / most;
            (self.scale, self.ln_scale) = (Some(scale), most.ln());
            message.iter_mut().for_each(|m| *m *= scale);
        }
    }

    /// Adds the adjoints of the inputs to `adjoints`, which begin at `origin` as the others do.
    pub(crate) fn backward(
        &mut self,
        step: &Step,
        origin: Origin,
        values: &[f64],
        adjoints: &mut [f64],
        kept: &[f64],
        workspace: &mut Workspace,
    ) {
        let (before, rest) = adjoints.split_at_mut(self.message.start - origin.values);
        let adjoint = &mut rest[..self.message.len()];
        let message = &values[self.message.start - origin.values..][..self.message.len()];
        if self.root {
            adjoint[0] = 1.0 / message[0];
        }
        let kept = &kept[self.slopes.start - origin.kept..self.spread.end - origin.kept];
        let (slopes, kept) = kept.split_at(self.slopes.len());
        let (entropies, spread) = kept.split_at(self.entropies.len());
        if step.weight.is_some() {
            self.d_weight = sum::triple(adjoint, message, entropies);
        }
        if let Some(scale) = self.scale {
            adjoint.iter_mut().for_each(|a| *a *= scale);
        }
        let local = |range: &Range<usize>| range.start - origin.values..range.end - origin.values;
        match &self.reading {
            Reading::Whole(walks) => {
                let clique = &mut workspace.clique[..step.entries()];
                sum::spread_adjoint(adjoint, slopes, clique);
                // The adjoint of an input is that of the product times all other inputs: the
                // earlier ones are in `clique` already.
                for (number, (range, walk)) in self.inputs.iter().zip(walks).enumerate() {
                    let target = &mut before[local(range)];
                    let table = |at: usize| &values[local(&self.inputs[at])];
                    let next = number + 1;
                    if next == walks.len() {
                        walk.fold(clique, target);
                    } else {
                        let part = &mut workspace.part[..step.entries()];
                        walks[next].product(clique, table(next), part);
                        for (walk, range) in walks.iter().zip(&self.inputs).skip(next + 1) {
                            walk.multiply(&values[local(range)], part);
                        }
                        walk.fold(part, target);
                        walk.multiply(table(number), clique);
                    }
                }
            }
            Reading::Tiles(cut) => {
                let input = |range: &Range<usize>| &values[local(range)];
                let tables = tables(&step.plan, &self.inputs, input, spread);
                let mut ranges: [Range<usize>; MAX_INPUTS] = Default::default();
                for (range, input) in ranges.iter_mut().zip(&self.inputs) {
                    *range = local(input);
                }
                let targets = before.get_disjoint_mut(ranges);
                let mut targets = targets.expect("every table has a place of its own");
                let columns = Columns {
                    adjoint,
                    slopes,
                    work: &mut workspace.work[..cut.parts() * tiles::work_len(&step.plan)],
                };
                cut.backward(
                    &step.plan,
                    &tables[..self.inputs.len()],
                    self.signed,
                    columns,
                    &mut targets[..self.inputs.len()],
                    &mut workspace.gathered,
                );
            }
        }
    }
}

/// The tables of all inputs as the walk reads them.
fn tables<'t>(
    plan: &Plan,
    inputs: &[Range<usize>],
    input: impl Fn(&Range<usize>) -> &'t [f64],
    mut spread: &'t [f64],
) -> [&'t [f64]; MAX_INPUTS] {
    let mut tables: [&[f64]; MAX_INPUTS] = [&[]; MAX_INPUTS];
    for ((table, range), access) in tables.iter_mut().zip(inputs).zip(&plan.inputs) {
        *table = match &access.spread {
            Some(access) => {
                let (own, rest) = spread.split_at(access.entries());
                spread = rest;
                own
            }
            None => input(range),
        };
    }
    tables
}

#[cfg(test)]
impl Workspace {
    /// Entries that it holds.
    pub(crate) fn len(&self) -> usize {
        self.clique.len() + self.part.len() + self.work.len() + self.gathered.len()
    }
}

#[cfg(test)]
impl Node {
    /// Runs of all walks.
    pub(crate) fn walk_heads(&self) -> usize {
        match &self.reading {
            Reading::Whole(walks) => walks.iter().map(Walk::runs).sum(),
            Reading::Tiles(_) => 0,
        }
    }
}
