//! Negative weights: a lower bound by quasi-Newton ascent on shifts and weights.

use std::sync::Arc;

use forney_certify::{Below, Lbfgs, Objective, Refine};
use forney_model::FactorGraph;
use rayon::prelude::*;

use super::forest::{Forest, Room};
use super::mixture::{ForestMixture, powers};
use super::prepare::{ForestError, prepare};
use crate::belief_propagation::network::Network;
use crate::wmbe::WeightMap;

// All of these were set by hand, and not tuned.

/// Once a sweep of shifts alone gains less than this, in nats, the weights move, too.
const SHIFT_GAIN: f64 = 0.1;

/// Pairs that L-BFGS remembers.
const MEMORY: usize = 10;

/// The first negative weights are about `−exp` of this. Far from 0 the bound is smooth in the
/// shifts; the best weights, mostly near 0, are reached by way of it.
const FIRST_LOGIT: f64 = 0.0;

/// Curvature of a shift over that of a logit, roughly. Without it the first steps carry the
/// weights off to where nothing moves them any more.
const LOGIT_SCALE: f64 = 1e-2;

/// Negative tree reweighting (Liu & Ihler 2010): the best lower bound `Σ_T w_T ln Z(θ_T)` with one
/// positive weight, over shifts and weights together.
///
/// The forests share no factor. The one of positive weight holds the factors with hard zeros, then
/// the strongest ones; if it holds all, the bound is exact. No [`sweep`](Refine::sweep) lowers the
/// bound.
///
/// # Complexity
/// A sweep takes one evaluation, usually: two message passes over every forest, in parallel.
///
/// # Example
/// ```
/// use forney_bounds::NegativeTreeReweighted;
/// use forney_certify::{Certificate, Refine};
/// use forney_model::{enumerate::enumerate, generate::ising_grid};
/// use rand::SeedableRng;
/// let model = ising_grid(4, 1.0, 0.5, &mut rand_pcg::Pcg64::seed_from_u64(3));
/// let mut ascent = NegativeTreeReweighted::new(&model)?;
/// let value = ascent.sweep();
/// let lower = ascent.point().verify(&model)?;
/// assert!((lower.ln() - value).abs() < 1e-9 && value <= enumerate(&model).ln_z);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct NegativeTreeReweighted {
    descent: Lbfgs<NegativeValue>,
}

/// `−Σ_T w_T ln Z(θ_T)` of shifts and logits of weights.
#[derive(Clone, Debug)]
struct NegativeValue {
    network: Network,
    forests: Arc<[Forest]>,
    rooms: Vec<Room>,
    weights: Vec<f64>,
    d_weights: Vec<f64>,
    fields: Vec<f64>,
    /// `B_v = Σ_T w_T b_{T,v}`.
    mixed: Vec<f64>,
    /// Only the shifts move.
    weights_fixed: bool,
}

impl NegativeTreeReweighted {
    /// Chooses the forests and starts without shifts.
    ///
    /// # Errors
    /// [`ForestError`] if `Z = 0` is found out, or if factors with hard zeros close a cycle.
    ///
    /// # Panics
    /// Never: what is chosen are spanning forests.
    pub fn new(graph: &FactorGraph) -> Result<Self, ForestError> {
        let inner = prepare(graph)?.ok_or(ForestError::NoAssignment)?;
        let network = Network::new(&inner);
        let zeros = |factor: usize| {
            let entries = network.factors[factor].entries.clone();
            network.ln[entries].contains(&f64::NEG_INFINITY)
        };
        let mut left: Vec<usize> = (0..network.factors.len()).collect();
        let mut cavities = network.cavities();
        cavities.plain.fill(1.0);
        let strengths: Vec<f64> = (left.iter())
            .map(|&factor| match zeros(factor) {
                true => f64::INFINITY,
                false => network.information(factor, &mut cavities),
            })
            .collect();
        let mut forests = Vec::new();
        while forests.is_empty() || !left.is_empty() {
            let members = network.heaviest_forest(left.clone(), &strengths);
            left.retain(|factor| members.binary_search(factor).is_err());
            forests.push(Forest::new(&network, members).expect("a spanning forest"));
        }
        let outside = forests[1..].iter().flat_map(|forest| &forest.members);
        if let Some(&factor) = outside.into_iter().find(|&&factor| zeros(factor)) {
            let table = &inner.factors()[network.factors[factor].id];
            return Err(ForestError::ZerosOnCycle {
                scope: table.scope().to_vec(),
            });
        }
        let count = forests.len();
        let mut start = vec![0.0; network.num_messages()];
        start.resize(start.len() + count, FIRST_LOGIT);
        let value = NegativeValue {
            rooms: vec![Room::new(&network); count],
            forests: forests.into(),
            weights: vec![0.0; count],
            d_weights: vec![0.0; count],
            fields: network.potentials.clone(),
            mixed: network.potentials.clone(),
            network,
            weights_fixed: true,
        };
        Ok(Self {
            descent: descent(value, start),
        })
    }
}

