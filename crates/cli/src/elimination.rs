//! Exact elimination, as the commands `exact`, `marginals` and `map` share it.

use std::fmt;
use std::time::Duration;

use forney_certify::{Budget, Stop};
use forney_exact::{Keep, Order, TooLarge, human};
use forney_model::{FactorGraph, ModelError, Restriction};
use serde::Serialize;

use crate::args::{EliminationArgs, ExactArgs};
use crate::error::Failure;
use crate::plan::Plan;
use crate::problem::Problem;
use crate::text::{rough_seconds, seconds};
use crate::work::{self, Tell};
use crate::{interrupt, memory, progress};

/// Longest search for an order when the user sets no time.
const LONGEST_SEARCH: Duration = Duration::from_secs(10);

/// Work that is predicted to take more than so many times what is left of the time is not begun.
const HOPELESS: f64 = 10.0;

/// The result of an elimination.
pub(crate) struct Eliminated<T> {
    pub(crate) problem: Problem,
    /// The whole model, without regard to the evidence.
    pub(crate) graph: FactorGraph,
    /// What was found, and the way back to the original states; `None` if zeros alone show `Z = 0`.
    pub(crate) found: Option<(T, Restriction)>,
    pub(crate) spent: Spent,
}

/// What an elimination took.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub(crate) struct Spent {
    pub(crate) width: usize,
    pub(crate) elapsed_s: f64,
    /// Tables alive together, as predicted and compared with `--memory`.
    pub(crate) peak_bytes: f64,
}

/// Something to compute by elimination.
pub(crate) struct Task<T> {
    /// A smaller model with the same answer.
    pub(crate) simplify: fn(&FactorGraph) -> Result<FactorGraph, ModelError>,
    /// Does it keep all messages?
    pub(crate) keep: Keep,
    /// About how many forward passes it takes.
    pub(crate) passes: f64,
    /// Computes it within so many bytes.
    pub(crate) run: fn(&FactorGraph, &Order, f64) -> Result<T, TooLarge>,
}

/// Reads a model, reduces it, finds an order, and does the task, within memory and time.
pub(crate) fn eliminate<T: Send + 'static>(
    args: &ExactArgs,
    task: Task<T>,
) -> Result<Eliminated<T>, Failure> {
    let budget = Budget::new(args.elimination.time, interrupt::flag());
    let problem = Problem::read(&args.model)?;
    let graph = problem.graph()?;
    let mut spent = Spent::default();
    let found = match problem.restrict(&graph, &budget)? {
        None => None,
        Some(restriction) => {
            let simple = (task.simplify)(restriction.graph())?;
            let plan = plan(&simple, &args.elimination, &budget)?;
            let memory = args
                .elimination
                .memory
                .unwrap_or_else(memory::default_limit);
            plan.admit(task.keep, memory)?;
            spent.width = plan.cost.width;
            spent.peak_bytes = plan.bytes(task.keep);
            let predicted_s = plan.seconds() * task.passes;
            let work = move || (task.run)(&simple, &plan.order, memory);
            let result = in_time(&budget, predicted_s, work)??;
            Some((result, restriction))
        }
    };
    spent.elapsed_s = budget.elapsed().as_secs_f64();
    Ok(Eliminated {
        problem,
        graph,
        found,
        spent,
    })
}

/// The order that the user asks for; a search for one takes at most half of the time.
fn plan(graph: &FactorGraph, args: &EliminationArgs, budget: &Budget) -> Result<Plan, Failure> {
    let _spinner = progress::spinner("searching for an elimination order".to_owned());
    let longest = args.time.map_or(LONGEST_SEARCH, |time| time / 2);
    let order = args
        .order
        .order(graph, args.seed, &budget.capped(longest))?;
    Ok(Plan::new(graph, order))
}

fn in_time<T: Send + 'static>(
    budget: &Budget,
    predicted_s: f64,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Failure> {
    let predicted = rough_seconds(predicted_s);
    let _spinner = progress::spinner(format!("eliminating, about {predicted}"));
    let left = budget.remaining().map(|left| left.as_secs_f64());
    if left.is_some_and(|left| predicted_s > HOPELESS * left) {
        return Err(Failure::OutOfTime {
            predicted,
            begun: false,
        });
    }
    let done = work::within(budget, Duration::ZERO, |_: &Tell<'_, ()>| work(), |()| {});
    done.map_err(|stop| match stop {
        Stop::Interrupted => Failure::Interrupted,
        _ => Failure::OutOfTime {
            predicted,
            begun: true,
        },
    })
}

impl fmt::Display for Spent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "width {}, {} of tables, {}",
            self.width,
            human(self.peak_bytes),
            seconds(self.elapsed_s)
        )
    }
}
