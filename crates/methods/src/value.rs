//! What methods say of `ln Z`.

use std::borrow::Cow;
use std::fmt;

use forney_certify::{Bracket, Estimate, Lower, Stop, Upper};
use serde::Serialize;

/// What a value says about `ln Z`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Gives {
    /// `ln Z ≤` the value, proved.
    Upper,
    /// `ln Z ≥` the value, proved.
    Lower,
    /// Both at once, as an exact answer gives them.
    Both,
    /// The value is near `ln Z`, perhaps: nothing is proved.
    Estimate,
}

impl fmt::Display for Gives {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Upper => "upper",
            Self::Lower => "lower",
            Self::Both => "both",
            Self::Estimate => "estimate",
        })
    }
}

/// A bound on `ln Z` that was recomputed from its witness, or an estimate; in nats.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Value {
    /// An upper bound.
    Upper(Upper),
    /// A lower bound.
    Lower(Lower),
    /// Both bounds.
    Both(Bracket),
    /// An estimate.
    Estimate(Estimate),
}

impl Value {
    /// The number, in nats; of both bounds the upper one.
    #[must_use]
    pub fn ln(self) -> f64 {
        match self {
            Self::Upper(bound) => bound.ln(),
            Self::Both(bracket) => bracket.upper().ln(),
            Self::Lower(bound) => bound.ln(),
            Self::Estimate(estimate) => estimate.ln,
        }
    }

    /// What the number says.
    #[must_use]
    pub fn side(self) -> Gives {
        match self {
            Self::Upper(_) => Gives::Upper,
            Self::Lower(_) => Gives::Lower,
            Self::Both(_) => Gives::Both,
            Self::Estimate(_) => Gives::Estimate,
        }
    }
}

/// How far a method has come.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Point {
    /// The best bound proved so far, or the present estimate.
    pub value: Value,
    /// Iterations so far.
    pub iterations: usize,
    /// Seconds since the budget began.
    pub elapsed_s: f64,
}

/// What a method came to.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    /// The bound or estimate.
    pub value: Value,
    /// Iterations, whatever one is for the method.
    pub iterations: usize,
    /// Why it ended.
    pub stop: Stop,
    /// What else a reader should know; empty if nothing.
    pub note: Cow<'static, str>,
}
