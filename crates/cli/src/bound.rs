//! `forney bound`: a lower and an upper bound on the logarithm of the partition function.

use std::fmt;
use std::path::PathBuf;

use forney_bounds::{Progress, Watch};
use forney_certify::{Budget, Stop};
use forney_exact::human;
use forney_methods::{
    BoundOptions, BoundReport, EXACT, Gives, Inapplicable, MEAN_FIELD, Options, Sides, bracket,
};
use forney_model::{FactorGraph, simplify_sum};
use forney_planar::PlanarError;
use forney_uai::Solution;
use serde::Serialize;

use crate::args::{BoundArgs, MethodChoice, SideChoice};
use crate::clash::{Clash, Impossible};
use crate::done::{Done, Output};
use crate::error::{Failure, complain};
use crate::problem::Problem;
use crate::progress::BracketBar;
use crate::state::State;
use crate::text::{digits, gap, log10, rounded_down, rounded_up, seconds};
use crate::trace::Trace;
use crate::{files, interrupt, memory, work};

/// What `forney bound` prints.
#[derive(Serialize)]
pub(crate) struct Report {
    #[serde(flatten)]
    state: State,
    stop: Stop,
    exact: bool,
    /// Left out unless `Z = 0`.
    #[serde(skip_serializing_if = "Option::is_none")]
    conflict: Option<Clash>,
    elapsed_s: f64,
    #[serde(skip)]
    peak_bytes: Option<f64>,
    /// What could not run.
    #[serde(skip)]
    refused: Option<Inapplicable>,
}

/// One line of a trace.
#[derive(Serialize)]
struct Line {
    #[serde(flatten)]
    state: State,
    elapsed_s: f64,
}

pub(crate) fn run(args: &BoundArgs) -> Result<Done<Report>, Failure> {
    let budget = Budget::new(args.time, interrupt::flag());
    one_sided(args)?;
    let read = args.model.evidence.iter().chain([&args.model.file]);
    let written = args.trace.iter().chain(&args.uai_output);
    files::apart(read.map(PathBuf::as_path), written.map(PathBuf::as_path))?;
    let problem = Problem::read(&args.model, &budget)?;
    let mut trace = args.trace.as_deref().map(Trace::create);
    let mut report = match problem.restrict(&budget)? {
        None => Report::impossible(problem.clash(&budget), &budget),
        Some(restriction) => close(restriction.graph().clone(), args, &budget, trace.as_mut())?,
    };
    // Of a method asked for by name it is told that it did not run; the others stand in for each other.
    let refused = report.refused.take();
    let refused = refused.map(|error| refusal(error, args));
    let refused = match args.method.0 {
        None => {
            if let Some(refused) = refused {
                complain(format_args!("warning: {refused}"));
            }
            None
        }
        Some(_) => refused,
    };
    let late = report
        .late(args.method)
        .map(|what| Failure::NotInTime { what });
    let (file, not_closed) = match &args.uai_output {
        Some(path) if report.state.gap > args.gap => {
            (None, Some(Failure::NotClosed { path: path.clone() }))
        }
        path => (Output::solution(path.as_deref(), &report.solution())?, None),
    };
    Ok(Done {
        file,
        trouble: trace
            .and_then(Trace::finish)
            .into_iter()
            .chain(not_closed)
            .chain(refused)
            .chain(late)
            .collect(),
        interrupted: report.stop == Stop::Interrupted,
        reports: vec![report],
    })
}

/// Closes the bracket of a restricted model as far as the limits allow.
fn close(
    graph: FactorGraph,
    args: &BoundArgs,
    budget: &Budget,
    mut trace: Option<&mut Trace>,
) -> Result<Report, Failure> {
    let order = match &args.order {
        None => None,
        Some(choice) => Some(choice.order(&simplify_sum(&graph)?, args.seed, budget)?),
    };
    let options = BoundOptions {
        limits: Options {
            ibound: args.ibound,
            memory: args.memory.unwrap_or_else(memory::default_limit),
            gap: args.gap,
            iterations: args.iterations,
            seed: args.seed,
            order,
        },
        sides: match args.side {
            SideChoice::Both => Sides::Both,
            SideChoice::Upper => Sides::Upper,
            SideChoice::Lower => Sides::Lower,
        },
        method: args.method.0,
    };
    let mut bar = BracketBar::new();
    let mut last = None;
    let its_budget = budget.clone();
    let found = work::within(
        budget,
        work::GRACE,
        move |tell| {
            let watch: &mut Watch<'_> = &mut |progress| tell(*progress);
            bracket(&graph, &options, &its_budget, watch)
        },
        |progress: Progress| {
            bar.show(&progress);
            if progress.improved
                && let Some(trace) = &mut trace
            {
                trace.write(&Line {
                    state: State::of(&progress),
                    elapsed_s: progress.elapsed_s,
                });
            }
            last = Some(progress);
        },
    );
    match found {
        Ok(Ok(report)) => Ok(Report::of(&report, budget)),
        Ok(Err(error)) => Err(refusal(error.into(), args)),
        Err(stop) => Ok(Report::cut_short(last.as_ref(), stop, budget)),
    }
}

