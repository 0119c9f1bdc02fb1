//! The model and what follows from its parameters.

use std::f64::consts::PI;

use forney_certify::Budget;
use forney_model::FactorGraph;
use ndarray::{Array1, Array2, ArrayView1, ArrayView2, Axis};
use rand::{RngExt, SeedableRng};
use rand_distr::StandardNormal;
use rand_pcg::Pcg64;
use serde::{Deserialize, Serialize};

use super::e_step::{EStep, Posteriors, Problem, boltzmann_machine, infer_blocks};
use crate::{LatentError, check};

/// `ln σ(x) = −softplus(−x)`, without overflow.
#[inline]
pub(super) fn ln_sigmoid(x: f64) -> f64 {
    x.min(0.0) - (-x.abs()).exp().ln_1p()
}

/// `σ(x)`.
#[inline]
pub(super) fn sigmoid(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

/// A binary sparse coding model.
///
/// # Example
/// ```
/// use forney_latent::binary_sparse_coding::{BinarySparseCoding, Exact};
/// use forney_model::enumerate::enumerate;
/// let model = BinarySparseCoding::bars(3, 10.0, 2.0);
/// assert_eq!((model.dimension(), model.units()), (9, 6));
/// let data = model.sample(1, 7)?;
/// // The partition function of the posterior graph is the density of the example.
/// let ln_z = enumerate(&model.posterior(data.row(0))?).ln_z;
/// assert!((ln_z - model.elbo_with(data.view(), &Exact)?).abs() < 1e-9);
/// # Ok::<(), forney_latent::LatentError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BinarySparseCoding {
    /// `W`, `D × H`, one component in each column.
    pub weights: Array2<f64>,
    /// `b`, the log odds of the units.
    pub bias: Array1<f64>,
    /// `β`, the precisions of the visible units.
    pub precision: Array1<f64>,
}

impl BinarySparseCoding {
    /// The bars test of Henniges et al. (2010): on a square of `side × side` pixels each row and each
    /// column is a component, on with probability `1/side`, so that two are on in the mean.
    #[must_use]
    pub fn bars(side: usize, amplitude: f64, noise: f64) -> Self {
        let weights = Array2::from_shape_fn((side * side, 2 * side), |(pixel, unit)| {
            let on = if unit < side {
                pixel / side == unit
            } else {
                pixel % side == unit - side
            };
            if on { amplitude } else { 0.0 }
        });
        let odds = 1.0 / (side.max(2) as f64 - 1.0);
        Self {
            weights,
            bias: Array1::from_elem(2 * side, odds.ln()),
            precision: Array1::from_elem(side * side, noise.powi(-2)),
        }
    }

    /// Number of hidden units `H`.
    #[must_use]
    pub fn units(&self) -> usize {
        self.weights.ncols()
    }

    /// Number of visible units `D`.
    #[must_use]
    pub fn dimension(&self) -> usize {
        self.weights.nrows()
    }

    /// Examples drawn from the model.
    ///
    /// # Errors
    /// A model with NaN or infinities, sizes that do not fit, or precisions that are not above 0.
    pub fn sample(&self, examples: usize, seed: u64) -> Result<Array2<f64>, LatentError> {
        self.check_parameters()?;
        let mut rng = Pcg64::seed_from_u64(seed);
        let mut data = Array2::zeros((examples, self.dimension()));
        for mut v in data.rows_mut() {
            for (w, &b) in self.weights.columns().into_iter().zip(&self.bias) {
                if rng.random::<f64>() < sigmoid(b) {
                    v += &w;
                }
            }
            for (v, &beta) in v.iter_mut().zip(&self.precision) {
                *v += rng.sample::<f64, _>(StandardNormal) / beta.sqrt();
            }
        }
        Ok(data)
    }

