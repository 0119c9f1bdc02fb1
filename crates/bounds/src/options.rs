//! What a caller asks for, and what comes back.

use std::fmt;
use std::str::FromStr;

use forney_certify::{Bracket, Stop};
use forney_exact::Order;
use serde::Serialize;

use crate::BoundError;

/// Which sides of `ln Z` are wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sides {
    /// Both.
    Both,
    /// Upper bounds only.
    Upper,
    /// Lower bounds only.
    Lower,
}

/// How the bracket is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// Everything that applies: exact elimination where it fits, else the best of all bounds.
    Auto,
    /// Exact elimination.
    Exact,
    /// Weighted mini-buckets, both sides.
    Wmbe,
    /// Mean field, a lower bound.
    MeanField,
    /// The [`Contender`](crate::Contender) of the caller; mini-buckets where it proves nothing.
    Contender,
}

impl Method {
    /// The methods of this crate.
    pub const ALL: [Self; 4] = [Self::Auto, Self::Exact, Self::Wmbe, Self::MeanField];

    /// The name that reports and the program use.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Exact => "exact",
            Self::Wmbe => "wmbe",
            Self::MeanField => "mf",
            Self::Contender => "contender",
        }
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A name that is no method.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no method '{0}'; the methods are auto, exact, wmbe and mf")]
pub struct UnknownMethod(String);

impl FromStr for Method {
    type Err = UnknownMethod;

    fn from_str(name: &str) -> Result<Self, UnknownMethod> {
        let known = Self::ALL.into_iter().find(|method| method.name() == name);
        known.ok_or_else(|| UnknownMethod(name.to_owned()))
    }
}

/// What [`bracket`](crate::bracket) works with.
#[derive(Clone, Debug)]
pub struct BoundOptions {
    /// Cliques hold at most this many variables plus one; `None` raises it while it pays.
    pub ibound: Option<usize>,
    /// Bytes that tables may take.
    pub memory: f64,
    /// Converged once upper − lower is at most this many nats.
    pub gap: f64,
    /// At most so many gradient evaluations on each side; `None` for no limit.
    pub iterations: Option<usize>,
    /// Seed of every random choice.
    pub seed: u64,
    /// Which sides are wanted.
    pub sides: Sides,
    /// How.
    pub method: Method,
    /// A fixed elimination order; `None` searches by the bound that orders give.
    pub order: Option<Order>,
}

impl Default for BoundOptions {
    /// Both sides by every method, 4 GiB, a gap of 10⁻⁶ nats, seed 0, no other limit.
    fn default() -> Self {
        Self {
            ibound: None,
            memory: 4.0 * 1024f64.powi(3),
            gap: 1e-6,
            iterations: None,
            seed: 0,
            sides: Sides::Both,
            method: Method::Auto,
            order: None,
        }
    }
}

/// What a running [`bracket`](crate::bracket) is doing, for whoever waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Activity {
    /// Looking for an elimination order.
    Ordering,
    /// Eliminating exactly.
    Eliminating {
        /// Variables of the largest clique, minus 1.
        width: usize,
    },
    /// Mini-buckets on both sides.
    MiniBuckets {
        /// Variables of the largest clique, minus 1.
        ibound: usize,
    },
    /// A method of the lower side.
    Below(&'static str),
}

impl fmt::Display for Activity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ordering => f.write_str("searching for an elimination order"),
            Self::Eliminating { width } => write!(f, "eliminating exactly at width {width}"),
            Self::MiniBuckets { ibound } => write!(f, "mini-buckets, ibound {ibound}"),
            Self::Below(method) => f.write_str(method),
        }
    }
}

/// The state of a running [`bracket`](crate::bracket), reported at every proved improvement and when
/// it turns to something else.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Progress {
    /// Best lower bound so far, in nats; `−∞` before the first.
    pub lower: f64,
    /// Best upper bound so far, in nats; `+∞` before the first.
    pub upper: f64,
    /// What proved the lower bound.
    pub lower_method: &'static str,
    /// What proved the upper bound.
    pub upper_method: &'static str,
    /// Largest ibound tried so far.
    pub ibound: usize,
    /// Gradient evaluations so far, both sides together.
    pub iterations: usize,
    /// Seconds since the budget began.
    pub elapsed_s: f64,
    /// Is it `ln Z` itself?
    #[serde(skip)]
    pub exact: bool,
    /// Is a bound tighter than in the report before, or is only the activity another?
    #[serde(skip)]
    pub improved: bool,
    /// What it is doing.
    #[serde(skip)]
    pub activity: Activity,
}

/// What [`bracket`](crate::bracket) proved.
#[derive(Clone, Debug)]
pub struct BoundReport {
    /// `lower ≤ ln Z ≤ upper`.
    pub bracket: Bracket,
    /// What proved the lower bound; "none" if nothing did.
    pub lower_method: &'static str,
    /// What proved the upper bound; "none" if nothing did.
    pub upper_method: &'static str,
    /// Largest ibound tried; for exact elimination its width.
    pub ibound: usize,
    /// Gradient evaluations, both sides together.
    pub iterations: usize,
    /// Why it ended.
    pub stop: Stop,
    /// Is it `ln Z` itself?
    pub exact: bool,
    /// What kept the method asked for from running, or mini-buckets from taking part; the bracket holds
    /// what was proved nonetheless.
    pub refused: Option<BoundError>,
    /// Most bytes of tables that any one attempt took, by its own prediction.
    pub peak_bytes: f64,
}
