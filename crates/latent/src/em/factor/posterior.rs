//! The distribution of the factors, and of given examples.

use std::f64::consts::PI;

use ndarray::{Array1, Array2, ArrayView2, Axis};

use super::model::FactorAnalysis;
use super::scatter::Scatter;
use crate::LatentError;
use crate::check::shape;
use crate::dense::{array, cholesky, ln_det, matrix};
use crate::em::e_step;
use crate::em::rows::Rows;

/// `p(h | v) = N(β (v − μ), V)` at fixed parameters.
pub struct FactorPosterior {
    /// `β`, `H × D`.
    pub(super) beta: Array2<f64>,
    /// `V`, `H × H`.
    pub(super) covariance: Array2<f64>,
    /// `Ψ⁻¹ W`, `D × H`.
    pub(super) scaled: Array2<f64>,
    pub(super) noise: Array1<f64>,
    /// `ln |C| = ln |Ψ| − ln |V|`.
    pub(super) ln_det: f64,
}

impl FactorPosterior {
    /// `V` by the Cholesky factor of `I + Wᵀ Ψ⁻¹ W`, the small side of the Woodbury identity.
    pub(super) fn new(model: &FactorAnalysis) -> Self {
        let loadings = &model.loadings;
        let scaled = loadings / &model.noise.view().insert_axis(Axis(1));
        let precision = Array2::eye(loadings.ncols()) + loadings.t().dot(&scaled);
        let factor = cholesky(matrix(precision.view()))
            .expect("I plus a square is positive definite, and an M-step keeps it finite");
        Self {
            // Solving is exact for a matrix next to this one; a product with the inverse is not, and
            // loses as many digits again where the noise is small.
            beta: array(&factor.solve(&matrix(scaled.t()))),
            covariance: array(&factor.inverse()),
            scaled,
            noise: model.noise.clone(),
            ln_det: model.noise.iter().map(|x| x.ln()).sum::<f64>() + ln_det(&factor),
        }
    }
}

impl FactorAnalysis {
    fn rows<'d>(&self, data: ArrayView2<'d, f64>) -> Result<Rows<'d>, LatentError> {
        shape("the columns of the data", self.mean.len(), data.ncols())?;
        Rows::new(data, None, 0)
    }

    /// The mean of `ln p(v) = ln N(v; μ, C)` over the rows, in nats.
    ///
    /// # Errors
    /// No rows, another number of columns than the model's, or a value that is not finite.
    pub fn score(&self, data: ArrayView2<'_, f64>) -> Result<f64, LatentError> {
        let scatter = Scatter::about(&self.mean, &self.rows(data)?)?;
        e_step::score(self, &scatter)
    }

    /// `ln p(v)` of each row, in nats.
    ///
    /// # Errors
    /// As [`score`](Self::score).
    pub fn score_examples(&self, data: ArrayView2<'_, f64>) -> Result<Array1<f64>, LatentError> {
        self.rows(data)?;
        let posterior = FactorPosterior::new(self);
        let z = &data - &self.mean;
        let scaled = &z / &self.noise;
        let explained = z.dot(&posterior.beta.t()) * scaled.dot(&self.loadings);
        let square = (&z * &scaled).sum_axis(Axis(1)) - explained.sum_axis(Axis(1));
        let constant = self.mean.len() as f64 * (2.0 * PI).ln() + posterior.ln_det;
        Ok(square.mapv(|square| -0.5 * (constant + square)))
    }

    /// The latent means `E[h | v_n] = β (v_n − μ)`, `N × H`.
    ///
    /// # Errors
    /// As [`score`](Self::score).
    pub fn transform(&self, data: ArrayView2<'_, f64>) -> Result<Array2<f64>, LatentError> {
        self.rows(data)?;
        let posterior = FactorPosterior::new(self);
        Ok((&data - &self.mean).dot(&posterior.beta.t()))
    }
}
