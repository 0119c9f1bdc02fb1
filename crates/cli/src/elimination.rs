//! Exact elimination, as the commands `exact`, `marginals` and `map` share it.

use std::fmt;
use std::time::Duration;

use forney::{Plan, Task};
use forney_certify::{Budget, Stop};
use forney_exact::{Keep, Order, human};
use forney_model::{Evidence, FactorGraph};
use serde::Serialize;

use crate::args::{EliminationArgs, ExactArgs};
use crate::clash::Clash;
use crate::error::Failure;
use crate::order::OrderChoice;
use crate::problem::Samples;
use crate::text::seconds;
use crate::unfinished::{Refused, Stage};
use crate::work::{self, Tell};
use crate::{interrupt, json, memory, progress};

/// Work that is predicted to take more than so many times what is left of the time is not begun.
const HOPELESS: f64 = 10.0;

/// What was found for one sample of evidence.
pub(crate) struct Answer<T> {
    /// Its number, from 1, if there are several.
    pub(crate) sample: Option<usize>,
    /// `None` if `Z = 0`.
    pub(crate) found: Option<T>,
    pub(crate) conflict: Option<Clash>,
    pub(crate) spent: Spent,
}

/// The answers in the order of the samples, as far as there are any.
pub(crate) struct Answers<T> {
    pub(crate) answers: Vec<Answer<T>>,
    /// Why there are no more.
    pub(crate) trouble: Option<Failure>,
}

/// What an elimination took.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub(crate) struct Spent {
    pub(crate) width: usize,
    /// Was nothing eliminated, as a model of spins in the plane needs none? Left out unless it was.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(crate) planar: bool,
    pub(crate) elapsed_s: f64,
    /// Tables alive together, as predicted and compared with `--memory`.
    #[serde(serialize_with = "json::whole")]
    pub(crate) peak_bytes: f64,
}

/// What the worker tells of.
enum News<T> {
    Samples(usize),
    Stage(Stage),
    Answer(Answer<T>),
}

/// Reads a model, and for each sample of evidence reduces it, finds an order, and does the task,
/// within memory and time.
///
/// # Errors
/// Why there is no answer at all.
pub(crate) fn eliminate<T: Send + 'static>(
    args: &ExactArgs,
    command: &'static str,
    task: Task<T>,
) -> Result<Answers<T>, Failure> {
    let budget = Budget::new(args.elimination.time, interrupt::flag());
    let mut stage = Stage::Reading;
    let mut samples = 1;
    let mut answers = Vec::new();
    let spinner = progress::spinner(stage.to_string());
    let (its_args, its_budget) = (args.clone(), budget.clone());
    // Whatever takes long is left alone when the budget ends, also a file that does not end.
    let worked = work::within(
        &budget,
        Duration::ZERO,
        move |tell| answer_all(&its_args, (command, &task), &its_budget, tell),
        |news| match news {
            News::Samples(number) => samples = number,
            News::Stage(now) => {
                stage = now;
                spinner.say(stage.to_string());
            }
            News::Answer(answer) => answers.push(answer),
        },
    );
    drop(spinner);
    let trouble = match worked {
        Ok(Ok(())) => None,
        // A search that was cut short finds no order that fits: that is no refusal.
        Ok(Err(_)) if budget.stop() == Some(Stop::Interrupted) => Some(Failure::Interrupted),
        Ok(Err(failure)) => Some(failure),
        Err(stop) => Some(Failure::out_of(stop, stage)),
    };
    let trouble = trouble.map(|failure| match samples {
        1 => failure,
        of => Failure::Sample {
            sample: answers.len() + 1,
            of,
            failure: Box::new(failure),
        },
    });
    match trouble {
        Some(failure) if answers.is_empty() => Err(failure),
        trouble => Ok(Answers { answers, trouble }),
    }
}

