//! Both sides together.

use crate::{Lower, Upper};

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
    fn two_equal_infinities_leave_no_gap() {
        let bracket =
            Bracket::new(Lower::trivial(), Upper::new(f64::NEG_INFINITY).unwrap()).unwrap();
        assert!(bracket.gap().abs() < f64::MIN_POSITIVE);
        assert!(Bracket::trivial().gap().is_infinite());
    }
}
