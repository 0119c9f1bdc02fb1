//! One run of the loop: its state between two sweeps, which can be saved.

use forney_certify::{Budget, Stop, Sweep};
use rand::seq::SliceRandom;
use rand_pcg::Pcg64;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::driver::{Em, Fit, MStep, Variant};
use super::e_step::{all_units, e_step};
use super::gradient::ascend;
use super::model::{Examples, Expected, LatentModel, Statistics};

/// Parameters, statistics of an E-step at or before them, and how they came about.
#[derive(Clone, Serialize, Deserialize)]
#[serde(bound(serialize = "M: Serialize", deserialize = "M: DeserializeOwned"))]
pub(super) struct Run<M: LatentModel> {
    model: M,
    state: State<M::Statistics>,
    /// The free energy of the start; `None`, as JSON has it, may stand for `−∞`.
    first: Option<f64>,
    trace: Vec<Sweep>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(
    rename_all = "kebab-case",
    bound(serialize = "S: Serialize", deserialize = "S: DeserializeOwned")
)]
enum State<S> {
    Batch(Expected<S>),
    Minibatch {
        average: Expected<S>,
        m_steps: usize,
    },
    /// By batch, with the entropy of the posterior in place of the free energy.
    Incremental(Vec<Expected<S>>),
}

/// What became of an attempt at a sweep.
pub(super) struct Step {
    /// Whether there was one.
    pub(super) swept: bool,
    /// Why the run has ended, if it has.
    pub(super) stop: Option<Stop>,
}

impl<M: LatentModel> Run<M> {
    /// Evaluates the start; `None` if the budget ends first.
    pub(super) fn new(model: M, data: &M::Data<'_>, options: &Em, budget: &Budget) -> Option<Self> {
        let everything = || e_step(&model, data, all_units(data), budget);
        let state = match options.variant {
            Variant::Batch => State::Batch(everything()?),
            Variant::Minibatch { .. } => State::Minibatch {
                average: everything()?,
                m_steps: 0,
            },
            Variant::Incremental { .. } => State::Incremental(
                (0..data.batches())
                    .map(|batch| posterior_of(&model, data, batch, budget))
                    .collect::<Option<_>>()?,
            ),
        };
        Some(Self {
            first: Some(value(&model, &state, data)),
            model,
            state,
            trace: Vec::new(),
        })
    }

    pub(super) fn trace(&self) -> &[Sweep] {
        &self.trace
    }

    pub(super) fn model(&self) -> &M {
        &self.model
    }

    /// `L(v, θ, q) + ln p(θ)`, in nats per example.
    pub(super) fn free_energy(&self) -> f64 {
        let first = self.first.unwrap_or(f64::NEG_INFINITY);
        self.trace.last().map_or(first, |sweep| sweep.value)
    }

    /// One sweep, unless the run has ended. One that the budget interrupts leaves no trace.
    pub(super) fn step(
        &mut self,
        data: &M::Data<'_>,
        options: &Em,
        seed: u64,
        budget: &Budget,
    ) -> Step {
        let end = |stop| Step {
            swept: false,
            stop: Some(stop),
        };
        if let Some(stop) = self.ended(options).or_else(|| budget.stop()) {
            return end(stop);
        }
        let Some((model, state)) = self.swept(data, options, seed, budget) else {
            return end(budget.stop().unwrap_or(Stop::Interrupted));
        };
        let value = value(&model, &state, data);
        if value.is_nan() {
            return end(Stop::Interrupted);
        }
        self.model = model;
        self.state = state;
        self.trace.push(Sweep {
            number: self.trace.len() + 1,
            value,
            elapsed_s: budget.elapsed().as_secs_f64(),
        });
        Step {
            swept: true,
            stop: self.ended(options),
        }
    }

    /// Why there is no further sweep, whatever the budget.
    fn ended(&self, options: &Em) -> Option<Stop> {
        // An objective that stays at −∞ or +∞ has a NaN difference: it has not converged.
        if let [.., before, now] = self.trace.as_slice()
            && (now.value - before.value).abs() <= options.tolerance
        {
            return Some(Stop::Converged);
        }
        (self.trace.len() >= options.sweeps).then_some(Stop::SweepLimit)
    }

