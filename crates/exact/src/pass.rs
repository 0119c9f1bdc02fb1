//! One step of a pass: where its inputs come from and where its beliefs go.

use std::cell::Cell;
use std::ops;

use crate::dispatch::dispatch;
use crate::layout::MAX_INPUTS;
use crate::prepare::reserve;
use crate::schedule::{Schedule, Source, Step};
use crate::step::{self, Algebra, Call, Scratch};
use crate::table::{Form, Range, Values, View, range};
use crate::varying::Varying;
use crate::watch::Watch;

/// The numbers of one step.
#[derive(Clone, Debug)]
pub(crate) struct State {
    pub(crate) message: Values,
    /// Nothing where messages do not outlive their use: a long chain has a million steps.
    kept: Option<Box<Kept>>,
}

/// What a step keeps for later passes.
#[derive(Clone, Debug, Default)]
pub(crate) struct Kept {
    pub(crate) adjoint: Vec<f64>,
    /// Beliefs of inputs that are not messages (those of messages are the senders' adjoints).
    pub(crate) beliefs: Vec<Vec<f64>>,
    pub(crate) scratch: Scratch,
    /// `∂ ln Z_w / ∂w` after a backward pass, if the step has a weight.
    pub(crate) entropy: f64,
}

impl State {
    pub(crate) fn new() -> Self {
        Self {
            message: Values::empty(),
            kept: None,
        }
    }

    /// What the passes so far kept, if there were any that keep something.
    pub(crate) fn kept(&self) -> Option<&Kept> {
        self.kept.as_deref()
    }
}

/// What a pass reads besides the messages.
#[derive(Clone, Copy)]
pub(crate) struct Pass<'p> {
    pub(crate) schedule: &'p Schedule,
    pub(crate) bases: &'p [Values],
    pub(crate) weights: &'p [f64],
    pub(crate) shifts: &'p [f64],
    pub(crate) shift_ranges: &'p [Range],
    pub(crate) algebra: Algebra,
    pub(crate) watch: &'p Watch<'p>,
    pub(crate) varying: &'p Varying,
    pub(crate) fixed: &'p [bool],
    /// Are the messages of fixed steps known from an earlier pass?
    pub(crate) known: bool,
    /// Are beliefs of the factors of unsplit steps wanted?
    pub(crate) factor_beliefs: bool,
}

