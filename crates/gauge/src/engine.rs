//! Weighted mini-bucket elimination of signed tables, with exact gradients.
//!
//! ```text
//! Z_w = Σ^{w_n}_{x̄_n} … Σ^{w_1}_{x̄_1} Π_a f_a(x̄_a) ≥ |Z| ,   Σ^w_x f = (Σ_x |f(x)|^{1/w})^w .
//! ```
//!
//! Hölder's inequality needs no signs, so the tables may be negative (Ahn et al. 2018, eq. 8).
//! While nothing below a step is split its sum is exact and keeps its sign; absolute values are
//! taken from the first split on, because `|Σ| ≤ Σ|·|`.

use std::ops::Range;
use std::sync::Arc;

use forney_exact::{Schedule, Source};

use crate::sum::{self, Weighted};
use crate::walk::Walk;

/// A compiled schedule with room for its numbers; the values of its bases may change between passes.
///
/// Every message is divided by its largest entry and the logarithms of these are added up, so
/// nothing overflows; the gradient needs no correction because `ln Z_w` does not depend on them.
///
/// # Complexity
/// A forward pass costs one multiply-add for each clique entry and input, a backward pass about as
/// many as there are pairs of inputs; one `ln` and `exp` for each clique entry of a mini-bucket.
/// Nothing is allocated after the first pass.
#[derive(Clone, Debug)]
pub struct SignedEngine {
    schedule: Arc<Schedule>,
    steps: Vec<Compiled>,
    /// Bases, then both exponentials of each shift, then messages in the order of the steps.
    values: Vec<f64>,
    /// `∂ ln Z_w / ∂ values`.
    adjoints: Vec<f64>,
    /// Slopes of the steps that keep no sign.
    slopes: Vec<f64>,
    /// Entropies of mini-buckets.
    entropies: Vec<f64>,
    clique: Vec<f64>,
    part: Vec<f64>,
    weighted: Weighted,
    bases: Vec<Range<usize>>,
    shifts: Vec<[Range<usize>; 2]>,
}

/// Where the numbers of one step lie.
#[derive(Clone, Debug)]
struct Compiled {
    inputs: Vec<(Range<usize>, Walk)>,
    message: Range<usize>,
    /// In `slopes`; empty if the sum keeps its sign.
    slopes: Range<usize>,
    /// In `entropies`; empty if the step has weight 1.
    entropy: Range<usize>,
    entries: usize,
    weight: Option<usize>,
    root: bool,
    /// The message was multiplied by this.
    scale: f64,
}

impl SignedEngine {
    /// Lays out the tables of a schedule. With `keep_signs` a step below which nothing is split
    /// adds signed numbers; without it absolute values are taken everywhere, as published.
    ///
    /// # Panics
    /// If a table has more than 2^32 entries.
    #[must_use]
    pub fn new(schedule: Arc<Schedule>, keep_signs: bool) -> Self {
        let mut end = 0;
        let mut place = |len: usize| {
            end += len;
            end - len..end
        };
        let bases: Vec<_> = schedule.bases().iter().map(|b| place(b.len)).collect();
        let shifts: Vec<_> = schedule
            .shifts()
            .iter()
            .map(|shift| [place(shift.len), place(shift.len)])
            .collect();
        let messages: Vec<_> = schedule.steps().iter().map(|s| place(s.cols)).collect();
        let (mut slopes, mut entropies) = (0, 0);
        let mut signed: Vec<bool> = Vec::new();
        let card = |v: forney_model::VarId| schedule.cards()[v.index()];
        let mut steps = Vec::with_capacity(schedule.steps().len());
        for (step, message) in schedule.steps().iter().zip(&messages) {
            let exact =
                keep_signs && step.weight.is_none() && step.children().all(|child| signed[child]);
            signed.push(exact);
            let inputs = step.inputs.iter().map(|input| {
                let (range, scope) = match input.source {
                    Source::Base(base) => (&bases[base], &schedule.bases()[base].scope[..]),
                    Source::Message(child) => {
                        (&messages[child], schedule.steps()[child].message_scope())
                    }
                    Source::Shift(shift, added) => (
                        &shifts[shift][usize::from(!added)],
                        &schedule.shifts()[shift].scope[..],
                    ),
                };
                (range.clone(), Walk::new(&step.scope, scope, card))
            });
            let inputs = inputs.collect();
            let own_slopes = if exact { 0 } else { step.entries() };
            let own_entropies = if step.weight.is_some() { step.cols } else { 0 };
            slopes += own_slopes;
            entropies += own_entropies;
            steps.push(Compiled {
                inputs,
                message: message.clone(),
                slopes: slopes - own_slopes..slopes,
                entropy: entropies - own_entropies..entropies,
                entries: step.entries(),
                weight: step.weight,
                root: step.parent.is_none(),
                scale: 1.0,
            });
        }
        let largest = steps.iter().map(|step| step.entries).max().unwrap_or(0);
        Self {
            steps,
            values: vec![0.0; end],
            adjoints: vec![0.0; end],
            slopes: vec![0.0; slopes],
            entropies: vec![0.0; entropies],
            clique: vec![0.0; largest],
            part: vec![0.0; largest],
            weighted: Weighted::default(),
            bases,
            shifts,
            schedule,
        }
    }

    /// The schedule.
    #[must_use]
    pub fn schedule(&self) -> &Arc<Schedule> {
        &self.schedule
    }

    /// The values of a base, for the caller to set: last variable fastest, in the order of its
    /// scope. They should be of order 1.
    pub fn base_mut(&mut self, base: usize) -> &mut [f64] {
        &mut self.values[self.bases[base].clone()]
    }

    /// The values of a base.
    #[must_use]
    pub fn base(&self, base: usize) -> &[f64] {
        &self.values[self.bases[base].clone()]
    }

