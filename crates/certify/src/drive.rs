//! The loop that improves a witness.

use std::ops::ControlFlow;

use serde::{Deserialize, Serialize};

use crate::{Budget, Stop};

/// Something that can be improved sweep by sweep.
pub trait Refine {
    /// The witness.
    type Point: Clone;

    /// One sweep over the parameters; returns the objective, in nats, that belongs to
    /// [`point`](Refine::point) after it.
    fn sweep(&mut self) -> f64;

    /// The witness as it stands now.
    fn point(&self) -> Self::Point;
}

/// When to stop a [`drive`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Limits {
    /// At most so many sweeps; `None` for no limit.
    pub sweeps: Option<usize>,
    /// Converged once a sweep changes the objective by no more than this many nats.
    pub tolerance: f64,
}

/// One line of a trace.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Sweep {
    /// Number of the sweep, from 1.
    pub number: usize,
    /// Objective after it, in nats.
    pub value: f64,
    /// Seconds since the budget began.
    pub elapsed_s: f64,
}

/// A finished run: the witness of the last sweep, its trace and why it ended.
#[derive(Clone, Debug)]
pub struct Run<P> {
    /// The witness that belongs to the last line of the trace.
    pub point: P,
    /// One entry per sweep.
    pub trace: Vec<Sweep>,
    /// Why it ended.
    pub stop: Stop,
}

/// Sweeps until converged, out of budget, or told to stop by `watch`.
///
/// A NaN objective ends the run as [`Stop::Diverged`]: the sweep that produced it is dropped and the witness
/// before it is returned.
///
/// # Example
/// ```
/// use forney_certify::{drive, Budget, Limits, Refine, Stop};
/// use std::ops::ControlFlow;
/// struct Halve(f64);
/// impl Refine for Halve {
///     type Point = f64;
///     fn sweep(&mut self) -> f64 { self.0 /= 2.0; self.0 }
///     fn point(&self) -> f64 { self.0 }
/// }
/// let limits = Limits { sweeps: Some(100), tolerance: 1e-3 };
/// let run = drive(Halve(1.0), &limits, &Budget::unlimited(), &mut |_| ControlFlow::Continue(()));
/// assert_eq!(run.stop, Stop::Converged);
/// assert!(run.point < 1e-2);
/// ```
pub fn drive<R: Refine>(
    mut refine: R,
    limits: &Limits,
    budget: &Budget,
    watch: &mut dyn FnMut(&Sweep) -> ControlFlow<()>,
) -> Run<R::Point> {
    let mut point = refine.point();
    let mut trace: Vec<Sweep> = Vec::new();
    let stop = loop {
        if limits.sweeps.is_some_and(|most| trace.len() >= most) {
            break Stop::SweepLimit;
        }
        if let Some(stop) = budget.stop() {
            break stop;
        }
        let value = refine.sweep();
        if value.is_nan() {
            break Stop::Diverged;
        }
        point = refine.point();
        let before = trace.last().map(|sweep| sweep.value);
        let sweep = Sweep {
            number: trace.len() + 1,
            value,
            elapsed_s: budget.elapsed().as_secs_f64(),
        };
        trace.push(sweep);
        if watch(&sweep).is_break() {
            break Stop::Interrupted;
        }
        // An objective that stays at −∞ or +∞ has a NaN difference: it has not converged.
        if before.is_some_and(|before| (value - before).abs() <= limits.tolerance) {
            break Stop::Converged;
        }
    };
    Run { point, trace, stop }
}
