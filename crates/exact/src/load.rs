//! The factors of a model as tables of a schedule, their scales left out.

use forney_certify::DoubleDouble;
use forney_model::{FactorGraph, Table, VarId};

use crate::layout::expand;
use crate::prepare::SAFE;
use crate::schedule::Base;
use crate::table::{Form, Range, Values};

/// Multiplies the factors of a base; plain (largest entry 1) unless its step is split.
pub(crate) fn load(base: &Base, graph: &FactorGraph, split: bool) -> Values {
    let mut data = vec![0.0; base.len];
    for &a in &base.factors {
        let factor = &graph.factors()[a.index()];
        add_factor(factor, &base.scope, graph.cards(), &mut data);
    }
    let range = Range::of(Form::Log, &data);
    if split || range.is_empty() || range.spread() > SAFE {
        return Values {
            form: Form::Log,
            data,
            ln_scale: DoubleDouble::ZERO,
            range,
        };
    }
    for x in &mut data {
        *x = (*x - range.max).exp();
    }
    let normed = Range {
        min: range.min - range.max,
        max: 0.0,
    };
    Values {
        form: Form::Linear,
        data,
        ln_scale: range.max.into(),
        range: normed,
    }
}

/// Adds `ln (f / max f)` to a table over a larger scope.
fn add_factor(factor: &Table, scope: &[VarId], cards: &[usize], data: &mut [f64]) {
    let inside: Vec<VarId> = scope
        .iter()
        .copied()
        .filter(|v| factor.scope().contains(v))
        .collect();
    let single: Vec<VarId> = factor
        .scope()
        .iter()
        .copied()
        .filter(|v| cards[v.index()] == 1)
        .collect();
    // Variables of one state have no axis in a base; in front they change no offset.
    let factor = factor.permuted(&[single, inside].concat());
    let axes = |scope: &[VarId]| -> Vec<(usize, usize)> {
        scope
            .iter()
            .map(|v| (v.index(), cards[v.index()]))
            .collect()
    };
    let offsets = expand(&axes(scope), &axes(factor.scope()));
    for (x, at) in data.iter_mut().zip(offsets) {
        *x += factor.relative()[at];
    }
}
