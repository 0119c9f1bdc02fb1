//! The loop: coordinate ascent on `L(v, θ, q)`.

use std::ops::ControlFlow;

use forney_certify::{Budget, Limits, Refine, Stop, Sweep, drive};
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_pcg::Pcg64;
use serde::{Deserialize, Serialize};

use super::e_step::{all_units, e_step};
use super::gradient::ascend;
use super::model::{Examples, Expected, LatentModel, Statistics};
use crate::LatentError;
use crate::check::within;

/// When the M-steps come.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Variant {
    /// One M-step after an E-step over all examples: the free energy never falls.
    Batch,
    /// One M-step for each batch, from a running average of the statistics,
    /// `S ← (1 − ρ) S + ρ s_batch` with `ρ = (m + 2)^{−decay}` at M-step `m = 0, 1, …`
    /// (Cappé & Moulines 2009).
    ///
    /// A last E-step over all examples makes the free energy that belongs to the parameters, and
    /// refreshes `S`.
    Minibatch {
        /// Examples in a batch.
        examples: usize,
        /// `½ < decay ≤ 1`.
        decay: f64,
    },
    /// One M-step for each batch, whose statistics replace those it gave before (Neal & Hinton 1998).
    ///
    /// The free energy is that of the posteriors as they are, old ones included: it never falls, and
    /// bounds `ln p(v; θ)` from below.
    Incremental {
        /// Examples in a batch.
        examples: usize,
    },
}

/// How far an M-step goes.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MStep {
    /// To the maximum, in closed form.
    Full,
    /// One step of gradient ascent on `E_q[ln p(h, v; θ)]` per example, halved until it does not fall.
    Gradient {
        /// Length of the step, times the gradient.
        rate: f64,
    },
}

/// Options of the loop, common to all models.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Em {
    /// Batch, minibatch or incremental; batch by default.
    pub variant: Variant,
    /// Full by default.
    pub m_step: MStep,
    /// At most so many sweeps over the data; 1000 by default.
    pub sweeps: usize,
    /// Converged once a sweep changes the free energy by no more than this, in nats per example;
    /// 1e-6 by default.
    pub tolerance: f64,
}

impl Default for Em {
    fn default() -> Self {
        Self {
            variant: Variant::Batch,
            m_step: MStep::Full,
            sweeps: 1000,
            tolerance: 1e-6,
        }
    }
}

impl Em {
    /// Examples in a batch; `None` if all are in one.
    pub(crate) fn batch(&self) -> Option<usize> {
        match self.variant {
            Variant::Batch => None,
            Variant::Minibatch { examples, .. } | Variant::Incremental { examples } => {
                Some(examples)
            }
        }
    }

    /// Refuses options outside their ranges.
    pub(crate) fn check(&self) -> Result<(), LatentError> {
        if let Some(examples) = self.batch() {
            within("the batch size", "at least 1", 0.0, examples > 0)?;
        }
        if let Variant::Minibatch { decay, .. } = self.variant {
            within(
                "decay",
                "above 0.5 and at most 1",
                decay,
                decay > 0.5 && decay <= 1.0,
            )?;
        }
        if let MStep::Gradient { rate } = self.m_step {
            crate::check::positive("the rate of the gradient step", rate)?;
        }
        within(
            "tolerance",
            "at least 0",
            self.tolerance,
            self.tolerance >= 0.0,
        )
    }
}

/// A learned model and how it came about.
#[derive(Clone, Debug)]
pub struct Fit<M> {
    /// The model.
    pub model: M,
    /// `L(v, θ, q) + ln p(θ)` of that model, in nats per example.
    pub free_energy: f64,
    /// One entry for each sweep, with the free energy after it in nats per example.
    pub trace: Vec<Sweep>,
    /// Why it ended.
    pub stop: Stop,
}

/// What a caller does after each sweep: draw a progress bar, or ask to stop.
pub type Watch<'w> = &'w mut dyn FnMut(&Sweep) -> ControlFlow<()>;

/// EM from the parameters of `model`: coordinate ascent on `L(v, θ, q)`, (19.8).
///
/// Batches are those of the data. In batch mode a run of `a` sweeps continued by one of `b` sweeps is a
/// run of `a + b` sweeps, so a saved model is a checkpoint. A sweep that the budget interrupts is
/// dropped: the model returned is that of the sweep before.
///
/// # Errors
/// Options outside their ranges, or data that do not fit the model.
///
/// # Complexity
/// A sweep costs one E-step over the data (two with [`Variant::Minibatch`]) and one M-step for each
/// batch. Memory: 64 sets of statistics, and one for each batch with [`Variant::Incremental`]; nothing
/// for each example.
pub fn em<M: LatentModel>(
    model: M,
    data: &M::Data<'_>,
    options: &Em,
    seed: u64,
    budget: &Budget,
    watch: Watch<'_>,
) -> Result<Fit<M>, LatentError> {
    options.check()?;
    model.check_data(data)?;
    let trainer = Trainer::new(model, data, options, seed, budget);
    let start = trainer.value();
    let limits = Limits {
        sweeps: Some(options.sweeps),
        tolerance: options.tolerance,
    };
    let run = drive(trainer, &limits, budget, watch);
    let stop = match run.stop {
        Stop::Interrupted => budget.stop().unwrap_or(Stop::Interrupted),
        stop => stop,
    };
    Ok(Fit {
        model: run.point,
        free_energy: run.trace.last().map_or(start, |sweep| sweep.value),
        trace: run.trace,
        stop,
    })
}

