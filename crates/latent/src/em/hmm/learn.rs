//! The hidden Markov model as a latent-variable model: its E-step and M-steps.

use std::ops::Range;

use forney_certify::Budget;
use ndarray::{Array1, Array2, s};
use serde::{Deserialize, Serialize};

use super::emission::Emission;
use super::model::Hmm;
use super::scaled::{Chain, Scratch};
use super::sequences::Sequences;
use crate::LatentError;
use crate::em::model::{LatentModel, Statistics};
use crate::em::simplex::{
    ln_expectation, ln_expectations, logit_gradient, logit_gradients, normalised_rows, softmax,
    softmax_rows,
};

/// `p(h | v)` at fixed parameters.
pub struct HmmPosterior<E: Emission> {
    pub(super) chain: Chain,
    pub(super) emission: E::Ready,
}

/// Expected starts, transitions, and statistics of the emissions.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct HmmMoments<S> {
    starts: Array1<f64>,
    transitions: Array2<f64>,
    emission: S,
}

impl<S: Statistics> Statistics for HmmMoments<S> {
    fn add(&mut self, other: &Self, factor: f64) {
        self.starts.scaled_add(factor, &other.starts);
        self.transitions.scaled_add(factor, &other.transitions);
        self.emission.add(&other.emission, factor);
    }

    fn scale(&mut self, factor: f64) {
        self.starts *= factor;
        self.transitions *= factor;
        self.emission.scale(factor);
    }
}

/// Steps between two looks at the budget, a multiple of the examples in a block of densities.
const PART: usize = 4096;

/// The steps of a sequence, in parts.
fn parts(steps: &Range<usize>) -> impl Iterator<Item = Range<usize>> + use<> {
    let end = steps.end;
    let starts = steps.clone().step_by(PART);
    starts.map(move |start| start..(start + PART).min(end))
}

impl<E: Emission> LatentModel for Hmm<E> {
    type Data<'d> = Sequences<'d, E>;
    type Statistics = HmmMoments<E::Statistics>;
    type Posterior = HmmPosterior<E>;

    fn check_data(&self, data: &Sequences<'_, E>) -> Result<(), LatentError> {
        self.emission.check_observations(data.observations())
    }

    fn posterior(&self) -> HmmPosterior<E> {
        HmmPosterior {
            chain: Chain::new(&self.start, &self.transitions),
            emission: self.emission.ready(),
        }
    }

    fn collect(
        posterior: &HmmPosterior<E>,
        data: &Sequences<'_, E>,
        units: Range<usize>,
        budget: &Budget,
        into: &mut Self::Statistics,
    ) -> f64 {
        let states = into.starts.len();
        let lengths = data.at(units.clone()).map(|steps| steps.len());
        let mut ln_b = Array2::zeros((lengths.max().unwrap_or(0), states));
        let mut scratch = Scratch::default();
        let mut sum = 0.0;
        for steps in data.at(units) {
            let mut ln_b = ln_b.slice_mut(s![..steps.len(), ..]);
            let ready = &posterior.emission;
            for part in parts(&steps) {
                if budget.stop().is_some() {
                    return sum;
                }
                let rows = part.start - steps.start..part.end - steps.start;
                let ln_b = ln_b.slice_mut(s![rows, ..]);
                E::ln_densities(ready, data.observations(), part, ln_b);
            }
            let chain = &posterior.chain;
            match chain.infer(ln_b, budget, &mut scratch, &mut into.transitions) {
                Some(found) => {
                    sum += found.ln_p;
                    into.starts += &found.states.row(0);
                    for part in parts(&steps) {
                        if budget.stop().is_some() {
                            return sum;
                        }
                        let rows = part.start - steps.start..part.end - steps.start;
                        let states = found.states.slice(s![rows, ..]);
                        E::collect(ready, data.observations(), part, states, &mut into.emission);
                    }
                }
                None => sum = f64::NEG_INFINITY,
            }
        }
        sum
    }

    fn no_statistics(&self) -> Self::Statistics {
        HmmMoments {
            starts: Array1::zeros(self.start.len()),
            transitions: Array2::zeros(self.transitions.dim()),
            emission: self.emission.no_statistics(),
        }
    }

    fn maximised(&self, moments: &Self::Statistics) -> Self {
        let row = |x: &Array1<f64>| x.clone().insert_axis(ndarray::Axis(0));
        let start = normalised_rows(&row(&moments.starts), &row(&self.start));
        Self {
            start: start.row(0).to_owned(),
            transitions: normalised_rows(&moments.transitions, &self.transitions),
            emission: self.emission.maximised(&moments.emission),
        }
    }

    fn expected_ln_joint(&self, moments: &Self::Statistics) -> f64 {
        ln_expectation(moments.starts.view(), self.start.view())
            + ln_expectations(&moments.transitions, &self.transitions)
            + self.emission.expected_ln_density(&moments.emission)
    }

    fn parameters(&self) -> Vec<f64> {
        let logits = self.start.iter().chain(&self.transitions).map(|p| p.ln());
        logits.chain(self.emission.parameters()).collect()
    }

    fn with_parameters(&self, parameters: &[f64]) -> Option<Self> {
        let (start, rest) = parameters.split_at(self.start.len());
        let (transitions, emission) = rest.split_at(self.transitions.len());
        Some(Self {
            start: softmax(start)?.into(),
            transitions: softmax_rows(transitions, self.transitions.dim())?,
            emission: self.emission.with_parameters(emission)?,
        })
    }

    fn gradient(&self, moments: &Self::Statistics) -> Vec<f64> {
        let mut all = logit_gradient(moments.starts.view(), self.start.view());
        all.extend(logit_gradients(&moments.transitions, &self.transitions));
        all.extend(self.emission.gradient(&moments.emission));
        all
    }
}
