//! One step forward.
//!
//! With weight `w`, inputs `f_i` and `P_i = (f_i / s_i)^{1/w} ≤ 1`,
//!
//! ```text
//! m(y) = (Σ_x Π_i f_i^{1/w})^w ,   ln m(y) = w ln S(y) + Σ_i ln s_i ,   S(y) = Σ_x Π_i P_i .
//! ```
//!
//! The powers cost one `exp` for each entry of an *input*, not of the clique; the clique itself is
//! multiplied and added in plain numbers where the product provably neither under- nor overflows,
//! and in logarithms where it might.
//!
//! A step may also keep signs ([`Signs`]): it adds plain numbers of either sign, `w = 1`.
//!
//! The limits `w → ±0` are written as the two zeros of a float: a weight of `+0` takes the maximum
//! over `x`, one of `−0` the minimum.

use forney_certify::DoubleDouble;
use rayon::prelude::*;

use crate::dispatch::dispatch;
use crate::kernel;
use crate::prepare::{Prepared, SAFE, reserve};
use crate::schedule::Step;
use crate::table::{Form, Range, Signs, Values, View, range};
use crate::vmath;
use crate::watch::Watch;

/// Cliques above this many entries are cut into parts that run in parallel.
pub(crate) const PARALLEL_ENTRIES: usize = 1 << 16;

/// What is done with the rows of a clique.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Algebra {
    /// Weighted sums.
    Sum,
    /// Maxima, for the most probable assignment.
    Max,
}

/// Which kernel a step ran, so that the backward pass runs its adjoint.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Ran {
    /// Plain products.
    Linear,
    /// Logarithms.
    Log,
    /// An input was zero everywhere, so the message is; nothing to run.
    #[default]
    Zero,
}

/// What a step keeps of its forward pass, reused by every pass.
#[derive(Clone, Debug, Default)]
pub(crate) struct Scratch {
    pub(crate) prepared: Prepared,
    /// `Π_i P_i` of a clique that is read as a whole.
    pub(crate) products: Vec<f64>,
    /// Beliefs of inputs that are spread.
    pub(crate) gathered: Vec<Vec<f64>>,
    /// `S` (or `ln S`, if logarithms ran) where the message does not hold it: as a power, as a
    /// logarithm, or without its sign.
    pub(crate) sums: Vec<f64>,
    pub(crate) ran: Ran,
}

#[cfg(test)]
impl Scratch {
    /// Entries that it holds.
    pub(crate) fn entries(&self) -> usize {
        let gathered = self.gathered.iter().map(Vec::len).sum::<usize>();
        self.prepared.entries() + gathered + self.products.len() + self.sums.len()
    }
}

/// One step with its inputs, and how it is to be run.
#[derive(Clone, Copy)]
pub(crate) struct Call<'c> {
    pub(crate) step: &'c Step,
    pub(crate) algebra: Algebra,
    pub(crate) watch: &'c Watch<'c>,
    pub(crate) weight: f64,
    pub(crate) signs: Signs,
    /// May the message be in plain form?
    pub(crate) plain: bool,
    pub(crate) views: &'c [View<'c>],
}

impl Call<'_> {
    #[inline(always)]
    fn forward(&self, scratch: &mut Scratch, message: &mut Values, tile: &mut Vec<f64>) {
        let Self {
            step,
            watch,
            weight,
            views,
            ..
        } = *self;
        let out = reserve(&mut message.data, step.cols);
        if views.iter().any(|view| view.range.is_empty()) {
            scratch.ran = Ran::Zero;
            out.fill(f64::NEG_INFINITY);
            message.form = Form::Log;
            message.range = Range::EMPTY;
            message.ln_scale = DoubleDouble::ZERO;
            return;
        }
        let spread: f64 = views.iter().map(|view| view.range.spread()).sum();
        let extremes = self.algebra == Algebra::Max || weight == 0.0;
        let safe = self.signs != Signs::Absent || spread <= SAFE * weight.abs();
        let linear = safe && !extremes;
        message.form = match self.signs {
            Signs::Kept if linear => Form::Signed,
            _ if linear && self.plain => Form::Linear,
            _ => Form::Log,
        };
        // The minimum is minus the maximum of the reciprocals.
        let sign = 1.0f64.copysign(weight);
        let (plan, form) = (&step.plan, message.form);
        if linear {
            scratch.ran = Ran::Linear;
            scratch.prepared.powers(plan, views, weight);
        } else {
            scratch.ran = Ran::Log;
            let power = if extremes { sign } else { weight };
            scratch.prepared.logs(plan, views, power);
        }
        let tables = scratch.prepared.tables(plan, views);
        let sum = Sum {
            step,
            tables: &tables[..views.len()],
            watch,
            linear,
            extremes: extremes.then_some(sign),
        };
        if extremes || self.sums_are_message(scratch.ran, form) {
            message.range = sum.run(Some(form), out, &mut scratch.products, tile);
        } else {
            let sums = reserve(&mut scratch.sums, step.cols);
            sum.run(None, sums, &mut scratch.products, tile);
            if form == Form::Linear {
                out.iter_mut().zip(&*sums).for_each(|(m, s)| *m = s.abs());
            } else if !linear {
                let sums = sums.iter();
                out.iter_mut()
                    .zip(sums)
                    .for_each(|(m, ln)| *m = weight * ln);
            } else if self.signs == Signs::Dropped {
                vmath::ln_abs::body(sums, out);
            } else {
                vmath::ln_scaled::body(sums, weight, 0.0, out);
            }
            message.range = range::body(form, out);
        }
        message.ln_scale = scratch.prepared.ln_scale(views);
    }

    /// Does the message hold `S` (or `ln S`, if logarithms ran) itself? If not, the scratch does.
    pub(crate) fn sums_are_message(&self, ran: Ran, form: Form) -> bool {
        if ran == Ran::Linear {
            form != Form::Log && self.signs != Signs::Dropped
        } else {
            self.step.weight.is_none()
        }
    }
}