    /// Model and state after a sweep; `None` if the budget ended before it did.
    fn swept(
        &self,
        data: &M::Data<'_>,
        options: &Em,
        seed: u64,
        budget: &Budget,
    ) -> Option<(M, State<M::Statistics>)> {
        let examples = data.total().max(1) as f64;
        let mut model = self.model.clone();
        let state = match &self.state {
            State::Batch(expected) => {
                model = improved(&model, &expected.statistics, examples, options.m_step);
                State::Batch(e_step(&model, data, all_units(data), budget)?)
            }
            State::Minibatch { average, m_steps } => {
                let Variant::Minibatch { decay, .. } = options.variant else {
                    unreachable!("the state follows the variant")
                };
                let mut statistics = average.statistics.clone();
                let mut m_steps = *m_steps;
                for batch in self.order(data, seed) {
                    let new = e_step(&model, data, data.units(batch), budget)?;
                    let rho = (m_steps as f64 + 2.0).powf(-decay);
                    let weight = examples / data.examples(batch) as f64;
                    statistics.scale(1.0 - rho);
                    statistics.add(&new.statistics, rho * weight);
                    m_steps += 1;
                    model = improved(&model, &statistics, examples, options.m_step);
                }
                let average = e_step(&model, data, all_units(data), budget)?;
                State::Minibatch { average, m_steps }
            }
            State::Incremental(batches) => {
                let mut batches = batches.clone();
                // Summed afresh in each sweep, so that rounding does not pile up.
                let mut all = sum(&model, &batches);
                for batch in self.order(data, seed) {
                    model = improved(&model, &all, examples, options.m_step);
                    let new = posterior_of(&model, data, batch, budget)?;
                    all.add(&batches[batch].statistics, -1.0);
                    all.add(&new.statistics, 1.0);
                    batches[batch] = new;
                }
                State::Incremental(batches)
            }
        };
        Some((model, state))
    }

    /// The order in which the next sweep visits the batches. Each sweep draws from a stream of its own,
    /// so that a generator is no part of the state.
    fn order(&self, data: &M::Data<'_>, seed: u64) -> Vec<usize> {
        let mut order: Vec<usize> = (0..data.batches()).collect();
        order.shuffle(&mut Pcg64::new(seed.into(), self.trace.len() as u128));
        order
    }

    pub(super) fn into_fit(self, stop: Stop) -> Fit<M> {
        Fit {
            free_energy: self.free_energy(),
            model: self.model,
            trace: self.trace,
            stop,
        }
    }
}

/// `L(v, θ, q) + ln p(θ)`, in nats per example.
fn value<M: LatentModel>(model: &M, state: &State<M::Statistics>, data: &M::Data<'_>) -> f64 {
    let free_energy = match state {
        State::Batch(expected) => expected.free_energy,
        State::Minibatch { average, .. } => average.free_energy,
        State::Incremental(batches) => {
            let entropy: f64 = batches.iter().map(|batch| batch.free_energy).sum();
            model.expected_ln_joint(&sum(model, batches)) + entropy
        }
    };
    (free_energy + model.ln_prior()) / data.total().max(1) as f64
}

/// The M-step asked for.
fn improved<M: LatentModel>(
    model: &M,
    statistics: &M::Statistics,
    examples: f64,
    m_step: MStep,
) -> M {
    match m_step {
        MStep::Full => model.maximised(statistics),
        MStep::Gradient { rate } => ascend(model, statistics, rate / examples),
    }
}

/// The E-step of one batch, and the entropy of its posterior: `H(q) = L − E_q[ln p(h, v; θ)]`.
fn posterior_of<M: LatentModel>(
    model: &M,
    data: &M::Data<'_>,
    batch: usize,
    budget: &Budget,
) -> Option<Expected<M::Statistics>> {
    let mut expected = e_step(model, data, data.units(batch), budget)?;
    expected.free_energy -= model.expected_ln_joint(&expected.statistics);
    Some(expected)
}

/// The statistics of all batches.
fn sum<M: LatentModel>(model: &M, batches: &[Expected<M::Statistics>]) -> M::Statistics {
    let mut all = model.no_statistics();
    for batch in batches {
        all.add(&batch.statistics, 1.0);
    }
    all
}
