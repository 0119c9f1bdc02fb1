//! Codes of many examples, of which only the non-zeros are stored.

use ndarray::Array2;
use serde::{Deserialize, Serialize};

/// The codes `H` of a data set, one sparse row for each example.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Codes {
    atoms: usize,
    /// Row `n` is `starts[n]..starts[n + 1]`.
    starts: Vec<usize>,
    indices: Vec<usize>,
    values: Vec<f64>,
}

impl Codes {
    /// No examples yet, for a dictionary of so many atoms.
    #[must_use]
    pub fn new(atoms: usize) -> Self {
        Self {
            atoms,
            starts: vec![0],
            ..Self::default()
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
