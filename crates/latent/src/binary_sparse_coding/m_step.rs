//! The parameters that maximise the bound for given moments of `q`, and its gradient.

use nalgebra::DMatrix;
use ndarray::{Array1, Array2, ArrayView2, Axis};
use serde::{Deserialize, Serialize};

use super::e_step::Posteriors;
use super::model::{BinarySparseCoding, sigmoid};
use crate::m_step::MStep;
use crate::{LatentError, check, dense};

/// Sums over examples, of data and moments of `q`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Moments {
    /// `N`.
    pub examples: f64,
    /// `Σ v_d²`.
    pub energy: Array1<f64>,
    /// `Σ v E[h]ᵀ`, `D × H`.
    pub vh: Array2<f64>,
    /// `Σ E[h]`.
    pub h: Array1<f64>,
    /// `Σ E[h hᵀ]`.
    pub hh: Array2<f64>,
}

/// The derivatives of `Σ_n L(v_n, θ, q_n)`.
#[derive(Clone, Debug, PartialEq)]
pub struct Gradient {
    /// By `W`.
    pub weights: Array2<f64>,
    /// By `b`.
    pub bias: Array1<f64>,
    /// By `ln β`.
    pub ln_precision: Array1<f64>,
}

/// The share of a column's mean square below which its noise variance is not believed.
const LEAST_VARIANCE: f64 = 1e-12;

/// Mean activities are kept this far from 0 and 1, so that biases stay finite.
const LEAST_ACTIVITY: f64 = 1e-10;

impl Moments {
    /// The sums over the rows of `data`.
    ///
    /// # Errors
    /// Posteriors of another number of examples.
    pub fn new(data: ArrayView2<'_, f64>, posteriors: &Posteriors) -> Result<Self, LatentError> {
        let examples = posteriors.means.nrows();
        check::shape("the number of posteriors", data.nrows(), examples)?;
        Ok(Self {
            examples: data.nrows() as f64,
            energy: data.map(|v| v * v).sum_axis(Axis(0)),
            vh: data.t().dot(&posteriors.means),
            h: posteriors.means.sum_axis(Axis(0)),
            hh: posteriors.second.clone(),
        })
    }

    /// Refuses moments of another number of visible or hidden units.
    pub(super) fn check(&self, model: &BinarySparseCoding) -> Result<(), LatentError> {
        let (dimension, units) = (model.dimension(), model.units());
        check::shapes([
            ("the number of energies", dimension, self.energy.len()),
            ("the rows of the cross moments", dimension, self.vh.nrows()),
            ("the columns of the cross moments", units, self.vh.ncols()),
            ("the number of means", units, self.h.len()),
            ("the rows of the second moments", units, self.hh.nrows()),
            ("the columns of the second moments", units, self.hh.ncols()),
        ])
    }

    /// `Σ_n E[(v_d − W_d h)²]` of each visible unit.
    fn squared_error(&self, weights: &Array2<f64>) -> Array1<f64> {
        let quadratic = (&weights.dot(&self.hh) * weights).sum_axis(Axis(1));
        let linear = (&self.vh * weights).sum_axis(Axis(1));
        &self.energy - &(linear * 2.0) + quadratic
    }

    /// The gradient of the bound at the parameters of `model`, with `q` fixed.
    ///
    /// # Errors
    /// A model out of range, or of another size than the moments.
    pub fn gradient(&self, model: &BinarySparseCoding) -> Result<Gradient, LatentError> {
        model.check_parameters()?;
        self.check(model)?;
        Ok(self.slopes(model))
    }

    /// The gradient, of a model that fits.
    fn slopes(&self, model: &BinarySparseCoding) -> Gradient {
        let precision = model.precision.view().insert_axis(Axis(1));
        let error = self.squared_error(&model.weights);
        Gradient {
            weights: (&self.vh - &model.weights.dot(&self.hh)) * precision,
            bias: &self.h - &(model.bias.mapv(sigmoid) * self.examples),
            ln_precision: (self.examples - &model.precision * &error) * 0.5,
        }
    }
}

/// Moves the parameters of `model`; with `isotropic`, all visible units share one precision. A step along
/// the gradient moves the precision in its logarithm.
pub(super) fn improve(
    m_step: MStep,
    moments: &Moments,
    isotropic: bool,
    model: &mut BinarySparseCoding,
) {
    match m_step {
        MStep::Full => closed_form(moments, isotropic, model),
        MStep::Gradient { rate } => {
            let gradient = moments.slopes(model);
            let step = rate / moments.examples;
            model.weights.scaled_add(step, &gradient.weights);
            model.bias.scaled_add(step, &gradient.bias);
            let mean = gradient.ln_precision.mean().unwrap_or(0.0);
            for (beta, slope) in model.precision.iter_mut().zip(&gradient.ln_precision) {
                *beta *= (step * if isotropic { mean } else { *slope }).exp();
            }
        }
    }
}

/// `W = (Σ v E[h]ᵀ)(Σ E[hhᵀ])⁻¹`, `σ(b_i)` the mean activity, `1/β_d` the mean squared error.
fn closed_form(moments: &Moments, isotropic: bool, model: &mut BinarySparseCoding) {
    let activity = &moments.h / moments.examples;
    model.bias = activity.mapv(|p| {
        let p = p.clamp(LEAST_ACTIVITY, 1.0 - LEAST_ACTIVITY);
        p.ln() - (-p).ln_1p()
    });
    // A unit that is never on has no equation of its own: the smallest ridge that keeps the system
    // regular lets it keep its component.
    let ridge = 1e-12 * moments.hh.diag().sum() + f64::MIN_POSITIVE.sqrt();
    let (dimension, units) = model.weights.dim();
    let mut a = dense::matrix(moments.hh.view());
    for i in 0..units {
        a[(i, i)] += ridge;
    }
    if let Some(factor) = dense::cholesky(a) {
        let right = DMatrix::from_fn(units, dimension, |i, d| {
            moments.vh[[d, i]] + ridge * model.weights[[d, i]]
        });
        let weights = factor.solve(&right);
        model.weights = Array2::from_shape_fn((dimension, units), |(d, i)| weights[(i, d)]);
    }
    let error = moments.squared_error(&model.weights);
    let floor = (&moments.energy * LEAST_VARIANCE).mapv(|v| v.max(f64::MIN_POSITIVE));
    let error: Array1<f64> = error.iter().zip(&floor).map(|(e, f)| e.max(*f)).collect();
    model.precision = if isotropic {
        Array1::from_elem(dimension, moments.examples * dimension as f64 / error.sum())
    } else {
        moments.examples / error
    };
}
