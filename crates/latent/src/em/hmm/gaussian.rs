//! Real vectors, Gaussian in each state.

use std::ops::Range;

use ndarray::{Array1, Array2, ArrayView2, ArrayViewMut2, s};
use rand_distr::{Distribution, StandardNormal};
use serde::{Deserialize, Serialize};

use super::emission::Emission;
use super::model::Hmm;
use crate::LatentError;
use crate::check::shape;
use crate::em::gaussian::{Block, Covariances, Densities, GaussianMoments, Gaussians};

/// `p(v_t | h_t = k) = N(v_t; μ_k, Σ_k)`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct GaussianEmission {
    pub(super) gaussians: Gaussians,
}

impl GaussianEmission {
    /// Emissions with given parameters; `variance_floor` is the least variance that learning may reach
    /// in each column.
    ///
    /// # Errors
    /// Shapes that do not fit, a covariance that is not symmetric and positive definite, a value that
    /// is not finite.
    pub fn new(
        means: Array2<f64>,
        covariances: Covariances,
        variance_floor: Array1<f64>,
    ) -> Result<Self, LatentError> {
        let gaussians = Gaussians::new(means, covariances, variance_floor)?;
        Ok(Self { gaussians })
    }

    /// `μ`, `K × D`.
    #[must_use]
    pub fn means(&self) -> &Array2<f64> {
        &self.gaussians.means
    }

    /// `Σ`.
    #[must_use]
    pub fn covariances(&self) -> &Covariances {
        &self.gaussians.covariances
    }
}

impl Hmm<GaussianEmission> {
    /// Draws one sequence: its observations, `T × D`, and its states.
    #[must_use]
    pub fn sample(&self, steps: usize, seed: u64) -> (Array2<f64>, Array1<usize>) {
        let (states, mut rng) = self.draw_states(steps, seed);
        let means = self.emission.means();
        let factors = self.emission.gaussians.factors();
        let mut observations = Array2::zeros((steps, means.ncols()));
        for (mut row, &k) in observations.rows_mut().into_iter().zip(&states) {
            let noise: Array1<f64> = row
                .iter()
                .map(|_| StandardNormal.sample(&mut rng))
                .collect();
            let factor = &factors[k.min(factors.len() - 1)];
            row.assign(&(&means.row(k) + &factor.dot(&noise)));
        }
        (observations, states.into())
    }
}

/// Calls `visit` with each block of some steps and its place among them.
fn each_block(
    densities: &Densities,
    observations: ArrayView2<'_, f64>,
    steps: Range<usize>,
    mut visit: impl FnMut(&mut Block, Range<usize>),
) {
    let mut block = densities.block();
    for start in steps.clone().step_by(block.capacity()) {
        let end = (start + block.capacity()).min(steps.end);
        let rows = observations.slice(s![start..end, ..]);
        densities.load(rows.rows().into_iter(), &mut block);
        visit(&mut block, start - steps.start..end - steps.start);
    }
}

impl Emission for GaussianEmission {
    type Observations<'d> = ArrayView2<'d, f64>;
    type Statistics = GaussianMoments;
    type Ready = Densities;

    fn states(&self) -> usize {
        self.gaussians.components()
    }

    fn check(&self) -> Result<(), LatentError> {
        self.gaussians.check()
    }

    fn check_observations(&self, observations: ArrayView2<'_, f64>) -> Result<(), LatentError> {
        shape(
            "the columns of the observations",
            self.gaussians.columns(),
            observations.ncols(),
        )
    }

    fn ready(&self) -> Densities {
        Densities::new(&self.gaussians)
    }

    fn ln_densities(
        ready: &Densities,
        observations: ArrayView2<'_, f64>,
        steps: Range<usize>,
        mut into: ArrayViewMut2<'_, f64>,
    ) {
        let no_weights = Array1::zeros(into.ncols());
        each_block(ready, observations, steps, |block, at| {
            ready.evaluate(no_weights.view(), block);
            let mut into = into.slice_mut(s![at, ..]);
            into.assign(&block.values().t());
            for (mut row, common) in into.rows_mut().into_iter().zip(block.common()) {
                row += *common;
            }
        });
    }

    fn collect(
        ready: &Densities,
        observations: ArrayView2<'_, f64>,
        steps: Range<usize>,
        weights: ArrayView2<'_, f64>,
        into: &mut GaussianMoments,
    ) {
        each_block(ready, observations, steps, |block, at| {
            for (k, weights) in weights.slice(s![at, ..]).columns().into_iter().enumerate() {
                for (to, from) in block.component(k).iter_mut().zip(weights) {
                    *to = *from;
                }
            }
            into.collect(block);
        });
    }

    fn no_statistics(&self) -> GaussianMoments {
        self.gaussians.no_moments()
    }

    fn maximised(&self, moments: &GaussianMoments) -> Self {
        Self {
            gaussians: self.gaussians.maximised(moments),
        }
    }

    fn expected_ln_density(&self, moments: &GaussianMoments) -> f64 {
        self.gaussians.expected_ln_density(moments)
    }

    fn parameters(&self) -> Vec<f64> {
        self.gaussians.parameters()
    }

    fn with_parameters(&self, parameters: &[f64]) -> Option<Self> {
        let gaussians = self.gaussians.with_parameters(parameters)?;
        Some(Self { gaussians })
    }

    fn gradient(&self, moments: &GaussianMoments) -> Vec<f64> {
        self.gaussians.gradient(moments)
    }
}
