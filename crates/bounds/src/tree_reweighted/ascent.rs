//! Message passing at fixed edge appearance probabilities, and conditional gradient on these.

use std::mem::take;

use forney_certify::{Above, Refine};
use forney_model::FactorGraph;

use super::forest::Forest;
use super::mixture::{ForestMixture, powers, value};
use super::prepare::{ForestError, prepare};
use crate::belief_propagation::network::{Cavities, Network};

// All of these were set by hand, and not tuned.

/// Message sweeps between two certificates, and the change of a message that ends them.
const MESSAGE_SWEEPS: usize = 60;
const MESSAGE_TOLERANCE: f64 = 1e-5;
/// Part of the way that an update moves a message.
const STEP: f64 = 0.5;
/// First and least step of the conditional gradient, and how it changes.
const FIRST_ALPHA: f64 = 0.25;
const LEAST_ALPHA: f64 = 1e-3;
const SHRINK: f64 = 0.4;
/// A forest of less weight than this is dropped.
const LEAST_WEIGHT: f64 = 1e-5;
/// Messages are kept within so many nats, so that they are finite.
const FINITE: f64 = 700.0;

/// Tree-reweighted belief propagation (Wainwright, Jaakkola & Willsky 2005), whose every sweep
/// improves a [`ForestMixture`].
///
/// A sweep passes damped messages, then moves the weights of forests towards the spanning forest of
/// largest mutual information (conditional gradient), with the longest step that lowers the bound.
///
/// # Complexity
/// A sweep takes some dozens of message sweeps, each linear in the table entries, and the exact sums
/// of all forests, in parallel.
///
/// # Example
/// ```
/// use forney_bounds::TreeReweighted;
/// use forney_certify::{Certificate, Refine};
/// use forney_model::{enumerate::enumerate, generate::ising_grid};
/// use rand::SeedableRng;
/// let model = ising_grid(4, 1.0, 0.5, &mut rand_pcg::Pcg64::seed_from_u64(3));
/// let mut messages = TreeReweighted::new(&model)?;
/// let value = messages.sweep();
/// let upper = messages.point().verify(&model)?;
/// assert!((upper.ln() - value).abs() < 1e-9 && value >= enumerate(&model).ln_z);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct TreeReweighted {
    network: Network,
    best: State,
    alpha: f64,
    cavities: Cavities,
    fields: Vec<f64>,
    next: Vec<f64>,
    sums: Vec<f64>,
}

/// Forests, weights and messages, with the bound that they prove.
#[derive(Clone, Debug)]
struct State {
    weights: Vec<f64>,
    forests: Vec<Forest>,
    messages: Vec<f64>,
    value: f64,
}

impl TreeReweighted {
    /// Starts with a few spanning forests that hold every factor, and messages that say nothing.
    ///
    /// # Errors
    /// [`ForestError`] if `Z = 0` is found out, or the numbers of the model cannot be multiplied.
    ///
    /// # Panics
    /// Never: what is chosen are spanning forests.
    pub fn new(graph: &FactorGraph) -> Result<Self, ForestError> {
        let inner = prepare(graph)?.ok_or(ForestError::NoAssignment)?;
        let network = Network::new(&inner);
        let forests: Vec<Forest> = (cover(&network).into_iter())
            .map(|members| Forest::new(&network, members).expect("a spanning forest"))
            .collect();
        let zeros = vec![0.0; network.num_messages()];
        Ok(Self {
            best: State {
                weights: vec![1.0 / forests.len() as f64; forests.len()],
                forests,
                messages: zeros.clone(),
                value: f64::INFINITY,
            },
            alpha: FIRST_ALPHA,
            cavities: network.cavities(),
            fields: network.potentials.clone(),
            next: zeros.clone(),
            sums: zeros,
            network,
        })
    }

