//! A search that is repeated with other random numbers while time lasts.

use std::borrow::Cow;

use forney_certify::{Bound, Budget, Side, Stop};

use crate::{Inapplicable, Options, Outcome, Point, Value, Watch};

/// The note of a value that is `ln Z` itself.
pub(crate) const EXACT: &str = "exact: nothing was split";

/// What one search came to.
pub(crate) struct Round<S: Side> {
    pub(crate) bound: Bound<S>,
    pub(crate) iterations: usize,
    pub(crate) stop: Stop,
    /// Is nothing left to gain?
    pub(crate) exact: bool,
}

/// Tells of a bound that was proved within a round, and of the iterations spent on it there.
pub(crate) type Tell<'t, S> = dyn FnMut(Bound<S>, usize) + Send + 't;

/// The best of `round(0)`, `round(1)`, …: one round if iterations are limited or time is not, else
/// rounds until time ends or `patience` of them have brought nothing.
pub(crate) fn restarts<S: Side>(
    options: &Options,
    budget: &Budget,
    patience: usize,
    watch: &mut Watch<'_>,
    mut round: impl FnMut(u64, &mut Tell<'_, S>) -> Result<Round<S>, Inapplicable>,
) -> Result<Outcome, Inapplicable>
where
    Bound<S>: Into<Value>,
{
    let once = options.iterations.is_some() || budget.remaining().is_none();
    let mut best = Bound::trivial();
    let (mut iterations, mut idle, mut exact) = (0, 0, false);
    let mut number = 0;
    let stop = loop {
        let mut improved = false;
        let mut tell = |bound: Bound<S>, spent: usize| {
            if best.tighten(bound) {
                improved = true;
                watch(Point {
                    value: bound.into(),
                    iterations: iterations + spent,
                    elapsed_s: budget.elapsed().as_secs_f64(),
                });
            }
        };
        let found = match round(number, &mut tell) {
            Ok(found) => found,
            // What other random numbers proved stands.
            Err(_) if number > 0 => break budget.stop().unwrap_or(Stop::Converged),
            Err(reason) => return Err(reason),
        };
        tell(found.bound, found.iterations);
        exact = found.exact;
        iterations += found.iterations;
        number += 1;
        if once || found.exact {
            break found.stop;
        }
        if let Some(stop) = budget.stop() {
            break stop;
        }
        idle = if improved { 0 } else { idle + 1 };
        if idle >= patience {
            break Stop::Converged;
        }
    };
    Ok(Outcome {
        value: best.into(),
        iterations,
        stop,
        note: match number {
            _ if exact => Cow::Borrowed(EXACT),
            0 | 1 => Cow::Borrowed(""),
            _ => Cow::Owned(format!("best of {number} searches")),
        },
    })
}
