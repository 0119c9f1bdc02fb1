//! Data matrices with examples in rows.

use std::ops::Range;

use ndarray::{Array1, ArrayView1, ArrayView2};
use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64;

use super::model::Examples;
use crate::LatentError;
use crate::check::{enough, finite, within};

/// The rows of a matrix, visited in an order that spreads each batch over the whole matrix.
///
/// Position `p` holds row `(start + p · stride) mod n` with a stride prime to `n`: a permutation that
/// takes no memory. With a single batch it is the identity.
#[derive(Clone, Debug)]
pub struct Rows<'a> {
    data: ArrayView2<'a, f64>,
    start: usize,
    stride: usize,
    batch: usize,
}

impl<'a> Rows<'a> {
    /// All rows in batches of `batch` rows (in one batch, if `None`).
    ///
    /// # Errors
    /// No rows or columns, a value that is not finite, a batch of 0 rows.
    pub fn new(
        data: ArrayView2<'a, f64>,
        batch: Option<usize>,
        seed: u64,
    ) -> Result<Self, LatentError> {
        enough(data.nrows(), 1)?;
        within("the number of columns", "at least 1", 0.0, data.ncols() > 0)?;
        within("the batch size", "at least 1", 0.0, batch != Some(0))?;
        finite("the data", data)?;
        let n = data.nrows();
        let (start, stride) = match batch {
            Some(_) => permutation(n, seed),
            None => (0, 1),
        };
        Ok(Self {
            data,
            start,
            stride,
            batch: batch.unwrap_or(n).min(n),
        })
    }

    /// The rows at some positions.
    pub(crate) fn at(&self, positions: Range<usize>) -> impl Iterator<Item = ArrayView1<'_, f64>> {
        self.indices(positions).map(|row| self.data.row(row))
    }

    /// The numbers of the rows at some positions.
    pub(crate) fn indices(&self, positions: Range<usize>) -> impl Iterator<Item = usize> + use<> {
        let (n, stride) = (self.data.nrows(), self.stride);
        let first = self.start as u128 + positions.start as u128 * stride as u128;
        let mut next = (first % n as u128) as usize;
        positions.map(move |_| {
            let row = next;
            next += stride;
            if next >= n {
                next -= n;
            }
            row
        })
    }
}

/// A start and a stride prime to `n`, both drawn.
fn permutation(n: usize, seed: u64) -> (usize, usize) {
    let mut rng = Pcg64::seed_from_u64(seed);
    let start = rng.random_range(0..n);
    let mut stride = rng.random_range(1..=n);
    while gcd(stride, n) != 1 {
        stride = stride % n + 1;
    }
    (start, stride % n.max(2))
}

fn gcd(a: usize, b: usize) -> usize {
    if b == 0 { a } else { gcd(b, a % b) }
}

impl Examples for Rows<'_> {
    const GRAIN: usize = 256;

    fn batches(&self) -> usize {
        self.data.nrows().div_ceil(self.batch)
    }

    fn units(&self, batch: usize) -> Range<usize> {
        let start = batch * self.batch;
        start..(start + self.batch).min(self.data.nrows())
    }

    fn examples(&self, batch: usize) -> usize {
        self.units(batch).len()
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
        let n = data.nrows() as f64;
        let first = data.row(0);
        let mut mean = Array1::zeros(data.ncols());
        for row in data.rows() {
            mean += &(&row - &first);
        }
        mean = mean / n + first;
        let mut variance = Array1::zeros(data.ncols());
        let mut constant = vec![true; data.ncols()];
        for row in data.rows() {
            variance.zip_mut_with(&(&row - &mean), |sum: &mut f64, x| *sum += x * x);
            for ((constant, x), first) in constant.iter_mut().zip(row).zip(first) {
                *constant &= x.total_cmp(first).is_eq();
            }
        }
        variance /= n;
        if let Some(column) = constant.iter().position(|&constant| constant) {
            return Err(LatentError::ZeroVariance { column });
        }
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
    fn positions_visit_every_row_once() {
        for n in 1..60 {
            let data = Array2::from_shape_fn((n, 1), |(row, _)| row as f64);
            for seed in 0..5 {
                let rows = Rows::new(data.view(), Some(7), seed).unwrap();
                let mut seen: Vec<usize> = (0..rows.batches())
                    .flat_map(|batch| rows.indices(rows.units(batch)))
                    .collect();
                seen.sort_unstable();
                assert_eq!(seen, (0..n).collect::<Vec<_>>());
            }
        }
    }

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
