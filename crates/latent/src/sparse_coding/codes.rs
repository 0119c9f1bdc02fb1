//! Codes of many examples, of which only the non-zeros are stored.

use ndarray::Array2;
use serde::{Deserialize, Serialize};

use crate::{LatentError, check};

/// The codes `H` of a data set, one sparse row for each example.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Unchecked")]
pub struct Codes {
    atoms: usize,
    /// Row `n` is `starts[n]..starts[n + 1]`.
    starts: Vec<usize>,
    indices: Vec<usize>,
    values: Vec<f64>,
}

#[derive(Deserialize)]
struct Unchecked {
    atoms: usize,
    starts: Vec<usize>,
    indices: Vec<usize>,
    values: Vec<f64>,
}

impl TryFrom<Unchecked> for Codes {
    type Error = LatentError;

    fn try_from(read: Unchecked) -> Result<Self, LatentError> {
        let Unchecked {
            atoms,
            starts,
            indices,
            values,
        } = read;
        let count = indices.len();
        check::shape("the number of non-zeros", count, values.len())?;
        let range = "from 0 to the number of non-zeros, in order";
        for (what, place, expected) in [
            ("the first start of the codes", starts.first(), 0),
            ("the last start of the codes", starts.last(), count),
        ] {
            let place = place.copied().unwrap_or(usize::MAX);
            check::within(what, range, place as f64, place == expected)?;
        }
        for (row, ends) in starts.windows(2).enumerate() {
            let rising = ends[0] <= ends[1] && ends[1] <= count;
            check::within("a start of the codes", range, ends[1] as f64, rising)?;
            let mut own = indices[ends[0]..ends[1]].to_vec();
            own.sort_unstable();
            let distinct = own.windows(2).all(|pair| pair[0] < pair[1]);
            let known = own.last().is_none_or(|&last| last < atoms);
            let range = "of atoms that exist, each once";
            check::within("a row of the codes", range, row as f64, distinct && known)?;
        }
        check::finite_vector("the codes", ndarray::ArrayView1::from(&values))?;
        Ok(Self {
            atoms,
            starts,
            indices,
            values,
        })
    }
}

impl Default for Codes {
    /// The codes of no examples, of no atoms.
    fn default() -> Self {
        Self::new(0)
    }
}

impl Codes {
    /// No examples yet, for a dictionary of so many atoms.
    #[must_use]
    pub fn new(atoms: usize) -> Self {
        Self {
            atoms,
            starts: vec![0],
            indices: Vec::new(),
            values: Vec::new(),
        }
    }

    /// Number of atoms `K`.
    #[must_use]
    pub fn atoms(&self) -> usize {
        self.atoms
    }

    /// Number of examples `N`.
    #[must_use]
    pub fn len(&self) -> usize {
        self.starts.len() - 1
    }

    /// Whether there are no examples.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Number of non-zeros of all examples.
    #[must_use]
    pub fn non_zeros(&self) -> usize {
        self.values.len()
    }

    /// The atoms that example `n` uses, and their coefficients.
    ///
    /// # Panics
    /// If there is no such example.
    #[must_use]
    pub fn row(&self, n: usize) -> (&[usize], &[f64]) {
        let range = self.starts[n]..self.starts[n + 1];
        (&self.indices[range.clone()], &self.values[range])
    }

    /// All rows, in order.
    pub fn rows(&self) -> impl ExactSizeIterator<Item = (&[usize], &[f64])> {
        (0..self.len()).map(|n| self.row(n))
    }

    /// The matrix `H`, zeros included.
    #[must_use]
    pub fn to_dense(&self) -> Array2<f64> {
        let mut dense = Array2::zeros((self.len(), self.atoms));
        for (mut row, (indices, values)) in dense.rows_mut().into_iter().zip(self.rows()) {
            for (&k, &h) in indices.iter().zip(values) {
                row[k] = h;
            }
        }
        dense
    }

    /// Adds a row.
    pub(super) fn push(&mut self, indices: &[usize], values: &[f64]) {
        self.indices.extend_from_slice(indices);
        self.values.extend_from_slice(values);
        self.starts.push(self.indices.len());
    }

    /// Adds the rows of `other` behind these.
    pub(super) fn append(&mut self, other: &Self) {
        let shift = self.indices.len();
        self.starts
            .extend(other.starts[1..].iter().map(|start| start + shift));
        self.indices.extend_from_slice(&other.indices);
        self.values.extend_from_slice(&other.values);
    }
}
