//! The factors of a model as tables of a schedule, their scales left out.

use forney_certify::DoubleDouble;
use forney_model::walk::advance;
use forney_model::{FactorGraph, Table, VarId};

use crate::layout::MAX_AXES;
use crate::prepare::{SAFE, reserve};
use crate::schedule::{Base, Schedule};
use crate::table::{Form, Range, Values, range};
use crate::watch::Watch;

/// The clock is read after so many entries, a small part of a millisecond.
const GLANCE: usize = 1 << 14;

/// `Σ ln |X_v|` of the free variables.
pub(crate) fn ln_states(schedule: &Schedule) -> DoubleDouble {
    let cards = schedule.free().iter().map(|v| schedule.cards()[v.index()]);
    cards.map(|card| DoubleDouble::ln(card as f64)).sum()
}

/// What no pass changes: `Σ ln` of the scales of the factors, of constant ones, and of the
/// cardinalities of free variables.
pub(crate) fn constant(schedule: &Schedule, graph: &FactorGraph) -> DoubleDouble {
    assert_eq!(
        schedule.cards(),
        graph.cards(),
        "a schedule of another model"
    );
    let constants = schedule.constants().iter();
    let constants = constants.map(|a| graph.factors()[a.index()].relative()[0]);
    graph.ln_scale() + ln_states(schedule) + constants.sum::<DoubleDouble>()
}

/// Multiplies the factors of a base into `values`; plain (largest entry 1) unless its step is split.
/// Void if the watch says that it is over.
pub(crate) fn load(
    base: &Base,
    graph: &FactorGraph,
    split: bool,
    watch: &Watch<'_>,
    values: &mut Values,
) {
    let data = reserve(&mut values.data, base.len);
    data.fill(0.0);
    for &a in &base.factors {
        let factor = &graph.factors()[a.index()];
        add_factor(factor, &base.scope, graph.cards(), watch, data);
    }
    values.form = Form::Log;
    values.ln_scale = DoubleDouble::ZERO;
    values.range = Range::EMPTY;
    for part in data.chunks(GLANCE) {
        if watch.stop_within(base.len) {
            return;
        }
        values.range = values.range.join(range(Form::Log, part));
    }
    let range = values.range;
    if split || range.is_empty() || range.spread() > SAFE {
        return;
    }
    for part in data.chunks_mut(GLANCE) {
        if watch.stop_within(base.len) {
            return;
        }
        for x in part {
            *x = (*x - range.max).exp();
        }
    }
    values.form = Form::Linear;
    values.ln_scale = range.max.into();
    values.range = Range {
        min: range.min - range.max,
        max: 0.0,
    };
}

/// Adds `ln (f / max f)` to a table over a larger scope.
fn add_factor(
    factor: &Table,
    scope: &[VarId],
    cards: &[usize],
    watch: &Watch<'_>,
    data: &mut [f64],
) {
    let Some((last, outer)) = scope.split_last() else {
        data[0] += factor.relative()[0];
        return;
    };
    // How far a step along each axis of the larger scope moves in the factor; not at all where the
    // factor lacks it. Variables of one state have no axis in a base, and move nothing here.
    let mut strides = [0; MAX_AXES];
    let mut stride = 1;
    for (v, card) in factor.scope().iter().zip(factor.cards()).rev() {
        if let Some(axis) = scope.iter().position(|w| w == v) {
            strides[axis] = stride;
        }
        stride *= card;
    }
    let (inner, step) = (cards[last.index()], strides[outer.len()]);
    let mut outer_cards = [1; MAX_AXES];
    for (own, v) in outer_cards.iter_mut().zip(outer) {
        *own = cards[v.index()];
    }
    let outer_cards = &outer_cards[..outer.len()];
    let mut state = [0; MAX_AXES];
    let (mut at, mut since) = (0, 0);
    for row in data.chunks_exact_mut(inner) {
        since += inner;
        if since >= GLANCE {
            since = 0;
            if watch.stop() {
                return;
            }
        }
        let entries = &factor.relative()[at..];
        match step {
            0 => row.iter_mut().for_each(|x| *x += entries[0]),
            1 => row.iter_mut().zip(entries).for_each(|(x, ln)| *x += ln),
            _ => {
                let entries = entries.iter().step_by(step);
                row.iter_mut().zip(entries).for_each(|(x, ln)| *x += ln);
            }
        }
        advance(&mut state[..outer.len()], outer_cards, |axis, back| {
            if back {
                at -= strides[axis] * (outer_cards[axis] - 1);
            } else {
                at += strides[axis];
            }
        });
    }
}
