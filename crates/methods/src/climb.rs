//! A witness improved sweep by sweep, proved on the way.

use std::borrow::Cow;

use forney_certify::{Bound, Budget, Certificate, Flaw, Limits, Refine, drive};
use forney_model::FactorGraph;

use crate::{Options, Outcome, Point, Value, Watch};

/// Sweeps if neither iterations nor time are limited.
const UNLIMITED_SWEEPS: usize = 1000;

/// A sweep that gains no more than this has converged, in nats.
const TOLERANCE: f64 = 1e-7;

/// Of so many sweeps one is proved: proofs cost about as much as sweeps.
const SWEEPS_PER_PROOF: usize = 8;

/// At most so many sweeps.
pub(crate) fn limits(options: &Options, budget: &Budget) -> Limits {
    let endless = options.iterations.is_none() && budget.remaining().is_none();
    Limits {
        sweeps: options.iterations.or(endless.then_some(UNLIMITED_SWEEPS)),
        tolerance: TOLERANCE,
    }
}

/// The tightest bound that the witnesses of a run prove.
pub(crate) fn climb<R, S>(
    refine: R,
    graph: &FactorGraph,
    options: &Options,
    budget: &Budget,
    watch: &mut Watch<'_>,
) -> Result<Outcome, Flaw>
where
    R: Refine,
    R::Point: Certificate<FactorGraph, Side = S>,
    S: forney_certify::Side,
    Bound<S>: Into<Value>,
{
    let mut best = Bound::trivial();
    let proving = Proving {
        refine,
        graph,
        budget,
        best: &mut best,
        watch: &mut *watch,
        sweeps: 0,
        next: 1,
    };
    let limits = limits(options, budget);
    let run = drive(proving, &limits, budget, &mut |_| {
        std::ops::ControlFlow::Continue(())
    });
    let iterations = run.trace.len();
    if best.tighten(run.point.verify(graph)?) {
        watch(Point {
            value: best.into(),
            iterations,
            elapsed_s: budget.elapsed().as_secs_f64(),
        });
    }
    Ok(Outcome {
        value: best.into(),
        iterations,
        stop: run.stop,
        note: Cow::Borrowed(""),
    })
}

/// Sweeps, and proves some of the points.
struct Proving<'c, 'w, R, S: forney_certify::Side> {
    refine: R,
    graph: &'c FactorGraph,
    budget: &'c Budget,
    best: &'c mut Bound<S>,
    watch: &'c mut Watch<'w>,
    sweeps: usize,
    /// The sweep that is proved next.
    next: usize,
}

impl<R, S> Refine for Proving<'_, '_, R, S>
where
    R: Refine,
    R::Point: Certificate<FactorGraph, Side = S>,
    S: forney_certify::Side,
    Bound<S>: Into<Value>,
{
    type Point = R::Point;

    fn sweep(&mut self) -> f64 {
        let value = self.refine.sweep();
        self.sweeps += 1;
        if self.sweeps == self.next {
            self.next += 1 + self.sweeps / SWEEPS_PER_PROOF;
            // A point on the way that proves nothing is passed over; the last one is judged.
            if let Ok(bound) = self.refine.point().verify(self.graph)
                && self.best.tighten(bound)
            {
                (self.watch)(Point {
                    value: bound.into(),
                    iterations: self.sweeps,
                    elapsed_s: self.budget.elapsed().as_secs_f64(),
                });
            }
        }
        value
    }

    fn point(&self) -> R::Point {
        self.refine.point()
    }
}