/// Ascent on the bound, from a point.
fn descent(objective: NegativeValue, start: Vec<f64>) -> Lbfgs<NegativeValue> {
    let mut scaling = vec![1.0; start.len()];
    scaling[objective.network.num_messages()..].fill(LOGIT_SCALE);
    Lbfgs::new(objective, start, MEMORY).with_scaling(scaling)
}

impl Objective for NegativeValue {
    /// With `ρ_a = Σ_{T ∋ a} w_T` and `θ_T` as in [`ForestMixture`],
    ///
    /// ```text
    /// ∂/∂μ_{a→v} = ρ_a B_v − Σ_{T ∋ a} w_T b_{T,v}
    /// ∂/∂w_T     = ln Z_T + Σ_{a ∈ T} (Σ_{v ∈ a} μ_{a→v}·B_v − Σ_{T' ∋ a} w_{T'} E_{T'}[ln f_a] / ρ_a²)
    /// ```
    fn evaluate(&mut self, x: &[f64], gradient: &mut [f64]) -> f64 {
        let (shifts, logits) = x.split_at(self.network.num_messages());
        let (d_shifts, d_logits) = gradient.split_at_mut(shifts.len());
        <Below as WeightMap>::weights(logits, &mut self.weights);
        let powers = powers(&self.network, &self.weights, &self.forests);
        self.network.set_powers(&powers);
        self.network.fields(shifts, &mut self.fields);
        let (network, fields) = (&self.network, &self.fields);
        (self.rooms.par_iter_mut())
            .zip(&*self.forests)
            .for_each(|(room, forest)| {
                forest.sum(network, fields, shifts, room);
                forest.beliefs(network, shifts, room);
            });

        let mut value = 0.0;
        self.mixed.fill(0.0);
        for (weight, room) in self.weights.iter().zip(&self.rooms) {
            value += weight * room.ln_z;
            for (mixed, belief) in self.mixed.iter_mut().zip(&room.beliefs) {
                *mixed += weight * belief;
            }
        }
        let parts = self.forests.iter().zip(&self.rooms).zip(&self.weights);
        for (((forest, room), weight), d_weight) in parts.zip(&mut self.d_weights) {
            *d_weight = room.ln_z;
            for (&a, mean) in forest.members.iter().zip(&room.means) {
                let factor = &network.factors[a];
                // No factor is in two forests, so that ρ_a is the weight of this one.
                *d_weight -= mean / weight;
                for axis in &network.axes[factor.axes.clone()] {
                    for (entry, state) in axis.message().zip(axis.states()) {
                        *d_weight += shifts[entry] * self.mixed[state];
                        d_shifts[entry] = -weight * (self.mixed[state] - room.beliefs[state]);
                    }
                }
            }
        }
        <Below as WeightMap>::pull_back(logits, &self.d_weights, d_logits);
        for d in d_logits {
            *d = if self.weights_fixed { 0.0 } else { -*d };
        }
        -(network.constant + value).value()
    }
}

impl Refine for NegativeTreeReweighted {
    type Point = ForestMixture<Below>;

    fn sweep(&mut self) -> f64 {
        let before = self.descent.value();
        let value = self.descent.sweep();
        // Written so that NaN moves on.
        let gained = before - value >= SHIFT_GAIN;
        if gained || !self.descent.objective().weights_fixed {
            return -value;
        }
        let mut objective = self.descent.objective().clone();
        objective.weights_fixed = false;
        self.descent = descent(objective, self.descent.point());
        -self.descent.sweep()
    }

    fn point(&self) -> ForestMixture<Below> {
        let x = self.descent.point();
        let value = self.descent.objective();
        let (shifts, logits) = x.split_at(value.network.num_messages());
        let mut weights = vec![0.0; logits.len()];
        <Below as WeightMap>::weights(logits, &mut weights);
        let members = |forest: &Forest| forest.members.clone();
        let forests = value.forests.iter().map(members).collect();
        ForestMixture::new(weights, forests, shifts.to_vec())
    }
}

#[cfg(test)]
mod tests {
    use forney_model::generate::mobius;
    use forney_testing::{assert_gradient, rng};
    use rand::RngExt;

    use super::*;

    #[test]
    fn the_gradient_agrees_with_differences() {
        let mut rng = rng(3);
        let graph = mobius(8, 1.0, &mut rng);
        let mut value = NegativeTreeReweighted::new(&graph)
            .unwrap()
            .descent
            .objective()
            .clone();
        assert!(value.forests.len() > 1);
        let len = value.network.num_messages() + value.forests.len();
        let x: Vec<f64> = (0..len).map(|_| rng.random::<f64>() - 0.5).collect();
        value.weights_fixed = false;
        let evaluate = |x: &[f64], gradient: &mut [f64]| value.evaluate(x, gradient);
        assert_gradient(evaluate, x, 0..len, (1e-5, 1e-6), "mobius");
    }
}
