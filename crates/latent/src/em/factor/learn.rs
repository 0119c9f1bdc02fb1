//! Factor analysis as a latent-variable model: its E-step and M-steps.

use std::f64::consts::PI;
use std::ops::Range;

use forney_certify::Budget;
use ndarray::{Array1, Array2, Axis};
use serde::{Deserialize, Serialize};

use super::model::{FactorAnalysis, Noise};
use super::posterior::FactorPosterior;
use super::scatter::Scatter;
use crate::LatentError;
use crate::check::shape;
use crate::dense::{array, cholesky, matrix};
use crate::em::model::{LatentModel, Statistics};

/// Sums over examples with `z = v − μ`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct FactorMoments {
    count: f64,
    /// The diagonal of `Σ z zᵀ`, `D`.
    vv: Array1<f64>,
    /// `Σ z E[h]ᵀ`, `D × H`.
    vh: Array2<f64>,
    /// `Σ E[h hᵀ]`, `H × H`.
    hh: Array2<f64>,
}

impl Statistics for FactorMoments {
    fn add(&mut self, other: &Self, factor: f64) {
        self.count += factor * other.count;
        self.vv.scaled_add(factor, &other.vv);
        self.vh.scaled_add(factor, &other.vh);
        self.hh.scaled_add(factor, &other.hh);
    }

    fn scale(&mut self, factor: f64) {
        self.count *= factor;
        self.vv *= factor;
        self.vh *= factor;
        self.hh *= factor;
    }
}

impl FactorAnalysis {
    /// `Σ (v − μ − W h)²` by column, expected.
    fn residuals(&self, moments: &FactorMoments) -> Array1<f64> {
        let cross = (&self.loadings * &moments.vh).sum_axis(Axis(1));
        let square = (self.loadings.dot(&moments.hh) * &self.loadings).sum_axis(Axis(1));
        &moments.vv - &(cross * 2.0) + square
    }
}

impl LatentModel for FactorAnalysis {
    type Data<'d> = Scatter;
    type Statistics = FactorMoments;
    type Posterior = FactorPosterior;

    fn check_data(&self, data: &Scatter) -> Result<(), LatentError> {
        for (_, scatter) in &data.batches {
            shape("the columns of the data", self.mean.len(), scatter.nrows())?;
        }
        Ok(())
    }

    fn posterior(&self) -> FactorPosterior {
        FactorPosterior::new(self)
    }

    fn collect(
        posterior: &FactorPosterior,
        data: &Scatter,
        units: Range<usize>,
        _: &Budget,
        into: &mut FactorMoments,
    ) -> f64 {
        let mut sum = 0.0;
        for (count, scatter) in &data.batches[units] {
            let count = *count as f64;
            let vh = scatter.dot(&posterior.beta.t());
            let hh = posterior.beta.dot(&vh) + &posterior.covariance * count;
            let vv = scatter.diag();
            let constant = vv.len() as f64 * (2.0 * PI).ln() + posterior.ln_det;
            // `tr(C⁻¹ S)` by the Woodbury identity.
            let square = (&vv / &posterior.noise).sum() - (&posterior.scaled * &vh).sum();
            sum -= 0.5 * (count * constant + square);
            into.count += count;
            into.vv += &vv;
            into.vh += &vh;
            into.hh += &hh;
        }
        sum
    }

    fn no_statistics(&self) -> FactorMoments {
        let (columns, factors) = self.loadings.dim();
        FactorMoments {
            count: 0.0,
            vv: Array1::zeros(columns),
            vh: Array2::zeros((columns, factors)),
            hh: Array2::zeros((factors, factors)),
        }
    }

    fn maximised(&self, moments: &FactorMoments) -> Self {
        let Some(factor) = cholesky(matrix(moments.hh.view())) else {
            return self.clone();
        };
        let mut new = self.clone();
        new.loadings = array(&factor.solve(&matrix(moments.vh.t()))).reversed_axes();
        let noise = new.residuals(moments) / moments.count;
        new.set_noise(noise);
        if new.loadings.iter().all(|x| x.is_finite()) {
            new
        } else {
            self.clone()
        }
    }

    fn expected_ln_joint(&self, moments: &FactorMoments) -> f64 {
        let (columns, factors) = self.loadings.dim();
        let constant = (columns + factors) as f64 * (2.0 * PI).ln()
            + self.noise.iter().map(|x| x.ln()).sum::<f64>();
        let square = moments.hh.diag().sum() + (self.residuals(moments) / &self.noise).sum();
        -0.5 * (moments.count * constant + square)
    }

    fn parameters(&self) -> Vec<f64> {
        let noise = match self.kind {
            Noise::Diagonal => self.noise.as_slice().unwrap_or(&[]),
            Noise::Isotropic => &self.noise.as_slice().unwrap_or(&[])[..1],
        };
        let ln_noise = noise.iter().map(|x| x.ln());
        self.loadings.iter().copied().chain(ln_noise).collect()
    }

    fn with_parameters(&self, parameters: &[f64]) -> Option<Self> {
        let (loadings, ln_noise) = parameters.split_at(self.loadings.len());
        let mut new = self.clone();
        new.loadings = Array2::from_shape_vec(self.loadings.dim(), loadings.to_vec()).ok()?;
        let noise = ln_noise.iter().map(|x| x.exp()).cycle();
        new.set_noise(noise.take(self.noise.len()).collect());
        let finite = |x: &f64| x.is_finite() && x.abs() < 1e150;
        (new.loadings.iter().all(finite) && new.noise.iter().all(finite)).then_some(new)
    }

    fn gradient(&self, moments: &FactorMoments) -> Vec<f64> {
        let loadings = (&moments.vh - &self.loadings.dot(&moments.hh))
            / self.noise.view().insert_axis(Axis(1));
        let ln_noise = (self.residuals(moments) / &self.noise - moments.count) * 0.5;
        let mut all: Vec<f64> = loadings.iter().copied().collect();
        match self.kind {
            Noise::Diagonal => all.extend(ln_noise),
            Noise::Isotropic => all.push(ln_noise.sum()),
        }
        all
    }
}

impl FactorAnalysis {
    /// The noise of the model's kind nearest to that of free columns, above the floor.
    fn set_noise(&mut self, noise: Array1<f64>) {
        // A maximum with NaN is the floor.
        match self.kind {
            Noise::Diagonal => {
                self.noise = noise;
                self.noise
                    .zip_mut_with(&self.floor, |x, floor| *x = x.max(*floor));
            }
            Noise::Isotropic => {
                let columns = self.floor.len() as f64;
                self.noise
                    .fill((noise.sum() / columns).max(self.floor.sum() / columns));
            }
        }
    }
}
