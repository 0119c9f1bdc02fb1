//! One step backward, the adjoint of [`crate::step`].
//!
//! With the adjoint `∂ ln Z_w / ∂ ln m(y)` of its message,
//!
//! ```text
//! b(x, y) = adjoint(y) Π_i P_i / S(y) ,   ∂ ln Z_w / ∂ ln f_i = Σ_{clique \ scope_i} b ,
//! ∂ ln Z_w / ∂w = H(x | y; b) = Σ_y adjoint ln S − Σ_i ⟨b_i, ln P_i⟩      (Liu & Ihler 2011).
//! ```
//!
//! A table of either sign wants `∂ ln Z_w / ∂f_i = b_i / f_i` instead. Where an entry of it is 0 nothing
//! can be divided: the product of the other inputs is added up for it in a walk of its own.
//!
//! A large clique is cut along its slowest column axes into parts that run in parallel. An input that
//! holds these axes is cut likewise; one that does not gets a copy for each part, added up in order.

use std::ops::Range;

use rayon::prelude::*;

use crate::block::expectation;
use crate::kernel::{self, Columns, Target};
use crate::layout::{Access, MAX_INPUTS, Plan};
use crate::prepare::{Prepared, divide_by_exp, reserve};
use crate::schedule::Step;
use crate::step::{Call, PARALLEL_ENTRIES, Ran, Scratch};
use crate::table::{Form, Values};

/// Parts of a large clique, if the cardinalities allow it.
const PARTS: usize = 16;

