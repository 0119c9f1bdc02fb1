//! `ln Z_w` as a function of gauges, cost shifts and weights.
//!
//! The upper side takes any gauges. The lower side needs tables that stay positive, because reverse
//! Hölder bounds `Σ|Π f|` and not `|Σ Π f|`: there the objective is `−∞` elsewhere and carries a
//! logarithmic barrier `μ Σ_a mean_x ln f_{a,G}(x)`, which does not depend on the scale of a gauge.

use std::marker::PhantomData;
use std::ops::Range;
use std::sync::Arc;

use forney_bounds::wmbe::WeightMap;
use forney_certify::{Objective, Side};
use forney_exact::{Base, Engine, Schedule};
use forney_model::{FactorGraph, VarId};
use nalgebra::DMatrix;

use crate::axis;
use crate::{GaugeError, GaugedWmbe, Gauges, MAX_CONDITION};

/// `±ln Z_w(G, λ, u)`, to be minimised; one evaluation is one forward and one backward pass.
///
/// The parameters lie one behind the other: the gauges `G_v` of all variables that lie in exactly
/// two tables (row by row), the shifts, and the logits of the weights. On the lower side only
/// variables between two tables without zeros are gauged.
#[derive(Clone, Debug)]
pub struct GaugeObjective<S: WeightMap> {
    engine: Engine,
    /// The bases that have gauges.
    bases: Vec<GaugedBase>,
    gauges: Vec<GaugeSlot>,
    /// `G_v^{-T}`, where `G_v` lies among the parameters.
    inverses: Vec<f64>,
    /// `∂ ln Z_w / ∂δ` for `G ← (I + δ) G`.
    tangents: Vec<f64>,
    weights: Vec<f64>,
    d_weights: Vec<f64>,
    shifts: Vec<f64>,
    d_shifts: Vec<f64>,
    work: Vec<f64>,
    /// `μ`.
    barrier: f64,
    side: PhantomData<S>,
}

/// A base with gauges on some of its axes.
#[derive(Clone, Debug)]
struct GaugedBase {
    /// Its number.
    number: usize,
    legs: Vec<Leg>,
    /// Its entries in the model, the largest of them 1.
    plain: Vec<f64>,
    /// Its entries in the present gauges.
    gauged: Vec<f64>,
}

/// One gauged axis of a base.
#[derive(Clone, Copy, Debug)]
struct Leg {
    gauge: usize,
    stride: usize,
    /// Does `G^{-T}` act here, and not `G`?
    inverse: bool,
}

/// Where the gauge of a variable lies among the parameters.
#[derive(Clone, Debug)]
pub(crate) struct GaugeSlot {
    variable: VarId,
    pub(crate) card: usize,
    pub(crate) range: Range<usize>,
}

impl<S: WeightMap> GaugeObjective<S> {
    /// Loads the model into the schedule.
    #[must_use]
    pub fn new(schedule: Arc<Schedule>, graph: &FactorGraph, keep_signs: bool) -> Self {
        let admitted = |base: usize| is_above::<S>() || is_positive(&schedule.bases()[base], graph);
        let (gauges, legs) = find_gauges(&schedule, graph, admitted);
        let vary: Vec<bool> = legs.iter().map(|legs| !legs.is_empty()).collect();
        let engine = Engine::signed(Arc::clone(&schedule), graph, keep_signs, &vary);
        let gauged = legs.into_iter().enumerate();
        let gauged = gauged.filter(|(_, legs)| !legs.is_empty());
        let bases: Vec<GaugedBase> = gauged
            .map(|(number, legs)| {
                let plain = engine.base(number);
                GaugedBase {
                    number,
                    legs,
                    gauged: plain.clone(),
                    plain,
                }
            })
            .collect();
        let len = gauges.last().map_or(0, |gauge| gauge.range.end);
        let entries = bases.iter().map(|base| base.plain.len());
        let matrices = gauges.iter().map(|gauge| gauge.card * gauge.card);
        let work = entries.chain(matrices).max().unwrap_or(0);
        Self {
            engine,
            bases,
            inverses: vec![0.0; len],
            tangents: vec![0.0; len],
            gauges,
            weights: vec![0.0; schedule.num_weights()],
            d_weights: vec![0.0; schedule.num_weights()],
            shifts: vec![0.0; schedule.num_shifts()],
            d_shifts: vec![0.0; schedule.num_shifts()],
            work: vec![0.0; work],
            barrier: 0.0,
            side: PhantomData,
        }
    }

    /// Sets the weight `μ` of the barrier; the upper side has none.
    #[must_use]
    pub fn with_barrier(mut self, barrier: f64) -> Self {
        self.barrier = barrier;
        self
    }

