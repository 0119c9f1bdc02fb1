//! Symbols from a finite alphabet.

use std::ops::Range;

use ndarray::{Array1, Array2, ArrayView1, ArrayView2, ArrayViewMut2};
use serde::{Deserialize, Serialize};

use super::emission::Emission;
use super::model::Hmm;
use crate::LatentError;
use crate::check::{some, within};
use crate::em::model::Statistics;
use crate::em::simplex::{
    check_distribution, draw, ln_expectations, logit_gradients, normalised_rows, softmax_rows,
};

/// `p(v_t = s | h_t = k)`, `K × S`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Categorical {
    probabilities: Array2<f64>,
}

impl Categorical {
    /// Emissions with given probabilities, `K × S`.
    ///
    /// # Errors
    /// No symbols, or a row that is not a distribution.
    pub fn new(probabilities: Array2<f64>) -> Result<Self, LatentError> {
        let emission = Self { probabilities };
        emission.check()?;
        Ok(emission)
    }

    /// The probabilities, `K × S`.
    #[must_use]
    pub fn probabilities(&self) -> &Array2<f64> {
        &self.probabilities
    }
}

impl Hmm<Categorical> {
    /// Draws one sequence: its symbols and its states.
    #[must_use]
    pub fn sample(&self, steps: usize, seed: u64) -> (Array1<usize>, Array1<usize>) {
        let (states, mut rng) = self.draw_states(steps, seed);
        let rows = states.iter().map(|&k| self.emission.probabilities.row(k));
        let symbols = rows.map(|row| draw(row, &mut rng)).collect();
        (symbols, states.into())
    }
}

impl Statistics for Array2<f64> {
    fn add(&mut self, other: &Self, factor: f64) {
        self.scaled_add(factor, other);
    }

    fn scale(&mut self, factor: f64) {
        *self *= factor;
    }
}

impl Emission for Categorical {
    type Observations<'d> = ArrayView1<'d, usize>;
    type Statistics = Array2<f64>;
    type Ready = Array2<f64>;

    fn states(&self) -> usize {
        self.probabilities.nrows()
    }

    fn check(&self) -> Result<(), LatentError> {
        let symbols = self.probabilities.ncols();
        some("the number of symbols", symbols)?;
        for row in self.probabilities.rows() {
            check_distribution("a row of the emissions", row)?;
        }
        Ok(())
    }

    fn check_observations(&self, observations: ArrayView1<'_, usize>) -> Result<(), LatentError> {
        let symbols = self.probabilities.ncols();
        for &symbol in observations {
            let exists = symbol < symbols;
            within(
                "a symbol",
                "below the number of symbols",
                symbol as f64,
                exists,
            )?;
        }
        Ok(())
    }

    /// `ln p`, one row for each symbol.
    fn ready(&self) -> Array2<f64> {
        self.probabilities.t().mapv(f64::ln)
    }

    fn ln_densities(
        ready: &Array2<f64>,
        observations: ArrayView1<'_, usize>,
        steps: Range<usize>,
        mut into: ArrayViewMut2<'_, f64>,
    ) {
        for (mut row, step) in into.rows_mut().into_iter().zip(steps) {
            row.assign(&ready.row(observations[step]));
        }
    }

    fn collect(
        _: &Array2<f64>,
        observations: ArrayView1<'_, usize>,
        steps: Range<usize>,
        weights: ArrayView2<'_, f64>,
        into: &mut Array2<f64>,
    ) {
        for (weights, step) in weights.rows().into_iter().zip(steps) {
            into.column_mut(observations[step])
                .scaled_add(1.0, &weights);
        }
    }

    fn no_statistics(&self) -> Array2<f64> {
        Array2::zeros(self.probabilities.dim())
    }

    fn maximised(&self, counts: &Array2<f64>) -> Self {
        Self {
            probabilities: normalised_rows(counts, &self.probabilities),
        }
    }

    fn expected_ln_density(&self, counts: &Array2<f64>) -> f64 {
        ln_expectations(counts, &self.probabilities)
    }

    fn parameters(&self) -> Vec<f64> {
        self.probabilities.iter().map(|p| p.ln()).collect()
    }

    fn with_parameters(&self, parameters: &[f64]) -> Option<Self> {
        Some(Self {
            probabilities: softmax_rows(parameters, self.probabilities.dim())?,
        })
    }

    fn gradient(&self, counts: &Array2<f64>) -> Vec<f64> {
        logit_gradients(counts, &self.probabilities)
    }
}
