//! The structure and the tables of a Bayes net.

use forney_exact::{Heuristic, greedy, marginals};
use forney_model::{Domains, Evidence, FactorGraph, Table, VarId};
use ndarray::{Array2, ArrayView1};
use rand::SeedableRng;
use rand_pcg::Pcg64;
use serde::{Deserialize, Serialize};

use super::family::{Family, topological_order};
use crate::LatentError;
use crate::check::{not_negative, shape, within};
use crate::em::simplex::draw;

/// The value of an observation that is not there.
pub const MISSING: i32 = -1;

/// Files hold decimals: a row of a table may miss 1 by this much.
const ROUNDED: f64 = 1e-3;

/// A Bayes net with its tables.
///
/// # Example
/// ```
/// use forney_latent::em::{BayesNet, MISSING};
/// use forney_model::{FactorGraph, Table, VarId};
/// use ndarray::array;
/// let cause = Table::from_values(vec![VarId(0)], vec![2], &[0.5, 0.5])?;
/// let effect = Table::from_values(vec![VarId(0), VarId(1)], vec![2, 2], &[0.9, 0.1, 0.2, 0.8])?;
/// let net = BayesNet::from_graph(&FactorGraph::new(vec![2, 2], vec![cause, effect])?, 0.0)?;
/// let posterior = net.posterior_of(array![MISSING, 1].view(), f64::INFINITY)?;
/// assert!((posterior[0][1] - 0.8 / 0.9).abs() < 1e-12);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Unchecked")]
pub struct BayesNet {
    pub(super) cards: Vec<usize>,
    pub(super) families: Vec<Family>,
    pub(super) smoothing: f64,
}

/// A net as it was read.
#[derive(Deserialize)]
struct Unchecked {
    cards: Vec<usize>,
    families: Vec<Family>,
    smoothing: f64,
}

impl TryFrom<Unchecked> for BayesNet {
    type Error = LatentError;

    fn try_from(read: Unchecked) -> Result<Self, LatentError> {
        let factors = read.families.iter().map(|family| family.table(&read.cards));
        let factors: Result<Vec<Table>, _> = factors.collect();
        let mut net = Self::from_graph(&FactorGraph::new(read.cards, factors?)?, read.smoothing)?;
        // The graph holds logarithms; these are the bits that were written.
        for (family, read) in net.families.iter_mut().zip(read.families) {
            family.probabilities = read.probabilities;
        }
        Ok(net)
    }
}

impl BayesNet {
    /// The net of a factor graph, its rows normalised; `smoothing` is a Dirichlet prior, `α` added to each expected count.
    ///
    /// # Errors
    /// A factor without variables, a variable that is the child of no factor or of two, a cycle, a table
    /// whose rows do not sum to 1, a smoothing below 0.
    pub fn from_graph(graph: &FactorGraph, smoothing: f64) -> Result<Self, LatentError> {
        let mut net = Self::structure(graph, smoothing)?;
        for row in net.rows_mut() {
            let sum: f64 = row.iter().sum();
            let close = (sum - 1.0).abs() <= ROUNDED;
            let (what, range) = ("the sum of a row of a table", "1, but for rounding");
            within(what, range, sum, close)?;
            row.iter_mut().for_each(|p| *p /= sum);
        }
        Ok(net)
    }

    /// As [`from_graph`](Self::from_graph), whatever the tables.
    pub(super) fn structure(graph: &FactorGraph, smoothing: f64) -> Result<Self, LatentError> {
        not_negative("smoothing", smoothing)?;
        let families = graph.factors().iter().map(Family::of);
        let families = families.collect::<Result<Vec<Family>, _>>()?;
        topological_order(graph.num_variables(), &families)?;
        Ok(Self {
            cards: graph.cards().to_vec(),
            families,
            smoothing,
        })
    }

    /// `p(x_v | x_parents)` of all families and joint states of the parents.
    pub(super) fn rows_mut(&mut self) -> impl Iterator<Item = &mut [f64]> {
        let families = self.families.iter_mut();
        families.flat_map(|family| family.probabilities.chunks_exact_mut(family.states))
    }

