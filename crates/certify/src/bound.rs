//! A value with a side.

use std::fmt;
use std::marker::PhantomData;

mod sealed {
    pub trait Sealed {}
}

/// On which side of `ln Z` a [`Bound`] lies: [`Above`] or [`Below`].
pub trait Side: sealed::Sealed + Copy + fmt::Debug + Send + Sync + 'static {
    /// "upper" or "lower".
    const NAME: &'static str;
    /// Is it the side of upper bounds?
    const UPPER: bool;
    /// The value that is always a bound on this side and says nothing: `+∞` above, `−∞` below.
    const TRIVIAL: f64;
    /// Is `a` at least as tight as `b` on this side? False if either is NaN.
    fn at_least_as_tight(a: f64, b: f64) -> bool;
}

/// The side of upper bounds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Above {}
/// The side of lower bounds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Below {}

impl sealed::Sealed for Above {}
impl sealed::Sealed for Below {}

impl Side for Above {
    const NAME: &'static str = "upper";
    const UPPER: bool = true;
    const TRIVIAL: f64 = f64::INFINITY;
    fn at_least_as_tight(a: f64, b: f64) -> bool {
        a <= b
    }
}

impl Side for Below {
    const NAME: &'static str = "lower";
    const UPPER: bool = false;
    const TRIVIAL: f64 = f64::NEG_INFINITY;
    fn at_least_as_tight(a: f64, b: f64) -> bool {
        a >= b
    }
}

/// One of each side.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Both<T> {
    /// That of upper bounds.
    pub upper: T,
    /// That of lower bounds.
    pub lower: T,
}

impl<T> Both<T> {
    /// That of the side of `S`.
    #[must_use]
    pub fn of<S: Side>(&self) -> &T {
        if S::UPPER { &self.upper } else { &self.lower }
    }

    /// That of the side of `S`.
    #[must_use]
    pub fn of_mut<S: Side>(&mut self) -> &mut T {
        if S::UPPER {
            &mut self.upper
        } else {
            &mut self.lower
        }
    }
}

/// A proved bound on `ln Z`, in nats, whose type says on which side it lies.
///
/// # Example
/// ```
/// use forney_certify::{Lower, Upper};
/// let mut upper = Upper::trivial();
/// assert!(upper.tighten(Upper::new(3.5)?));
/// assert!(!upper.tighten(Upper::new(4.0)?));
/// assert_eq!(upper.ln(), 3.5);
/// assert!(Lower::new(f64::NAN).is_err());
/// # Ok::<(), forney_certify::Flaw>(())
/// ```
#[derive(Clone, Copy, PartialEq)]
pub struct Bound<S: Side> {
    ln: f64,
    side: PhantomData<S>,
}

/// An upper bound: `ln Z ≤ ln()`.
pub type Upper = Bound<Above>;
/// A lower bound: `ln() ≤ ln Z`.
pub type Lower = Bound<Below>;

impl<S: Side> Bound<S> {
    /// Makes a bound of a value that was just recomputed from its witness.
    ///
    /// # Errors
    /// [`Flaw::NotANumber`] for NaN, and [`Flaw::WrongInfinity`] for a lower bound of `+∞`:
    /// no finite model has such a partition function.
    pub fn new(ln: f64) -> Result<Self, Flaw> {
        if ln.is_nan() {
            return Err(Flaw::NotANumber { side: S::NAME });
        }
        if ln == f64::INFINITY && S::TRIVIAL == f64::NEG_INFINITY {
            return Err(Flaw::WrongInfinity { side: S::NAME });
        }
        Ok(Self {
            ln,
            side: PhantomData,
        })
    }

    /// The bound that is always true: `+∞` above, `−∞` below.
    #[must_use]
    pub fn trivial() -> Self {
        Self {
            ln: S::TRIVIAL,
            side: PhantomData,
        }
    }

    /// The value in nats.
    #[must_use]
    pub fn ln(self) -> f64 {
        self.ln
    }

    /// Replaces `self` by `other` if that is strictly tighter; says whether it did.
    pub fn tighten(&mut self, other: Self) -> bool {
        let better = !S::at_least_as_tight(self.ln, other.ln);
        if better {
            *self = other;
        }
        better
    }
}

impl<S: Side> fmt::Debug for Bound<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}({})", S::NAME, self.ln)
    }
}

/// A value near `ln Z` that proves nothing (a Bethe free energy, for instance), in nats.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Estimate {
    /// The value in nats.
    pub ln: f64,
}

/// Why a witness proves no bound.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Flaw {
    /// The recomputed value was NaN.
    #[error("the {side} bound recomputed from its witness is not a number")]
    NotANumber {
        /// "upper" or "lower".
        side: &'static str,
    },
    /// A lower bound of `+∞`.
    #[error("the {side} bound recomputed from its witness is infinite on the wrong side")]
    WrongInfinity {
        /// "upper" or "lower".
        side: &'static str,
    },
    /// The witness does not fit the problem, or breaks a condition of its proof.
    #[error("the witness breaks a condition of its proof: {0}")]
    Invalid(String),
}