impl<'p> Pass<'p> {
    /// Writes the inputs of a step: `base` finds a base, by the place of the input too, and `message`
    /// what an earlier step sends.
    ///
    /// Field by field: a view that is built elsewhere and copied is read wide right after it was
    /// written narrow, which waits for the stores to retire. That was a third of a pass over small cliques.
    #[inline(always)]
    pub(crate) fn views<'a, 'v>(
        &self,
        step: &Step,
        base: impl Fn(usize, usize) -> &'v Values,
        message: impl Fn(usize) -> &'v Values,
        views: &'a mut [View<'v>; MAX_INPUTS],
    ) -> &'a [View<'v>]
    where
        'p: 'v,
    {
        for ((place, view), input) in views.iter_mut().enumerate().zip(&step.inputs) {
            match input.source {
                Source::Base(number) => view.set(base(place, number), input.len),
                Source::Message(child) => view.set(message(child), input.len),
                Source::Shift(shift, added) => {
                    let offset = self.schedule.shifts()[shift].offset;
                    let data = &self.shifts[offset..offset + input.len];
                    view.set_shift(data, self.shift_ranges[shift], added);
                }
            }
        }
        &views[..step.inputs.len()]
    }

    /// How step number `at` is run.
    #[inline(always)]
    pub(crate) fn call<'c>(&self, at: usize, views: &'c [View<'c>]) -> Call<'c>
    where
        'p: 'c,
    {
        let step = &self.schedule.steps()[at];
        let receiver = step.parent.map(|p| &self.schedule.steps()[p]);
        Call {
            step,
            algebra: self.algebra,
            watch: self.watch,
            weight: step.weight.map_or(1.0, |at| self.weights[at]),
            signs: self.varying.signs(at),
            plain: step.weight.is_none() && receiver.is_none_or(|p| p.weight.is_none()),
            views,
        }
    }

    /// Runs a step forward; `states` are those of steps `first..`.
    #[inline(always)]
    fn forward(&self, first: usize, at: usize, states: &mut [State], tile: &mut Vec<f64>) {
        let step = &self.schedule.steps()[first + at];
        let known = self.known && self.fixed[first + at];
        if known || self.watch.stop_before(first + at, step.entries()) {
            return;
        }
        let (before, rest) = states.split_at_mut(at);
        let State { message, kept } = &mut rest[0];
        let mut views = [View::NONE; MAX_INPUTS];
        let sent = |child: usize| &before[child - first].message;
        let views = self.views(step, |_, base| &self.bases[base], sent, &mut views);
        let scratch = &mut kept.get_or_insert_default().scratch;
        step::forward::body(&self.call(first + at, views), scratch, message, tile);
    }

    /// Runs a step backward; `states` are those of steps `first..`.
    #[inline(always)]
    fn backward(&self, first: usize, at: usize, states: &mut [State], tile: &mut Vec<f64>) {
        if self.fixed[first + at] && !self.factor_beliefs {
            return;
        }
        let step = &self.schedule.steps()[first + at];
        let (before, rest) = states.split_at_mut(at);
        let State { message, kept } = &mut rest[0];
        let kept = &mut **kept.get_or_insert_default();
        if step.parent.is_none() {
            let exists = !message.range.is_empty();
            reserve(&mut kept.adjoint, 1)[0] = if exists { 1.0 } else { 0.0 };
        }
        // The targets of messages are the adjoints of their senders; they are moved out so that
        // the senders' messages can be read beside them.
        kept.beliefs.resize_with(step.inputs.len(), Vec::new);
        swap_adjoints(step, first, before, &mut kept.beliefs);
        let mut views = [View::NONE; MAX_INPUTS];
        let sent = |child: usize| &before[child - first].message;
        let views = self.views(step, |_, base| &self.bases[base], sent, &mut views);
        let call = self.call(first + at, views);
        let adjoint = &kept.adjoint[..step.cols];
        let mut targets: [Option<&mut [f64]>; MAX_INPUTS] = Default::default();
        let beliefs = step.inputs.iter().zip(&mut kept.beliefs);
        for (target, (input, belief)) in targets.iter_mut().zip(beliefs) {
            let fixed = match input.source {
                Source::Base(base) => !self.varying.holds(base),
                Source::Message(child) => self.fixed[child],
                Source::Shift(..) => false,
            };
            // The derivative by a weight takes the beliefs of all inputs.
            if !fixed || step.weight.is_some() || self.factor_beliefs {
                let belief = reserve(belief, input.len);
                belief.fill(0.0);
                *target = Some(belief);
            }
        }
        let targets = &mut targets[..step.inputs.len()];
        call.backward(&mut kept.scratch, tile, message, adjoint, targets);
        if step.weight.is_some() {
            kept.entropy = call.entropy(&kept.scratch, message, adjoint, &kept.beliefs);
        }
        swap_adjoints(step, first, before, &mut kept.beliefs);
    }
}

thread_local! {
    /// What the steps of a thread work in, one after the other. One that begins another pass while it waits for
    /// the parts of a large step finds none, and makes its own.
    static TILE: Cell<Vec<f64>> = const { Cell::new(Vec::new()) };
}

/// Larger tiles, those of cliques with very long axes, go back to the system.
const LARGEST_TILE: usize = 1 << 16;

fn give_back(tile: Vec<f64>) {
    if tile.len() <= LARGEST_TILE {
        TILE.set(tile);
    }
}

dispatch! {
    /// The range of every shift.
    pub(crate) fn shift_ranges(schedule: &Schedule, shifts: &[f64], ranges: &mut Vec<Range>) {
        ranges.clear();
        for shift in schedule.shifts() {
            ranges.push(range::body(Form::Log, &shifts[shift.offset..shift.offset + shift.len]));
        }
    }
}

dispatch! {
    /// Runs consecutive steps forward; `states` are those of steps `first..`.
    pub(crate) fn forward(pass: &Pass<'_>, first: usize, steps: ops::Range<usize>, states: &mut [State]) {
        let mut tile = TILE.take();
        for at in steps {
            pass.forward(first, at - first, states, &mut tile);
        }
        give_back(tile);
    }
}

dispatch! {
    /// Runs consecutive steps backward, the last one first; `states` are those of steps `first..`.
    pub(crate) fn backward(pass: &Pass<'_>, first: usize, steps: ops::Range<usize>, states: &mut [State]) {
        let mut tile = TILE.take();
        for at in steps.rev() {
            pass.backward(first, at - first, states, &mut tile);
        }
        give_back(tile);
    }
}

/// Exchanges the beliefs of the messages that a step receives with the adjoints of their senders.
#[inline(always)]
fn swap_adjoints(step: &Step, first: usize, before: &mut [State], beliefs: &mut [Vec<f64>]) {
    for (input, belief) in step.inputs.iter().zip(beliefs) {
        if let Source::Message(child) = input.source {
            let kept = before[child - first].kept.get_or_insert_default();
            std::mem::swap(belief, &mut kept.adjoint);
        }
    }
}