    /// Identity gauges, no shifts, neutral weights.
    #[must_use]
    pub fn start(&self) -> Vec<f64> {
        let mut x = vec![0.0; self.num_gauge_entries()];
        for gauge in &self.gauges {
            for i in 0..gauge.card {
                x[gauge.range.start + i * gauge.card + i] = 1.0;
            }
        }
        let schedule = self.engine.schedule();
        x.resize(
            x.len() + schedule.num_shifts() + schedule.num_weights(),
            0.0,
        );
        x
    }

    /// As [`GaugeObjective::start`], with gauges found before, on this or another schedule.
    ///
    /// # Panics
    /// If the gauges belong to another model.
    #[must_use]
    pub fn start_at(&self, gauges: &Gauges) -> Vec<f64> {
        let mut x = self.start();
        for slot in &self.gauges {
            if let Some(matrix) = gauges.first(slot.variable) {
                // nalgebra stores columns.
                let rows = matrix.transpose();
                x[slot.range.clone()].copy_from_slice(rows.as_slice());
            }
        }
        x
    }

    /// Entries of all gauges; the shifts follow them.
    #[must_use]
    pub fn num_gauge_entries(&self) -> usize {
        self.inverses.len()
    }

    /// The schedule.
    #[must_use]
    pub fn schedule(&self) -> &Arc<Schedule> {
        self.engine.schedule()
    }

    /// The witness at these parameters.
    ///
    /// # Errors
    /// A gauge too close to singular.
    pub fn witness(&self, x: &[f64], graph: &FactorGraph) -> Result<GaugedWmbe<S>, GaugeError> {
        let schedule = self.engine.schedule();
        let matrices = self.gauges.iter().map(|gauge| {
            let entries = &x[gauge.range.clone()];
            let matrix = DMatrix::from_row_slice(gauge.card, gauge.card, entries);
            (gauge.variable, matrix)
        });
        let gauges = Gauges::new(graph, matrices.collect())?;
        let (shifts, logits) = x[self.inverses.len()..].split_at(schedule.num_shifts());
        let mut weights = vec![0.0; logits.len()];
        for split in schedule.splits() {
            let part = split.first_weight..split.first_weight + split.steps.len();
            S::weights(&logits[part.clone()], &mut weights[part]);
        }
        Ok(GaugedWmbe::new(
            Arc::clone(schedule),
            gauges,
            weights,
            shifts.to_vec(),
        ))
    }

    pub(crate) fn gauges(&self) -> &[GaugeSlot] {
        &self.gauges
    }

    /// `∂ ln Z_w / ∂δ` for `G ← (I + δ) G`, equation (36), where it was evaluated last.
    pub(crate) fn tangents(&self) -> &[f64] {
        &self.tangents
    }

    /// `∂ ln Z_w / ∂w_r = H_r` where it was evaluated last.
    pub(crate) fn weight_gradient(&self) -> &[f64] {
        &self.d_weights
    }

    /// The value and all gradients at explicit weights; the gauge part as tangents
    /// `∂ ln Z_w / ∂δ` for `G ← (I + δ) G`, equation (36) of Ahn et al. (2018).
    fn pass(&mut self, x: &[f64]) -> f64 {
        for gauge in &self.gauges {
            let matrix = &x[gauge.range.clone()];
            let out = &mut self.inverses[gauge.range.clone()];
            let inverted = axis::inverse_transpose(matrix, gauge.card, &mut self.work, out);
            // ‖G‖ ‖G⁻¹‖ in Frobenius norms is at least the condition number. Written so that NaN
            // is outside of the domain as well.
            let squared = |entries: &[f64]| entries.iter().map(|x| x * x).sum::<f64>();
            let sound = squared(matrix) * squared(out) <= MAX_CONDITION * MAX_CONDITION;
            if !(inverted && sound) {
                return f64::NAN;
            }
        }
        for base in &mut self.bases {
            // Axis after axis, to and fro.
            let mut from = &mut base.gauged[..];
            let mut to = &mut self.work[..base.plain.len()];
            from.copy_from_slice(&base.plain);
            for leg in &base.legs {
                let gauge = &self.gauges[leg.gauge];
                let matrix = if leg.inverse { &self.inverses } else { x };
                let matrix = &matrix[gauge.range.clone()];
                axis::apply(from, gauge.card, leg.stride, matrix, to);
                std::mem::swap(&mut from, &mut to);
            }
            if base.legs.len() % 2 == 1 {
                to.copy_from_slice(from);
            }
            self.engine.set_base(base.number, &base.gauged);
        }
        let mut value = self.engine.forward(&self.weights, &self.shifts);
        self.engine.backward(
            &self.weights,
            &self.shifts,
            false,
            &mut self.d_weights,
            &mut self.d_shifts,
        );
        self.tangents.fill(0.0);
        for base in &self.bases {
            let values = &base.gauged;
            let adjoint = &mut self.work[..values.len()];
            self.engine.base_gradient(base.number, values, adjoint);
            if !is_above::<S>() {
                // Written so that NaN counts as negative.
                if !values.iter().all(|&x| x > 0.0) {
                    return f64::NAN;
                }
                let share = self.barrier / values.len() as f64;
                value += share * values.iter().map(|x| x.ln()).sum::<f64>();
                for (a, x) in adjoint.iter_mut().zip(values) {
                    *a += share / x;
                }
            }
            for leg in &base.legs {
                let gauge = &self.gauges[leg.gauge];
                let contracted = &mut self.tangents[gauge.range.clone()];
                if leg.inverse {
                    // −D_bᵀ: the roles of table and adjoint change places.
                    contracted.iter_mut().for_each(|x| *x = -*x);
                    axis::contract(values, adjoint, gauge.card, leg.stride, contracted);
                    contracted.iter_mut().for_each(|x| *x = -*x);
                } else {
                    axis::contract(adjoint, values, gauge.card, leg.stride, contracted);
                }
            }
        }
        value
    }

