//! A single pass over a schedule without splits: nothing is held for another one.

use forney_certify::{Budget, DoubleDouble};
use forney_model::FactorGraph;

use crate::engine::{constant, root_value};
use crate::layout::MAX_INPUTS;
use crate::load::load;
use crate::schedule::{Schedule, Source};
use crate::step::{Algebra, Scratch, Signs, forward};
use crate::table::{Values, View};
use crate::watch::Watch;

/// `ln Z` along a schedule that splits nothing, in nats, to twice the digits; `None` if the budget
/// ended first.
///
/// Factors are multiplied into the tables of a step when its turn comes, and these tables are those
/// of the next step after it: beside the messages that are alive together no more is held than the
/// factors of one step.
pub(crate) fn ln_z_once(
    schedule: &Schedule,
    graph: &FactorGraph,
    budget: Option<&Budget>,
) -> Option<DoubleDouble> {
    assert!(schedule.is_exact(), "a split schedule has no ln Z");
    let watch = Watch::new(budget);
    let mut ln_z = constant(schedule, graph);
    let sizes = schedule.buffers.sizes.iter();
    let mut messages: Vec<Values> = sizes.map(|_| Values::empty()).collect();
    let mut bases: [Values; MAX_INPUTS] = std::array::from_fn(|_| Values::empty());
    let mut scratch = Scratch::default();
    for (at, step) in schedule.steps().iter().enumerate() {
        if watch.stop_before(at, step.entries()) {
            return None;
        }
        for (input, table) in step.inputs.iter().zip(&mut bases) {
            if let Source::Base(base) = input.source {
                load(&schedule.bases()[base], graph, false, &watch, table);
                ln_z += table.ln_scale;
            }
        }
        let own = schedule.buffers.of(at);
        let mut message = std::mem::replace(&mut messages[own], Values::empty());
        let mut views = [View::NONE; MAX_INPUTS];
        for ((view, input), table) in views.iter_mut().zip(&step.inputs).zip(&bases) {
            match input.source {
                Source::Base(_) => view.set(table, input.len),
                Source::Message(child) => {
                    view.set(&messages[schedule.buffers.of(child)], input.len);
                }
                Source::Shift(..) => unreachable!("an exact schedule has no shifts"),
            }
        }
        let views = &views[..step.inputs.len()];
        // A base that was not loaded to its end goes no further.
        if watch.is_over() {
            return None;
        }
        forward(
            step,
            Algebra::Sum,
            &watch,
            1.0,
            Signs::Absent,
            views,
            true,
            &mut scratch,
            &mut message,
        );
        if watch.is_over() {
            return None;
        }
        ln_z += message.ln_scale;
        if step.parent.is_none() {
            ln_z += root_value(&message);
        }
        messages[own] = message;
    }
    (!watch.stop()).then_some(ln_z)
}