    /// All probabilities, by family.
    pub(super) fn entries(&self) -> impl Iterator<Item = &f64> {
        let families = self.families.iter();
        families.flat_map(|family| &family.probabilities)
    }

    /// Cardinalities, by variable.
    #[must_use]
    pub fn cards(&self) -> &[usize] {
        &self.cards
    }

    /// `α`, the pseudo-count of each entry.
    #[must_use]
    pub fn smoothing(&self) -> f64 {
        self.smoothing
    }

    /// `p(x_v | x_parents)` of the variable `child`, child fastest; `None` if there is no such variable.
    #[must_use]
    pub fn table(&self, child: VarId) -> Option<&[f64]> {
        let mut families = self.families.iter();
        let family = families.find(|family| family.child() == child.index());
        family.map(|family| family.probabilities.as_slice())
    }

    /// The factor graph, its factors in the order of the one that gave the structure.
    ///
    /// # Panics
    /// Never: the tables of a net were checked when it was made, and an M-step keeps their structure.
    #[must_use]
    pub fn to_graph(&self) -> FactorGraph {
        let table = |family: &Family| family.table(&self.cards).expect(CHECKED);
        let factors = self.families.iter().map(table);
        FactorGraph::new(self.cards.clone(), factors.collect()).expect(CHECKED)
    }

    /// `p(x_v | observed part)` of every variable for one row; zeros if the net excludes it.
    ///
    /// # Errors
    /// Another number of columns than variables, a state that does not exist, or
    /// [`TooLarge`](forney_exact::TooLarge) if inference needs more than `memory` bytes.
    pub fn posterior_of(
        &self,
        row: ArrayView1<'_, i32>,
        memory: f64,
    ) -> Result<Vec<Vec<f64>>, LatentError> {
        shape("the columns of the data", self.cards.len(), row.len())?;
        let mut evidence = Evidence::default();
        for (column, &state) in row.iter().enumerate() {
            if let Some(state) = observed(0, column, state, self.cards[column])? {
                evidence.observe(VarId::new(column), state)?;
            }
        }
        let graph = self.to_graph();
        let restriction = Domains::observed(&graph, &evidence)?.restrict(&graph);
        let order = greedy(restriction.graph(), Heuristic::MinFill, None);
        let found = marginals(restriction.graph(), &order, memory)?;
        Ok(restriction.lift_marginals(&found.variables))
    }

    /// Draws full rows, `count × n`, parents before children.
    ///
    /// # Panics
    /// Never: a net without such an order was refused when it was made.
    #[must_use]
    pub fn sample(&self, count: usize, seed: u64) -> Array2<i32> {
        let mut rng = Pcg64::seed_from_u64(seed);
        let order = topological_order(self.cards.len(), &self.families).expect(CHECKED);
        let mut data = Array2::zeros((count, self.cards.len()));
        for mut row in data.rows_mut() {
            for &family in &order {
                let family = &self.families[family];
                let parents = &family.scope[..family.scope.len() - 1];
                let parents = parents
                    .iter()
                    .fold(0, |at, &v| at * self.cards[v] + row[v] as usize);
                let p = &family.probabilities[parents * family.states..][..family.states];
                row[family.child()] = draw(ArrayView1::from(p), &mut rng) as i32;
            }
        }
        data
    }
}

/// The state of an observation; `None` if it is missing.
pub(super) fn observed(
    row: usize,
    column: usize,
    state: i32,
    states: usize,
) -> Result<Option<usize>, LatentError> {
    match usize::try_from(state) {
        Ok(at) if at < states => Ok(Some(at)),
        Err(_) if state == MISSING => Ok(None),
        _ => Err(LatentError::UnknownState {
            row,
            column,
            state,
            states,
        }),
    }
}

/// Why the graph of a net cannot fail.
pub(super) const CHECKED: &str =
    "a net is checked when it is made, and an M-step keeps its structure";
