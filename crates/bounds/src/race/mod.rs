//! One tournament for all that is optimised by evaluations: structures of mini-buckets, with gauges or
//! without, and starts of gauged lower bounds.
//!
//! A [`Racer`] gains by evaluations and proves a bound at any time. [`race`] lets many gain alike and keeps
//! those ahead, round after round; [`finish`] goes on with one. Whatever is spent is taken from an
//! [`Account`], which no racer exceeds.

mod account;
mod tournament;

use forney_certify::{Bound, Budget, Side};

pub use account::Account;
pub use tournament::{Rules, Won, finish, race, round};

/// One that takes part in a [`race`].
pub trait Racer: Send {
    /// The side of its bounds.
    type Side: Side;
    /// What proves them.
    type Witness;

    /// Improves its point by at most so many evaluations; false once it gains no more.
    fn cycle(&mut self, evaluations: usize, budget: &Budget) -> bool;

    /// What it minimises, in nats, at its best point; NaN loses to everything.
    fn value(&self) -> f64;

    /// Evaluations of it so far, the one at its start included.
    fn evaluations(&self) -> usize;

    /// Bytes that it holds.
    fn bytes(&self) -> f64;

    /// Entries that one evaluation passes through, for the pace; 0 if that is not comparable.
    fn entries(&self) -> f64 {
        0.0
    }

    /// Evaluations after which its gain is judged.
    fn slice(&self) -> usize;

    /// Seconds of an evaluation, as last measured, where that matters for a slice.
    fn pace(&self) -> f64 {
        0.0
    }

    /// The bound at its best point, recomputed from the witness alone; `None` if that proves nothing, because
    /// the optimiser went astray.
    fn prove(&self) -> Option<Proof<Self::Side, Self::Witness>>;
}

/// A verified bound.
#[derive(Clone, Debug)]
pub struct Proof<S: Side, W> {
    /// The bound.
    pub bound: Bound<S>,
    /// What proves it.
    pub witness: W,
    /// The name of the method in reports.
    pub method: &'static str,
}

/// The tighter of two proofs, the first of equals.
#[must_use]
pub fn tighter<S: Side, W>(
    first: Option<Proof<S, W>>,
    second: Option<Proof<S, W>>,
) -> Option<Proof<S, W>> {
    match (first, second) {
        (Some(first), Some(second)) => {
            let mut bound = first.bound;
            Some(if bound.tighten(second.bound) {
                second
            } else {
                first
            })
        }
        (first, second) => first.or(second),
    }
}
