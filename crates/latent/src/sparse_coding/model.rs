//! The sparse coding model: `p(h_k) = λ/2 e^{−λ|h_k|}` (19.14), `p(v | h) = N(v; W h + b, β⁻¹ I)` (19.15).

use ndarray::{Array1, Array2, ArrayView2};
use serde::{Deserialize, Serialize};

use super::codes::Codes;
use super::inference::{Encoder, Encoding, Inference};
use crate::{LatentError, check};

/// A sparse coding model.
///
/// # Example
/// ```
/// use forney_latent::sparse_coding::{Inference, SparseCoding};
/// use ndarray::array;
/// let model = SparseCoding {
///     dictionary: array![[1.0, 0.0], [0.0, 1.0]],
///     bias: array![0.5, 0.5],
///     lambda: 1.0,
///     beta: 2.0,
///     inference: Inference::default(),
/// };
/// let data = array![[2.5, 0.0]];
/// let codes = model.transform(data.view())?.codes;
/// assert_eq!(codes.to_dense(), array![[1.5, 0.0]]);
/// // 1·1.5 + 2/2·(0.5² + 0.5²)
/// assert_eq!(model.objective(data.view(), &codes)?, 2.0);
/// assert_eq!(model.score(data.view())?, -2.0);
/// # Ok::<(), forney_latent::LatentError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SparseCoding {
    /// `W`, `D × K`, one atom in each column.
    pub dictionary: Array2<f64>,
    /// `b`, of length `D`.
    pub bias: Array1<f64>,
    /// `λ`, the rate of the prior.
    pub lambda: f64,
    /// `β`, the precision of the noise.
    pub beta: f64,
    /// How codes are inferred, and which signs they may have.
    pub inference: Inference,
}

impl SparseCoding {
    /// Number of atoms `K`.
    #[must_use]
    pub fn atoms(&self) -> usize {
        self.dictionary.ncols()
    }

    /// Number of visible units `D`.
    #[must_use]
    pub fn dimension(&self) -> usize {
        self.dictionary.nrows()
    }

    /// The most probable codes `H = argmax ln p(h, v)` of the rows of `data` (19.13).
    ///
    /// # Errors
    /// As [`Encoder::new`] and [`Encoder::encode`], or parameters that are not in range.
    pub fn transform(&self, data: ArrayView2<'_, f64>) -> Result<Encoding, LatentError> {
        self.check(data)?;
        let encoder = Encoder::new(
            self.dictionary.view(),
            self.lambda / self.beta,
            &self.inference,
        )?;
        encoder.encode((&data - &self.bias).view(), None)
    }

    /// The mean of `−J` over the rows of `data` at their most probable codes: higher is better.
    ///
    /// # Errors
    /// As [`transform`](Self::transform), and no data at all.
    pub fn score(&self, data: ArrayView2<'_, f64>) -> Result<f64, LatentError> {
        check::enough(data.nrows(), 1)?;
        let objectives = self.transform(data)?.objectives;
        Ok(-self.beta * objectives.iter().sum::<f64>() / data.nrows() as f64)
    }

    /// `J(H, W) = λ Σ|H| + β/2 Σ(V − b − H Wᵀ)²`: (19.16) with the `λ` and `β` of (19.14–19.15), where
    /// the text has 1 and 2. Up to constants, it is `−ln p(H, V)`.
    ///
    /// # Errors
    /// NaN or an infinity in the data, or sizes that do not fit.
    pub fn objective(&self, data: ArrayView2<'_, f64>, codes: &Codes) -> Result<f64, LatentError> {
        self.check(data)?;
        check::shape("the number of codes", data.nrows(), codes.len())?;
        let error = &data - &self.reconstruct(codes)?;
        let norm1: f64 = codes
            .rows()
            .flat_map(|(_, values)| values)
            .map(|h| h.abs())
            .sum();
        let squares: f64 = error.iter().map(|e| e * e).sum();
        let objective = self.lambda * norm1 + 0.5 * self.beta * squares;
        check::computed("the objective", [&objective])?;
        Ok(objective)
    }

    /// `H Wᵀ + b`, the means of the data.
    ///
    /// # Errors
    /// Codes for another number of atoms, or parameters that are not in range.
    pub fn reconstruct(&self, codes: &Codes) -> Result<Array2<f64>, LatentError> {
        self.check_parameters()?;
        check::shape("the atoms of the codes", self.atoms(), codes.atoms())?;
        let mut data = Array2::zeros((codes.len(), self.dimension()));
        for (mut row, (indices, values)) in data.rows_mut().into_iter().zip(codes.rows()) {
            row += &self.bias;
            for (&k, &h) in indices.iter().zip(values) {
                row.scaled_add(h, &self.dictionary.column(k));
            }
        }
        Ok(data)
    }

    /// Refuses parameters out of range, and data that do not fit them.
    pub(super) fn check(&self, data: ArrayView2<'_, f64>) -> Result<(), LatentError> {
        self.check_parameters()?;
        check::shape("the number of columns", self.dimension(), data.ncols())?;
        check::finite("the data", data)
    }

    /// Refuses parameters out of range.
    fn check_parameters(&self) -> Result<(), LatentError> {
        check::positive("the rate λ", self.lambda)?;
        check::positive("the precision β", self.beta)?;
        check::shape("the length of the bias", self.dimension(), self.bias.len())?;
        check::finite("the dictionary", self.dictionary.view())?;
        check::finite_vector("the bias", self.bias.view())
    }
}
