//! Learning hidden Markov models from data.

use forney_certify::Budget;
use ndarray::{Array1, Array2, ArrayView1, ArrayView2};
use rand::SeedableRng;
use rand_pcg::Pcg64;
use serde::{Deserialize, Serialize};

use super::categorical::Categorical;
use super::gaussian::GaussianEmission;
use super::model::Hmm;
use super::sequences::Sequences;
use crate::LatentError;
use crate::check::{enough, some};
use crate::em::e_step::demand;
use crate::em::gaussian::{Covariance, sizes};
use crate::em::kmeans;
use crate::em::learner::EmLearner;
use crate::em::options::Em;
use crate::em::rows::Columns;
use crate::em::simplex::draw_distribution;
use crate::learn::{Fit, Learner};

/// How to learn an [`Hmm`] of real vectors.
///
/// Each run starts from k-means of all steps and the transitions between its clusters. Covariances are
/// kept above a floor as in [`GaussianMixtureParams`](crate::em::GaussianMixtureParams); a state that is
/// never visited keeps its parameters.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct GaussianHmmParams {
    /// Number of states `K`; 2 by default.
    pub states: usize,
    /// What the covariances share; full by default.
    pub covariance: Covariance,
    /// The least variance, as a part of each column's variance, from 1e-12 to below 1; 1e-6 by default.
    pub variance_floor: f64,
    /// Runs from different starts, of which the best is kept; 1 by default.
    pub restarts: usize,
    /// Seed of the starts and of the order of batches; 0 by default.
    pub seed: u64,
    /// The loop; batches are of sequences.
    pub em: Em,
}

impl Default for GaussianHmmParams {
    fn default() -> Self {
        Self {
            states: 2,
            covariance: Covariance::Full,
            variance_floor: 1e-6,
            restarts: 1,
            seed: 0,
            em: Em::default(),
        }
    }
}

impl GaussianHmmParams {
    /// Learns a model from the rows of `data`, which `lengths` cuts into sequences.
    ///
    /// # Errors
    /// A value that is not finite, a constant column, fewer steps than states, an empty sequence,
    /// lengths that do not sum to the number of rows, parameters outside their ranges.
    ///
    /// # Complexity
    /// Time for each sweep: that of a mixture, and `O(K²)` for each step. Memory: some numbers for each
    /// step and state of the longest sequence and task.
    pub fn fit(
        &self,
        data: ArrayView2<'_, f64>,
        lengths: &[usize],
    ) -> Result<Fit<Hmm<GaussianEmission>>, LatentError> {
        self.learner(data, lengths)?.fit()
    }

    /// Bytes that learning takes beside so many steps of so many columns in so many sequences, about: 64 sets of moments, the start, and four numbers for each
    /// step and state.
    ///
    /// A caller with a limit compares them with it before it begins.
    #[must_use]
    pub fn demand(&self, steps: usize, columns: usize, sequences: usize) -> f64 {
        let (statistics, model) = sizes(self.covariance, self.states, columns);
        recursions(&self.em, steps, self.states, sequences, statistics, model)
            + kmeans::demand(steps, self.states)
    }

    /// What learns: to be run within a budget, watched, saved and resumed.
    ///
    /// # Errors
    /// As [`fit`](Self::fit).
    pub fn learner<'d>(
        &self,
        data: ArrayView2<'d, f64>,
        lengths: &[usize],
    ) -> Result<EmLearner<'d, Hmm<GaussianEmission>>, LatentError> {
        self.em.check()?;
        some("the number of states", self.states)?;
        let sequences = Sequences::gaussian(data, lengths, self.em.batch(), self.seed)?;
        enough(data.nrows(), self.states)?;
        let columns = Columns::of(data)?;
        let states = self.states;
        let shape = (states, self.covariance, self.variance_floor);
        let start = move |sequences: &Sequences<'d, GaussianEmission>, seed, budget: &Budget| {
            let (labels, gaussians) = kmeans::gaussians(data, &columns, shape, seed, budget)?;
            Hmm::new(
                Array1::from_elem(states, 1.0 / states as f64),
                observed_transitions(&labels, sequences, states),
                gaussians,
            )
        };
        EmLearner::new(sequences, self.em, self.restarts, self.seed, start)
    }
}

