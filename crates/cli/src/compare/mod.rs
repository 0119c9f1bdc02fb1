//! `forney compare`: every method on one model, side by side.

pub(crate) mod args;
mod csv;
mod plot;
mod report;

use forney_certify::{Bracket, Budget, Crossed};
use forney_methods::{Entrant, Event, METHODS, Method, Options, compare, entrants, exact};
use forney_model::{FactorGraph, simplify_sum};

use args::CompareArgs;

use crate::done::Done;
use crate::error::Failure;
use crate::problem::Problem;
use crate::{interrupt, memory, progress, work};

use report::{Report, Row};

/// What is told of the running methods.
enum News {
    Exact(Bracket),
    Of(Event),
    NoThreads(String),
}

pub(crate) fn run(args: &CompareArgs) -> Result<Done<Report>, Failure> {
    let budget = Budget::new(Some(args.time), interrupt::flag());
    let problem = Problem::read(&args.model, &budget)?;
    let chosen: Vec<&'static dyn Method> = if args.methods.is_empty() {
        let compared = METHODS.iter().copied().filter(|m| m.is_compared());
        compared.collect()
    } else {
        args.methods.iter().map(|named| named.0).collect()
    };
    let jobs = entrants(&chosen);
    let mut report = match problem.restrict(&budget)? {
        None => Report::impossible(&problem.graph, &jobs),
        Some(restriction) => {
            let reduced = simplify_sum(restriction.graph())?;
            let report = Report::new(&problem.graph, &reduced, &jobs);
            side_by_side(report, reduced, &jobs, args, &budget)?
        }
    };
    report.elapsed_s = budget.elapsed().as_secs_f64();
    let csv = args.csv.iter().map(|path| csv::csv(path, &report));
    let plot = args.plot.iter().map(|path| plot::plot(path, &report));
    let written = (csv.chain(plot)).map(|file| file.and_then(|file| file.write()));
    let trouble = written.filter_map(Result::err).collect();
    Ok(Done {
        interrupted: report.rows.iter().any(Row::is_interrupted),
        trouble,
        ..Done::new(report)
    })
}

/// Runs the jobs and collects what they say.
fn side_by_side(
    mut report: Report,
    graph: FactorGraph,
    jobs: &[Entrant],
    args: &CompareArgs,
    budget: &Budget,
) -> Result<Report, Failure> {
    let options = Options {
        ibound: Some(args.ibound),
        memory: args.memory.unwrap_or_else(memory::default_limit),
        iterations: args.iterations,
        seed: args.seed,
        ..Options::default()
    };
    let spinner = progress::spinner("looking for the exact answer".to_owned());
    let (its_jobs, its_budget) = (jobs.to_vec(), budget.clone());
    let mut no_threads = None;
    let ended = work::within(
        budget,
        work::GRACE,
        move |tell| {
            if let Some(both) = exact(&graph, &options, &its_budget) {
                tell(News::Exact(both));
            }
            let see = |event| tell(News::Of(event));
            if let Err(error) = compare(&graph, &its_jobs, &options, &its_budget, &see) {
                tell(News::NoThreads(error.to_string()));
            }
        },
        |news| {
            match news {
                News::Exact(both) => report.exact = Some(both),
                News::Of(Event::Point(job, point)) => report.rows[job].improve(point),
                News::Of(Event::Ended(job, found, elapsed_s)) => {
                    report.rows[job].end(found, elapsed_s);
                }
                News::NoThreads(error) => no_threads = Some(error),
            }
            spinner.say(report.progress());
        },
    );
    drop(spinner);
    if let Some(error) = no_threads {
        return Err(Failure::Usage(format!("cannot start the threads: {error}")));
    }
    if let Err(stop) = ended {
        report.cut_short(stop);
    }
    report
        .close()
        .map_err(|crossed: Crossed| Failure::Internal(crossed.to_string()))?;
    Ok(report)
}
