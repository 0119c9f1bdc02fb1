//! EM of any model as a [`Learner`].

use forney_certify::Budget;
use rand::seq::SliceRandom;
use rand_pcg::Pcg64;
use serde::{Deserialize, Serialize};

use super::e_step::{all_units, e_step};
use super::gradient::ascend;
use super::model::{Examples, Expected, LatentModel, Statistics};
use super::options::{Em, Variant};
use crate::LatentError;
use crate::check::{some, within};
use crate::learn::{At, Learner};
use crate::m_step::MStep;

/// The model from which a run with a seed starts; any model once the budget has ended.
type Start<'d, M> = Box<
    dyn Fn(&<M as LatentModel>::Data<'d>, u64, &Budget) -> Result<M, LatentError>
        + Send
        + Sync
        + 'd,
>;

/// EM as coordinate ascent on `L(v, θ, q)`, (19.8): checked data, options, and a start for each seed.
///
/// The objective is `L(v, θ, q) + ln p(θ)` in nats per example.
///
/// # Complexity
/// A sweep costs one E-step over the data (two with [`Variant::Minibatch`]) and one M-step for each
/// batch. Memory: 64 sets of statistics, and one for each batch with [`Variant::Incremental`]; nothing
/// for each example.
pub struct EmLearner<'d, M: LatentModel> {
    data: M::Data<'d>,
    em: Em,
    restarts: usize,
    seed: u64,
    start: Start<'d, M>,
}

/// Parameters, and the statistics of E-steps at or before them.
#[derive(Clone, Serialize, Deserialize)]
#[serde(bound = "")]
pub struct EmState<M: LatentModel> {
    model: M,
    collected: Collected<M::Statistics>,
}

#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", bound = "")]
enum Collected<S: Statistics> {
    Batch(Expected<S>),
    Minibatch {
        average: Expected<S>,
        m_steps: usize,
    },
    /// By batch, with the entropy of the posterior in place of the free energy.
    Incremental(Vec<Expected<S>>),
}