    /// The posterior `p(h | v)` as a factor graph whose `ln Z` is `ln p(v)`, in nats: any bound on a
    /// partition function is a bound on the likelihood.
    ///
    /// # Errors
    /// A model or an example with NaN or infinities, or sizes that do not fit.
    ///
    /// # Complexity
    /// `O(D H²)`; `H (H − 1)/2` pair factors, except where two components do not overlap.
    pub fn posterior(&self, v: ArrayView1<'_, f64>) -> Result<FactorGraph, LatentError> {
        let data = v.insert_axis(Axis(0));
        self.check(data)?;
        let (fields, couplings) = (self.fields(data), self.couplings());
        let problem = Problem::new(fields.view(), couplings.view())?;
        boltzmann_machine(
            self.constants(data)[0],
            problem.fields.row(0),
            problem.couplings,
        )
    }

    /// The evidence lower bound (19.36) of each row of `data`, in nats, with `q(h_i = 1) = σ(z_i)`.
    ///
    /// The text lacks brackets around what `β_i` multiplies, and its last sum is over ordered pairs:
    /// `½ Σ_d (ln β_d/2π − β_d (v_d² − 2 v_d W_d ĥ + Σ_j W_dj² ĥ_j + Σ_{j≠k} W_dj W_dk ĥ_j ĥ_k))`.
    /// The logarithms are taken of the logits, `ln σ(z) = −softplus(−z)`.
    ///
    /// # Errors
    /// NaN or infinities, or sizes that do not fit.
    pub fn elbo(
        &self,
        data: ArrayView2<'_, f64>,
        logits: ArrayView2<'_, f64>,
    ) -> Result<Array1<f64>, LatentError> {
        self.check(data)?;
        check::shape("the rows of the logits", data.nrows(), logits.nrows())?;
        check::shape("the columns of the logits", self.units(), logits.ncols())?;
        check::finite("the logits", logits)?;
        let (fields, couplings) = (self.fields(data), self.couplings());
        let mut bounds = self.constants(data);
        for ((bound, field), z) in bounds.iter_mut().zip(fields.rows()).zip(logits.rows()) {
            *bound += mean_field_bound(field, couplings.view(), z);
        }
        check::computed("the bound", &bounds)?;
        Ok(bounds)
    }

    /// The sum over the rows of `data` of the bounds that an E-step reaches, in nats; with
    /// [`Exact`](super::Exact), of `ln p(v)`.
    ///
    /// # Errors
    /// NaN or infinities, sizes that do not fit, or what the E-step refuses.
    pub fn elbo_with(
        &self,
        data: ArrayView2<'_, f64>,
        e_step: &dyn EStep,
    ) -> Result<f64, LatentError> {
        let posteriors = self.infer(data, e_step, 1.0)?;
        self.bound(data, &posteriors)
    }

    /// The posterior means `E[h | v]` of the rows of `data`, as an E-step finds them.
    ///
    /// # Errors
    /// As [`elbo_with`](Self::elbo_with).
    pub fn transform(
        &self,
        data: ArrayView2<'_, f64>,
        e_step: &dyn EStep,
    ) -> Result<Array2<f64>, LatentError> {
        Ok(self.infer(data, e_step, 1.0)?.means)
    }

    /// The mean bound of the rows of `data`, in nats for each example.
    ///
    /// # Errors
    /// As [`elbo_with`](Self::elbo_with), and no data at all.
    pub fn score(&self, data: ArrayView2<'_, f64>, e_step: &dyn EStep) -> Result<f64, LatentError> {
        check::enough(data.nrows(), 1)?;
        Ok(self.elbo_with(data, e_step)? / data.nrows() as f64)
    }

    /// `q` of every row, of the posterior `∝ p(h) p(v | h)^{1/temperature}`.
    pub(super) fn infer(
        &self,
        data: ArrayView2<'_, f64>,
        e_step: &dyn EStep,
        temperature: f64,
    ) -> Result<Posteriors, LatentError> {
        let everything = self.infer_within(data, e_step, temperature, &Budget::unlimited())?;
        Ok(everything.expect("an unlimited budget does not end"))
    }

    /// As [`infer`](Self::infer); `None` if the budget ends before all rows are done.
    pub(super) fn infer_within(
        &self,
        data: ArrayView2<'_, f64>,
        e_step: &dyn EStep,
        temperature: f64,
        budget: &Budget,
    ) -> Result<Option<Posteriors>, LatentError> {
        self.check(data)?;
        let fields = (self.fields(data) - &self.bias) / temperature + &self.bias;
        let couplings = self.couplings() / temperature;
        let problem = Problem::new(fields.view(), couplings.view())?;
        infer_blocks(e_step, &problem, budget)
    }

