//! The Bayes net as a latent-variable model: its E-step and M-steps.

use std::ops::Range;

use forney_certify::Budget;
use forney_exact::Marginals;
use forney_model::VarId;
use ndarray::{ArrayView1, ArrayView2};
use serde::{Deserialize, Serialize};

use super::family::Family;
use super::model::BayesNet;
use super::observations::{Group, Observations, Pattern};
use crate::LatentError;
use crate::em::e_step;
use crate::em::model::{LatentModel, Statistics};
use crate::em::simplex::{ln_expectation, logit_gradient, softmax};

/// The tables of a net in logarithms.
pub struct BayesNetPosterior {
    /// By family, `ln p(child | parents)`.
    ln: Vec<Vec<f64>>,
}

/// Expected counts of the joint states of each family.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct FamilyCounts {
    counts: Vec<Vec<f64>>,
}

impl Statistics for FamilyCounts {
    fn add(&mut self, other: &Self, factor: f64) {
        let counts = self.counts.iter_mut().flatten();
        for (n, m) in counts.zip(other.counts.iter().flatten()) {
            *n += factor * m;
        }
    }

    fn scale(&mut self, factor: f64) {
        for n in self.counts.iter_mut().flatten() {
            *n *= factor;
        }
    }
}

/// Rows whose probability is below this part of that of all rows of their group are left to a group of
/// their own: less may have been lost to underflow.
const LEAST: f64 = 1e-150;

impl BayesNetPosterior {
    /// Adds the expected counts of a group; returns `Σ ln p(row)`.
    fn collect(&self, pattern: &Pattern, group: &Group, into: &mut FamilyCounts) -> f64 {
        let mut sum = 0.0;
        let mut left: Vec<usize> = (0..group.rows.len()).collect();
        while !left.is_empty() {
            let rows: Vec<&[usize]> = left.iter().map(|&row| group.rows[row].as_slice()).collect();
            let graph = pattern.graph(rows.len(), |family, slice| {
                let (ln, bases) = (&self.ln[family], rows.iter().map(|row| slice.base(row)));
                let bases: Vec<usize> = bases.collect();
                let entries = slice.offsets.iter();
                entries
                    .flat_map(|offset| bases.iter().map(move |base| ln[base + offset]))
                    .collect()
            });
            let last = VarId::new(pattern.missing.len());
            let found = if rows.len() == group.rows.len() {
                Marginals::along(&group.schedule, &graph)
            } else {
                Marginals::along(&pattern.compile(rows.len()), &graph)
            };
            if found.ln_z == f64::NEG_INFINITY {
                return f64::NEG_INFINITY;
            }
            // `p(row)/Z`: the row is a variable of the graph, with a sum over it in Z.
            let parts = &found.variables[last.index()];
            let solved = |at: usize| parts[at] >= LEAST;
            for at in (0..left.len()).filter(|&at| solved(at)) {
                sum += group.counts[left[at]] * (found.ln_z + parts[at].ln());
            }
            for ((slice, joint), counts) in pattern
                .slices
                .iter()
                .zip(&found.factors)
                .zip(&mut into.counts)
            {
                for at in (0..left.len()).filter(|&at| solved(at)) {
                    let base = slice.base(rows[at]);
                    let weight = group.counts[left[at]] / parts[at];
                    for (entry, offset) in slice.offsets.iter().enumerate() {
                        counts[base + offset] += weight * joint[entry * rows.len() + at];
                    }
                }
            }
            let kept = left.iter().enumerate().filter(|(at, _)| !solved(*at));
            left = kept.map(|(_, &row)| row).collect();
        }
        sum
    }
}

impl BayesNet {
    /// The mean of `ln p(observed part)` over the rows, in nats; `−∞` if the net excludes one.
    ///
    /// # Errors
    /// Another number of columns than variables, a state that does not exist, or
    /// [`TooLarge`](forney_exact::TooLarge) if inference needs more than `memory` bytes.
    pub fn score(&self, data: ArrayView2<'_, i32>, memory: f64) -> Result<f64, LatentError> {
        e_step::score(self, &Observations::new(self, data, memory, None, 0)?)
    }

    /// By family and joint state of its parents: expected counts and probabilities of the child.
    fn rows<'a>(
        &'a self,
        counts: &'a FamilyCounts,
    ) -> impl Iterator<Item = (ArrayView1<'a, f64>, ArrayView1<'a, f64>)> {
        let families = self.families.iter().zip(&counts.counts);
        families.flat_map(|(family, counts)| {
            let rows = |all: &'a [f64]| all.chunks_exact(family.states).map(ArrayView1::from);
            rows(counts).zip(rows(&family.probabilities))
        })
    }

    /// The net with other rows, in the order of [`rows`](Self::rows).
    fn with_rows(&self, rows: impl Iterator<Item = Vec<f64>>) -> Self {
        let mut net = self.clone();
        net.rows_mut()
            .zip(rows)
            .for_each(|(row, new)| row.copy_from_slice(&new));
        net
    }
}

impl LatentModel for BayesNet {
    type Data<'d> = Observations;
    type Statistics = FamilyCounts;
    type Posterior = BayesNetPosterior;

    fn check_data(&self, data: &Observations) -> Result<(), LatentError> {
        data.check_structure(self)
    }

    fn posterior(&self) -> BayesNetPosterior {
        let ln = |family: &Family| family.probabilities.iter().map(|p| p.ln()).collect();
        BayesNetPosterior {
            ln: self.families.iter().map(ln).collect(),
        }
    }

    fn collect(
        posterior: &BayesNetPosterior,
        data: &Observations,
        units: Range<usize>,
        budget: &Budget,
        into: &mut FamilyCounts,
    ) -> f64 {
        let groups = data.groups[units].iter();
        groups
            .take_while(|_| budget.stop().is_none())
            .map(|group| posterior.collect(&data.patterns[group.pattern], group, into))
            .sum()
    }

    fn no_statistics(&self) -> FamilyCounts {
        let zeros = |family: &Family| vec![0.0; family.probabilities.len()];
        FamilyCounts {
            counts: self.families.iter().map(zeros).collect(),
        }
    }

    fn maximised(&self, counts: &FamilyCounts) -> Self {
        self.with_rows(self.rows(counts).map(|(n, p)| {
            // Counts that were replaced may leave a rounding error below 0.
            let n = n.mapv(|n| n.max(0.0) + self.smoothing);
            let sum = n.sum();
            if sum > 0.0 {
                (n / sum).to_vec()
            } else {
                p.to_vec()
            }
        }))
    }

    fn expected_ln_joint(&self, counts: &FamilyCounts) -> f64 {
        self.rows(counts).map(|(n, p)| ln_expectation(n, p)).sum()
    }

    fn ln_prior(&self) -> f64 {
        if self.smoothing == 0.0 {
            return 0.0;
        }
        self.smoothing * self.entries().map(|p| p.ln()).sum::<f64>()
    }

    fn parameters(&self) -> Vec<f64> {
        self.entries().map(|p| p.ln()).collect()
    }

    fn with_parameters(&self, parameters: &[f64]) -> Option<Self> {
        let mut net = self.clone();
        let mut rest = parameters;
        for row in net.rows_mut() {
            let (logits, behind) = rest.split_at(row.len());
            row.copy_from_slice(&softmax(logits)?);
            rest = behind;
        }
        Some(net)
    }

    fn gradient(&self, counts: &FamilyCounts) -> Vec<f64> {
        self.rows(counts)
            .flat_map(|(n, p)| logit_gradient(n.mapv(|n| n + self.smoothing).view(), p))
            .collect()
    }
}
