//! The mixture as a latent-variable model: its E-step and M-steps.

use std::ops::Range;

use forney_certify::Budget;
use ndarray::{Array1, ArrayView1};

use super::model::GaussianMixture;
use super::softmax::Softmax;
use crate::LatentError;
use crate::check::shape;
use crate::em::gaussian::{Block, Densities, GaussianMoments};
use crate::em::model::LatentModel;
use crate::em::rows::Rows;
use crate::em::simplex::{ln_expectation, logit_gradient, softmax};

/// `p(h | v)` at fixed parameters.
pub struct MixturePosterior {
    pub(super) densities: Densities,
    ln_weights: Array1<f64>,
}

impl MixturePosterior {
    /// Fills a block with the responsibilities of some rows.
    pub(super) fn weigh<'r>(
        &self,
        rows: impl Iterator<Item = ArrayView1<'r, f64>>,
        block: &mut Block,
        softmax: &mut Softmax,
    ) {
        self.densities.load(rows, block);
        self.densities.evaluate(self.ln_weights.view(), block);
        softmax.weigh(block);
    }
}

impl LatentModel for GaussianMixture {
    type Data<'d> = Rows<'d>;
    type Statistics = GaussianMoments;
    type Posterior = MixturePosterior;

    fn check_data(&self, data: &Rows<'_>) -> Result<(), LatentError> {
        let columns = self.gaussians.columns();
        shape("the columns of the data", columns, data.columns())
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
        into: &mut GaussianMoments,
    ) -> f64 {
        let mut block = posterior.densities.block();
        let mut softmax = Softmax::new(block.capacity());
        let mut sum = 0.0;
        for start in units.clone().step_by(block.capacity()) {
            if budget.stop().is_some() {
                break;
            }
            let positions = start..(start + block.capacity()).min(units.end);
            posterior.weigh(data.at(positions), &mut block, &mut softmax);
            into.collect(&block);
            sum += softmax.ln_p().iter().sum::<f64>();
        }
        sum
    }

    fn no_statistics(&self) -> GaussianMoments {
        self.gaussians.no_moments()
    }

    fn maximised(&self, moments: &GaussianMoments) -> Self {
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

    fn expected_ln_joint(&self, moments: &GaussianMoments) -> f64 {
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

    fn gradient(&self, moments: &GaussianMoments) -> Vec<f64> {
        let mut all = logit_gradient(moments.counts.view(), self.weights.view());
        all.extend(self.gaussians.gradient(moments));
        all
    }
}
