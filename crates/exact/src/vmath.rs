//! Vectorised exponential and logarithm over slices.
//!
//! A pass of elimination spends its time in powers `f^{1/w} = exp(ln f / w)` and their inverse.
//! The functions here are branch-free and free of calls, so the compiler turns each loop into vector
//! code, and they are compiled for several vector widths with the choice made at run time.
//! The bits of a result depend on the element alone: not on the processor, the length of the slice
//! or the place in it. (Of a NaN, sign and payload are not specified.)
//!
//! | range | result |
//! |---|---|
//! | `exp(x)`, `x ≤ 709.78…` and the result normal | within 1 ulp |
//! | `exp(x)`, result below [`f64::MIN_POSITIVE`] (`x < −708.39…`, `−∞`) | `0`: subnormals are flushed |
//! | `exp(x)`, result above [`f64::MAX`], and `+∞` | `+∞` |
//! | `ln(x)`, `x` positive, subnormals included | within 1 ulp |
//! | `ln(±0)`, `ln(+∞)` | `−∞`, `+∞` |
//! | `ln(x)`, `x` negative | NaN |
//! | NaN | NaN |
//!
//! Method: W. J. Cody and W. Waite, *Software Manual for the Elementary Functions* (1980), reduction
//! by a multiple of `ln 2` in two parts. The polynomials are minimax fits in the relative error of the
//! result (Remez exchange in 200-bit arithmetic), far below the rounding error.

use crate::dispatch::dispatch;

/// `1/ln 2`.
const LOG2_E: f64 = std::f64::consts::LOG2_E;
/// The leading 32 bits of `ln 2`: its product with any binary exponent is exact.
const LN2_HI: f64 = f64::from_bits(0x3fe6_2e42_fee0_0000);
/// `ln 2 − LN2_HI`.
const LN2_LO: f64 = 1.908_214_929_270_587_7e-10;
/// `1.5·2^52`: added to a number below `2^51` in magnitude it rounds it to an integer, which then
/// stands in the low bits of the sum in two's complement.
const ROUND: f64 = 6_755_399_441_055_744.0;
/// `1024 ln 2` rounded down, the largest argument whose exponential is finite.
const EXP_MAX: f64 = 709.782_712_893_384;
/// `−1022 ln 2` rounded up, the smallest argument whose exponential is a normal number.
const EXP_MIN: f64 = -708.396_418_532_264_1;

/// `(exp(r) − 1 − r)/r²` for `|r| ≤ ln(2)/2`, ascending; relative error of `exp` 3.7e-18.
/// Even and odd powers stand apart: their two chains of dependent operations run side by side.
const EXP_EVEN: [f64; 5] = [
    0.500_000_000_000_001_1,
    0.041_666_666_666_530_267,
    0.001_388_888_894_359_792_4,
    2.480_149_313_587_379e-5,
    2.763_023_405_037_49e-7,
];
/// See [`EXP_EVEN`].
const EXP_ODD: [f64; 5] = [
    0.166_666_666_666_664_13,
    0.008_333_333_333_494_336,
    0.000_198_412_695_067_704_83,
    2.755_758_627_440_598_5e-6,
    2.500_006_986_078_081e-8,
];

/// `(2 atanh(s)/s − 2)/s²` in `z = s²` for `|s| ≤ (√2 − 1)/(√2 + 1)`, ascending; relative error of
/// `ln` 1.3e-18.
const LN_EVEN: [f64; 4] = [
    0.666_666_666_666_673_4,
    0.285_714_287_423_881_5,
    0.181_835_643_301_586_2,
    0.147_959_509_767_502_52,
];
/// See [`LN_EVEN`].
const LN_ODD: [f64; 3] = [
    0.399_999_999_994_146_76,
    0.222_221_985_731_176_6,
    0.153_140_504_361_017_2,
];

/// `Σ_i c_i x^i`.
#[inline(always)]
fn horner<const N: usize>(coefficients: &[f64; N], x: f64) -> f64 {
    let mut sum = coefficients[N - 1];
    for i in (0..N - 1).rev() {
        sum = sum * x + coefficients[i];
    }
    sum
}

/// `exp(x) = 2^n exp(r)` with `n = round(x/ln 2)`, `r = x − n ln 2`.
#[inline(always)]
fn exp(x: f64) -> f64 {
    let rounded = x * LOG2_E + ROUND;
    let n = rounded - ROUND;
    // `high` is exact; the rounding of r would cost a quarter ulp, so its low part enters at the end.
    let high = x - n * LN2_HI;
    let low = n * LN2_LO;
    let r = high - low;
    let square = r * r;
    let quotient = horner(&EXP_EVEN, square) + r * horner(&EXP_ODD, square);
    let mantissa = 1.0 + (high + (square * quotient - low));
    // The mantissa is in (0.7, 1.42) and the result normal: n can be added to its exponent field.
    let y = f64::from_bits(mantissa.to_bits().wrapping_add(rounded.to_bits() << 52));
    let y = if x < EXP_MIN { 0.0 } else { y };
    // Beyond the last finite exponential the sum is +∞; NaN fails the comparison and stays NaN.
    if x <= EXP_MAX { y } else { x + f64::INFINITY }
}

