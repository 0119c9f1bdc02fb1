//! The interface of all methods: what they prove, when they take part, and how they run in slices.

use std::borrow::Cow;
use std::fmt;

use forney_certify::{Bracket, Budget, Estimate, Lower, Stop, Upper};
use forney_model::FactorGraph;
use serde::Serialize;

use crate::job::{Job, Options, Slice};
use crate::portfolio::{pruned, simplified};
use crate::{Inapplicable, solo};

/// What a value says about `ln Z`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Gives {
    /// `ln Z ≤` the value, proved.
    Upper,
    /// `ln Z ≥` the value, proved.
    Lower,
    /// Both at once, as an exact answer gives them.
    Both,
    /// The value is near `ln Z`, perhaps: nothing is proved.
    Estimate,
}

impl fmt::Display for Gives {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Upper => "upper",
            Self::Lower => "lower",
            Self::Both => "both",
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
    /// Both bounds.
    Both(Bracket),
    /// An estimate.
    Estimate(Estimate),
}

impl Value {
    /// The number, in nats; of both bounds the upper one.
    #[must_use]
    pub fn ln(self) -> f64 {
        match self {
            Self::Upper(bound) => bound.ln(),
            Self::Both(bracket) => bracket.upper().ln(),
            Self::Lower(bound) => bound.ln(),
            Self::Estimate(estimate) => estimate.ln,
        }
    }

    /// What the number says.
    #[must_use]
    pub fn side(self) -> Gives {
        match self {
            Self::Upper(_) => Gives::Upper,
            Self::Lower(_) => Gives::Lower,
            Self::Both(_) => Gives::Both,
            Self::Estimate(_) => Gives::Estimate,
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
    /// Everything.
    All,
}

/// A way to bound or estimate `ln Z`, or to compute it.
///
/// # Example
/// ```
/// use forney_certify::Budget;
/// use forney_methods::{Options, Gives, method};
/// use forney_model::{enumerate::enumerate, generate::ising_grid};
/// use rand::SeedableRng;
/// let grid = ising_grid(4, 1.0, 0.1, &mut rand_pcg::Pcg64::seed_from_u64(1));
/// let trbp = method("trbp").expect("it is registered");
/// let options = Options { iterations: Some(20), ..Options::default() };
/// let found = trbp.run(&grid, Gives::Upper, &options, &Budget::unlimited(), &mut |_| {})?;
/// assert!(found.value.ln() >= enumerate(&grid).ln_z);
/// # Ok::<(), forney_methods::Inapplicable>(())
/// ```
pub trait Method: Sync {
    /// The name that tables and the program use.
    fn name(&self) -> &'static str;

    /// What the method can give.
    fn gives(&self) -> &'static [Gives];

    /// Where it is exact, if anywhere.
    fn exact_on(&self) -> Option<ExactOn>;

    /// Is it one of those that a [`bracket`](crate::bracket) of this model tries? By its name anyone can ask for
    /// it.
    fn takes_part(&self, _: &FactorGraph) -> bool {
        false
    }

    /// Is it one of those that stand side by side where nobody named any?
    fn is_compared(&self) -> bool {
        true
    }

    /// Do sums that need no search come first? A [`bracket`](crate::bracket) does them for all methods; alone, those
    /// that eliminate gain by them, and others would only see another model than the one they were given.
    fn simplifies(&self) -> bool {
        false
    }

    /// Begins on one of its [`gives`](Self::gives); nothing that takes long.
    ///
    /// # Errors
    /// Why the method does not apply to this model within these limits.
    fn begin<'j>(&self, job: &'j Job<'_>, side: Gives) -> Result<Box<dyn Work + 'j>, Inapplicable>;

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
        side: Gives,
        options: &Options,
        budget: &Budget,
        watch: &mut (dyn FnMut(Point) + Send),
    ) -> Result<Outcome, Inapplicable> {
        if !self.gives().contains(&side) {
            let name = self.name();
            return Err(Inapplicable::Gives { name, side });
        }
        let graph = &match self.simplifies() {
            true => simplified(&pruned(graph)),
            false => pruned(graph),
        };
        let job = Job::alone(graph, options);
        let run = self.begin(&job, side)?;
        solo::run(run, side, options, budget, watch)
    }
}

impl fmt::Debug for dyn Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A method at work on one side of one model.
pub trait Work: Send {
    /// Goes on for a slice of time, or where time has no end by an amount of work that does not depend on the
    /// machine, and enters what it proves on the board of the slice.
    ///
    /// # Errors
    /// Why it cannot go on within these limits.
    fn go_on(&mut self, slice: &Slice<'_, '_>) -> Result<Turn, Inapplicable>;

    /// What it will take from here to the end, if it knows: the portfolio lets what ends soon go first.
    fn predicted(&self) -> Option<Predicted> {
        None
    }

    /// Seconds before it proves anything; what would be over before that does not begin.
    fn beginning(&self) -> f64 {
        0.0
    }

    /// The bound that it begins from, in nats, which another one may have proved.
    fn head_start(&self) -> f64 {
        f64::NEG_INFINITY
    }

    /// Are its steps what [`Options::iterations`] counts, beside other methods?
    fn is_counted(&self) -> bool {
        true
    }

    /// What a reader of its value should know; empty if nothing.
    fn note(&self) -> Cow<'static, str> {
        Cow::Borrowed("")
    }
}

/// What a run came to in a slice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// It goes on.
    Open,
    /// What it set out to do is done; more of it, with other random numbers, may still gain.
    Again,
    /// It goes on once it has all of the memory and the threads.
    Waiting,
    /// There is nothing more to do.
    Over(Stop),
}

/// What a run will take.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Predicted {
    /// In entries of an elimination, whose [`Pace`](forney_exact::Pace) is known to a factor of a few.
    pub entries: f64,
    /// Bytes of tables.
    pub bytes: f64,
}
