//! Sums and logarithms to twice the digits of a float.

use std::iter::Sum;
use std::ops::{Add, AddAssign, Mul, Neg, Sub, SubAssign};

/// An unevaluated sum `hi + lo` of two floats: about 32 decimal digits (Dekker 1971).
///
/// The constants of a model are logarithms of hundreds of nats, thousands of them, that may cancel:
/// rounded one by one they carry an error of `10⁻¹³` each. Kept to twice the digits they are exact
/// for every purpose, and a value is rounded once, by [`value`](Self::value).
///
/// Infinities and NaN are those of floats.
///
/// # Complexity
/// An addition takes some twenty operations, [`ln`](Self::ln) a few hundred.
///
/// # Example
/// ```
/// use forney_certify::DoubleDouble;
/// let sum: DoubleDouble = [1e299, 1e-302, 1e3].into_iter().map(DoubleDouble::ln).sum();
/// // The three doubles are not quite the powers of ten that they are written as.
/// assert!(sum.value().abs() < 1e-16);
/// let small = DoubleDouble::from(1e16) + 1e-3 - 1e16;
/// assert!((small.value() - 1e-3).abs() < 1e-19);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct DoubleDouble {
    hi: f64,
    lo: f64,
}

impl DoubleDouble {
    /// `0`.
    pub const ZERO: Self = Self { hi: 0.0, lo: 0.0 };

    /// `−∞`, the logarithm of a hard zero.
    pub const NEG_INFINITY: Self = Self {
        hi: f64::NEG_INFINITY,
        lo: 0.0,
    };

    /// The natural logarithm of a float; `−∞` of 0, NaN of a negative number.
    ///
    /// With `x = m · 2^e`, `√½ ≤ m ≤ √2`:
    ///
    /// ```text
    /// ln x = e ln 2 + 2 artanh s,   s = (m − 1)/(m + 1),   artanh s = Σ_k s^(2k+1) / (2k + 1)
    /// ```
    #[must_use]
    pub fn ln(x: f64) -> Self {
        if !(x > 0.0 && x < f64::INFINITY) {
            return Self::from(x.ln());
        }
        let (m, e) = split(x);
        // m − 1 is exact, because m lies between ½ and 2.
        let s = Self::from(m - 1.0) / two_sum(m, 1.0);
        let square = s * s;
        // What follows the terms that need all digits is smaller by s^22 < 10^-16.
        let tail = (FIRST_PLAIN..LAST)
            .rev()
            .fold(0.0, |sum, k| sum * square.hi + 1.0 / f64::from(2 * k + 1));
        let odd = ODD_RECIPROCALS.iter().rev();
        let sum = odd.fold(Self::from(tail), |sum, &(hi, lo)| {
            sum * square + Self { hi, lo }
        });
        LN_2 * f64::from(e) + (s * sum) * 2.0
    }

    /// The nearest float.
    #[must_use]
    pub fn value(self) -> f64 {
        self.hi
    }

    /// `exp(hi + lo)` as a float, to about its last digit however large the exponent is.
    #[must_use]
    pub fn exp(self) -> f64 {
        let power = self.hi.exp();
        // The rest is far below 1, so that its exponential is 1 plus itself.
        if power.is_finite() {
            power + power * self.lo
        } else {
            power
        }
    }

    /// Is it neither infinite nor NaN?
    #[must_use]
    pub fn is_finite(self) -> bool {
        self.hi.is_finite()
    }
}

/// `ln 2`.
const LN_2: DoubleDouble = DoubleDouble {
    hi: std::f64::consts::LN_2,
    lo: 2.319_046_813_846_299_6e-17,
};

/// `1, 1/3, 1/5 … 1/21`, each as a float and what that lacks.
const ODD_RECIPROCALS: [(f64, f64); 11] = [
    (1.0, 0.0),
    (1.0 / 3.0, 1.850_371_707_708_594e-17),
    (1.0 / 5.0, -1.110_223_024_625_156_6e-17),
    (1.0 / 7.0, 7.930_164_461_608_26e-18),
    (1.0 / 9.0, 6.167_905_692_361_98e-18),
    (1.0 / 11.0, -2.523_234_146_875_356e-18),
    (1.0 / 13.0, -4.270_088_556_250_602e-18),
    (1.0 / 15.0, 9.251_858_538_542_971e-19),
    (1.0 / 17.0, 8.163_404_592_832_033e-19),
    (1.0 / 19.0, 2.921_639_538_487_254e-18),
    (1.0 / 21.0, 2.643_388_153_869_42e-18),
];

