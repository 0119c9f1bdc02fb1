//! The loop: coordinate ascent on `L(v, θ, q)`.

use std::ops::ControlFlow;

use forney_certify::{Budget, Stop, Sweep};
use serde::{Deserialize, Serialize};

use super::model::LatentModel;
use super::run::Run;
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
#[derive(Clone, Debug, Serialize, Deserialize)]
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
/// Batches are those of the data. A sweep that the budget interrupts is dropped: the model returned is
/// that of the sweep before. To save a run and go on with it, see [`Task`](super::Task).
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
    // The start is always evaluated, so that there is a value to return.
    let first = Run::new(model, data, options, &Budget::unlimited());
    let mut run = first.expect("an unlimited budget does not end");
    let stop = loop {
        let step = run.step(data, options, seed, budget);
        if step.swept
            && run
                .trace()
                .last()
                .is_some_and(|sweep| watch(sweep).is_break())
        {
            break Stop::Interrupted;
        }
        if let Some(stop) = step.stop {
            break stop;
        }
    };
    Ok(run.into_fit(stop))
}
