//! Sequences of different lengths, one after another.

use std::ops::Range;

use ndarray::{ArrayView1, ArrayView2};

use super::categorical::Categorical;
use super::emission::Emission;
use super::gaussian::GaussianEmission;
use crate::LatentError;
use crate::check::{finite, shape, some};
use crate::em::model::Examples;
use crate::em::visit::Visit;

/// The observations of all sequences, and where each begins.
pub struct Sequences<'d, E: Emission> {
    observations: E::Observations<'d>,
    /// The first step of each sequence, and the number of all steps.
    starts: Vec<usize>,
    visit: Visit,
}

impl<'d> Sequences<'d, GaussianEmission> {
    /// Real vectors: `lengths` cuts the rows of `observations` into sequences, which are learned in
    /// batches of `batch` sequences (in one, if `None`).
    ///
    /// # Errors
    /// A value that is not finite, an empty sequence, lengths that do not sum to the number of rows, a
    /// batch of no sequences.
    pub fn gaussian(
        observations: ArrayView2<'d, f64>,
        lengths: &[usize],
        batch: Option<usize>,
        seed: u64,
    ) -> Result<Self, LatentError> {
        some("the number of columns", observations.ncols())?;
        finite("the observations", observations)?;
        Self::new(observations, observations.nrows(), lengths, batch, seed)
    }
}

impl<'d> Sequences<'d, Categorical> {
    /// Symbols, cut and batched as [`gaussian`](Sequences::gaussian) does.
    ///
    /// # Errors
    /// As there.
    pub fn categorical(
        observations: ArrayView1<'d, usize>,
        lengths: &[usize],
        batch: Option<usize>,
        seed: u64,
    ) -> Result<Self, LatentError> {
        Self::new(observations, observations.len(), lengths, batch, seed)
    }
}

impl<'d, E: Emission> Sequences<'d, E> {
    fn new(
        observations: E::Observations<'d>,
        steps: usize,
        lengths: &[usize],
        batch: Option<usize>,
        seed: u64,
    ) -> Result<Self, LatentError> {
        let mut starts = Vec::with_capacity(lengths.len() + 1);
        let mut end = 0usize;
        starts.push(0);
        for &length in lengths {
            some("the length of a sequence", length)?;
            end = end.saturating_add(length);
            starts.push(end);
        }
        shape("the number of steps in all sequences", steps, end)?;
        let visit = Visit::new(lengths.len(), batch, seed)?;
        Ok(Self {
            observations,
            starts,
            visit,
        })
    }

    /// Number of sequences.
    #[must_use]
    pub fn count(&self) -> usize {
        self.starts.len() - 1
    }

    /// Number of steps of all sequences.
    #[must_use]
    pub fn steps(&self) -> usize {
        self.starts[self.count()]
    }

    /// The steps of a sequence.
    pub(super) fn range(&self, sequence: usize) -> Range<usize> {
        self.starts[sequence]..self.starts[sequence + 1]
    }

    /// The steps of the sequences at some positions.
    pub(super) fn at(&self, positions: Range<usize>) -> impl Iterator<Item = Range<usize>> {
        self.visit
            .at(positions)
            .map(|sequence| self.range(sequence))
    }

    pub(super) fn observations(&self) -> E::Observations<'d> {
        self.observations
    }
}

impl<E: Emission> Examples for Sequences<'_, E> {
    const GRAIN: usize = 1;

    fn batches(&self) -> usize {
        self.visit.batches()
    }

    fn units(&self, batch: usize) -> Range<usize> {
        self.visit.batch(batch)
    }
}