/// The first term of the series that a float holds well enough, and the first that is left out.
const FIRST_PLAIN: i32 = 11;
const LAST: i32 = 22;

/// `(m, e)` with `x = m · 2^e` and `√½ ≤ m ≤ √2`, for a positive finite `x`.
fn split(x: f64) -> (f64, i32) {
    let (x, shift) = if x < f64::MIN_POSITIVE {
        (x * 2f64.powi(54), -54)
    } else {
        (x, 0)
    };
    let bits = x.to_bits();
    let exponent = i32::try_from(bits >> 52).expect("eleven bits") - 1023;
    let m = f64::from_bits(bits & ((1 << 52) - 1) | 1f64.to_bits());
    if m > std::f64::consts::SQRT_2 {
        (0.5 * m, exponent + 1 + shift)
    } else {
        (m, exponent + shift)
    }
}

/// `a + b` without rounding (Knuth).
#[inline]
fn two_sum(a: f64, b: f64) -> DoubleDouble {
    let hi = a + b;
    let other = hi - a;
    DoubleDouble::finite(hi, (a - (hi - other)) + (b - other))
}

/// `a · b` without rounding: a fused multiply-add, which is exact on every machine, gives the rest.
#[inline]
fn two_product(a: f64, b: f64) -> DoubleDouble {
    let hi = a * b;
    DoubleDouble::finite(hi, a.mul_add(b, -hi))
}

/// `a + b` without rounding, where `|a| ≥ |b|` (Dekker).
#[inline]
fn quick_two_sum(a: f64, b: f64) -> DoubleDouble {
    let hi = a + b;
    DoubleDouble::finite(hi, b - (hi - a))
}

impl DoubleDouble {
    /// The rest of an infinity is `∞ − ∞`, and must not make it NaN.
    #[inline]
    fn finite(hi: f64, lo: f64) -> Self {
        Self {
            hi,
            lo: if hi.is_finite() { lo } else { 0.0 },
        }
    }
}

impl From<f64> for DoubleDouble {
    #[inline]
    fn from(hi: f64) -> Self {
        Self { hi, lo: 0.0 }
    }
}

impl Add for DoubleDouble {
    type Output = Self;
    #[inline]
    fn add(self, other: Self) -> Self {
        let (high, low) = (two_sum(self.hi, other.hi), two_sum(self.lo, other.lo));
        let sum = quick_two_sum(high.hi, high.lo + low.hi);
        quick_two_sum(sum.hi, sum.lo + low.lo)
    }
}

impl Add<f64> for DoubleDouble {
    type Output = Self;
    #[inline]
    fn add(self, other: f64) -> Self {
        let high = two_sum(self.hi, other);
        quick_two_sum(high.hi, high.lo + self.lo)
    }
}

impl Neg for DoubleDouble {
    type Output = Self;
    #[inline]
    fn neg(self) -> Self {
        Self {
            hi: -self.hi,
            lo: -self.lo,
        }
    }
}

impl Sub for DoubleDouble {
    type Output = Self;
    #[inline]
    fn sub(self, other: Self) -> Self {
        self + -other
    }
}

impl Sub<f64> for DoubleDouble {
    type Output = Self;
    #[inline]
    fn sub(self, other: f64) -> Self {
        self + -other
    }
}

impl Mul for DoubleDouble {
    type Output = Self;
    #[inline]
    fn mul(self, other: Self) -> Self {
        let product = two_product(self.hi, other.hi);
        quick_two_sum(
            product.hi,
            product.lo + (self.hi * other.lo + self.lo * other.hi),
        )
    }
}

impl Mul<f64> for DoubleDouble {
    type Output = Self;
    #[inline]
    fn mul(self, other: f64) -> Self {
        let product = two_product(self.hi, other);
        quick_two_sum(product.hi, product.lo + self.lo * other)
    }
}

impl std::ops::Div for DoubleDouble {
    type Output = Self;
    #[inline]
    fn div(self, other: Self) -> Self {
        let quotient = self.hi / other.hi;
        let rest = self - other * quotient;
        quick_two_sum(quotient, rest.hi / other.hi)
    }
}

