//! The parameters of a hidden Markov model.

use ndarray::{Array1, Array2};
use rand::SeedableRng;
use rand_pcg::Pcg64;
use serde::{Deserialize, Serialize};

use super::emission::Emission;
use crate::LatentError;
use crate::check::{shapes, some};
use crate::em::simplex::{check_distribution, draw};

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
    bound(deserialize = "E: Emission", serialize = "E: Serialize")
)]
pub struct Hmm<E> {
    pub(super) start: Array1<f64>,
    pub(super) transitions: Array2<f64>,
    pub(super) emission: E,
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
        some("the number of states", states)?;
        let (rows, columns) = transitions.dim();
        shapes([
            ("the number of start probabilities", states, start.len()),
            ("the rows of the transitions", states, rows),
            ("the columns of the transitions", states, columns),
        ])?;
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
