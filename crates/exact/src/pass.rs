//! One step of a pass: where its inputs come from and where its beliefs go.

use crate::backward::{backward, entropy};
use crate::layout::MAX_INPUTS;
use crate::prepare::reserve;
use crate::schedule::{Schedule, Source, Step};
use crate::signed::Varying;
use crate::step::{self, Algebra, Scratch};
use crate::table::{Values, View};
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

    fn adjoint(&mut self) -> &mut Vec<f64> {
        &mut self.kept.get_or_insert_default().adjoint
    }
}

/// What a pass reads besides the messages.
#[derive(Clone, Copy)]
pub(crate) struct Pass<'p> {
    pub(crate) schedule: &'p Schedule,
    pub(crate) bases: &'p [Values],
    pub(crate) weights: &'p [f64],
    pub(crate) shifts: &'p [f64],
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
    fn weight(&self, step: &Step) -> f64 {
        step.weight.map_or(1.0, |at| self.weights[at])
    }

    /// Writes the inputs of a step; `messages` holds the states of steps `first..`.
    ///
    /// Field by field: a view that is built elsewhere and copied is read wide right after it was
    /// written narrow, which waits for the stores to retire. That was a third of a pass over small cliques.
    #[inline(always)]
    fn views<'a, 'v>(
        &self,
        step: &Step,
        first: usize,
        messages: &'v [State],
        views: &'a mut [View<'v>; MAX_INPUTS],
    ) -> &'a [View<'v>]
    where
        'p: 'v,
    {
        for (view, input) in views.iter_mut().zip(&step.inputs) {
            match input.source {
                Source::Base(base) => view.set(&self.bases[base], input.len),
                Source::Message(child) => view.set(&messages[child - first].message, input.len),
                Source::Shift(shift, added) => {
                    let offset = self.schedule.shifts()[shift].offset;
                    view.set_shift(&self.shifts[offset..offset + input.len], added);
                }
            }
        }
        &views[..step.inputs.len()]
    }

    pub(crate) fn forward(
        &self,
        step: &Step,
        first: usize,
        before: &[State],
        message: &mut Values,
        scratch: &mut Scratch,
    ) {
        if self.watch.stop_before(first + before.len(), step.entries()) {
            return;
        }
        let mut views = [View::NONE; MAX_INPUTS];
        let views = self.views(step, first, before, &mut views);
        let weight = self.weight(step);
        let receiver = step.parent.map(|p| &self.schedule.steps()[p]);
        let plain = step.weight.is_none() && receiver.is_none_or(|p| p.weight.is_none());
        step::forward(
            step,
            self.algebra,
            self.watch,
            weight,
            self.varying.signs(first + before.len()),
            views,
            plain,
            scratch,
            message,
        );
    }

    pub(crate) fn forward_kept(&self, first: usize, at: usize, states: &mut [State]) {
        if self.known && self.fixed[first + at] {
            return;
        }
        let step = &self.schedule.steps()[first + at];
        let (before, rest) = states.split_at_mut(at);
        let State { message, kept } = &mut rest[0];
        let scratch = &mut kept.get_or_insert_default().scratch;
        self.forward(step, first, before, message, scratch);
    }

    pub(crate) fn backward_kept(&self, first: usize, at: usize, states: &mut [State]) {
        if self.fixed[first + at] && !self.factor_beliefs {
            return;
        }
        let step = &self.schedule.steps()[first + at];
        let weight = self.weight(step);
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
        for (input, belief) in step.inputs.iter().zip(&mut kept.beliefs) {
            if let Source::Message(child) = input.source {
                std::mem::swap(belief, before[child - first].adjoint());
            }
        }
        let mut views = [View::NONE; MAX_INPUTS];
        let views = self.views(step, first, before, &mut views);
        {
            let mut targets: [Option<&mut [f64]>; MAX_INPUTS] = Default::default();
            for ((target, input), belief) in
                targets.iter_mut().zip(&step.inputs).zip(&mut kept.beliefs)
            {
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
            let adjoint = &kept.adjoint[..step.cols];
            let targets = &mut targets[..step.inputs.len()];
            backward(
                step,
                weight,
                self.varying.signs(first + at),
                views,
                &mut kept.scratch,
                message,
                adjoint,
                targets,
            );
        }
        if step.weight.is_some() {
            let mut beliefs: [&[f64]; MAX_INPUTS] = [&[]; MAX_INPUTS];
            for ((slot, belief), input) in beliefs.iter_mut().zip(&kept.beliefs).zip(&step.inputs) {
                *slot = &belief[..input.len];
            }
            let adjoint = &kept.adjoint[..step.cols];
            kept.entropy = entropy(
                weight,
                views,
                &kept.scratch,
                message,
                adjoint,
                &beliefs[..step.inputs.len()],
            );
        }
        for (input, belief) in step.inputs.iter().zip(&mut kept.beliefs) {
            if let Source::Message(child) = input.source {
                std::mem::swap(belief, before[child - first].adjoint());
            }
        }
    }
}