impl<T> AddAssign<T> for DoubleDouble
where
    Self: Add<T, Output = Self>,
{
    #[inline]
    fn add_assign(&mut self, other: T) {
        *self = *self + other;
    }
}

impl<T> SubAssign<T> for DoubleDouble
where
    Self: Sub<T, Output = Self>,
{
    #[inline]
    fn sub_assign(&mut self, other: T) {
        *self = *self - other;
    }
}

impl<T> Sum<T> for DoubleDouble
where
    Self: Add<T, Output = Self>,
{
    fn sum<I: Iterator<Item = T>>(terms: I) -> Self {
        terms.fold(Self::ZERO, |sum, term| sum + term)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Logarithms of the floats themselves, computed with 60 decimal digits and split in two.
    const KNOWN: [(f64, f64, f64); 12] = [
        (2.0, std::f64::consts::LN_2, 2.319_046_813_846_299_6e-17),
        (3.0, 1.098_612_288_668_109_8, -9.071_297_235_001_53e-17),
        (10.0, std::f64::consts::LN_10, -2.170_756_223_382_249_4e-16),
        (1e299, 688.472_942_805_219_6, 1.419_477_303_443_709_1e-14),
        (2.5e299, 689.389_233_537_093_8, 2.747_603_737_624_885e-14),
        (
            7.5e-301,
            -691.063_209_970_665_5,
            3.930_873_802_042_850_5e-14,
        ),
        (5e-324, -744.440_071_921_381_2, -4.422_444_340_918_698e-14),
        (f64::MAX, 709.782_712_893_384, 2.363_601_707_132_359_2e-14),
        (0.1, -2.302_585_092_994_045_5, -1.715_024_362_805_798_5e-16),
        (
            1.0 - 0.5 * f64::EPSILON,
            -1.110_223_024_625_156_5e-16,
            -6.162_975_822_039_155e-33,
        ),
        (
            std::f64::consts::FRAC_1_SQRT_2,
            -0.346_573_590_279_972_6,
            1.251_701_276_129_922_2e-18,
        ),
        (
            std::f64::consts::SQRT_2,
            0.346_573_590_279_972_7,
            2.444_216_941_459_289_7e-17,
        ),
    ];

    #[test]
    fn logarithms_have_thirty_digits() {
        for (x, hi, lo) in KNOWN {
            let off = DoubleDouble::ln(x) - DoubleDouble::from(hi) - lo;
            assert!(
                off.value().abs() <= 1e-30 * hi.abs(),
                "ln {x}: off by {off:?}"
            );
        }
        for x in [1e299, 7.5e-301, f64::MAX / 3.0, 0.1, 3.0] {
            assert!((DoubleDouble::ln(x).exp() / x - 1.0).abs() < 1e-15, "{x}");
        }
        assert_eq!(DoubleDouble::ln(1.0), DoubleDouble::ZERO);
        assert_eq!(DoubleDouble::ln(0.0), DoubleDouble::NEG_INFINITY);
        assert!(DoubleDouble::ln(-1.0).value().is_nan());
        assert!(DoubleDouble::ln(f64::INFINITY).value() > f64::MAX);
    }

    #[test]
    fn sums_keep_what_a_float_would_lose() {
        let terms = [1e16, 1.0, -1e16, 1e-16, 3e-17];
        let sum: DoubleDouble = terms.into_iter().sum();
        assert!((sum - 1.0 - 1e-16 - 3e-17).value().abs() < 1e-31);
        let tenth = DoubleDouble::from(1.0) / DoubleDouble::from(10.0);
        let one: DoubleDouble = std::iter::repeat_n(tenth, 10).sum();
        assert!((one - 1.0).value().abs() < 1e-31);
        assert!((tenth * tenth * 100.0 - 1.0).value().abs() < 1e-31);
    }

    #[test]
    fn infinities_stay_what_they_are() {
        let mut sum = DoubleDouble::from(5.0);
        sum += f64::NEG_INFINITY;
        sum += DoubleDouble::ln(3.0);
        assert_eq!(sum, DoubleDouble::NEG_INFINITY);
        sum -= DoubleDouble::NEG_INFINITY;
        assert!(sum.value().is_nan());
        assert!((DoubleDouble::from(f64::MAX) + f64::MAX).value() > f64::MAX);
    }
}
