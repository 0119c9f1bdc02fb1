//! Learning the tables of a Bayes net.

use forney_certify::Budget;
use forney_model::FactorGraph;
use ndarray::ArrayView2;
use rand::SeedableRng;
use rand_pcg::Pcg64;
use serde::{Deserialize, Serialize};

use super::model::BayesNet;
use super::observations::Observations;
use crate::LatentError;
use crate::em::learner::EmLearner;
use crate::em::options::Em;
use crate::em::simplex::draw_distribution;
use crate::learn::{Fit, Learner};

/// Where the tables start.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Start {
    /// Each row drawn uniformly from the simplex, so that hidden states differ.
    #[default]
    Random,
    /// The tables of the factor graph. A probability of 0 stays 0, unless there is smoothing.
    Given,
}

/// How to learn the tables of a [`BayesNet`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct BayesNetParams {
    /// `α`, added to each expected count: a Dirichlet prior, which also keeps probabilities above 0;
    /// 0 by default, which is maximum likelihood.
    pub smoothing: f64,
    /// Random by default.
    pub start: Start,
    /// Bytes that inference may use in each task; 1 GiB by default.
    pub memory: f64,
    /// Runs from different starts, of which the best is kept; 1 by default.
    pub restarts: usize,
    /// Seed of the starts and of the order of batches; 0 by default.
    pub seed: u64,
    /// The loop.
    pub em: Em,
}

impl Default for BayesNetParams {
    fn default() -> Self {
        Self {
            smoothing: 0.0,
            start: Start::Random,
            memory: f64::from(1 << 30),
            restarts: 1,
            seed: 0,
            em: Em::default(),
        }
    }
}

impl BayesNetParams {
    /// Learns the tables of a net with the structure of `graph` from rows of states, one column for
    /// each variable and [`MISSING`](super::MISSING) where nothing was observed; a hidden variable is
    /// a column of those. The parents' states that no row supports keep their start.
    ///
    /// # Errors
    /// A graph that is not a Bayes net, another number of columns than variables, a state that does not
    /// exist, no rows, parameters outside their ranges, or [`TooLarge`](forney_exact::TooLarge) if
    /// inference does not fit into the memory.
    ///
    /// # Complexity
    /// A sweep costs one elimination and its backward pass for each distinct row; memory: the distinct
    /// rows, and the kept messages of one group of rows for each task.
    pub fn fit(
        &self,
        graph: &FactorGraph,
        data: ArrayView2<'_, i32>,
    ) -> Result<Fit<BayesNet>, LatentError> {
        self.learner(graph, data)?.fit()
    }

    /// What learns: to be run within a budget, watched, saved and resumed.
    ///
    /// # Errors
    /// As [`fit`](Self::fit).
    pub fn learner(
        &self,
        graph: &FactorGraph,
        data: ArrayView2<'_, i32>,
    ) -> Result<EmLearner<'static, BayesNet>, LatentError> {
        self.em.check()?;
        let net = match self.start {
            Start::Random => BayesNet::structure(graph, self.smoothing)?,
            Start::Given => BayesNet::from_graph(graph, self.smoothing)?,
        };
        let data = Observations::new(&net, data, self.memory, self.em.batch(), self.seed)?;
        let kind = self.start;
        let start = move |_: &Observations, seed, _: &Budget| {
            Ok(match kind {
                Start::Random => net.with_random_tables(seed),
                Start::Given => net.clone(),
            })
        };
        EmLearner::new(data, self.em, self.restarts, self.seed, start)
    }
}

impl BayesNet {
    /// The net with random tables.
    fn with_random_tables(&self, seed: u64) -> Self {
        let mut rng = Pcg64::seed_from_u64(seed);
        let mut net = self.clone();
        for row in net.rows_mut() {
            row.copy_from_slice(&draw_distribution(row.len(), &mut rng));
        }
        net
    }
}