    fn set_parameters(&mut self, x: &[f64]) {
        let schedule = Arc::clone(self.engine.schedule());
        let (shifts, logits) = x[self.inverses.len()..].split_at(schedule.num_shifts());
        self.shifts.copy_from_slice(shifts);
        for split in schedule.splits() {
            let part = split.first_weight..split.first_weight + split.steps.len();
            S::weights(&logits[part.clone()], &mut self.weights[part]);
        }
    }
}

impl<S: WeightMap> Objective for GaugeObjective<S> {
    fn evaluate(&mut self, x: &[f64], gradient: &mut [f64]) -> f64 {
        self.set_parameters(x);
        let value = self.pass(x);
        if value.is_nan() {
            gradient.fill(f64::NAN);
            return value;
        }
        let (d_gauges, rest) = gradient.split_at_mut(self.inverses.len());
        // G changes by δG, so ∂/∂G = E G^{-T}.
        for gauge in &self.gauges {
            axis::product(
                &self.tangents[gauge.range.clone()],
                &self.inverses[gauge.range.clone()],
                gauge.card,
                &mut d_gauges[gauge.range.clone()],
            );
        }
        let (d_shifts, d_logits) = rest.split_at_mut(self.shifts.len());
        d_shifts.copy_from_slice(&self.d_shifts);
        let logits = &x[self.inverses.len() + self.shifts.len()..];
        for split in self.engine.schedule().splits() {
            let part = split.first_weight..split.first_weight + split.steps.len();
            S::pull_back(
                &logits[part.clone()],
                &self.d_weights[part.clone()],
                &mut d_logits[part],
            );
        }
        gradient.iter_mut().for_each(|g| *g *= S::SENSE);
        S::SENSE * value
    }
}

/// Is this the side of upper bounds?
pub(crate) fn is_above<S: Side>() -> bool {
    S::TRIVIAL > 0.0
}

/// Is every entry of a base positive as a plain number beside the largest?
fn is_positive(base: &Base, graph: &FactorGraph) -> bool {
    let factors = base
        .factors
        .iter()
        .map(|a| graph.factors()[a.index()].relative());
    let least = factors.map(|ln| ln.iter().copied().fold(0.0, f64::min));
    least.sum::<f64>() >= f64::MIN_POSITIVE.ln()
}

/// Every variable whose two factors lie in two different bases that are admitted, with the legs of each base.
fn find_gauges(
    schedule: &Schedule,
    graph: &FactorGraph,
    admitted: impl Fn(usize) -> bool,
) -> (Vec<GaugeSlot>, Vec<Vec<Leg>>) {
    let mut base_of = vec![usize::MAX; graph.num_factors()];
    for (number, base) in schedule.bases().iter().enumerate() {
        for a in &base.factors {
            base_of[a.index()] = number;
        }
    }
    let mut gauges: Vec<GaugeSlot> = Vec::new();
    let mut legs = vec![Vec::new(); schedule.bases().len()];
    let mut end = 0;
    for v in graph.variables().filter(|&v| graph.card(v) > 1) {
        let mut factors: Vec<_> = graph.factors_of(v).collect();
        factors.sort_unstable();
        let &[first, second] = &factors[..] else {
            continue;
        };
        let sides = [first, second].map(|a| base_of[a.index()]);
        if sides[0] == sides[1] || !sides.iter().all(|&side| admitted(side)) {
            continue;
        }
        let card = graph.card(v);
        let gauge = gauges.len();
        end += card * card;
        gauges.push(GaugeSlot {
            variable: v,
            card,
            range: end - card * card..end,
        });
        for (side, inverse) in sides.into_iter().zip([false, true]) {
            let scope = &schedule.bases()[side].scope;
            let after = scope.iter().skip_while(|&&u| u != v).skip(1);
            legs[side].push(Leg {
                gauge,
                stride: after.map(|&u| graph.card(u)).product(),
                inverse,
            });
        }
    }
    (gauges, legs)
}