    /// Passes messages and works out what they prove.
    fn pass(&mut self, state: &mut State) {
        let powers = powers(&self.network, &state.weights, &state.forests);
        self.network.set_powers(&powers);
        for _ in 0..MESSAGE_SWEEPS {
            (self.network).all_cavities(&state.messages, &mut self.fields, &mut self.cavities);
            (self.network).all_messages(&mut self.cavities, &mut self.sums, &mut self.next);
            let mut change = 0.0f64;
            for axis in &self.network.axes {
                let next = &mut self.next[axis.message()];
                let most = next.iter().copied().fold(f64::NEG_INFINITY, f64::max);
                let most = if most.is_finite() { most } else { 0.0 };
                for (own, next) in state.messages[axis.message()].iter_mut().zip(next) {
                    // States that the factor forbids are pushed far down, not to −∞.
                    let target = (*next - most).max(-FINITE);
                    change = change.max((target - *own).abs());
                    *own += STEP * (target - *own);
                }
            }
            if change <= MESSAGE_TOLERANCE {
                break;
            }
        }
        state.value = value(
            &self.network,
            &state.weights,
            &state.forests,
            &state.messages,
        );
    }

    /// The spanning forest of the largest mutual information under the present beliefs.
    fn direction(&mut self) -> Forest {
        let powers = powers(&self.network, &self.best.weights, &self.best.forests);
        self.network.set_powers(&powers);
        let messages = &self.best.messages;
        (self.network).all_cavities(messages, &mut self.fields, &mut self.cavities);
        let information: Vec<f64> = (0..self.network.factors.len())
            .map(|factor| self.network.information(factor, &mut self.cavities))
            .collect();
        let all = (0..information.len()).collect();
        let members = self.network.heaviest_forest(all, &information);
        Forest::new(&self.network, members).expect("a spanning forest")
    }

    /// The best state with the weights moved towards one forest.
    fn moved(&self, towards: &Forest, alpha: f64) -> State {
        let mut state = self.best.clone();
        for weight in &mut state.weights {
            *weight *= 1.0 - alpha;
        }
        let same = |forest: &Forest| forest.members == towards.members;
        match state.forests.iter().position(same) {
            Some(at) => state.weights[at] += alpha,
            None => {
                state.forests.push(towards.clone());
                state.weights.push(alpha);
            }
        }
        self.drop_light(&mut state);
        state
    }

    /// Drops forests of almost no weight that hold no factor alone.
    fn drop_light(&self, state: &mut State) {
        let mut holders = vec![0usize; self.network.factors.len()];
        for factor in state.forests.iter().flat_map(|forest| &forest.members) {
            holders[*factor] += 1;
        }
        let pairs = take(&mut state.weights).into_iter();
        let pairs = pairs.zip(take(&mut state.forests));
        let needed = |(weight, forest): &(f64, Forest)| {
            let alone = forest.members.iter().any(|&factor| holders[factor] == 1);
            let needed = *weight >= LEAST_WEIGHT || alone;
            if !needed {
                for &factor in &forest.members {
                    holders[factor] -= 1;
                }
            }
            needed
        };
        (state.weights, state.forests) = pairs.filter(needed).unzip();
        let sum: f64 = state.weights.iter().sum();
        for weight in &mut state.weights {
            *weight /= sum;
        }
    }
}

/// Spanning forests that together hold every factor, each preferring those that the earlier ones
/// hold least often.
fn cover(network: &Network) -> Vec<Vec<usize>> {
    let mut rarity = vec![0.0; network.factors.len()];
    let mut forests = Vec::new();
    while forests.is_empty() || rarity.contains(&0.0) {
        let forest = network.heaviest_forest((0..rarity.len()).collect(), &rarity);
        for &factor in &forest {
            rarity[factor] -= 1.0;
        }
        forests.push(forest);
    }
    forests
}

impl Refine for TreeReweighted {
    type Point = ForestMixture<Above>;

    fn sweep(&mut self) -> f64 {
        let mut state = self.best.clone();
        self.pass(&mut state);
        if state.value <= self.best.value {
            self.best = state;
        }
        let towards = self.direction();
        while self.alpha > LEAST_ALPHA {
            let mut state = self.moved(&towards, self.alpha);
            self.pass(&mut state);
            if state.value < self.best.value {
                self.best = state;
                break;
            }
            self.alpha *= SHRINK;
        }
        self.best.value
    }

    fn point(&self) -> ForestMixture<Above> {
        let members = |forest: &Forest| forest.members.clone();
        ForestMixture::new(
            self.best.weights.clone(),
            self.best.forests.iter().map(members).collect(),
            self.best.messages.clone(),
        )
    }
}