impl Call<'_> {
    /// Runs the step backward: adds its beliefs to every wanted target, and derivatives to those of
    /// signed inputs.
    #[inline(always)]
    pub(crate) fn backward(
        &self,
        scratch: &mut Scratch,
        tile: &mut Vec<f64>,
        message: &Values,
        adjoint: &[f64],
        targets: &mut [Option<&mut [f64]>],
    ) {
        let (plan, views) = (&self.step.plan, self.views);
        if scratch.ran == Ran::Zero {
            return;
        }
        if self.weight < 0.0 && scratch.prepared.drop_infinite() {
            self.multiply(scratch, tile);
        }
        self.walk(scratch, tile, message, adjoint, targets);
        for (at, view) in views.iter().enumerate() {
            let (Some(target), Form::Signed) = (&mut targets[at], view.form) else {
                continue;
            };
            if view.data.iter().all(|x| x.abs() >= f64::MIN_POSITIVE) {
                for (derivative, x) in target.iter_mut().zip(view.data) {
                    *derivative /= x;
                }
                continue;
            }
            target.fill(0.0);
            scratch.prepared.leave_out(plan, at, view.data.len());
            self.multiply(scratch, tile);
            let mut alone: [Option<&mut [f64]>; MAX_INPUTS] = Default::default();
            alone[at] = Some(&mut *target);
            self.walk(scratch, tile, message, adjoint, &mut alone[..views.len()]);
            let divided = divide_by_exp(scratch.prepared.norms[at]);
            target.iter_mut().for_each(|x| *x = divided(*x));
            // The next input wants this one again.
            scratch.prepared.powers(plan, views, self.weight);
            self.multiply(scratch, tile);
        }
    }

    /// Multiplies the inputs of a small clique anew, once they are not those of the forward pass.
    #[inline(always)]
    fn multiply(&self, scratch: &mut Scratch, tile: &mut Vec<f64>) {
        let plan = &self.step.plan;
        if plan.whole && scratch.ran == Ran::Linear {
            let tables = scratch.prepared.tables(plan, self.views);
            let products = &mut scratch.products[..self.step.entries()];
            let tile = reserve(tile, plan.tile_len());
            kernel::product(plan, &tables[..self.views.len()], products, tile);
        }
    }

    /// Adds the product of all inputs as they are prepared, times the adjoint, to every wanted target.
    #[inline(always)]
    fn walk(
        &self,
        scratch: &mut Scratch,
        tile: &mut Vec<f64>,
        message: &Values,
        adjoint: &[f64],
        targets: &mut [Option<&mut [f64]>],
    ) {
        let Self { step, signs, .. } = *self;
        let plan = &step.plan;
        let columns = Columns {
            signs,
            adjoint,
            sums: match self.sums_are_message(scratch.ran, message.form) {
                true => &message.data[..step.cols],
                false => &scratch.sums[..step.cols],
            },
        };
        if plan.whole && scratch.ran == Ran::Linear {
            let products = &scratch.products[..step.entries()];
            let tile = reserve(tile, plan.tile_len());
            return kernel::whole_beliefs(plan, columns, products, targets, tile);
        }
        let work = (&scratch.prepared, tile, &mut scratch.gathered);
        self.walk_rows(scratch.ran, columns, work, targets);
    }

    /// As [`walk`](Self::walk), row by row, in parallel parts if the clique is large.
    #[inline(never)]
    fn walk_rows(
        &self,
        ran: Ran,
        columns: Columns<'_>,
        (prepared, tile, gathered): (&Prepared, &mut Vec<f64>, &mut Vec<Vec<f64>>),
        targets: &mut [Option<&mut [f64]>],
    ) {
        let (step, views, plan) = (self.step, self.views, &self.step.plan);
        let tables = prepared.tables(plan, views);
        let tables = &tables[..views.len()];
        let run = |range: Range<usize>, targets: &mut [Target<'_>], tile: &mut [f64]| {
            let first = range.start / plan.block;
            let columns = Columns {
                signs: columns.signs,
                adjoint: &columns.adjoint[range.clone()],
                sums: &columns.sums[range],
            };
            if ran == Ran::Linear {
                kernel::product_beliefs(plan, tables, first, columns, targets, tile);
            } else {
                kernel::log_beliefs(plan, tables, first, columns, targets, tile);
            }
        };

        gathered.resize_with(plan.inputs.len(), Vec::new);
        let mut wanted: [Option<&mut [f64]>; MAX_INPUTS] = Default::default();
        let slots = wanted.iter_mut().zip(targets.iter_mut());
        for ((slot, target), (access, gathered)) in
            slots.zip(plan.inputs.iter().zip(&mut *gathered))
        {
            *slot = match (target, &access.spread) {
                (Some(_), Some(spread)) => {
                    let gathered = reserve(gathered, spread.entries());
                    gathered.fill(0.0);
                    Some(gathered)
                }
                (target, _) => target.as_deref_mut(),
            };
        }
        let wanted = &mut wanted[..views.len()];
        match Cut::of(step, wanted) {
            None => {
                let mut whole: [Target<'_>; MAX_INPUTS] = Default::default();
                for (whole, wanted) in whole.iter_mut().zip(wanted) {
                    if let Some(target) = wanted {
                        *whole = Target::Whole(target);
                    }
                }
                let tile = reserve(tile, plan.tile_len());
                run(0..step.cols, &mut whole[..views.len()], tile);
            }
            Some(cut) => cut.run(plan, step.cols, wanted, run),
        }
        for ((target, access), gathered) in targets.iter_mut().zip(&plan.inputs).zip(gathered) {
            if let (Some(target), Some(spread)) = (target, &access.spread) {
                spread.fold(&gathered[..spread.entries()], target);
            }
        }
    }

    /// `∂ ln Z_w / ∂w`, the conditional entropy of the eliminated variable under the step's beliefs.
    ///
    /// `beliefs` are those of all inputs, as [`Call::backward`] left them; `message` is logarithmic.
    #[inline(always)]
    pub(crate) fn entropy(
        &self,
        scratch: &Scratch,
        message: &Values,
        adjoint: &[f64],
        beliefs: &[Vec<f64>],
    ) -> f64 {
        if scratch.ran == Ran::Zero {
            return 0.0;
        }
        let mass: f64 = adjoint.iter().sum();
        let mut total = expectation(adjoint, &message.data);
        for ((view, belief), norm) in self.views.iter().zip(beliefs).zip(scratch.prepared.norms) {
            total -= view.sign() * expectation(belief, view.data) - norm * mass;
        }
        total / self.weight
    }
}