/// Why what was asked for did not run.
fn refusal(reason: Inapplicable, args: &BoundArgs) -> Failure {
    match reason {
        Inapplicable::Bound(error) => {
            Failure::of_bound(error, args.method.is(EXACT), args.memory, instead(args))
        }
        Inapplicable::Planar(error @ PlanarError::TooLarge { .. }) => {
            Failure::MatchingsTooLarge(error)
        }
        reason => Failure::Inapplicable(reason),
    }
}

/// A side that the method does not have.
fn one_sided(args: &BoundArgs) -> Result<(), Failure> {
    let (wanted, other) = match args.side {
        SideChoice::Both => return Ok(()),
        SideChoice::Upper => (Gives::Upper, Gives::Lower),
        SideChoice::Lower => (Gives::Lower, Gives::Upper),
    };
    match args.method.0 {
        Some(method) if method.gives() == [other] => Err(Failure::Usage(format!(
            "{} proves {other} bounds only; {wanted} ones are those of --method wmbe or auto",
            method.name(),
        ))),
        _ => Ok(()),
    }
}

/// What proves a bound where mini-buckets do not fit: mean field, if a lower one is asked for and
/// `auto` has not tried that already.
fn instead(args: &BoundArgs) -> Option<&'static str> {
    match (args.method.0, args.side) {
        (None, _) | (_, SideChoice::Upper) => None,
        (Some(method), _) if method.name() == MEAN_FIELD.name() => None,
        (_, SideChoice::Lower) => Some(", or use --method mf"),
        (_, SideChoice::Both) => Some(", or use --method mf for a lower bound alone"),
    }
}

impl Report {
    /// What did not come in time, if nothing is proved or not what was asked for by name.
    fn late(&self, method: MethodChoice) -> Option<&'static str> {
        let nothing = self.state.lower == f64::NEG_INFINITY && self.state.upper == f64::INFINITY;
        match (self.stop, method.is(EXACT)) {
            (Stop::TimeLimit, true) if !self.exact => Some("exact elimination did not end"),
            (Stop::TimeLimit, _) if nothing => Some("nothing was proved"),
            _ => None,
        }
    }

    fn of(found: &BoundReport, budget: &Budget) -> Self {
        Self {
            state: State {
                lower: found.bracket.lower().ln(),
                upper: found.bracket.upper().ln(),
                gap: found.bracket.gap(),
                lower_method: found.lower_method,
                upper_method: found.upper_method,
                ibound: found.ibound,
                iterations: found.iterations,
            },
            stop: found.stop,
            exact: found.exact,
            conflict: None,
            elapsed_s: budget.elapsed().as_secs_f64(),
            peak_bytes: Some(found.peak_bytes).filter(|&bytes| bytes > 0.0),
            refused: found.refused.clone(),
        }
    }

    /// The last that was heard of methods that did not end in time.
    fn cut_short(last: Option<&Progress>, stop: Stop, budget: &Budget) -> Self {
        let state = last.map_or(State::TRIVIAL, State::of);
        Self {
            state,
            stop,
            exact: last.is_some_and(|last| last.exact),
            conflict: None,
            elapsed_s: budget.elapsed().as_secs_f64(),
            peak_bytes: None,
            refused: None,
        }
    }

    /// Hard zeros alone show that every assignment is forbidden.
    fn impossible(conflict: Option<Clash>, budget: &Budget) -> Self {
        Self {
            state: State {
                lower: f64::NEG_INFINITY,
                upper: f64::NEG_INFINITY,
                gap: 0.0,
                lower_method: EXACT.name(),
                upper_method: EXACT.name(),
                ibound: 0,
                iterations: 0,
            },
            stop: Stop::Converged,
            exact: true,
            conflict,
            elapsed_s: budget.elapsed().as_secs_f64(),
            peak_bytes: None,
            refused: None,
        }
    }

    /// The value of a closed bracket; its middle, where the sides differ within the gap allowed.
    fn solution(&self) -> Solution {
        let State { lower, upper, .. } = self.state;
        let ln_z = if self.exact {
            lower
        } else {
            0.5 * (lower + upper)
        };
        Solution::Pr {
            log10_z: log10(ln_z),
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let State {
            lower,
            upper,
            lower_method,
            upper_method,
            ibound,
            iterations,
            ..
        } = self.state;
        let (low, high) = match self.exact {
            true => (digits(lower), digits(upper)),
            false => (rounded_down(lower), rounded_up(upper)),
        };
        let wide = low.len().max(high.len());
        if upper == f64::NEG_INFINITY {
            write!(f, "{}", Impossible(self.conflict.as_ref()))?;
        }
        writeln!(f, "lower    {low:>wide$}  {lower_method}")?;
        writeln!(f, "upper    {high:>wide$}  {upper_method}")?;
        writeln!(f, "gap      {:>wide$}  nats", gap(self.state.gap))?;
        match self.exact {
            true => writeln!(f, "log10 Z  {}", digits(log10(lower)))?,
            false => {
                let (low, high) = (rounded_down(log10(lower)), rounded_up(log10(upper)));
                writeln!(f, "log10 Z  {low} to {high}")?;
            }
        }
        writeln!(f, "ibound   {ibound}, {iterations} iterations")?;
        write!(
            f,
            "stopped  {} after {}",
            self.stop,
            seconds(self.elapsed_s)
        )?;
        match self.peak_bytes {
            Some(bytes) => writeln!(f, ", {} of tables", human(bytes)),
            None => writeln!(f),
        }
    }
}
