//! The witness of tree reweighting, on either side.

use std::marker::PhantomData;

use forney_certify::{Above, Below, Bound, Certificate, Flaw, Side};
use forney_model::FactorGraph;
use rayon::prelude::*;

use super::forest::{Forest, Room};
use super::prepare::prepare;
use crate::belief_propagation::network::Network;

/// How far the weights of forests may sum beside 1: rounding only.
const WEIGHT_SLACK: f64 = 1e-9;

/// Weighted forests of factors whose parameters add up to the model: a proof of
/// `Σ_T w_T ln Z(θ_T) ≥ ln Z`, or `≤ ln Z` if one weight is positive and the others negative.
///
/// ```text
/// θ_T(x) = Σ_v λ_v + Σ_{a ∈ T} (ln f_a / ρ_a − Σ_{v ∈ a} μ_{a→v})
/// λ_v = θ_v + Σ_{a ∋ v} ρ_a μ_{a→v},   ρ_a = Σ_{T ∋ a} w_T
/// ```
///
/// `θ_v` holds the factors of one variable, which are in every forest. `Σ_T w_T θ_T = ln p̃` holds
/// for *any* shifts `μ`, be they converged messages or not. Factors are numbered as in the model
/// after [pruning](forney_model::Domains::prune) and [merging](forney_model::simplify), those of
/// fewer than two variables left out.
#[derive(Clone, Debug, PartialEq)]
pub struct ForestMixture<S: Side> {
    /// `w_T`, together 1.
    pub weights: Vec<f64>,
    /// The factors of each forest, ascending.
    pub forests: Vec<Vec<usize>>,
    /// `μ_{a→v}(x_v)`, factor by factor, variable by variable of its scope; finite.
    pub shifts: Vec<f64>,
    side: PhantomData<S>,
}

impl<S: Side> ForestMixture<S> {
    /// Joins the parts of a witness; [`Certificate::verify`] judges them.
    #[must_use]
    pub fn new(weights: Vec<f64>, forests: Vec<Vec<usize>>, shifts: Vec<f64>) -> Self {
        Self {
            weights,
            forests,
            shifts,
            side: PhantomData,
        }
    }

    /// `sound` judges the weights and, for each factor, (`ρ_a`, does it hold zeros, is it in
    /// the forest of the largest weight).
    fn recompute(
        &self,
        graph: &FactorGraph,
        of_weights: fn(&[f64]) -> bool,
        of_factor: fn(f64, bool, bool) -> bool,
    ) -> Result<Bound<S>, Flaw> {
        let inner = prepare(graph).map_err(|error| Flaw::Invalid(error.to_string()))?;
        let Some(inner) = inner else {
            let zero = if S::TRIVIAL > 0.0 {
                f64::NEG_INFINITY
            } else {
                S::TRIVIAL
            };
            return Bound::new(zero);
        };
        let mut network = Network::new(&inner);
        let sum: f64 = self.weights.iter().sum();
        // Written so that NaN fails.
        let sound = (sum - 1.0).abs() <= WEIGHT_SLACK && of_weights(&self.weights);
        if !sound || self.weights.len() != self.forests.len() {
            return Err(Flaw::Invalid(format!(
                "the weights {:?} of {} forests are no {} bound",
                self.weights,
                self.forests.len(),
                S::NAME
            )));
        }
        let finite = self.shifts.iter().all(|shift| shift.is_finite());
        if self.shifts.len() != network.num_messages() || !finite {
            return Err(Flaw::Invalid("shifts of another model, or infinite".into()));
        }
        let weights: Vec<f64> = self.weights.iter().map(|weight| weight / sum).collect();
        let forests: Vec<Forest> = (self.forests.iter())
            .map(|members| Forest::new(&network, members.clone()))
            .collect::<Result<_, _>>()?;
        let powers = powers(&network, &weights, &forests);
        let heaviest = (weights.iter().zip(&forests)).max_by(|a, b| a.0.total_cmp(b.0));
        for (number, factor) in network.factors.iter().enumerate() {
            let zeros = network.ln[factor.entries.clone()].contains(&f64::NEG_INFINITY);
            let inside = heaviest.is_some_and(|(_, forest)| forest.members.contains(&number));
            if !of_factor(powers[number], zeros, inside) {
                return Err(Flaw::Invalid(format!(
                    "factor {number} has a weight of {} in all forests together, which is no {} \
                     bound",
                    powers[number],
                    S::NAME
                )));
            }
        }
        network.set_powers(&powers);
        Bound::new(value(&network, &weights, &forests, &self.shifts))
    }
}

impl Certificate<FactorGraph> for ForestMixture<Above> {
    type Side = Above;

    /// `Σ_T w_T ln Z(θ_T)`, every forest summed exactly: all weights have to be ≥ 0, and every
    /// factor in some forest of positive weight.
    fn verify(&self, graph: &FactorGraph) -> Result<Bound<Above>, Flaw> {
        let positive = |weights: &[f64]| weights.iter().all(|&w| w >= 0.0);
        self.recompute(graph, positive, |power, _, _| power > 0.0)
    }
}

impl Certificate<FactorGraph> for ForestMixture<Below> {
    type Side = Below;

    /// `Σ_T w_T ln Z(θ_T)`, every forest summed exactly: one weight has to be > 0, the others < 0,
    /// and every factor that holds hard zeros in the forest of positive weight.
    fn verify(&self, graph: &FactorGraph) -> Result<Bound<Below>, Flaw> {
        let one = |weights: &[f64]| {
            weights.iter().filter(|&&w| w > 0.0).count() == 1
                && weights.iter().filter(|&&w| w < 0.0).count() == weights.len() - 1
        };
        let of_factor = |power: f64, zeros: bool, inside: bool| {
            power > 0.0 && inside || !zeros && power.abs() > 0.0
        };
        self.recompute(graph, one, of_factor)
    }
}

/// `ρ_a = Σ_{T ∋ a} w_T` for every factor.
pub(super) fn powers(network: &Network, weights: &[f64], forests: &[Forest]) -> Vec<f64> {
    let mut powers = vec![0.0; network.factors.len()];
    for (weight, forest) in weights.iter().zip(forests) {
        for &factor in &forest.members {
            powers[factor] += weight;
        }
    }
    powers
}

/// `Σ_T w_T ln Z(θ_T)`; the powers of the network are those of the weights.
pub(super) fn value(network: &Network, weights: &[f64], forests: &[Forest], shifts: &[f64]) -> f64 {
    let mut fields = network.potentials.clone();
    network.fields(shifts, &mut fields);
    let sums: Vec<f64> = forests
        .par_iter()
        .map_init(
            || Room::new(network),
            |room, forest| {
                forest.sum(network, &fields, shifts, room);
                room.ln_z
            },
        )
        .collect();
    // A forest of weight 0 proves nothing, also where its sum is infinite.
    let terms = weights.iter().zip(sums).filter(|(w, _)| w.abs() > 0.0);
    let mixed: f64 = terms.map(|(w, ln_z)| w * ln_z).sum();
    (network.constant + mixed).value()
}
