//! One step, forward and backward.
//!
//! With weight `w`, inputs `f_i` and `P_i = (f_i / s_i)^{1/w} ≤ 1`,
//!
//! ```text
//! m(y) = (Σ_x Π_i f_i^{1/w})^w ,   ln m(y) = w ln S(y) + Σ_i ln s_i ,   S(y) = Σ_x Π_i P_i .
//! ```
//!
//! The powers cost one `exp` for each entry of an *input*, not of the clique; the clique itself is
//! multiplied and added in plain numbers where the product provably neither under- nor overflows,
//! and in logarithms where it might. Backward, with the adjoint `∂ ln Z_w / ∂ ln m(y)`,
//!
//! ```text
//! b(x, y) = adjoint(y) Π_i P_i / S(y) ,   ∂ ln Z_w / ∂ ln f_i = Σ_{clique \ scope_i} b ,
//! ∂ ln Z_w / ∂w = H(x | y; b) = Σ_y adjoint ln S − Σ_i ⟨b_i, ln P_i⟩      (Liu & Ihler 2011).
//! ```

use rayon::prelude::*;

use crate::kernel;
use crate::layout::{MAX_INPUTS, Plan};
use crate::prepare::{Prepared, SAFE, reserve};
use crate::schedule::Step;
use crate::table::{Form, Range, Values, View};
use crate::vmath;
use crate::watch::Watch;

/// Cliques above this many entries are cut into parts that run in parallel.
const PARALLEL_ENTRIES: usize = 1 << 16;

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
enum Ran {
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
    prepared: Prepared,
    tile: Vec<f64>,
    /// Beliefs of inputs that are spread.
    gathered: Vec<Vec<f64>>,
    /// `S` (or `ln S`, if logarithms ran) where the message does not hold it.
    sums: Vec<f64>,
    /// `adjoint / S`.
    ratio: Vec<f64>,
    ran: Ran,
}

