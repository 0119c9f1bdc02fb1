//! The interface of all methods: what they give, when they take part, and how they begin.

use std::fmt;

use forney_certify::Budget;
use forney_model::FactorGraph;

use crate::inapplicable::Inapplicable;
use crate::job::{Job, Options, pruned, simplified};
use crate::solo;
use crate::value::{Gives, Outcome, Point};
use crate::work::Work;

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
