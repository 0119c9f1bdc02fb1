//! Scores, posteriors and paths of given sequences.

use std::ops::Range;

use forney_certify::Budget;
use ndarray::{Array1, Array2, s};

use super::emission::Emission;
use super::model::Hmm;
use super::scaled::Scratch;
use super::sequences::Sequences;
use crate::LatentError;
use crate::em::e_step;
use crate::em::kmeans::largest;
use crate::em::model::LatentModel;

impl<E: Emission> Hmm<E> {
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
        let posterior = self.posterior();
        let mut all = Array2::zeros((sequences.steps(), self.start.len()));
        let mut scratch = Scratch::default();
        let mut transitions = Array2::zeros(self.transitions.dim());
        for sequence in 0..sequences.count() {
            let steps = sequences.range(sequence);
            let mut ln_b = self.ln_densities(&posterior.emission, sequences, &steps);
            let always = Budget::unlimited();
            let chain = &posterior.chain;
            let found = chain.infer(ln_b.view_mut(), &always, &mut scratch, &mut transitions);
            if let Some(found) = found {
                all.slice_mut(s![steps, ..]).assign(&found.states);
            }
        }
        Ok(all)
    }

    /// `ln b` of one sequence.
    fn ln_densities(
        &self,
        ready: &E::Ready,
        sequences: &Sequences<'_, E>,
        steps: &Range<usize>,
    ) -> Array2<f64> {
        let mut ln_b = Array2::zeros((steps.len(), self.start.len()));
        E::ln_densities(
            ready,
            sequences.observations(),
            steps.clone(),
            ln_b.view_mut(),
        );
        ln_b
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
            let ln_b = self.ln_densities(&ready, sequences, &steps);
            let mut best = self.start.mapv(f64::ln) + ln_b.row(0);
            let mut from = Array2::<usize>::zeros(ln_b.dim());
            for t in 1..steps.len() {
                let arrive = |j: usize| &best + &ln_transitions.column(j);
                for (j, from) in from.row_mut(t).iter_mut().enumerate() {
                    *from = largest(arrive(j).view());
                }
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
}
