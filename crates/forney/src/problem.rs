//! A model with evidence, and the questions that it answers.

use std::path::Path;

use forney_certify::Stop;
use forney_methods::{BoundOptions, BoundReport, Options, bracket};
use forney_model::{Domains, Evidence, FactorGraph, ModelError, VarId};
use forney_uai::{model_reader, read_file};

use crate::error::Error;
use crate::limits::Limits;
use crate::plan::Plan;
use crate::task::{MostProbable, Task, restrict};

/// A model and what is observed of it.
#[derive(Clone, Debug)]
pub struct Problem {
    graph: FactorGraph,
    evidence: Evidence,
}

impl Problem {
    /// Nothing is observed yet.
    #[must_use]
    pub fn new(graph: FactorGraph) -> Self {
        Self {
            graph,
            evidence: Evidence::default(),
        }
    }

    /// The model in a UAI file (`MARKOV` or `BAYES`), or one of log tables if its name ends in `.LG`.
    ///
    /// # Errors
    /// A file that cannot be read, with the line and the way out, or a model that cannot be.
    pub fn read(path: impl AsRef<Path>) -> Result<Self, Error> {
        let path = path.as_ref();
        let model = read_file(path, model_reader(path))?;
        Ok(Self::new(model.into_graph()?))
    }

    /// Observes one more variable.
    ///
    /// # Errors
    /// A variable or a state that the model does not have, or another state observed before.
    pub fn observe(mut self, variable: VarId, state: usize) -> Result<Self, ModelError> {
        self.evidence.observe(variable, state)?;
        // A contradiction is an answer, an observation of nothing is not.
        Domains::observed(&self.graph, &self.evidence)?;
        Ok(self)
    }

    /// The model.
    #[must_use]
    pub fn graph(&self) -> &FactorGraph {
        &self.graph
    }

    /// `ln Z` with the evidence entered, in nats; `−∞` if no assignment is allowed.
    ///
    /// # Errors
    /// [`Error::NoFit`] before anything is allocated, [`Error::Stopped`] where the budget ends first.
    ///
    /// # Complexity
    /// Exponential in the width of the order that a search finds ([`Plan`] tells it beforehand); `n^1.5` for `n` binary
    /// variables without fields whose pairs can be drawn in the plane ([`planar`](crate::planar)).
    pub fn ln_z(&self, limits: &Limits) -> Result<f64, Error> {
        Ok(self
            .answer(&Task::ln_z(), limits)?
            .unwrap_or(f64::NEG_INFINITY))
    }

    /// `p(x_v | evidence)`: by variable one probability for each state.
    ///
    /// # Errors
    /// As [`Problem::ln_z`], and [`Error::Impossible`] if `Z = 0`.
    pub fn marginals(&self, limits: &Limits) -> Result<Vec<Vec<f64>>, Error> {
        let found = self.answer(&Task::marginals(), limits)?;
        Ok(found.ok_or(Error::Impossible)?.1)
    }

    /// A most probable assignment with the evidence.
    ///
    /// # Errors
    /// As [`Problem::marginals`].
    pub fn most_probable(&self, limits: &Limits) -> Result<MostProbable, Error> {
        self.answer(&Task::most_probable(), limits)?
            .ok_or(Error::Impossible)
    }

    /// A lower and an upper bound on `ln Z` with the evidence entered, each recomputed from its
    /// witness; both are the exact value where that could be had.
    ///
    /// # Errors
    /// [`Error::Bound`] if no method could run within the memory.
    ///
    /// # Complexity
    /// It goes on until the bracket is closed or the budget ends; without an end of time that may be
    /// never.
    pub fn bracket(&self, limits: &Limits) -> Result<BoundReport, Error> {
        let options = BoundOptions {
            limits: Options {
                memory: limits.memory,
                seed: limits.seed,
                ..Options::default()
            },
            ..BoundOptions::default()
        };
        let restricted = Domains::observed(&self.graph, &self.evidence)?.restrict(&self.graph);
        let graph = restricted.graph();
        Ok(bracket(graph, &options, &limits.budget, &mut |_| {})?)
    }

    /// `None` if `Z = 0`.
    fn answer<T>(&self, task: &Task<T>, limits: &Limits) -> Result<Option<T>, Error> {
        let Some(restriction) = restrict(&self.graph, &self.evidence, &limits.budget)? else {
            return Ok(None);
        };
        let reduced = task.reduce(&self.graph, restriction)?;
        let budget = &limits.budget;
        if let Some((found, _)) = task.drawn(&reduced, limits.memory, budget) {
            return Ok(found);
        }
        let stopped = || Error::Stopped(budget.stop().unwrap_or(Stop::Interrupted));
        let graph = reduced.simple.graph();
        let plan = Plan::search(graph, limits.seed, (task.keep(), limits.memory), budget);
        let mut plan = plan.ok_or_else(stopped)?;
        let schedule = plan.admit(task.keep(), limits.memory)?;
        task.run(&reduced, &schedule, budget)
            .map_err(Error::Stopped)
    }
}