/// Runs a step forward: `message` becomes `m(y)`, in plain form if `plain` allows it.
#[allow(clippy::too_many_arguments)] // Each of them varies on its own.
pub(crate) fn forward(
    step: &Step,
    algebra: Algebra,
    watch: &Watch<'_>,
    weight: f64,
    views: &[View<'_>],
    plain: bool,
    scratch: &mut Scratch,
    message: &mut Values,
) {
    let out = reserve(&mut message.data, step.cols);
    let ln_scale: f64 = views.iter().map(|view| view.ln_scale).sum();
    let spread: f64 = views.iter().map(|view| view.range.spread()).sum();

    message.form = Form::Log;
    if views.iter().any(|view| view.range.is_empty()) {
        scratch.ran = Ran::Zero;
        out.fill(f64::NEG_INFINITY);
        message.range = Range::EMPTY;
    } else if algebra == Algebra::Max || weight == 0.0 {
        scratch.ran = Ran::Log;
        scratch.prepared.logs(&step.plan, views, 1.0);
        let tables = scratch.prepared.tables(&step.plan, views);
        run(step, watch, &mut scratch.tile, out, |first, out, tile| {
            kernel::sum_max(&step.plan, &tables[..views.len()], first, out, tile);
        });
        message.range = Range::of(Form::Log, out);
    } else if spread <= SAFE * weight.abs() {
        scratch.ran = Ran::Linear;
        scratch.prepared.powers(&step.plan, views, weight);
        let tables = scratch.prepared.tables(&step.plan, views);
        let sum = |first: usize, out: &mut [f64], tile: &mut [f64]| {
            kernel::product_sum(&step.plan, &tables[..views.len()], first, out, tile);
        };
        if plain {
            message.form = Form::Linear;
            message.range = run_measured(step, watch, &mut scratch.tile, out, sum);
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
        let sums = reserve(&mut scratch.sums, step.cols);
        run(step, watch, &mut scratch.tile, sums, |first, out, tile| {
            kernel::sum_max(&step.plan, &tables[..views.len()], first, out, tile);
            kernel::sum_exp(&step.plan, &tables[..views.len()], first, out, tile);
        });
        for (m, ln_sum) in out.iter_mut().zip(sums) {
            *m = weight * *ln_sum;
        }
        message.range = Range::of(Form::Log, out);
    }
    message.ln_scale = match scratch.ran {
        Ran::Zero => 0.0,
        _ => ln_scale + scratch.prepared.ln_scale(views),
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
                    Range::of(Form::Linear, out)
                },
            )
            .reduce(|| Range::EMPTY, Range::join)
    } else {
        kernel(0, out, reserve(tile, tile_len));
        Range::of(Form::Linear, out)
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

/// Runs a step backward: adds its beliefs to every wanted target.
pub(crate) fn backward(
    step: &Step,
    weight: f64,
    views: &[View<'_>],
    scratch: &mut Scratch,
    message: &Values,
    adjoint: &[f64],
    targets: &mut [Option<&mut [f64]>],
) {
    let Scratch {
        prepared,
        tile,
        gathered,
        sums,
        ratio,
        ran,
    } = scratch;
    if *ran == Ran::Zero {
        return;
    }
    if weight < 0.0 {
        prepared.drop_infinite();
    }
    let plan: &Plan = &step.plan;
    let tile = reserve(tile, plan.tile_len());
    let sums = match message.form {
        Form::Linear => &message.data[..step.cols],
        Form::Log => &sums[..step.cols],
    };
    gathered.resize_with(plan.inputs.len(), Vec::new);
    let mut spread: [Option<&mut [f64]>; MAX_INPUTS] = Default::default();
    let inner = spread.iter_mut().zip(targets.iter_mut());
    for ((slot, target), (access, gathered)) in inner.zip(plan.inputs.iter().zip(&mut *gathered)) {
        *slot = match (target, &access.spread) {
            (Some(_), Some(spread)) => {
                let gathered = reserve(gathered, spread.len());
                gathered.fill(0.0);
                Some(gathered)
            }
            (target, _) => target.as_deref_mut(),
        };
    }
    let wanted = &mut spread[..views.len()];
    let tables = prepared.tables(plan, views);
    let tables = &tables[..views.len()];
    if *ran == Ran::Linear {
        let ratio = reserve(ratio, step.cols);
        for ((r, adjoint), sum) in ratio.iter_mut().zip(adjoint).zip(sums) {
            *r = if *adjoint > 0.0 && sum.is_finite() {
                adjoint / sum
            } else {
                0.0
            };
        }
        kernel::product_beliefs(plan, tables, 0, ratio, wanted, tile);
    } else {
        kernel::log_beliefs(plan, tables, adjoint, sums, wanted, tile);
    }
    for ((target, access), gathered) in targets.iter_mut().zip(&plan.inputs).zip(gathered) {
        if let (Some(target), Some(spread)) = (target, &access.spread) {
            spread.fold(&gathered[..spread.len()], target);
        }
    }
}

/// `∂ ln Z_w / ∂w`, the conditional entropy of the eliminated variable under the step's beliefs.
///
/// `beliefs` are those of all inputs, as [`backward`] left them; `message` is logarithmic.
pub(crate) fn entropy(
    weight: f64,
    views: &[View<'_>],
    scratch: &Scratch,
    message: &Values,
    adjoint: &[f64],
    beliefs: &[&[f64]],
) -> f64 {
    if scratch.ran == Ran::Zero {
        return 0.0;
    }
    let mass: f64 = adjoint.iter().sum();
    let mut total = expectation(adjoint, &message.data[..adjoint.len()]);
    for ((view, belief), norm) in views.iter().zip(beliefs).zip(scratch.prepared.norms) {
        total -= view.sign() * expectation(belief, view.data) - norm * mass;
    }
    total / weight
}

/// `Σ p ln f` with `0 · (−∞) = 0`.
fn expectation(p: &[f64], ln: &[f64]) -> f64 {
    p.iter()
        .zip(ln)
        .map(|(p, ln)| if *p > 0.0 { p * ln } else { 0.0 })
        .sum()
}
