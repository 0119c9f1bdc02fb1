//! The mixture as a latent-variable model: its E-step and M-steps.

use std::ops::Range;

use forney_certify::Budget;
use forney_exact::vmath::{exp_in_place, ln_slice};
use ndarray::Array1;

use super::GaussianMixture;
use crate::LatentError;
use crate::check::shape;
use crate::em::gaussian::{Block, Densities, Moments};
use crate::em::simplex::{ln_expectation, logit_gradient, softmax};
use crate::em::{LatentModel, Rows};

/// `p(h | v)` at fixed parameters.
pub struct MixturePosterior {
    densities: Densities,
    ln_weights: Array1<f64>,
}

impl LatentModel for GaussianMixture {
    type Data<'d> = Rows<'d>;
    type Statistics = Moments;
    type Posterior = MixturePosterior;

    fn check_data(&self, data: &Rows<'_>) -> Result<(), LatentError> {
        shape(
            "the columns of the data",
            self.means().ncols(),
            data.columns(),
        )
    }

    fn posterior(&self) -> MixturePosterior {
        MixturePosterior {
            densities: Densities::new(&self.gaussians),
            ln_weights: self.weights.mapv(f64::ln),
        }
    }

    fn collect(
        posterior: &MixturePosterior,
        data: &Rows<'_>,
        units: Range<usize>,
        budget: &Budget,
        into: &mut Moments,
    ) -> f64 {
        let mut block = posterior.densities.block();
        let mut softmax = Softmax::new(block.capacity());
        let mut sum = 0.0;
        for start in units.clone().step_by(block.capacity()) {
            if budget.stop().is_some() {
                break;
            }
            let positions = start..(start + block.capacity()).min(units.end);
            posterior.densities.load(data.at(positions), &mut block);
            posterior
                .densities
                .evaluate(posterior.ln_weights.view(), &mut block);
            softmax.weigh(&mut block);
            into.collect(&block);
            sum += softmax.ln_p().iter().sum::<f64>();
        }
        sum
    }

    fn no_statistics(&self) -> Moments {
        self.gaussians.no_moments()
    }

    fn maximised(&self, moments: &Moments) -> Self {
        let total = moments.counts.sum();
        let weights = if total > 0.0 {
            &moments.counts / total
        } else {
            self.weights.clone()
        };
        Self {
            weights,
            gaussians: self.gaussians.maximised(moments),
        }
    }

    fn expected_ln_joint(&self, moments: &Moments) -> f64 {
        ln_expectation(moments.counts.view(), self.weights.view())
            + self.gaussians.expected_ln_density(moments)
    }

    fn parameters(&self) -> Vec<f64> {
        let mut all: Vec<f64> = self.weights.iter().map(|w| w.ln()).collect();
        all.extend(self.gaussians.parameters());
        all
    }

    fn with_parameters(&self, parameters: &[f64]) -> Option<Self> {
        let (logits, gaussians) = parameters.split_at(self.weights.len());
        Some(Self {
            weights: softmax(logits)?.into(),
            gaussians: self.gaussians.with_parameters(gaussians)?,
        })
    }

    fn gradient(&self, moments: &Moments) -> Vec<f64> {
        let mut all = logit_gradient(moments.counts.view(), self.weights.view());
        all.extend(self.gaussians.gradient(moments));
        all
    }
}

/// Turns the log densities of a block into responsibilities, by log-sum-exp.
pub(super) struct Softmax {
    largest: Vec<f64>,
    sums: Vec<f64>,
    ln_p: Vec<f64>,
}

impl Softmax {
    pub(super) fn new(capacity: usize) -> Self {
        Self {
            largest: Vec::with_capacity(capacity),
            sums: Vec::with_capacity(capacity),
            ln_p: Vec::with_capacity(capacity),
        }
    }

    /// Replaces `ln w_k N(v; μ_k, Σ_k)` by `p(h = k | v)`.
    pub(super) fn weigh(&mut self, block: &mut Block) {
        let (components, len) = block.values().dim();
        for buffer in [&mut self.largest, &mut self.sums, &mut self.ln_p] {
            buffer.clear();
            buffer.resize(len, 0.0);
        }
        self.largest.fill(f64::NEG_INFINITY);
        for k in 0..components {
            for (largest, &x) in self.largest.iter_mut().zip(&*block.component(k)) {
                *largest = largest.max(x);
            }
        }
        for k in 0..components {
            let values = block.component(k);
            for (x, largest) in values.iter_mut().zip(&self.largest) {
                *x -= largest;
            }
            exp_in_place(values);
            for (sum, x) in self.sums.iter_mut().zip(&*values) {
                *sum += x;
            }
        }
        ln_slice(&self.sums, &mut self.ln_p);
        for ((ln_p, largest), common) in self.ln_p.iter_mut().zip(&self.largest).zip(block.common())
        {
            *ln_p += largest + common;
        }
        for sum in &mut self.sums {
            *sum = 1.0 / *sum;
        }
        for k in 0..components {
            for (x, inverse) in block.component(k).iter_mut().zip(&self.sums) {
                *x *= inverse;
            }
        }
    }

    /// `ln p(v)` of the examples of the block, in nats.
    pub(super) fn ln_p(&self) -> &[f64] {
        &self.ln_p
    }
}
