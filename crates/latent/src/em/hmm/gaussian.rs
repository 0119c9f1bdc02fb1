//! Real vectors, Gaussian in each state.

use std::ops::Range;

use ndarray::{Array1, Array2, ArrayView2, ArrayViewMut2, s};

use super::emission::Emission;
use super::model::Hmm;
use crate::LatentError;
use crate::check::shape;
use crate::em::gaussian::{Block, Densities, GaussianMoments, Gaussians};

/// `p(v_t | h_t = k) = N(v_t; μ_k, Σ_k)`.
pub type GaussianEmission = Gaussians;

impl Hmm<GaussianEmission> {
    /// Draws one sequence: its observations, `T × D`, and its states.
    #[must_use]
    pub fn sample(&self, steps: usize, seed: u64) -> (Array2<f64>, Array1<usize>) {
        let (states, mut rng) = self.draw_states(steps, seed);
        let observations = self.emission.sample(&mut rng, steps, |_, t| states[t]);
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

impl Emission for Gaussians {
    type Observations<'d> = ArrayView2<'d, f64>;
    type Statistics = GaussianMoments;
    type Ready = Densities;

    fn states(&self) -> usize {
        self.components()
    }

    fn check(&self) -> Result<(), LatentError> {
        Gaussians::check(self)
    }

    fn check_observations(&self, observations: ArrayView2<'_, f64>) -> Result<(), LatentError> {
        let found = observations.ncols();
        shape("the columns of the observations", self.columns(), found)
    }

    fn ready(&self) -> Densities {
        Densities::new(self)
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
        self.no_moments()
    }

    fn maximised(&self, moments: &GaussianMoments) -> Self {
        Gaussians::maximised(self, moments)
    }

    fn expected_ln_density(&self, moments: &GaussianMoments) -> f64 {
        Gaussians::expected_ln_density(self, moments)
    }

    fn parameters(&self) -> Vec<f64> {
        Gaussians::parameters(self)
    }

    fn with_parameters(&self, parameters: &[f64]) -> Option<Self> {
        Gaussians::with_parameters(self, parameters)
    }

    fn gradient(&self, moments: &GaussianMoments) -> Vec<f64> {
        Gaussians::gradient(self, moments)
    }
}