/// `ln(x) = e ln 2 + ln(m)` with `x = 2^e m`, `√½ ≤ m < √2`, and `ln(m) = 2 atanh(s)`,
/// `s = f/(2 + f)`, `f = m − 1`.
#[inline(always)]
fn ln(x: f64) -> f64 {
    const SQRT_HALF: u64 = std::f64::consts::FRAC_1_SQRT_2.to_bits();
    const ONE: u64 = 1.0_f64.to_bits();
    const FRACTION: u64 = (1 << 52) - 1;
    // The exponent field e + 1023 becomes a number as the low bits of 2^52.
    const TWO_52: f64 = 4_503_599_627_370_496.0;
    const SUBNORMAL_SHIFT: f64 = 54.0;
    const SUBNORMAL_SCALE: f64 = 18_014_398_509_481_984.0;

    let subnormal = x < f64::MIN_POSITIVE;
    let normal = if subnormal { x * SUBNORMAL_SCALE } else { x };
    let bias = if subnormal {
        TWO_52 + 1023.0 + SUBNORMAL_SHIFT
    } else {
        TWO_52 + 1023.0
    };
    // An exponent of ±∞ or NaN makes the result the same: special values cost no step of the chain.
    let bias = if x == 0.0 { f64::INFINITY } else { bias };
    let bias = if x < 0.0 { f64::NAN } else { bias };
    let bias = if x <= f64::MAX { bias } else { -x };

    // Counting from √½ instead of 1 carries into the exponent exactly when the fraction exceeds √2.
    let bits = normal.to_bits().wrapping_add(ONE - SQRT_HALF);
    let e = f64::from_bits((bits >> 52) | TWO_52.to_bits()) - bias;
    let m = f64::from_bits((bits & FRACTION) + SQRT_HALF);
    let f = m - 1.0;

    // 2s = f − (h − s h) with h = f²/2: the exact f leads, all that is rounded is small beside it.
    let s = f / (m + 1.0);
    let z = s * s;
    let square = z * z;
    let quotient = horner(&LN_EVEN, square) + z * horner(&LN_ODD, square);
    let h = 0.5 * f * f;
    e * LN2_HI + (f - (h - (s * (h + z * quotient) + e * LN2_LO)))
}

/// A function of one element. A trait and not a closure, because a closure cannot be
/// `#[inline(always)]`, without which the loop over it is not sure to be vectorised.
trait Elementwise: Copy {
    fn at(self, x: f64) -> f64;
}

/// `exp((x − shift)·scale)`.
#[derive(Clone, Copy)]
struct ScaledExp {
    scale: f64,
    shift: f64,
}

impl Elementwise for ScaledExp {
    #[inline(always)]
    fn at(self, x: f64) -> f64 {
        exp((x - self.shift) * self.scale)
    }
}

/// `scale·ln(x) + shift`.
#[derive(Clone, Copy)]
struct ScaledLn {
    scale: f64,
    shift: f64,
}

impl Elementwise for ScaledLn {
    #[inline(always)]
    fn at(self, x: f64) -> f64 {
        self.scale * ln(x) + self.shift
    }
}

/// `ln |x|`.
#[derive(Clone, Copy)]
struct LnOfAbs;

impl Elementwise for LnOfAbs {
    #[inline(always)]
    fn at(self, x: f64) -> f64 {
        ln(x.abs())
    }
}

/// Both identities are exact, so the unscaled functions cost nothing extra and share the code.
const EXP_ALONE: ScaledExp = ScaledExp {
    scale: 1.0,
    shift: 0.0,
};
const LN_ALONE: ScaledLn = ScaledLn {
    scale: 1.0,
    shift: 0.0,
};

/// Elements in the widest vector.
const LANES: usize = 8;

/// Whole vectors from the front, then the last vector, which may overlap them: no element is left to
/// be computed alone, which would cost as much as a vector.
#[inline(always)]
fn map(function: impl Elementwise, x: &[f64], out: &mut [f64]) {
    assert_eq!(x.len(), out.len(), "one result for each element");
    let Some(&last) = x.last_chunk() else {
        return store_short(map_vector(function, load_short(x)), out);
    };
    let start = x.len() - LANES;
    let body = start.next_multiple_of(LANES);
    for (out, &x) in out[..body].iter_mut().zip(&x[..body]) {
        *out = function.at(x);
    }
    out[start..].copy_from_slice(&map_vector(function, last));
}

/// As [`map`]; the last vector is computed before the body overwrites what it overlaps.
#[inline(always)]
fn map_in_place(function: impl Elementwise, x: &mut [f64]) {
    let Some(&last) = x.last_chunk() else {
        return store_short(map_vector(function, load_short(x)), x);
    };
    let last = map_vector(function, last);
    let start = x.len() - LANES;
    for x in &mut x[..start.next_multiple_of(LANES)] {
        *x = function.at(*x);
    }
    x[start..].copy_from_slice(&last);
}

