//! The interface of all methods: what they are asked for, and what comes back.

use std::borrow::Cow;
use std::fmt;

use forney_bounds::wmbe::Steps;
use forney_certify::{Budget, Estimate, Lower, Stop, Upper};
use forney_exact::Order;
use forney_model::FactorGraph;
use serde::Serialize;

use crate::Inapplicable;

/// What a value says about `ln Z`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Side {
    /// `ln Z ≤` the value, proved.
    Upper,
    /// `ln Z ≥` the value, proved.
    Lower,
    /// The value is near `ln Z`, perhaps: nothing is proved.
    Estimate,
}

impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Upper => "upper",
            Self::Lower => "lower",
            Self::Estimate => "estimate",
        })
    }
}

/// A bound on `ln Z` that was recomputed from its witness, or an estimate; in nats.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Value {
    /// An upper bound.
    Upper(Upper),
    /// A lower bound.
    Lower(Lower),
    /// An estimate.
    Estimate(Estimate),
}

impl Value {
    /// The number, in nats.
    #[must_use]
    pub fn ln(self) -> f64 {
        match self {
            Self::Upper(bound) => bound.ln(),
            Self::Lower(bound) => bound.ln(),
            Self::Estimate(estimate) => estimate.ln,
        }
    }

    /// What the number says.
    #[must_use]
    pub fn side(self) -> Side {
        match self {
            Self::Upper(_) => Side::Upper,
            Self::Lower(_) => Side::Lower,
            Self::Estimate(_) => Side::Estimate,
        }
    }
}

impl From<Upper> for Value {
    fn from(bound: Upper) -> Self {
        Self::Upper(bound)
    }
}

impl From<Lower> for Value {
    fn from(bound: Lower) -> Self {
        Self::Lower(bound)
    }
}

/// What a method works with.
#[derive(Clone, Debug)]
pub struct Options {
    /// Cliques hold at most this many variables plus one.
    pub ibound: usize,
    /// Bytes that tables may take.
    pub memory: f64,
    /// At most so many iterations, whatever one is for the method; `None` for no limit.
    pub iterations: Option<usize>,
    /// Seed of every random choice.
    pub seed: u64,
    /// A fixed elimination order; `None` lets the method choose.
    pub order: Option<Order>,
    /// How mini-buckets are improved; other methods have steps of one kind.
    pub steps: Steps,
}

impl Default for Options {
    /// ibound 6, 4 GiB, seed 0, the best steps, no other limit.
    fn default() -> Self {
        Self {
            ibound: 6,
            memory: 4.0 * 1024f64.powi(3),
            iterations: None,
            seed: 0,
            order: None,
            steps: Steps::Best,
        }
    }
}

/// How far a method has come.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Point {
    /// The best bound proved so far, or the present estimate.
    pub value: Value,
    /// Iterations so far.
    pub iterations: usize,
    /// Seconds since the budget began.
    pub elapsed_s: f64,
}

/// Called at every improvement.
pub type Watch<'w> = dyn FnMut(Point) + Send + 'w;

/// What a method came to.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    /// The bound or estimate.
    pub value: Value,
    /// Iterations, whatever one is for the method.
    pub iterations: usize,
    /// Why it ended.
    pub stop: Stop,
    /// What else a reader should know; empty if nothing.
    pub note: Cow<'static, str>,
}

/// The models on which a method gives `ln Z` itself, given time to converge and an ibound that
/// holds the largest factor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ExactOn {
    /// No factor joins two variables.
    IndependentVariables,
    /// The factor graph has no cycle.
    Trees,
}

/// A way to bound or estimate `ln Z`.
///
/// # Example
/// ```
/// use forney_certify::Budget;
/// use forney_methods::{Method, Options, Side, method};
/// use forney_model::{enumerate::enumerate, generate::ising_grid};
/// use rand::SeedableRng;
/// let grid = ising_grid(4, 1.0, 0.1, &mut rand_pcg::Pcg64::seed_from_u64(1));
/// let trbp = method("trbp").expect("it is registered");
/// let options = Options { iterations: Some(20), ..Options::default() };
/// let found = trbp.run(&grid, Side::Upper, &options, &Budget::unlimited(), &mut |_| {})?;
/// assert!(found.value.ln() >= enumerate(&grid).ln_z);
/// # Ok::<(), forney_methods::Inapplicable>(())
/// ```
pub trait Method: Sync {
    /// The name that tables and the program use.
    fn name(&self) -> &'static str;

    /// What the method can give.
    fn sides(&self) -> &'static [Side];

    /// Where it is exact, if anywhere.
    fn exact_on(&self) -> Option<ExactOn>;

    /// Does what [`run`](Method::run) promises, for one of [`sides`](Method::sides).
    ///
    /// # Errors
    /// Why the method does not apply to this model within these limits.
    fn search(
        &self,
        graph: &FactorGraph,
        side: Side,
        options: &Options,
        budget: &Budget,
        watch: &mut Watch<'_>,
    ) -> Result<Outcome, Inapplicable>;

    /// Improves a value of one side until converged or out of budget; `watch` sees every
    /// improvement.
    ///
    /// Bounds hold after any stop, whether anything has converged or not. If neither the iterations
    /// nor the time of the budget are limited, it still ends. The same options give the same
    /// numbers on any number of threads, unless time ends the run.
    ///
    /// # Errors
    /// Why the method does not apply to this model within these limits.
    fn run(
        &self,
        graph: &FactorGraph,
        side: Side,
        options: &Options,
        budget: &Budget,
        watch: &mut Watch<'_>,
    ) -> Result<Outcome, Inapplicable> {
        if !self.sides().contains(&side) {
            let name = self.name();
            return Err(Inapplicable::Side { name, side });
        }
        self.search(graph, side, options, budget, watch)
    }
}