/// Bytes of learning with emissions whose statistics and parameters are so many numbers.
fn recursions(
    em: &Em,
    steps: usize,
    states: usize,
    sequences: usize,
    statistics: f64,
    model: f64,
) -> f64 {
    let states = states as f64;
    let chain = states * states + states;
    // Tables of the recursions, one for each state and step of the sequences at hand.
    demand(em, sequences, statistics + chain, model + chain) + 32.0 * steps as f64 * states
}

/// The transitions between labels within sequences, each counted once more than it was seen.
fn observed_transitions(
    labels: &[usize],
    sequences: &Sequences<'_, GaussianEmission>,
    states: usize,
) -> Array2<f64> {
    let mut counts = Array2::<f64>::ones((states, states));
    for sequence in 0..sequences.count() {
        for pair in labels[sequences.range(sequence)].windows(2) {
            counts[[pair[0], pair[1]]] += 1.0;
        }
    }
    for mut row in counts.rows_mut() {
        row /= row.sum();
    }
    counts
}

/// How to learn an [`Hmm`] of symbols.
///
/// Each run starts from random distributions; a state that is never visited keeps its parameters.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct CategoricalHmmParams {
    /// Number of states `K`; 2 by default.
    pub states: usize,
    /// Number of symbols `S`; 2 by default.
    pub symbols: usize,
    /// Runs from different starts, of which the best is kept; 1 by default.
    pub restarts: usize,
    /// Seed of the starts and of the order of batches; 0 by default.
    pub seed: u64,
    /// The loop; batches are of sequences.
    pub em: Em,
}

impl Default for CategoricalHmmParams {
    fn default() -> Self {
        Self {
            states: 2,
            symbols: 2,
            restarts: 1,
            seed: 0,
            em: Em::default(),
        }
    }
}

impl CategoricalHmmParams {
    /// Learns a model from symbols, which `lengths` cuts into sequences.
    ///
    /// # Errors
    /// A symbol that does not exist, an empty sequence, lengths that do not sum to the number of
    /// symbols, parameters outside their ranges.
    pub fn fit(
        &self,
        data: ArrayView1<'_, usize>,
        lengths: &[usize],
    ) -> Result<Fit<Hmm<Categorical>>, LatentError> {
        self.learner(data, lengths)?.fit()
    }

    /// Bytes that learning takes beside so many steps in so many sequences, about: 64 tables of a number for each state and symbol, and four
    /// numbers for each step and state.
    ///
    /// A caller with a limit compares them with it before it begins.
    #[must_use]
    pub fn demand(&self, steps: usize, sequences: usize) -> f64 {
        let table = self.states as f64 * self.symbols as f64;
        recursions(&self.em, steps, self.states, sequences, table, table)
    }

    /// What learns: to be run within a budget, watched, saved and resumed.
    ///
    /// # Errors
    /// As [`fit`](Self::fit).
    pub fn learner<'d>(
        &self,
        data: ArrayView1<'d, usize>,
        lengths: &[usize],
    ) -> Result<EmLearner<'d, Hmm<Categorical>>, LatentError> {
        self.em.check()?;
        some("the number of states", self.states)?;
        let sequences = Sequences::categorical(data, lengths, self.em.batch(), self.seed)?;
        let (states, symbols) = (self.states, self.symbols);
        let start = move |_: &Sequences<'d, Categorical>, seed, _: &Budget| {
            let mut rng = Pcg64::seed_from_u64(seed);
            let mut rows = |rows: usize, columns: usize| {
                let mut drawn = Array2::zeros((rows, columns));
                for mut row in drawn.rows_mut() {
                    row.assign(&Array1::from(draw_distribution(columns, &mut rng)));
                }
                drawn
            };
            Hmm::new(
                rows(1, states).row(0).to_owned(),
                rows(states, states),
                Categorical::new(rows(states, symbols))?,
            )
        };
        EmLearner::new(sequences, self.em, self.restarts, self.seed, start)
    }
}