/// Tells the answers for all samples, one after another.
fn answer_all<T>(
    args: &ExactArgs,
    task: (&'static str, &Task<T>),
    budget: &Budget,
    tell: &Tell<'_, News<T>>,
) -> Result<(), Failure> {
    let Samples {
        model,
        soft,
        samples,
    } = Samples::read(&args.model)?;
    let graph = model.into_graph()?;
    tell(News::Samples(samples.len()));
    let mut last = None;
    let mut begun = Duration::ZERO;
    for (at, evidence) in samples.iter().enumerate() {
        let mut answer = answer(&graph, evidence, args, task, budget, &mut last, tell)?;
        if answer.found.is_none() {
            answer.conflict = Clash::find(&graph, soft, evidence, budget);
        }
        answer.sample = (samples.len() > 1).then_some(at + 1);
        let elapsed = budget.elapsed();
        answer.spent.elapsed_s = elapsed.saturating_sub(begun).as_secs_f64();
        begun = elapsed;
        tell(News::Answer(answer));
    }
    Ok(())
}

/// The answer for one sample; `last` is the plan of the one before.
fn answer<T>(
    graph: &FactorGraph,
    evidence: &Evidence,
    args: &ExactArgs,
    (command, task): (&'static str, &Task<T>),
    budget: &Budget,
    last: &mut Option<Plan>,
    tell: &Tell<'_, News<T>>,
) -> Result<Answer<T>, Failure> {
    let mut answer = Answer {
        sample: None,
        found: None,
        conflict: None,
        spent: Spent::default(),
    };
    let Some(restriction) = forney::restrict(graph, evidence, budget)? else {
        return Ok(answer);
    };
    let reduced = task.reduce(graph, restriction)?;
    tell(News::Stage(Stage::Ordering));
    let given = args.elimination.memory;
    let memory = given.unwrap_or_else(memory::default_limit);
    // An order is asked for by whoever wants to see it used.
    if args.elimination.order == OrderChoice::Search
        && let Some((found, demand)) = task.drawn(&reduced, memory, budget)
    {
        answer.found = found;
        answer.spent.planar = true;
        answer.spent.peak_bytes = demand.bytes;
        return Ok(answer);
    }
    let mut plan = plan(
        reduced.simple.graph(),
        &args.elimination,
        (task.keep(), memory),
        budget,
        last.take(),
    )?;
    let schedule = plan.admit(task.keep(), memory).map_err(|no_fit| {
        Failure::NoFit(Refused {
            command,
            no_fit,
            given: given.is_some(),
        })
    })?;
    answer.spent.width = plan.cost().width;
    answer.spent.peak_bytes = plan.bytes(task.keep());
    let predicted_s = plan.seconds() * task.passes();
    let left = budget.remaining().map(|left| left.as_secs_f64());
    let begun = !left.is_some_and(|left| predicted_s > HOPELESS * left);
    let stage = Stage::Eliminating { predicted_s, begun };
    if !begun {
        return Err(Failure::OutOfTime { stage });
    }
    tell(News::Stage(stage));
    let found = task.run(&reduced, &schedule, budget);
    answer.found = found.map_err(|stop| Failure::out_of(stop, stage))?;
    *last = Some(plan);
    Ok(answer)
}

/// The plan of the order that the user asks for. A search for one is spared where the order of the
/// sample before costs no more than it did there.
fn plan(
    graph: &FactorGraph,
    args: &EliminationArgs,
    limit: (Keep, f64),
    budget: &Budget,
    last: Option<Plan>,
) -> Result<Plan, Failure> {
    let within = |order| Plan::within(graph, order, budget);
    let plan = match (last, &args.order) {
        (None, OrderChoice::Search) => Plan::search(graph, args.seed, limit, budget),
        (Some(last), OrderChoice::Search) => {
            let again = within(Order::new(last.order().vars().to_vec(), graph)?);
            let dearer = |again: &Plan| again.cost().total_entries > last.cost().total_entries;
            if again.as_ref().is_some_and(dearer) {
                Plan::search(graph, args.seed, limit, budget)
            } else {
                again
            }
        }
        (_, chosen) => within(chosen.order(graph, args.seed, budget)?),
    };
    let stop = || budget.stop().unwrap_or(Stop::Interrupted);
    plan.ok_or_else(|| Failure::out_of(stop(), Stage::Ordering))
}

impl fmt::Display for Spent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.planar {
            true => write!(f, "planar")?,
            false => write!(f, "width {}", self.width)?,
        }
        writeln!(
            f,
            ", {} of tables, {}",
            human(self.peak_bytes + 0.0),
            seconds(self.elapsed_s)
        )
    }
}
