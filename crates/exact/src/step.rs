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

use crate::kernel;
use crate::prepare::{Prepared, SAFE, reserve};
use crate::schedule::Step;
use crate::table::{Form, Range, Values, View};
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

/// What a step does with the signs of its tables (Ahn et al. 2018, eq. 8): `|Σ| ≤ Σ|·|`, so absolute
/// values may be taken anywhere, and are taken from the first split on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Signs {
    /// Its tables have none.
    Absent,
    /// Its sum keeps them, its message as well.
    Kept,
    /// Its sum keeps them, its message is the absolute value.
    Dropped,
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

/// What a step works in, reused by every pass.
#[derive(Clone, Debug, Default)]
pub(crate) struct Scratch {
    pub(crate) prepared: Prepared,
    pub(crate) tile: Vec<f64>,
    /// Beliefs of inputs that are spread.
    pub(crate) gathered: Vec<Vec<f64>>,
    /// `S` (or `ln S`, if logarithms ran) where the message does not hold it: as a power, as a
    /// logarithm, or without its sign.
    pub(crate) sums: Vec<f64>,
    pub(crate) ran: Ran,
}

#[cfg(test)]
impl Scratch {
    /// Entries that it holds, the tile that a walk works in left aside.
    pub(crate) fn entries(&self) -> usize {
        let gathered = self.gathered.iter().map(Vec::len).sum::<usize>();
        self.prepared.entries() + gathered + self.sums.len()
    }
}

/// Runs a step forward: `message` becomes `m(y)`, in plain form if `plain` allows it, signed if signs
/// are kept.
#[allow(clippy::too_many_arguments)] // Each of them varies on its own.
pub(crate) fn forward(
    step: &Step,
    algebra: Algebra,
    watch: &Watch<'_>,
    weight: f64,
    signs: Signs,
    views: &[View<'_>],
    plain: bool,
    scratch: &mut Scratch,
    message: &mut Values,
) {
    let out = reserve(&mut message.data, step.cols);
    let spread: f64 = views.iter().map(|view| view.range.spread()).sum();

    message.form = Form::Log;
    if views.iter().any(|view| view.range.is_empty()) {
        scratch.ran = Ran::Zero;
        out.fill(f64::NEG_INFINITY);
        message.range = Range::EMPTY;
    } else if algebra == Algebra::Max || weight == 0.0 {
        scratch.ran = Ran::Log;
        // The minimum is minus the maximum of the reciprocals.
        let sign = 1.0f64.copysign(weight);
        scratch.prepared.logs(&step.plan, views, sign);
        let tables = scratch.prepared.tables(&step.plan, views);
        run(step, watch, &mut scratch.tile, out, |first, out, tile| {
            kernel::sum_max(&step.plan, &tables[..views.len()], first, out, tile, watch);
            for m in out {
                *m *= sign;
            }
        });
        message.range = Range::of(Form::Log, out);
    } else if signs != Signs::Absent || spread <= SAFE * weight.abs() {
        scratch.ran = Ran::Linear;
        scratch.prepared.powers(&step.plan, views, weight);
        let tables = scratch.prepared.tables(&step.plan, views);
        let sum = |first: usize, out: &mut [f64], tile: &mut [f64]| {
            kernel::product_sum(&step.plan, &tables[..views.len()], first, out, tile, watch);
        };
        if signs == Signs::Kept {
            message.form = Form::Signed;
            message.range = run_measured(step, watch, message.form, &mut scratch.tile, out, sum);
        } else if signs == Signs::Dropped {
            let sums = reserve(&mut scratch.sums, step.cols);
            run(step, watch, &mut scratch.tile, sums, sum);
            if plain {
                message.form = Form::Linear;
                out.iter_mut().zip(&*sums).for_each(|(m, s)| *m = s.abs());
            } else {
                vmath::ln_abs(sums, out);
            }
            message.range = Range::of(message.form, out);
        } else if plain {
            message.form = Form::Linear;
            message.range = run_measured(step, watch, message.form, &mut scratch.tile, out, sum);
        } else {
            let sums = reserve(&mut scratch.sums, step.cols);
            run(step, watch, &mut scratch.tile, sums, sum);
            vmath::ln_scaled(sums, weight, 0.0, out);
            message.range = Range::of(Form::Log, out);
        }
    } else {
        scratch.ran = Ran::Log;
        scratch.prepared.logs(&step.plan, views, weight);
        let tables = scratch.prepared.tables(&step.plan, views);
        let sum = |first: usize, out: &mut [f64], tile: &mut [f64]| {
            kernel::sum_max(&step.plan, &tables[..views.len()], first, out, tile, watch);
            kernel::sum_exp(&step.plan, &tables[..views.len()], first, out, tile, watch);
        };
        if step.weight.is_none() {
            run(step, watch, &mut scratch.tile, out, sum);
        } else {
            let sums = reserve(&mut scratch.sums, step.cols);
            run(step, watch, &mut scratch.tile, sums, sum);
            for (m, ln_sum) in out.iter_mut().zip(sums) {
                *m = weight * *ln_sum;
            }
        }
        message.range = Range::of(Form::Log, out);
    }
    message.ln_scale = match scratch.ran {
        Ran::Zero => DoubleDouble::ZERO,
        _ => scratch.prepared.ln_scale(views),
    };
}

/// Runs a kernel over all columns, in parallel parts if the clique is large.
fn run(
    step: &Step,
    watch: &Watch<'_>,
    tile: &mut Vec<f64>,
    out: &mut [f64],
    kernel: impl Fn(usize, &mut [f64], &mut [f64]) + Sync,
) {
    let (block, tile_len) = (step.plan.block, step.plan.tile_len());
    let part = part_len(step);
    if part < out.len() {
        out.par_chunks_mut(part).enumerate().for_each_init(
            || vec![0.0; tile_len],
            |tile, (number, out)| {
                if !watch.stop() {
                    kernel(number * part / block, out, tile);
                }
            },
        );
    } else {
        kernel(0, out, reserve(tile, tile_len));
    }
}

/// As [`run`], and measures every part while it is still in cache.
fn run_measured(
    step: &Step,
    watch: &Watch<'_>,
    form: Form,
    tile: &mut Vec<f64>,
    out: &mut [f64],
    kernel: impl Fn(usize, &mut [f64], &mut [f64]) + Sync,
) -> Range {
    let (block, tile_len) = (step.plan.block, step.plan.tile_len());
    let part = part_len(step);
    if part < out.len() {
        out.par_chunks_mut(part)
            .enumerate()
            .map_init(
                || vec![0.0; tile_len],
                |tile, (number, out)| {
                    if watch.stop() {
                        return Range::EMPTY;
                    }
                    kernel(number * part / block, out, tile);
                    Range::of(form, out)
                },
            )
            .reduce(|| Range::EMPTY, Range::join)
    } else {
        kernel(0, out, reserve(tile, tile_len));
        Range::of(form, out)
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
