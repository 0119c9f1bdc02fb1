//! One method with all of a budget.

use std::borrow::Cow;

use forney_bounds::{Board, Progress};
use forney_certify::{Budget, Estimate, Stop};

use crate::inapplicable::Inapplicable;
use crate::job::{Options, Slice};
use crate::value::{Gives, Outcome, Point, Value};
use crate::work::{Turn, Work};

/// The note of a value that is `ln Z` itself.
pub(crate) const EXACT: &str = "exact: nothing was split";

/// Slices until the run is over, or the budget is.
pub(crate) fn run(
    mut run: Box<dyn Work + '_>,
    side: Gives,
    options: &Options,
    budget: &Budget,
    watch: &mut (dyn FnMut(Point) + Send),
) -> Result<Outcome, Inapplicable> {
    let mut see = |progress: &Progress| {
        if progress.improved {
            watch(Point {
                value: value(progress, side),
                iterations: progress.iterations,
                elapsed_s: progress.elapsed_s,
            });
        }
    };
    let budget = &options.untold(budget);
    let board = Board::new(budget, &mut see);
    let stop = loop {
        let spent = board.progress().iterations;
        let iterations = options.iterations.map(|most| most.saturating_sub(spent));
        let slice = Slice {
            iterations,
            ..Slice::all(&board, options, budget)
        };
        match run.go_on(&slice)? {
            Turn::Over(stop) => break stop,
            // Without an end of time the work that was set out for is all there is to do.
            Turn::Again if !slice.is_timed() && iterations.is_none() => break Stop::Converged,
            Turn::Open | Turn::Again | Turn::Waiting => {}
        }
        if board.progress().exact {
            break Stop::Converged;
        }
        if let Some(stop) = budget.stop() {
            break stop;
        }
        let spent = board.progress().iterations;
        if options.iterations.is_some_and(|most| spent >= most) {
            break Stop::SweepLimit;
        }
    };
    let note = run.note();
    drop(run);
    let last = board.finish().map_err(forney_bounds::BoundError::from)?;
    Ok(Outcome {
        value: value(&last, side),
        iterations: last.iterations,
        stop,
        note: match last.exact && side != Gives::Both {
            true => Cow::Borrowed(EXACT),
            false => note,
        },
    })
}

fn value(progress: &Progress, side: Gives) -> Value {
    let bracket = &progress.bracket;
    match side {
        Gives::Upper => Value::Upper(bracket.upper()),
        Gives::Lower => Value::Lower(bracket.lower()),
        Gives::Both => Value::Both(*bracket),
        Gives::Estimate => Value::Estimate(progress.estimate.unwrap_or(Estimate { ln: f64::NAN })),
    }
}
