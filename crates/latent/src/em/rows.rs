//! Data matrices with examples in rows.

use std::ops::Range;

use ndarray::{Array1, ArrayView1, ArrayView2};

use super::model::Examples;
use super::visit::Visit;
use crate::LatentError;
use crate::check::{finite, some, varying, within};

/// The rows of a matrix.
#[derive(Clone, Debug)]
pub struct Rows<'a> {
    data: ArrayView2<'a, f64>,
    visit: Visit,
}

impl<'a> Rows<'a> {
    /// All rows in batches of `batch` rows, each drawn from the whole matrix; in one batch, in order, if
    /// `None`.
    ///
    /// # Errors
    /// No rows or columns, a value that is not finite, a batch of 0 rows.
    pub fn new(
        data: ArrayView2<'a, f64>,
        batch: Option<usize>,
        seed: u64,
    ) -> Result<Self, LatentError> {
        some("the number of columns", data.ncols())?;
        finite("the data", data)?;
        let visit = Visit::new(data.nrows(), batch, seed)?;
        Ok(Self { data, visit })
    }

    /// Number of columns.
    #[must_use]
    pub fn columns(&self) -> usize {
        self.data.ncols()
    }

    /// The rows at some positions.
    pub(crate) fn at(&self, positions: Range<usize>) -> impl Iterator<Item = ArrayView1<'_, f64>> {
        self.visit.at(positions).map(|row| self.data.row(row))
    }
}

impl Examples for Rows<'_> {
    const GRAIN: usize = 256;

    fn batches(&self) -> usize {
        self.visit.batches()
    }

    fn units(&self, batch: usize) -> Range<usize> {
        self.visit.batch(batch)
    }
}

/// Mean and variance of each column.
#[derive(Clone, Debug)]
pub(crate) struct Columns {
    pub(crate) mean: Array1<f64>,
    pub(crate) variance: Array1<f64>,
}

/// Variances outside this range would overflow or vanish when they are multiplied.
const VARIANCES: Range<f64> = 1e-100..1e100;

impl Columns {
    /// The moments of checked data.
    ///
    /// # Errors
    /// A constant column, or one whose variance is outside the range of the arithmetic.
    pub(crate) fn of(data: ArrayView2<'_, f64>) -> Result<Self, LatentError> {
        varying(data)?;
        let n = data.nrows() as f64;
        let first = data.row(0);
        let mut mean = Array1::zeros(data.ncols());
        for row in data.rows() {
            mean += &(&row - &first);
        }
        mean = mean / n + first;
        let mut variance = Array1::zeros(data.ncols());
        for row in data.rows() {
            variance.zip_mut_with(&(&row - &mean), |sum: &mut f64, x| *sum += x * x);
        }
        variance /= n;
        for &value in &variance {
            within(
                "the variance of each column",
                "between 1e-100 and 1e100 (rescale the data)",
                value,
                VARIANCES.contains(&value),
            )?;
        }
        Ok(Self { mean, variance })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::Array2;

    #[test]
    fn a_constant_column_is_named_whatever_its_value() {
        let data = Array2::from_shape_fn(
            (11, 2),
            |(row, column)| {
                if column == 1 { 0.1 } else { row as f64 }
            },
        );
        let error = Columns::of(data.view()).unwrap_err();
        assert_eq!(error, LatentError::ZeroVariance { column: 1 });
    }
}
