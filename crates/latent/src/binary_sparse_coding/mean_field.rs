//! Mean field: `q(h) = Π_i q(h_i)` by the fixed point (19.44).

use ndarray::{Array1, Array2, ArrayView1, ArrayView2};
use serde::{Deserialize, Serialize};

use super::e_step::{EStep, Posteriors, Problem};
use super::model::{bernoulli_entropy, mean_field_bound, sigmoid};
use crate::simd::axpy;
use crate::{LatentError, check};

/// When a cycle of updates was the last.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum Criterion {
    /// It raised the bound by at most so many nats.
    Bound(f64),
    /// It changed every mean by at most so much.
    Change(f64),
}

/// In which order the units are updated.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum Scheme {
    /// One after another; the bound never falls.
    Sequential,
    /// All at once, each mean a step of this share, in `(0, 1]`, of the way to its own optimum. The
    /// bound may fall.
    Damped(f64),
}

/// The mean-field E-step.
///
/// # Complexity
/// `O(H²)` for each example and cycle.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct MeanField {
    /// The order of the updates; default sequential.
    pub scheme: Scheme,
    /// The criterion of convergence; default a change of at most `1e-6`.
    pub criterion: Criterion,
    /// The most cycles; default 200.
    pub max_cycles: usize,
}

impl Default for MeanField {
    fn default() -> Self {
        Self {
            scheme: Scheme::Sequential,
            criterion: Criterion::Change(1e-6),
            max_cycles: 200,
        }
    }
}

impl MeanField {
    /// Refuses steps and tolerances outside of their ranges.
    pub(super) fn check(&self) -> Result<(), LatentError> {
        if let Scheme::Damped(step) = self.scheme {
            let admissible = step > 0.0 && step <= 1.0;
            check::within(
                "the share of a damped step",
                "above 0 and at most 1",
                step,
                admissible,
            )?;
        }
        match self.criterion {
            Criterion::Bound(tolerance) | Criterion::Change(tolerance) => {
                check::tolerance(tolerance)
            }
        }
    }

    /// The logits that all units start from.
    pub(super) fn first_logits(units: usize) -> Array1<f64> {
        Array1::from_elem(units, FIRST_LOGIT)
    }

    /// The logits `z` at a fixed point, from those given; a start for which all means are small
    /// lets the unit that explains the example best win.
    pub(super) fn solve(
        &self,
        field: ArrayView1<'_, f64>,
        couplings: ArrayView2<'_, f64>,
        logits: &mut Array1<f64>,
    ) {
        let mut means = logits.mapv(sigmoid);
        // c − G ĥ
        let mut input = &field - &couplings.dot(&means);
        let mut bound = mean_field_bound(field, couplings, logits.view());
        for _ in 0..self.max_cycles {
            let change = match self.scheme {
                Scheme::Sequential => cycle(couplings, logits, &mut means, &mut input),
                Scheme::Damped(step) => {
                    let change = damped_step(step, logits, &mut means, &input);
                    input = &field - &couplings.dot(&means);
                    change
                }
            };
            let converged = match self.criterion {
                Criterion::Change(tolerance) => change <= tolerance,
                Criterion::Bound(tolerance) => {
                    let before = bound;
                    bound = mean_field_bound(field, couplings, logits.view());
                    bound - before <= tolerance
                }
            };
            if converged {
                break;
            }
        }
    }
}

/// Updates one unit after another (19.44); the largest change of a mean.
fn cycle(
    couplings: ArrayView2<'_, f64>,
    logits: &mut Array1<f64>,
    means: &mut Array1<f64>,
    input: &mut Array1<f64>,
) -> f64 {
    let mut largest = 0.0_f64;
    for i in 0..means.len() {
        logits[i] = input[i];
        let new = sigmoid(logits[i]);
        let step = new - means[i];
        if step != 0.0 {
            means[i] = new;
            if let (Some(row), Some(input)) = (couplings.row(i).to_slice(), input.as_slice_mut()) {
                axpy(-step, row, input);
            }
        }
        largest = largest.max(step.abs());
    }
    largest
}

/// Moves all means towards their optima; the largest change.
fn damped_step(
    step: f64,
    logits: &mut Array1<f64>,
    means: &mut Array1<f64>,
    input: &Array1<f64>,
) -> f64 {
    let mut largest = 0.0_f64;
    for ((z, mean), &input) in logits.iter_mut().zip(means).zip(input) {
        // The logit of (1 − s) σ(z) + s σ(input) without a difference of numbers close to 1.
        let on = (1.0 - step) * sigmoid(*z) + step * sigmoid(input);
        let off = (1.0 - step) * sigmoid(-*z) + step * sigmoid(-input);
        *z = on.max(f64::MIN_POSITIVE).ln() - off.max(f64::MIN_POSITIVE).ln();
        largest = largest.max((on - *mean).abs());
        *mean = on;
    }
    largest
}

impl EStep for MeanField {
    fn name(&self) -> &'static str {
        "mean field"
    }

    fn infer(&self, problem: &Problem<'_>) -> Result<Posteriors, LatentError> {
        self.check()?;
        let (examples, units) = problem.fields.dim();
        let couplings = problem.couplings.as_standard_layout();
        let mut means = Array2::zeros((examples, units));
        let mut entropy = 0.0;
        for (field, mut mean) in problem.fields.rows().into_iter().zip(means.rows_mut()) {
            if problem.is_over() {
                break;
            }
            let mut logits = Self::first_logits(units);
            self.solve(field, couplings.view(), &mut logits);
            entropy += logits.iter().map(|&z| bernoulli_entropy(z)).sum::<f64>();
            mean.assign(&logits.mapv(sigmoid));
        }
        let mut second = means.t().dot(&means);
        second.diag_mut().assign(&means.sum_axis(ndarray::Axis(0)));
        Ok(Posteriors {
            means,
            second,
            entropy,
        })
    }
}

/// The logit that every unit starts from.
const FIRST_LOGIT: f64 = -3.0;