/// A clique cut along its slowest outer axes.
struct Cut {
    axes: usize,
    parts: usize,
}

impl Cut {
    /// The cut of a large clique; `None` if it is small, or if the copies would outgrow its columns.
    ///
    /// It depends on the schedule alone, so the numbers do not depend on the threads.
    fn of(step: &Step, wanted: &[Option<&mut [f64]>]) -> Option<Self> {
        if step.entries() < PARALLEL_ENTRIES {
            return None;
        }
        let mut cut = Self { axes: 0, parts: 1 };
        for card in &step.plan.outer {
            if cut.parts < PARTS {
                cut.axes += 1;
                cut.parts *= card;
            }
        }
        let pairs = step.plan.inputs.iter().zip(wanted);
        let lens = pairs.filter_map(|(access, wanted)| {
            let len = wanted.as_ref()?.len();
            (!cut.divides(&step.plan, access, len)).then_some(len)
        });
        let copied = lens.sum::<usize>() * cut.parts;
        (cut.parts > 1 && copied <= step.cols.max(PARALLEL_ENTRIES)).then_some(cut)
    }

    /// Does an input hold the axes of the cut, right after those of its rows?
    fn divides(&self, plan: &Plan, access: &Access, len: usize) -> bool {
        let mut span = len / access.row_states;
        plan.outer[..self.axes]
            .iter()
            .zip(&access.outer)
            .all(|(card, &stride)| {
                let outermost = stride * card == span;
                span = stride;
                outermost
            })
    }

    /// Runs all parts; each target is divided among them or copied for each.
    fn run(
        &self,
        plan: &Plan,
        cols: usize,
        wanted: &mut [Option<&mut [f64]>],
        run: impl Fn(Range<usize>, &mut [Target<'_>], &mut [f64]) + Sync,
    ) {
        // Of a target that is divided, or not wanted, there are none.
        let copies = plan.inputs.iter().zip(&*wanted).map(|(access, target)| {
            let len = target.as_ref().map_or(0, |target| target.len());
            let copied = !self.divides(plan, access, len);
            vec![0.0; if copied { len * self.parts } else { 0 }]
        });
        let mut copies: Vec<Vec<f64>> = copies.collect();
        let mut parts: Vec<Vec<Target<'_>>> = Vec::new();
        parts.resize_with(self.parts, Vec::new);
        for ((target, copies), access) in wanted.iter_mut().zip(&mut copies).zip(&plan.inputs) {
            let Some(target) = target else {
                let parts = parts.iter_mut();
                parts.for_each(|part| part.push(Target::Unwanted));
                continue;
            };
            if copies.is_empty() {
                let stride = target.len() / access.row_states;
                let len = stride / self.parts;
                let mut rows: Vec<Vec<&mut [f64]>> = Vec::new();
                rows.resize_with(self.parts, Vec::new);
                for (number, slice) in target.chunks_exact_mut(len).enumerate() {
                    rows[number % self.parts].push(slice);
                }
                for (number, (part, rows)) in parts.iter_mut().zip(rows).enumerate() {
                    let skip = number * len;
                    part.push(Target::Part { rows, stride, skip });
                }
            } else {
                for (part, copy) in parts.iter_mut().zip(copies.chunks_exact_mut(target.len())) {
                    part.push(Target::Whole(copy));
                }
            }
        }
        let len = cols / self.parts;
        parts.into_par_iter().enumerate().for_each_init(
            || vec![0.0; plan.tile_len()],
            |tile, (number, mut targets)| run(number * len..(number + 1) * len, &mut targets, tile),
        );
        for (target, copies) in wanted.iter_mut().zip(&copies) {
            if let Some(target) = target {
                for copy in copies.chunks_exact(target.len()) {
                    for (sum, x) in target.iter_mut().zip(copy) {
                        *sum += x;
                    }
                }
            }
        }
    }
}
