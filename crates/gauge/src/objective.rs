//! `ln Z_w` as a function of gauges, cost shifts and weights.
//!
//! The upper side takes any gauges. The lower side needs tables that stay positive, because reverse
//! Hölder bounds `Σ|Π f|` and not `|Σ Π f|`: there the objective is `−∞` elsewhere and carries a
//! logarithmic barrier `μ Σ_a mean_x ln f_{a,G}(x)`, which does not depend on the scale of a gauge.

use std::marker::PhantomData;
use std::sync::Arc;

use forney_bounds::wmbe::{WeightMap, WmbeObjective, all_pulled_back, all_weights};
use forney_certify::Objective;
use forney_exact::{Base, Engine, Schedule};
use forney_model::{FactorGraph, VarId};

use crate::gauges::two_factors;
use crate::moving::{Leg, MovingGauges};
use crate::witness::is_above;
use crate::{GaugeError, GaugedWmbe, Gauges};

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
    gauges: MovingGauges,
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
        let work = bases.iter().map(|base| base.plain.len()).max();
        Self {
            engine,
            bases,
            gauges,
            weights: vec![0.0; schedule.num_weights()],
            d_weights: vec![0.0; schedule.num_weights()],
            shifts: vec![0.0; schedule.num_shifts()],
            d_shifts: vec![0.0; schedule.num_shifts()],
            work: vec![0.0; work.unwrap_or(0)],
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
        self.start_from(None)
    }

    /// As [`GaugeObjective::start`], with gauges found before, on this or another schedule.
    ///
    /// # Panics
    /// If the gauges belong to another model.
    #[must_use]
    pub fn start_at(&self, gauges: &Gauges) -> Vec<f64> {
        self.start_from(Some(gauges))
    }

    fn start_from(&self, gauges: Option<&Gauges>) -> Vec<f64> {
        let mut x = self.gauges.parameters(gauges);
        let schedule = self.engine.schedule();
        let rest = schedule.num_shifts() + schedule.num_weights();
        x.resize(x.len() + rest, 0.0);
        x
    }

    /// Entries of all gauges; the shifts follow them.
    #[must_use]
    pub fn num_gauge_entries(&self) -> usize {
        self.gauges.len()
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
        let gauges = self.gauges.gauges(x, graph)?;
        let plain = WmbeObjective::<S>::witness_at(self.schedule(), &x[self.gauges.len()..]);
        Ok(GaugedWmbe::in_gauges(plain, gauges))
    }

    /// The gauges; their tangents `∂ ln Z_w / ∂δ` for `G ← (I + δ) G`, equation (36), are those where it was
    /// evaluated last.
    pub(crate) fn gauges(&self) -> &MovingGauges {
        &self.gauges
    }

    /// `∂ ln Z_w / ∂w_r = H_r` where it was evaluated last.
    pub(crate) fn weight_gradient(&self) -> &[f64] {
        &self.d_weights
    }

    /// The value and all gradients at explicit weights; the gauge part as tangents
    /// `∂ ln Z_w / ∂δ` for `G ← (I + δ) G`, equation (36) of Ahn et al. (2018).
    fn pass(&mut self, x: &[f64]) -> f64 {
        if !self.gauges.invert(x) {
            return f64::NAN;
        }
        for base in &mut self.bases {
            let room = &mut self.work[..base.plain.len()];
            (self.gauges).transform(x, &base.legs, &base.plain, &mut base.gauged, room);
        }
        // In a loop of its own: wide vectors would wait for what was just written entry by entry.
        for base in &self.bases {
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
            self.gauges.pull_back(&base.legs, values, adjoint);
        }
        value
    }

    fn set_parameters(&mut self, x: &[f64]) {
        let schedule = self.engine.schedule();
        let (shifts, logits) = x[self.gauges.len()..].split_at(schedule.num_shifts());
        self.shifts.copy_from_slice(shifts);
        all_weights::<S>(schedule, logits, &mut self.weights);
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
        let (d_gauges, rest) = gradient.split_at_mut(self.gauges.len());
        self.gauges.gradient(d_gauges);
        let (d_shifts, d_logits) = rest.split_at_mut(self.shifts.len());
        d_shifts.copy_from_slice(&self.d_shifts);
        let logits = &x[self.gauges.len() + self.shifts.len()..];
        all_pulled_back::<S>(self.engine.schedule(), logits, &self.d_weights, d_logits);
        gradient.iter_mut().for_each(|g| *g *= S::SENSE);
        S::SENSE * value
    }
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
) -> (MovingGauges, Vec<Vec<Leg>>) {
    let mut base_of = vec![usize::MAX; graph.num_factors()];
    for (number, base) in schedule.bases().iter().enumerate() {
        for a in &base.factors {
            base_of[a.index()] = number;
        }
    }
    let scopes: Vec<&[VarId]> = schedule
        .bases()
        .iter()
        .map(|base| &base.scope[..])
        .collect();
    let wide = graph.variables().filter(|&v| graph.card(v) > 1);
    let gauged = wide.filter_map(|v| {
        let sides = two_factors(graph, v)?.map(|a| base_of[a.index()]);
        let apart = sides[0] != sides[1] && sides.iter().all(|&side| admitted(side));
        apart.then_some((v, sides))
    });
    MovingGauges::new(graph, &scopes, gauged)
}
