//! Inputs of a step brought to its power: `P_i = (f_i / s_i)^{1/w}`, plain or logarithmic.

use forney_certify::DoubleDouble;

use crate::layout::{MAX_INPUTS, Plan};
use crate::table::{Form, View};
use crate::vmath;

/// Products within `exp(±SAFE)` neither underflow nor overflow, whatever is summed.
pub(crate) const SAFE: f64 = 600.0;

/// Logarithms whose largest lies within this of 0, in nats, are added as they are: each sum rounds by
/// `10^-14` at most.
const NEAR: f64 = 64.0;

/// Makes a reused buffer at least `len` long; its content does not matter.
pub(crate) fn reserve(buffer: &mut Vec<f64>, len: usize) -> &mut [f64] {
    if buffer.len() < len {
        *buffer = vec![0.0; len];
    }
    &mut buffer[..len]
}

/// `x · e^{-norm}`, in two parts so that neither leaves the normal numbers.
pub(crate) fn divide_by_exp(norm: f64) -> impl Fn(f64) -> f64 {
    let half = (-0.5 * norm).exp();
    move |x| x * half * half
}

#[cfg(test)]
impl Prepared {
    /// Entries that it holds.
    pub(crate) fn entries(&self) -> usize {
        self.buffers.iter().chain(&self.spread).map(Vec::len).sum()
    }
}

/// What inputs are converted to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum To {
    Plain,
    Log,
}

/// The inputs as the kernels read them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Prepared {
    buffers: Vec<Vec<f64>>,
    /// Tables spread for the walk, see [`crate::layout::Spread`].
    spread: Vec<Vec<f64>>,
    /// Inputs that are used as they are.
    direct: [bool; MAX_INPUTS],
    /// `ln s_i`, the input's own scale excluded.
    pub(crate) norms: [f64; MAX_INPUTS],
}

impl Prepared {
    /// The tables for a kernel; `views` are those of the last call of [`Prepared::powers`] or
    /// [`Prepared::logs`].
    #[inline(always)]
    pub(crate) fn tables<'t>(&'t self, plan: &Plan, views: &[View<'t>]) -> [&'t [f64]; MAX_INPUTS] {
        let mut tables: [&[f64]; MAX_INPUTS] = [&[]; MAX_INPUTS];
        for (i, view) in views.iter().enumerate() {
            tables[i] = match &plan.inputs[i].spread {
                Some(spread) => &self.spread[i][..spread.entries()],
                None if self.direct[i] => view.data,
                None => &self.buffers[i][..view.data.len()],
            };
        }
        tables
    }

    /// `Σ_i ln s_i`.
    pub(crate) fn ln_scale(&self, views: &[View<'_>]) -> DoubleDouble {
        let norms = self.norms[..views.len()].iter();
        norms.filter(|&&norm| norm != 0.0).copied().sum()
    }

    /// `P_i` in plain numbers, at most 1 in magnitude; plain inputs of an unweighted step are used as
    /// they are. Signed inputs come to unweighted steps alone.
    #[allow(clippy::float_cmp)] // A weight of exactly 1 is how an unsplit bucket is written.
    #[inline(always)]
    pub(crate) fn powers(&mut self, plan: &Plan, views: &[View<'_>], weight: f64) {
        let plain = |view: &View<'_>| weight == 1.0 && view.form != Form::Log;
        // What is used as it is may be far from 1 everywhere; the others are brought to a largest entry of 1.
        let reach = |view: &View<'_>| match plain(view) {
            true => view.range.max.abs().max(view.range.min.abs()),
            false => view.range.spread(),
        };
        let safe = views.iter().map(reach).sum::<f64>() <= SAFE;
        let direct = |view: &View<'_>| plain(view) && safe;
        self.prepare(plan, views, weight, To::Plain, direct);
    }

    /// `ln P_i`; logarithmic inputs of an unweighted step are used as they are, unless they have grown
    /// so far from 0 that sums of them lose digits.
    #[allow(clippy::float_cmp)] // As in `powers`.
    #[inline(always)]
    pub(crate) fn logs(&mut self, plan: &Plan, views: &[View<'_>], weight: f64) {
        let direct = |view: &View<'_>| {
            let near = view.range.max.abs() <= NEAR;
            weight == 1.0 && view.form == Form::Log && !view.negated && near
        };
        self.prepare(plan, views, weight, To::Log, direct);
    }

    /// Converts the inputs that are not used as they are, and spreads those that the walk wants spread.
    #[inline(always)]
    fn prepare(
        &mut self,
        plan: &Plan,
        views: &[View<'_>],
        weight: f64,
        to: To,
        direct: impl Fn(&View<'_>) -> bool,
    ) {
        let power = 1.0 / weight;
        self.buffers.resize_with(views.len(), Vec::new);
        self.spread.resize_with(views.len(), Vec::new);
        for (i, view) in views.iter().enumerate() {
            self.direct[i] = direct(view);
            let (norm, table) = if self.direct[i] {
                (0.0, view.data)
            } else {
                let norm = view.norm(weight);
                let table = reserve(&mut self.buffers[i], view.data.len());
                let (x, sign) = (view.data, view.sign());
                match (to, view.form) {
                    (To::Plain, Form::Log) => {
                        vmath::exp_scaled::body(x, sign * power, sign * norm, table);
                    }
                    (To::Plain, Form::Linear) => {
                        vmath::ln_scaled::body(x, power, -norm * power, table);
                        vmath::exp_in_place::body(table);
                    }
                    (To::Plain, Form::Signed) => {
                        let divided = divide_by_exp(norm);
                        let entries = table.iter_mut().zip(x);
                        entries.for_each(|(o, x)| *o = divided(*x));
                    }
                    (To::Log, Form::Log) => {
                        let entries = table.iter_mut().zip(x);
                        entries.for_each(|(o, x)| *o = (sign * x - norm) * power);
                    }
                    (To::Log, Form::Linear | Form::Signed) => {
                        vmath::ln_scaled::body(x, power, -norm * power, table);
                    }
                }
                (norm, &*table)
            };
            self.norms[i] = norm;
            if let Some(spread) = &plan.inputs[i].spread {
                spread.spread(table, reserve(&mut self.spread[i], spread.entries()));
            }
        }
    }

    /// Writes ones in place of the powers of an input: a product of the others remains.
    pub(crate) fn leave_out(&mut self, plan: &Plan, at: usize, len: usize) {
        match &plan.inputs[at].spread {
            Some(spread) => self.spread[at][..spread.entries()].fill(1.0),
            None => {
                self.direct[at] = false;
                reserve(&mut self.buffers[at], len).fill(1.0);
            }
        }
    }

    /// Drops the infinite powers that hard zeros have under a negative weight: such a column's
    /// message is 0, so it carries no belief, and `0 · ∞` must not turn up in the backward pass. Says
    /// whether there were any.
    pub(crate) fn drop_infinite(&mut self) -> bool {
        let mut dropped = false;
        // A negative weight is never 1, so no input is used as it is.
        for x in self.buffers.iter_mut().chain(&mut self.spread).flatten() {
            dropped |= x.is_infinite();
            *x = if x.is_infinite() { 0.0 } else { *x };
        }
        dropped
    }
}
