//! What an approximate E-step does to the model that is learned with it (chapter 19.4.4).

use ndarray::ArrayView2;
use serde::{Deserialize, Serialize};

use super::e_step::{EStep, Problem};
use super::exact::{self, Exact};
use super::mean_field::MeanField;
use super::model::BinarySparseCoding;
use super::params::BinarySparseCodingParams;
use crate::LatentError;

/// How close the posteriors of a model are to having one mode, in the mean over examples.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Shape {
    /// States with probability at least 0.01 that are more probable than every state that differs in
    /// one unit.
    pub modes: f64,
    /// The probability of the most probable state.
    pub peak: f64,
    /// The entropy, in nats.
    pub entropy: f64,
}

/// A model as an E-step has learned it, all figures in nats for each example.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Comparison {
    /// The E-step.
    pub e_step: String,
    /// The bound it reaches.
    pub elbo: f64,
    /// The exact `ln p(v)`.
    pub ln_likelihood: f64,
    /// The mean-field bound of the same model: how well a unimodal `q` fits it.
    pub mean_field: f64,
    /// The posteriors of the model.
    pub shape: Shape,
    /// The model.
    pub model: BinarySparseCoding,
}

/// A local maximum less probable than this is no mode.
const LEAST_MODE: f64 = 0.01;

/// Learns with each E-step and measures the result exactly.
///
/// # Errors
/// As [`BinarySparseCodingParams::fit`]; more than [`MAX_UNITS`](super::MAX_UNITS) units.
///
/// # Complexity
/// Learning, and `O(2^H H)` for each example and E-step.
///
/// # Example
/// ```
/// use forney_latent::binary_sparse_coding::{
///     BinarySparseCoding, BinarySparseCodingParams, Exact, MeanField, compare,
/// };
/// let data = BinarySparseCoding::bars(2, 4.0, 1.0).sample(200, 1)?;
/// let params = BinarySparseCodingParams::new(4);
/// let rows = compare(&params, data.view(), &[&Exact, &MeanField::default()])?;
/// assert!((rows[0].elbo - rows[0].ln_likelihood).abs() < 1e-9);
/// assert!(rows[1].elbo <= rows[1].ln_likelihood);
/// # Ok::<(), forney_latent::LatentError>(())
/// ```
pub fn compare(
    params: &BinarySparseCodingParams,
    data: ArrayView2<'_, f64>,
    e_steps: &[&dyn EStep],
) -> Result<Vec<Comparison>, LatentError> {
    let row = |e_step: &&dyn EStep| {
        let fit = params.fit(data, *e_step)?;
        Ok(Comparison {
            e_step: e_step.name().to_owned(),
            elbo: fit.objective,
            ln_likelihood: fit.model.score(data, &Exact)?,
            mean_field: fit.model.score(data, &MeanField::default())?,
            shape: fit.model.posterior_shape(data)?,
            model: fit.model,
        })
    };
    e_steps.iter().map(row).collect()
}

impl BinarySparseCoding {
    /// How close to unimodal the posteriors of the rows of `data` are, by enumeration.
    ///
    /// # Errors
    /// More than [`MAX_UNITS`](super::MAX_UNITS) units, NaN or infinities, or sizes that do not fit.
    ///
    /// # Complexity
    /// `O(2^H H)` for each example.
    pub fn posterior_shape(&self, data: ArrayView2<'_, f64>) -> Result<Shape, LatentError> {
        self.check(data)?;
        let (fields, couplings) = (self.fields(data), self.couplings());
        Problem::new(fields.view(), couplings.view())?;
        let pairs = exact::pair_terms(couplings.view())?;
        let (mut ln, mut p) = (vec![0.0; pairs.len()], vec![0.0; pairs.len()]);
        let mut shape = Shape {
            modes: 0.0,
            peak: 0.0,
            entropy: 0.0,
        };
        for field in fields.rows() {
            shape.entropy += exact::normalise(field.iter().copied(), &pairs, &mut ln, &mut p);
            let is_mode = |&s: &usize| (0..self.units()).all(|i| p[s] > p[s ^ (1 << i)]);
            let candidates = (0..p.len()).filter(|&s| p[s] >= LEAST_MODE);
            shape.modes += candidates.filter(is_mode).count() as f64;
            shape.peak += p.iter().copied().fold(0.0, f64::max);
        }
        let examples = data.nrows().max(1) as f64;
        Ok(Shape {
            modes: shape.modes / examples,
            peak: shape.peak / examples,
            entropy: shape.entropy / examples,
        })
    }
}
