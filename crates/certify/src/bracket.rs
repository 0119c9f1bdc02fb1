//! Both sides together.

use crate::{Bound, Lower, Side, Upper};

/// How far rounding alone may let a lower bound exceed an upper bound that equals it, in nats.
///
/// `1e-9 · max(1, |value|)`. The constants of a problem are no part of it: they are added to twice the
/// digits of a float ([`DoubleDouble`](crate::DoubleDouble)), however large they are and whether or
/// not they cancel. What is left to round are the relative entries, of the order of `10^-16` for each
/// term of some nats: `10^6` of these stay well inside.
#[must_use]
pub fn slack(ln: f64) -> f64 {
    if ln.is_finite() {
        1e-9 * ln.abs().max(1.0)
    } else {
        0.0
    }
}

/// `lower ≤ ln Z ≤ upper`, in nats.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bracket {
    lower: Lower,
    upper: Upper,
}

/// A lower bound above an upper bound: one of the two proofs is wrong.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
#[error(
    "internal error: the lower bound {lower} exceeds the upper bound {upper}; one of the proofs is wrong, please report this model"
)]
pub struct Crossed {
    /// The lower bound in nats.
    pub lower: f64,
    /// The upper bound in nats.
    pub upper: f64,
}

impl Bracket {
    /// Joins two bounds; where rounding alone has put the lower one above the upper, each stands in for
    /// the other, so that they are in order.
    ///
    /// # Errors
    /// [`Crossed`] if the lower bound exceeds the upper one by more than [`slack`].
    pub fn new(lower: Lower, upper: Upper) -> Result<Self, Crossed> {
        let ordered = lower.ln() <= upper.ln() + slack(upper.ln());
        if !ordered {
            return Err(Crossed {
                lower: lower.ln(),
                upper: upper.ln(),
            });
        }
        let exchanged = (Lower::new(upper.ln()), Upper::new(lower.ln()));
        Ok(match exchanged {
            (Ok(least), Ok(most)) if lower.ln() > upper.ln() => Self {
                lower: least,
                upper: most,
            },
            _ => Self { lower, upper },
        })
    }

    /// `(−∞, +∞)`: nothing is proved yet.
    #[must_use]
    pub fn trivial() -> Self {
        Self {
            lower: Lower::trivial(),
            upper: Upper::trivial(),
        }
    }

    /// The lower bound.
    #[must_use]
    pub fn lower(&self) -> Lower {
        self.lower
    }

    /// The upper bound.
    #[must_use]
    pub fn upper(&self) -> Upper {
        self.upper
    }

    /// The bound of the side of `S`.
    #[must_use]
    pub fn bound<S: Side>(&self) -> Bound<S> {
        let ln = match S::UPPER {
            true => self.upper.ln(),
            false => self.lower.ln(),
        };
        // Each was a bound of its side before.
        Bound::new(ln).unwrap_or_else(|_| Bound::trivial())
    }

    /// Replaces the bound of one side by one that is strictly tighter; says whether it did.
    ///
    /// # Errors
    /// As [`Bracket::new`]; the bracket stays as it was.
    pub fn tighten<S: Side>(&mut self, bound: Bound<S>) -> Result<bool, Crossed> {
        let mut own = self.bound::<S>();
        if !own.tighten(bound) {
            return Ok(false);
        }
        *self = match (Lower::new(own.ln()), Upper::new(own.ln())) {
            (Ok(lower), _) if !S::UPPER => Self::new(lower, self.upper)?,
            (_, Ok(upper)) => Self::new(self.lower, upper)?,
            // A bound is a number.
            (_, Err(_)) => *self,
        };
        Ok(true)
    }

    /// `upper − lower` in nats, at least 0; 0 if both are the same infinity.
    #[must_use]
    pub fn gap(&self) -> f64 {
        let (lower, upper) = (self.lower.ln(), self.upper.ln());
        if lower >= upper { 0.0 } else { upper - lower }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Above, Below};

    #[test]
    fn what_rounding_has_crossed_is_put_in_order() {
        let (above, below) = (1.0 + 1e-12, 1.0);
        let bracket = Bracket::new(Lower::new(above).unwrap(), Upper::new(below).unwrap()).unwrap();
        assert_eq!((bracket.lower().ln(), bracket.upper().ln()), (below, above));
    }

    #[test]
    fn a_crossed_bracket_is_refused() {
        let lower = Lower::new(1.0).unwrap();
        assert!(Bracket::new(lower, Upper::new(0.9).unwrap()).is_err());
        assert!(Bracket::new(lower, Upper::new(1.0 - 1e-12).unwrap()).is_ok());
    }

    #[test]
    fn each_side_is_tightened_alone() {
        let mut bracket = Bracket::trivial();
        assert_eq!(bracket.tighten(Upper::new(3.0).unwrap()), Ok(true));
        assert_eq!(bracket.tighten(Upper::new(3.5).unwrap()), Ok(false));
        assert_eq!(bracket.tighten(Lower::new(2.0).unwrap()), Ok(true));
        assert!(bracket.tighten(Lower::new(4.0).unwrap()).is_err());
        let ends = (bracket.bound::<Below>().ln(), bracket.bound::<Above>().ln());
        assert_eq!(ends, (2.0, 3.0));
    }

    #[test]
    fn two_equal_infinities_leave_no_gap() {
        let bracket =
            Bracket::new(Lower::trivial(), Upper::new(f64::NEG_INFINITY).unwrap()).unwrap();
        assert!(bracket.gap().abs() < f64::MIN_POSITIVE);
        assert!(Bracket::trivial().gap().is_infinite());
    }
}
