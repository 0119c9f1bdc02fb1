//! The hidden Markov model: `p(h_1 = i) = π_i`, `p(h_t = j | h_{t−1} = i) = A_ij`, `v_t | h_t ~` emission.
//!
//! L. R. Rabiner, "A tutorial on hidden Markov models" (1989).
//!
//! | symbol | name | shape |
//! |---|---|---|
//! | `π` | [`Hmm::start`] | `K` |
//! | `A` | [`Hmm::transitions`], rows sum to 1 | `K × K` |
//! | `b_t(k) = p(v_t \| h_t = k)` | [`Emission`] | `T × K` |
//! | `γ_t(k) = p(h_t = k \| v)` | [`Hmm::transform`] | `T × K` |
//!
//! An example is a whole sequence: scores and free energies are nats per sequence.

mod categorical;
mod emission;
mod fit;
mod gaussian;
mod learn;
mod log_domain;
mod scaled;
mod sequences;

use ndarray::{Array1, Array2, ArrayView1};
use rand::SeedableRng;
use rand_pcg::Pcg64;
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use super::kmeans::largest;
use super::simplex::{check_distribution, draw};
use super::{LatentModel, e_step};
use crate::LatentError;
use crate::check::{shape, within};

pub use categorical::Categorical;
pub use emission::Emission;
pub use fit::{CategoricalHmmParams, GaussianHmmParams};
pub use gaussian::GaussianEmission;
pub use learn::{HmmMoments, HmmPosterior};
pub use sequences::Sequences;

/// A hidden Markov model with emissions of type `E`.
///
/// # Example
/// ```
/// use forney_latent::em::{Categorical, Hmm, Sequences};
/// use ndarray::array;
/// let emission = Categorical::new(array![[0.9, 0.1], [0.2, 0.8]])?;
/// let model = Hmm::new(array![0.5, 0.5], array![[0.9, 0.1], [0.1, 0.9]], emission)?;
/// let symbols = array![0, 0, 1, 1, 1, 0];
/// let sequences = Sequences::categorical(symbols.view(), &[4, 2], None, 0)?;
/// assert_eq!(model.predict(&sequences)?, array![0, 0, 1, 1, 1, 1]);
/// assert!(model.score(&sequences)? < 0.0);
/// # Ok::<(), forney_latent::LatentError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(
    try_from = "Unchecked<E>",
    bound(
        deserialize = "E: Emission + DeserializeOwned",
        serialize = "E: Serialize"
    )
)]
pub struct Hmm<E> {
    start: Array1<f64>,
    transitions: Array2<f64>,
    emission: E,
}

/// A model as it was read.
#[derive(Deserialize)]
struct Unchecked<E> {
    start: Array1<f64>,
    transitions: Array2<f64>,
    emission: E,
}

impl<E: Emission> TryFrom<Unchecked<E>> for Hmm<E> {
    type Error = LatentError;

    fn try_from(read: Unchecked<E>) -> Result<Self, LatentError> {
        read.emission.check()?;
        Self::new(read.start, read.transitions, read.emission)
    }
}

impl<E: Emission> Hmm<E> {
    /// A model with given parameters.
    ///
    /// # Errors
    /// Shapes that do not fit, or rows that are not distributions.
    pub fn new(
        start: Array1<f64>,
        transitions: Array2<f64>,
        emission: E,
    ) -> Result<Self, LatentError> {
        let states = emission.states();
        within("the number of states", "at least 1", 0.0, states > 0)?;
        shape("the number of start probabilities", states, start.len())?;
        shape("the rows of the transitions", states, transitions.nrows())?;
        shape(
            "the columns of the transitions",
            states,
            transitions.ncols(),
        )?;
        check_distribution("the start probabilities", start.view())?;
        for row in transitions.rows() {
            check_distribution("a row of the transitions", row)?;
        }
        Ok(Self {
            start,
            transitions,
            emission,
        })
    }

    /// `π`, `K`.
    #[must_use]
    pub fn start(&self) -> &Array1<f64> {
        &self.start
    }

    /// `A`, `K × K`.
    #[must_use]
    pub fn transitions(&self) -> &Array2<f64> {
        &self.transitions
    }

    /// The emissions.
    #[must_use]
    pub fn emission(&self) -> &E {
        &self.emission
    }

    /// The mean of `ln p(v)` over the sequences, in nats; `−∞` if the model excludes one.
    ///
    /// # Errors
    /// Observations that the emissions cannot give.
    pub fn score(&self, sequences: &Sequences<'_, E>) -> Result<f64, LatentError> {
        e_step::score(self, sequences)
    }

    /// `γ_t(k) = p(h_t = k | v)` of all steps of all sequences, one after another; zeros in a sequence
    /// that the model excludes.
    ///
    /// # Errors
    /// As [`score`](Self::score).
    pub fn transform(&self, sequences: &Sequences<'_, E>) -> Result<Array2<f64>, LatentError> {
        self.check_data(sequences)?;
        Ok(learn::posteriors(self, sequences))
    }

    /// The most probable path of each sequence (Viterbi), one after another.
    ///
    /// # Errors
    /// As [`score`](Self::score).
    pub fn predict(&self, sequences: &Sequences<'_, E>) -> Result<Array1<usize>, LatentError> {
        self.check_data(sequences)?;
        let ready = self.emission.ready();
        let ln_transitions = self.transitions.mapv(f64::ln);
        let mut path = Array1::zeros(sequences.steps());
        for sequence in 0..sequences.count() {
            let steps = sequences.range(sequence);
            let mut ln_b = Array2::zeros((steps.len(), self.start.len()));
            E::ln_densities(
                &ready,
                sequences.observations(),
                steps.clone(),
                ln_b.view_mut(),
            );
            let mut best = self.start.mapv(f64::ln) + ln_b.row(0);
            let mut from = Array2::<usize>::zeros(ln_b.dim());
            for t in 1..steps.len() {
                let arrive = |j: usize| &best + &ln_transitions.column(j);
                from.row_mut(t).assign(&ArrayView1::from(
                    &(0..best.len())
                        .map(|j| largest(arrive(j).view()))
                        .collect::<Vec<_>>(),
                ));
                best = (0..best.len())
                    .map(|j| arrive(j)[from[[t, j]]] + ln_b[[t, j]])
                    .collect();
            }
            let mut state = largest(best.view());
            for t in (0..steps.len()).rev() {
                path[steps.start + t] = state;
                state = from[[t, state]];
            }
        }
        Ok(path)
    }

    /// Draws the hidden states of one sequence and the generator that its emissions go on with.
    pub(super) fn draw_states(&self, steps: usize, seed: u64) -> (Vec<usize>, Pcg64) {
        let mut rng = Pcg64::seed_from_u64(seed);
        let mut states = Vec::with_capacity(steps);
        for t in 0..steps {
            let row = match t {
                0 => self.start.view(),
                _ => self.transitions.row(states[t - 1]),
            };
            states.push(draw(row, &mut rng));
        }
        (states, rng)
    }
}
