//! Second moments of the rows of a matrix: all that a linear Gaussian model needs to know of them.

use std::ops::Range;

use ndarray::linalg::general_mat_mul;
use ndarray::{Array1, Array2, Axis, s};
use rayon::prelude::*;

use crate::LatentError;
use crate::check::shape;
use crate::em::model::Examples;
use crate::em::rows::Rows;

/// Rows in a task; fixed, so that sums do not depend on the number of threads.
const CHUNK: usize = 4096;

/// For each batch the number of its rows and `S = Σ_n (v_n − μ)(v_n − μ)ᵀ`.
#[derive(Clone, Debug)]
pub struct Scatter {
    pub(super) batches: Vec<(usize, Array2<f64>)>,
}

impl Scatter {
    /// The moments of each batch about `mean`.
    ///
    /// # Errors
    /// A mean that has not one entry for each column.
    ///
    /// # Complexity
    /// Time `O(N D²)`; memory `O(D²)` for each batch.
    pub fn about(mean: &Array1<f64>, rows: &Rows<'_>) -> Result<Self, LatentError> {
        shape("the length of the mean", rows.columns(), mean.len())?;
        let batches = (0..rows.batches())
            .map(|batch| {
                let units = rows.units(batch);
                let starts: Vec<usize> = units.clone().step_by(CHUNK).collect();
                let parts: Vec<Array2<f64>> = starts
                    .into_par_iter()
                    .map(|start| part(mean, rows, start..(start + CHUNK).min(units.end)))
                    .collect();
                let mut sum = Array2::zeros((mean.len(), mean.len()));
                for part in &parts {
                    sum += part;
                }
                (units.len(), sum)
            })
            .collect();
        Ok(Self { batches })
    }
}

fn part(mean: &Array1<f64>, rows: &Rows<'_>, positions: Range<usize>) -> Array2<f64> {
    const BLOCK: usize = 256;
    let mut scatter = Array2::zeros((mean.len(), mean.len()));
    let mut centred = Array2::zeros((BLOCK, mean.len()));
    for start in positions.clone().step_by(BLOCK) {
        let end = (start + BLOCK).min(positions.end);
        let mut block = centred.slice_mut(s![..end - start, ..]);
        for (mut to, row) in block.axis_iter_mut(Axis(0)).zip(rows.at(start..end)) {
            to.assign(&(&row - mean));
        }
        general_mat_mul(1.0, &block.t(), &block, 1.0, &mut scatter);
    }
    scatter
}

impl Examples for Scatter {
    const GRAIN: usize = 1;

    fn batches(&self) -> usize {
        self.batches.len()
    }

    fn units(&self, batch: usize) -> Range<usize> {
        batch..batch + 1
    }

    fn examples(&self, batch: usize) -> usize {
        self.batches[batch].0
    }
}