    /// `∂ ln Z_w / ∂ values` of a base after a backward pass.
    #[must_use]
    pub fn base_adjoint(&self, base: usize) -> &[f64] {
        &self.adjoints[self.bases[base].clone()]
    }

    /// `ln Z_w` of the tables as they are, in nats; constants of the model are the caller's.
    ///
    /// # Panics
    /// If there is not one weight for each split step and one number for each shift entry.
    pub fn forward(&mut self, weights: &[f64], shifts: &[f64]) -> f64 {
        assert_eq!(weights.len(), self.schedule.num_weights(), "weights");
        assert_eq!(shifts.len(), self.schedule.num_shifts(), "shifts");
        let mut ln_z = self.exponentiate(shifts);
        for step in &mut self.steps {
            let (before, message) = self.values.split_at_mut(step.message.start);
            let message = &mut message[..step.message.len()];
            let product: &mut [f64] = if step.slopes.is_empty() {
                &mut self.clique[..step.entries]
            } else {
                &mut self.slopes[step.slopes.clone()]
            };
            for (number, (range, walk)) in step.inputs.iter().enumerate() {
                let table = &before[range.clone()];
                if number == 0 {
                    walk.load(table, product);
                } else {
                    walk.multiply(table, product);
                }
            }
            match step.weight {
                Some(weight) => {
                    let entropy = &mut self.entropies[step.entropy.clone()];
                    let weight = weights[weight];
                    self.weighted.sum(product, weight, message, entropy);
                }
                None if step.slopes.is_empty() => sum::signed(product, message),
                None => sum::absolute(product, message),
            }
            let most = message.iter().fold(0.0f64, |most, m| most.max(m.abs()));
            // A message of zeros, or one that is not finite, goes on as it is.
            step.scale = if most > 0.0 && most.is_finite() {
                1.0 / most
            } else {
                1.0
            };
            ln_z -= step.scale.ln();
            for m in message.iter_mut() {
                *m *= step.scale;
            }
            if step.root {
                ln_z += message[0].abs().ln();
            }
        }
        ln_z
    }

    /// Writes `exp(±λ)` and returns what they were scaled by.
    fn exponentiate(&mut self, shifts: &[f64]) -> f64 {
        let mut ln_scale = 0.0;
        for (shift, ranges) in self.schedule.shifts().iter().zip(&self.shifts) {
            let lambda = &shifts[shift.offset..shift.offset + shift.len];
            for (range, sign) in ranges.iter().zip([1.0, -1.0]) {
                let most = lambda
                    .iter()
                    .map(|x| sign * x)
                    .fold(f64::NEG_INFINITY, f64::max);
                let out = &mut self.values[range.clone()];
                forney_exact::vmath::exp_scaled(lambda, sign, most * sign, out);
                ln_scale += most;
            }
        }
        ln_scale
    }

    /// Back-propagates `ln Z_w` after [`SignedEngine::forward`] to every table entry
    /// ([`SignedEngine::base_adjoint`]), weight and shift.
    ///
    /// No table entry is divided by; where an absolute value has a kink the subgradient is 0.
    ///
    /// # Panics
    /// If the slices have other lengths than in the forward pass.
    pub fn backward(&mut self, d_weights: &mut [f64], d_shifts: &mut [f64]) {
        self.adjoints.fill(0.0);
        for step in self.steps.iter().rev() {
            if step.root {
                let message = self.values[step.message.start];
                self.adjoints[step.message.start] = 1.0 / message;
            }
            let (before, adjoint) = self.adjoints.split_at_mut(step.message.start);
            let adjoint = &mut adjoint[..step.message.len()];
            if let Some(weight) = step.weight {
                let message = &self.values[step.message.clone()];
                let entropy = &self.entropies[step.entropy.clone()];
                let terms = adjoint.iter().zip(message).zip(entropy);
                d_weights[weight] = terms.map(|((a, m), h)| a * m * h).sum();
            }
            for a in adjoint.iter_mut() {
                *a *= step.scale;
            }
            let clique = &mut self.clique[..step.entries];
            let rows = clique.chunks_exact_mut(adjoint.len());
            if step.slopes.is_empty() {
                rows.for_each(|row| row.copy_from_slice(adjoint));
            } else {
                let slopes = self.slopes[step.slopes.clone()].chunks_exact(adjoint.len());
                for (row, slopes) in rows.zip(slopes) {
                    for ((out, slope), a) in row.iter_mut().zip(slopes).zip(adjoint.iter()) {
                        *out = slope * a;
                    }
                }
            }
            // The adjoint of an input is that of the product times all other inputs: the earlier
            // ones are in `clique` already.
            for (number, (range, walk)) in step.inputs.iter().enumerate() {
                let later = &step.inputs[number + 1..];
                let target = &mut before[range.clone()];
                if later.is_empty() {
                    walk.fold(clique, target);
                } else {
                    let part = &mut self.part[..step.entries];
                    part.copy_from_slice(clique);
                    for (range, walk) in later {
                        walk.multiply(&self.values[range.clone()], part);
                    }
                    walk.fold(part, target);
                    walk.multiply(&self.values[range.clone()], clique);
                }
            }
        }
        for (shift, ranges) in self.schedule.shifts().iter().zip(&self.shifts) {
            let out = &mut d_shifts[shift.offset..shift.offset + shift.len];
            let [plus, minus] = ranges.clone();
            let plus = self.values[plus.clone()].iter().zip(&self.adjoints[plus]);
            let minus = self.values[minus.clone()].iter().zip(&self.adjoints[minus]);
            for ((out, (x, a)), (y, b)) in out.iter_mut().zip(plus).zip(minus) {
                *out = x * a - y * b;
            }
        }
    }
}