    /// `Σ_n E_q[ln p(h, v)] + H(q)`, from the moments of `q`.
    pub(super) fn bound(
        &self,
        data: ArrayView2<'_, f64>,
        posteriors: &Posteriors,
    ) -> Result<f64, LatentError> {
        let linear = (&self.fields(data) * &posteriors.means).sum();
        let quadratic = 0.5 * (&self.couplings() * &posteriors.second).sum();
        let bound = self.constants(data).sum() + linear - quadratic + posteriors.entropy;
        check::computed("the bound", [&bound])?;
        Ok(bound)
    }

    /// `a(v)` of each row.
    pub(super) fn constants(&self, data: ArrayView2<'_, f64>) -> Array1<f64> {
        let prior: f64 = self.bias.iter().map(|&b| ln_sigmoid(-b)).sum();
        let noise: f64 = self
            .precision
            .iter()
            .map(|beta| 0.5 * (beta / (2.0 * PI)).ln())
            .sum();
        data.rows()
            .into_iter()
            .map(|v| {
                let energy: f64 = v
                    .iter()
                    .zip(&self.precision)
                    .map(|(v, beta)| beta * v * v)
                    .sum();
                prior + noise - 0.5 * energy
            })
            .collect()
    }

    /// `c(v)` of each row: what switching on a unit alone adds to `ln p(h, v)`.
    pub(super) fn fields(&self, data: ArrayView2<'_, f64>) -> Array2<f64> {
        let scaled = self.scaled_weights();
        let own = (&scaled * &self.weights).sum_axis(Axis(0));
        data.dot(&scaled) + &self.bias - &(own * 0.5)
    }

    /// `G = Wᵀ β W` off the diagonal, zero on it.
    pub(super) fn couplings(&self) -> Array2<f64> {
        let mut couplings = self.weights.t().dot(&self.scaled_weights());
        couplings.diag_mut().fill(0.0);
        couplings.as_standard_layout().into_owned()
    }

    /// `β W`.
    fn scaled_weights(&self) -> Array2<f64> {
        &self.weights * &self.precision.view().insert_axis(Axis(1))
    }

    /// Refuses parameters out of range, and data that do not fit them.
    pub(super) fn check(&self, data: ArrayView2<'_, f64>) -> Result<(), LatentError> {
        self.check_parameters()?;
        check::shape("the number of columns", self.dimension(), data.ncols())?;
        check::finite("the data", data)
    }

    /// Refuses parameters out of range.
    pub(super) fn check_parameters(&self) -> Result<(), LatentError> {
        let (dimension, precisions) = (self.dimension(), self.precision.len());
        check::shape("the length of the bias", self.units(), self.bias.len())?;
        check::shape("the length of the precision", dimension, precisions)?;
        check::finite("the weights", self.weights.view())?;
        check::finite_vector("the bias", self.bias.view())?;
        for &beta in &self.precision {
            check::positive("a precision", beta)?;
        }
        Ok(())
    }
}

/// `Σ_i c_i ĥ_i − Σ_{i<j} G_ij ĥ_i ĥ_j + H(q)`, with `ĥ = σ(z)`.
pub(super) fn mean_field_bound(
    field: ArrayView1<'_, f64>,
    couplings: ArrayView2<'_, f64>,
    logits: ArrayView1<'_, f64>,
) -> f64 {
    let means = logits.mapv(sigmoid);
    let entropy: f64 = logits.iter().map(|&z| bernoulli_entropy(z)).sum();
    field.dot(&means) - 0.5 * means.dot(&couplings.dot(&means)) + entropy
}

/// The entropy of a unit with the logit `z`, in nats.
pub(super) fn bernoulli_entropy(z: f64) -> f64 {
    -sigmoid(z) * ln_sigmoid(z) - sigmoid(-z) * ln_sigmoid(-z)
}