dispatch! {
    /// Runs a step forward: `message` becomes `m(y)`, signed if signs are kept; `tile` is what it works in, whatever
    /// it holds.
    pub(crate) fn forward(
        call: &Call<'_>,
        scratch: &mut Scratch,
        message: &mut Values,
        tile: &mut Vec<f64>,
    ) {
        call.forward(scratch, message, tile);
    }
}

/// The sum of one step.
struct Sum<'s> {
    step: &'s Step,
    tables: &'s [&'s [f64]],
    watch: &'s Watch<'s>,
    linear: bool,
    /// Maxima of logarithms times this sign, in place of sums.
    extremes: Option<f64>,
}

impl Sum<'_> {
    /// All columns, in parallel parts if the clique is large; the range of what they come to, if it is to be
    /// measured in some form.
    #[inline(always)]
    fn run(
        &self,
        measured: Option<Form>,
        out: &mut [f64],
        products: &mut Vec<f64>,
        tile: &mut Vec<f64>,
    ) -> Range {
        let part = part_len(self.step);
        if part < out.len() {
            return self.in_parts(part, measured, out);
        }
        let (plan, tile) = (&self.step.plan, reserve(tile, self.step.plan.tile_len()));
        if plan.whole && self.linear {
            let products = reserve(products, self.step.entries());
            kernel::whole_sum(plan, self.tables, out, products, tile);
            return match measured {
                Some(form) => range::body(form, out),
                None => Range::EMPTY,
            };
        }
        self.columns(0, measured, out, tile)
    }

    fn in_parts(&self, part: usize, measured: Option<Form>, out: &mut [f64]) -> Range {
        let plan = &self.step.plan;
        let parts = out.par_chunks_mut(part).enumerate().map_init(
            || vec![0.0; plan.tile_len()],
            |tile, (number, out)| {
                if self.watch.stop() {
                    return Range::EMPTY;
                }
                self.columns(number * part / plan.block, measured, out, tile)
            },
        );
        parts.reduce(|| Range::EMPTY, Range::join)
    }

    /// The columns from block `first` on.
    fn columns(
        &self,
        first: usize,
        measured: Option<Form>,
        out: &mut [f64],
        tile: &mut [f64],
    ) -> Range {
        let (plan, tables, watch) = (&self.step.plan, self.tables, self.watch);
        if self.linear {
            kernel::product_sum(plan, tables, first, out, tile, watch);
        } else {
            kernel::log_sum(
                plan,
                tables,
                self.extremes.is_some(),
                first,
                out,
                tile,
                watch,
            );
            if let Some(sign) = self.extremes {
                out.iter_mut().for_each(|m| *m *= sign);
            }
        }
        // Measured while it is still in cache.
        measured.map_or(Range::EMPTY, |form| range(form, out))
    }
}

/// Columns of each parallel part: whole blocks, enough of them to be worth a task, and the same
/// for any number of threads.
fn part_len(step: &Step) -> usize {
    if step.entries() < PARALLEL_ENTRIES {
        return step.cols;
    }
    let blocks = (PARALLEL_ENTRIES / 4) / (step.rows * step.plan.block);
    blocks.max(1) * step.plan.block
}