/// The best of several runs from different starts; the first of equals.
pub(crate) fn best_of<M>(
    restarts: usize,
    budget: &Budget,
    mut run: impl FnMut(u64) -> Result<Fit<M>, LatentError>,
) -> Result<Fit<M>, LatentError> {
    within("restarts", "at least 1", 0.0, restarts > 0)?;
    let mut best = run(0)?;
    for restart in 1..restarts as u64 {
        if budget.stop().is_some() {
            break;
        }
        let fit = run(restart)?;
        if fit.free_energy > best.free_energy {
            best = fit;
        }
    }
    Ok(best)
}

/// The state of the loop: parameters, and statistics of an E-step at or before them.
struct Trainer<'d, 'e, M: LatentModel> {
    model: M,
    data: &'d M::Data<'e>,
    options: &'d Em,
    budget: &'d Budget,
    examples: f64,
    rng: Pcg64,
    state: State<M::Statistics>,
}

enum State<S> {
    Batch(Expected<S>),
    Minibatch {
        average: Expected<S>,
        m_steps: usize,
    },
    /// By batch, with the entropy of the posterior in place of the free energy.
    Incremental(Vec<Expected<S>>),
}

impl<'d, 'e, M: LatentModel> Trainer<'d, 'e, M> {
    fn new(
        model: M,
        data: &'d M::Data<'e>,
        options: &'d Em,
        seed: u64,
        budget: &'d Budget,
    ) -> Self {
        // The start is always evaluated, so that there is a value to return.
        let always = Budget::unlimited();
        let finished = "an unlimited budget does not end";
        let state = match options.variant {
            Variant::Batch => {
                State::Batch(e_step(&model, data, all_units(data), &always).expect(finished))
            }
            Variant::Minibatch { .. } => State::Minibatch {
                average: e_step(&model, data, all_units(data), &always).expect(finished),
                m_steps: 0,
            },
            Variant::Incremental { .. } => State::Incremental(
                (0..data.batches())
                    .map(|batch| posterior_of(&model, data, batch, &always).expect(finished))
                    .collect(),
            ),
        };
        Self {
            model,
            data,
            options,
            budget,
            examples: data.total().max(1) as f64,
            rng: Pcg64::seed_from_u64(seed),
            state,
        }
    }

    /// `L(v, θ, q) + ln p(θ)`, in nats per example.
    fn value(&self) -> f64 {
        let free_energy = match &self.state {
            State::Batch(expected) => expected.free_energy,
            State::Minibatch { average, .. } => average.free_energy,
            State::Incremental(batches) => {
                let entropy: f64 = batches.iter().map(|batch| batch.free_energy).sum();
                self.model.expected_ln_joint(&sum(&self.model, batches)) + entropy
            }
        };
        (free_energy + self.model.ln_prior()) / self.examples
    }

    /// The sweep itself; `None` if the budget ended before it did.
    fn advance(&mut self) -> Option<()> {
        let Self { data, budget, .. } = *self;
        let m_step = self.options.m_step;
        let mut order: Vec<usize> = (0..data.batches()).collect();
        order.shuffle(&mut self.rng);
        match &mut self.state {
            State::Batch(expected) => {
                self.model = improved(&self.model, &expected.statistics, self.examples, m_step);
                *expected = e_step(&self.model, data, all_units(data), budget)?;
            }
            State::Minibatch { average, m_steps } => {
                let Variant::Minibatch { decay, .. } = self.options.variant else {
                    unreachable!("the state follows the variant")
                };
                for batch in order {
                    let new = e_step(&self.model, data, data.units(batch), budget)?;
                    let rho = (*m_steps as f64 + 2.0).powf(-decay);
                    let weight = self.examples / data.examples(batch) as f64;
                    average.statistics.scale(1.0 - rho);
                    average.statistics.add(&new.statistics, rho * weight);
                    *m_steps += 1;
                    self.model = improved(&self.model, &average.statistics, self.examples, m_step);
                }
                *average = e_step(&self.model, data, all_units(data), budget)?;
            }
            State::Incremental(batches) => {
                // Summed afresh in each sweep, so that rounding does not pile up.
                let mut all = sum(&self.model, batches);
                for batch in order {
                    self.model = improved(&self.model, &all, self.examples, m_step);
                    let new = posterior_of(&self.model, data, batch, budget)?;
                    all.add(&batches[batch].statistics, -1.0);
                    all.add(&new.statistics, 1.0);
                    batches[batch] = new;
                }
            }
        }
        Some(())
    }
}

impl<M: LatentModel> Refine for Trainer<'_, '_, M> {
    type Point = M;

    fn sweep(&mut self) -> f64 {
        match self.advance() {
            Some(()) => self.value(),
            None => f64::NAN,
        }
    }

    fn point(&self) -> M {
        self.model.clone()
    }
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