#[inline(always)]
fn map_vector(function: impl Elementwise, mut x: [f64; LANES]) -> [f64; LANES] {
    for x in &mut x {
        *x = function.at(*x);
    }
    x
}

/// A slice shorter than a vector, filled up with ones.
#[inline(always)]
fn load_short(x: &[f64]) -> [f64; LANES] {
    std::array::from_fn(|lane| x.get(lane).copied().unwrap_or(1.0))
}

/// The leading lanes, one by one: copied as a slice they would go through memory, where a narrow load
/// waits for the wide store before it to retire (2.6 times the time of a pair, measured).
#[inline(always)]
fn store_short(lanes: [f64; LANES], out: &mut [f64]) {
    for (lane, y) in lanes.into_iter().enumerate() {
        if let Some(out) = out.get_mut(lane) {
            *out = y;
        }
    }
}

dispatch! {
    /// `out = exp(x)`, element by element; accuracy and special values as in the [module](self) head.
    ///
    /// # Panics
    /// If the slices differ in length.
    ///
    /// # Example
    /// ```
    /// let mut out = [0.0; 3];
    /// forney_exact::vmath::exp_slice(&[f64::NEG_INFINITY, 0.0, 1.0], &mut out);
    /// assert_eq!(out[..2], [0.0, 1.0]);
    /// assert!((out[2] - std::f64::consts::E).abs() < 1e-15);
    /// ```
    pub fn exp_slice(x: &[f64], out: &mut [f64]) {
        map(EXP_ALONE, x, out);
    }
}

dispatch! {
    /// `x ← exp(x)`, the bits of [`exp_slice`].
    pub fn exp_in_place(x: &mut [f64]) {
        map_in_place(EXP_ALONE, x);
    }
}

dispatch! {
    /// `out = exp((x − shift)·scale)`: a table of logarithms turned into powers, `(f/max f)^{1/w}` for
    /// `shift = ln max f` and `scale = 1/w`.
    ///
    /// The result is the exponential, within 1 ulp, of the argument as rounded; a relative rounding
    /// error of `2^-53` in an argument `a` is an error of `|a|` half-ulps of the result.
    /// For a finite shift, `x = −∞` gives 0 if `scale > 0` and `+∞` if `scale < 0`.
    ///
    /// The caller has a finite shift and a finite scale other than 0. Outside of that the rules of
    /// IEEE arithmetic hold: `−∞ − −∞` and `∞·0` are NaN and remain NaN, never a plausible number.
    ///
    /// # Panics
    /// If the slices differ in length.
    ///
    /// # Example
    /// ```
    /// let mut out = [0.0; 2];
    /// forney_exact::vmath::exp_scaled(&[f64::NEG_INFINITY, 3.0], 0.5, 3.0, &mut out);
    /// assert_eq!(out, [0.0, 1.0]);
    /// ```
    pub fn exp_scaled(x: &[f64], scale: f64, shift: f64, out: &mut [f64]) {
        map(ScaledExp { scale, shift }, x, out);
    }
}

dispatch! {
    /// `out = ln(x)`, in nats; accuracy and special values as in the [module](self) head.
    ///
    /// # Panics
    /// If the slices differ in length.
    ///
    /// # Example
    /// ```
    /// let mut out = [1.0; 3];
    /// forney_exact::vmath::ln_slice(&[0.0, 1.0, 2.0], &mut out);
    /// assert_eq!(out, [f64::NEG_INFINITY, 0.0, std::f64::consts::LN_2]);
    /// ```
    pub fn ln_slice(x: &[f64], out: &mut [f64]) {
        map(LN_ALONE, x, out);
    }
}

dispatch! {
    /// `out = scale·ln(x) + shift`, in nats: the way back from [`exp_scaled`], with `scale = w`.
    ///
    /// For a finite shift, `x = 0` gives `−∞` if `scale > 0` and `+∞` if `scale < 0`; a scale of 0 makes
    /// it NaN.
    ///
    /// # Panics
    /// If the slices differ in length.
    ///
    /// # Example
    /// ```
    /// let mut out = [0.0; 2];
    /// forney_exact::vmath::ln_scaled(&[0.0, 1.0], 0.5, 3.0, &mut out);
    /// assert_eq!(out, [f64::NEG_INFINITY, 3.0]);
    /// ```
    pub fn ln_scaled(x: &[f64], scale: f64, shift: f64, out: &mut [f64]) {
        map(ScaledLn { scale, shift }, x, out);
    }
}

dispatch! {
    /// `out = ln |x|`, in nats, the bits of [`ln_slice`] at the absolute value.
    ///
    /// # Panics
    /// If the slices differ in length.
    ///
    /// # Example
    /// ```
    /// let mut out = [1.0; 2];
    /// forney_exact::vmath::ln_abs(&[0.0, -2.0], &mut out);
    /// assert_eq!(out, [f64::NEG_INFINITY, std::f64::consts::LN_2]);
    /// ```
    pub fn ln_abs(x: &[f64], out: &mut [f64]) {
        map(LnOfAbs, x, out);
    }
}

#[cfg(test)]
mod tests;