impl<'d, M: LatentModel> EmLearner<'d, M> {
    pub(super) fn new(
        data: M::Data<'d>,
        em: Em,
        restarts: usize,
        seed: u64,
        start: impl Fn(&M::Data<'d>, u64, &Budget) -> Result<M, LatentError> + Send + Sync + 'd,
    ) -> Result<Self, LatentError> {
        em.check()?;
        some("restarts", restarts)?;
        let start = Box::new(start);
        Ok(Self {
            data,
            em,
            restarts,
            seed,
            start,
        })
    }

    /// EM from the parameters of `model`; batches are those of the data, visited in an order that the
    /// seed draws.
    ///
    /// # Errors
    /// Options outside their ranges, or data that do not fit the model.
    pub fn from_model(model: M, data: M::Data<'d>, em: Em, seed: u64) -> Result<Self, LatentError>
    where
        M: 'd,
    {
        model.check_data(&data)?;
        let start = move |_: &M::Data<'d>, _, _: &Budget| Ok(model.clone());
        Self::new(data, em, 1, seed, start)
    }

    fn seed(&self, start: usize) -> u64 {
        self.seed.wrapping_add(start as u64)
    }

    /// The order in which a sweep visits the batches. Each draws from a stream of its own, so that a
    /// generator is no part of the state.
    fn order(&self, at: At) -> Vec<usize> {
        let mut order: Vec<usize> = (0..self.data.batches()).collect();
        let seed = self.seed(at.start).into();
        order.shuffle(&mut Pcg64::new(seed, at.iteration as u128));
        order
    }

    fn collected(&self, model: &M, budget: &Budget) -> Option<Collected<M::Statistics>> {
        let everything = || e_step(model, &self.data, all_units(&self.data), budget);
        Some(match self.em.variant {
            Variant::Batch => Collected::Batch(everything()?),
            Variant::Minibatch { .. } => Collected::Minibatch {
                average: everything()?,
                m_steps: 0,
            },
            Variant::Incremental { .. } => Collected::Incremental(
                (0..self.data.batches())
                    .map(|batch| self.posterior_of(model, batch, budget))
                    .collect::<Option<_>>()?,
            ),
        })
    }

    /// Refuses statistics of another variant of EM.
    fn check_variant(&self, collected: &Collected<M::Statistics>) -> Result<(), LatentError> {
        let same = match (self.em.variant, collected) {
            (Variant::Batch, Collected::Batch(_))
            | (Variant::Minibatch { .. }, Collected::Minibatch { .. }) => true,
            (Variant::Incremental { .. }, Collected::Incremental(batches)) => {
                batches.len() == self.data.batches()
            }
            _ => false,
        };
        let what = "the variant of EM";
        within(what, "that of the saved statistics", 0.0, same)
    }

    /// The state after a sweep; `None` if the budget ended before it did.
    fn swept(&self, state: &EmState<M>, at: At, budget: &Budget) -> Option<EmState<M>> {
        let data = &self.data;
        let mut model = state.model.clone();
        let collected = match &state.collected {
            Collected::Batch(expected) => {
                model = self.improved(&model, &expected.statistics);
                Collected::Batch(e_step(&model, data, all_units(data), budget)?)
            }
            Collected::Minibatch { average, m_steps } => {
                let Variant::Minibatch { decay, .. } = self.em.variant else {
                    unreachable!("a step checks the variant")
                };
                let mut statistics = average.statistics.clone();
                let mut m_steps = *m_steps;
                for batch in self.order(at) {
                    let new = e_step(&model, data, data.units(batch), budget)?;
                    let rho = (m_steps as f64 + 2.0).powf(-decay);
                    let weight = self.count() / data.examples(batch) as f64;
                    statistics.scale(1.0 - rho);
                    statistics.add(&new.statistics, rho * weight);
                    m_steps += 1;
                    model = self.improved(&model, &statistics);
                }
                let average = e_step(&model, data, all_units(data), budget)?;
                Collected::Minibatch { average, m_steps }
            }
            Collected::Incremental(batches) => {
                let mut batches = batches.clone();
                // Summed afresh in each sweep, so that rounding does not pile up.
                let mut all = sum(&model, &batches);
                for batch in self.order(at) {
                    model = self.improved(&model, &all);
                    let new = self.posterior_of(&model, batch, budget)?;
                    all.add(&batches[batch].statistics, -1.0);
                    all.add(&new.statistics, 1.0);
                    batches[batch] = new;
                }
                Collected::Incremental(batches)
            }
        };
        Some(EmState { model, collected })
    }

    fn count(&self) -> f64 {
        self.data.total().max(1) as f64
    }

    /// The M-step asked for.
    fn improved(&self, model: &M, statistics: &M::Statistics) -> M {
        match self.em.m_step {
            MStep::Full => model.maximised(statistics),
            MStep::Gradient { rate } => ascend(model, statistics, rate / self.count()),
        }
    }

    /// The E-step of one batch, and the entropy of its posterior: `H(q) = L − E_q[ln p(h, v; θ)]`.
    fn posterior_of(
        &self,
        model: &M,
        batch: usize,
        budget: &Budget,
    ) -> Option<Expected<M::Statistics>> {
        let mut expected = e_step(model, &self.data, self.data.units(batch), budget)?;
        expected.free_energy -= model.expected_ln_joint(&expected.statistics);
        Some(expected)
    }
}

/// The statistics of all batches.
fn sum<M: LatentModel>(model: &M, batches: &[Expected<M::Statistics>]) -> M::Statistics {
    let mut all = model.no_statistics();
    for batch in batches {
        all.add(&batch.statistics, 1.0);
    }
    all
}

impl<M: LatentModel> Learner for EmLearner<'_, M> {
    type State = EmState<M>;
    type Model = M;

    fn examples(&self) -> usize {
        self.data.total()
    }

    fn starts(&self) -> usize {
        self.restarts
    }

    fn limit(&self, _: usize) -> usize {
        self.em.sweeps
    }

    fn begin(&self, start: usize, budget: &Budget) -> Result<Option<EmState<M>>, LatentError> {
        let model = (self.start)(&self.data, self.seed(start), budget);
        if budget.stop().is_some() {
            return Ok(None);
        }
        let model = model?;
        model.check_data(&self.data)?;
        let collected = self.collected(&model, budget);
        Ok(collected.map(|collected| EmState { model, collected }))
    }

    fn check(&self, state: &EmState<M>) -> Result<(), LatentError> {
        state.model.check_data(&self.data)?;
        self.check_variant(&state.collected)
    }

    fn step(
        &self,
        state: &EmState<M>,
        at: At,
        budget: &Budget,
    ) -> Result<Option<EmState<M>>, LatentError> {
        self.check_variant(&state.collected)?;
        Ok(self.swept(state, at, budget))
    }

    fn objective(&self, state: &EmState<M>) -> f64 {
        let model = &state.model;
        let free_energy = match &state.collected {
            Collected::Batch(expected) => expected.free_energy,
            Collected::Minibatch { average, .. } => average.free_energy,
            Collected::Incremental(batches) => {
                let entropy: f64 = batches.iter().map(|batch| batch.free_energy).sum();
                model.expected_ln_joint(&sum(model, batches)) + entropy
            }
        };
        (free_energy + model.ln_prior()) / self.count()
    }

    fn converged(&self, _: At, before: f64, now: f64) -> bool {
        // An objective that stays at −∞ or +∞ has a NaN difference: it has not converged.
        (now - before).abs() <= self.em.tolerance
    }

    fn model(&self, state: EmState<M>) -> M {
        state.model
    }
}
