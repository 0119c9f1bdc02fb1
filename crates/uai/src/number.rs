//! Numbers as text.

use std::f64::consts::LN_10;
use std::io::{self, Write};

/// `ln 10 − LN_10`: what the nearest double leaves of it.
const LN_10_REST: f64 = -2.170_756_223_382_249_4e-16;

/// Numbers with a larger logarithm, about 10^(10^9), are refused, as are their inverses: little of
/// such a logarithm means anything.
pub(crate) const LARGEST_LN: f64 = 2.3e9;

/// A number ≥ 0.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Real {
    /// 0, or one that a normal `f64` holds.
    Value(f64),
    /// One that lies outside, by its natural logarithm.
    Ln(f64),
}

impl Real {
    /// Its natural logarithm.
    pub(crate) fn ln(self) -> f64 {
        match self {
            Self::Value(value) => value.ln(),
            Self::Ln(ln) => ln,
        }
    }
}

/// Why a word is no [`Real`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NotReal {
    /// It is no number.
    Word,
    /// It is below 0.
    Negative,
    /// It is infinite, NaN, a fraction of 0, or farther from 1 than [`LARGEST_LN`].
    Range,
}

/// Reads a number ≥ 0: decimal digits, an exponent behind `e`, `E`, `d` or `D`, or a fraction of
/// two such numbers.
pub(crate) fn real(text: &[u8]) -> Result<Real, NotReal> {
    // What other tools write, at the speed of the standard library.
    let plain = std::str::from_utf8(text).ok().and_then(|s| s.parse().ok());
    match plain {
        Some(value) if f64::is_normal(value) && value > 0.0 => return Ok(Real::Value(value)),
        Some(value) if value.is_nan() => return Err(NotReal::Range),
        _ => {}
    }
    match text.iter().position(|byte| *byte == b'/') {
        None => decimal(text),
        Some(at) => fraction(decimal(&text[..at])?, decimal(&text[at + 1..])?),
    }
}

fn fraction(numerator: Real, denominator: Real) -> Result<Real, NotReal> {
    if denominator == Real::Value(0.0) {
        return Err(NotReal::Range);
    }
    if let (Real::Value(a), Real::Value(b)) = (numerator, denominator) {
        let value = a / b;
        if value.is_normal() || a == 0.0 {
            return Ok(Real::Value(value));
        }
    }
    match (numerator, numerator.ln() - denominator.ln()) {
        (Real::Value(0.0), _) => Ok(numerator),
        (_, ln) => far(ln),
    }
}

/// A number by its logarithm.
fn far(ln: f64) -> Result<Real, NotReal> {
    match ln.abs() <= LARGEST_LN {
        true => Ok(Real::Ln(ln)),
        false => Err(NotReal::Range),
    }
}

/// Reads a decimal number ≥ 0, with or without an exponent.
fn decimal(text: &[u8]) -> Result<Real, NotReal> {
    let (negative, digits) = match text {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        rest => (false, rest),
    };
    let marks = |byte: &u8| matches!(byte.to_ascii_lowercase(), b'e' | b'd');
    let (mantissa, exponent) = match digits.iter().position(marks) {
        None => (digits, 0),
        Some(at) => (&digits[..at], exponent(&digits[at + 1..])?),
    };
    let point = mantissa.iter().position(|byte| *byte == b'.');
    let (whole, part) = match point {
        None => (mantissa, &mantissa[..0]),
        Some(at) => (&mantissa[..at], &mantissa[at + 1..]),
    };
    let all_digits = whole.iter().chain(part).all(u8::is_ascii_digit);
    if !all_digits || whole.is_empty() && part.is_empty() {
        return match is_infinite(digits) {
            true => Err(NotReal::Range),
            false => Err(NotReal::Word),
        };
    }
    let mut significant = whole.iter().chain(part).skip_while(|byte| **byte == b'0');
    let zeros = whole.len() + part.len() - significant.clone().count();
    let Some(first) = significant.next() else {
        return Ok(Real::Value(if negative { -0.0 } else { 0.0 }));
    };
    if negative {
        return Err(NotReal::Negative);
    }
    // The power of ten of the first digit that is not 0.
    let shift = whole.len() as i64 - 1 - zeros as i64;
    let exponent = exponent.saturating_add(shift);
    // Digits behind the fortieth cannot be seen in a double.
    const SEEN: usize = 40;
    let mut text = String::with_capacity(SEEN + 16);
    text.push(char::from(*first));
    text.push('.');
    text.extend(significant.take(SEEN).map(|digit| char::from(*digit)));
    let mantissa: f64 = text.parse().map_err(|_| NotReal::Word)?;
    text.push_str(&format!("e{exponent}"));
    match text.parse() {
        Ok(value) if f64::is_normal(value) => Ok(Real::Value(value)),
        _ => far(ln_of(mantissa, exponent)),
    }
}

fn exponent(text: &[u8]) -> Result<i64, NotReal> {
    let digits = match text {
        [b'-' | b'+', digits @ ..] => digits,
        digits => digits,
    };
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return Err(NotReal::Word);
    }
    let size = digits.iter().fold(0i64, |size, digit| {
        let digit = i64::from(digit - b'0');
        size.saturating_mul(10).saturating_add(digit)
    });
    Ok(if text[0] == b'-' { -size } else { size })
}

fn is_infinite(text: &[u8]) -> bool {
    text.eq_ignore_ascii_case(b"inf") || text.eq_ignore_ascii_case(b"infinity")
}

/// `ln(mantissa · 10^exponent)` with one rounding of the sum: `ln 10` is taken as two doubles, and
/// the product with the first of them exactly.
fn ln_of(mantissa: f64, exponent: i64) -> f64 {
    let exponent = exponent as f64;
    let product = exponent * LN_10;
    let rest = exponent.mul_add(LN_10, -product) + exponent * LN_10_REST;
    product + (rest + mantissa.ln())
}

/// Reads a logarithm: a number, or `-inf` for that of 0.
pub(crate) fn logarithm(text: &[u8]) -> Result<f64, NotReal> {
    let text = std::str::from_utf8(text).map_err(|_| NotReal::Word)?;
    let parsed = text.parse().or_else(|_| {
        let exponent = text.replace(['d', 'D'], "e");
        exponent.parse::<f64>()
    });
    match parsed {
        Ok(ln) if ln.is_finite() => Ok(ln),
        Ok(ln) if ln < 0.0 && is_infinite(&text.as_bytes()[1..]) => Ok(ln),
        Ok(_) => Err(NotReal::Range),
        Err(_) => Err(NotReal::Word),
    }
}

/// Writes the shortest decimal that reads back to the same bits.
///
/// # Errors
/// Those of `out`, and NaN or `+∞`: no file of this crate may hold them.
pub(crate) fn write_number(out: &mut impl Write, x: f64) -> io::Result<()> {
    if x.is_nan() || x == f64::INFINITY {
        let message = format!("{x} is no value of a UAI file");
        return Err(io::Error::new(io::ErrorKind::InvalidInput, message));
    }
    // Both forms have the fewest digits; the exponent spares the zeros of far-off magnitudes.
    let near = x == 0.0 || (1e-5..1e16).contains(&x.abs());
    if near || x.is_infinite() {
        write!(out, "{x}")
    } else {
        write!(out, "{x:e}")
    }
}

/// Writes a plain entry; a subnormal one with digits that say which double it is.
///
/// # Errors
/// As [`write_number`].
pub(crate) fn write_value(out: &mut impl Write, x: f64) -> io::Result<()> {
    if x.is_subnormal() {
        // Its shortest form names the double, not the number: `5e-324` is 4.94…e-324.
        return write!(out, "{x:.16e}");
    }
    write_number(out, x)
}

/// Writes `exp(ln)` as a decimal that [`real`] reads back to `ln`, or to within `2⁻⁵²` where no
/// double has that logarithm.
///
/// # Errors
/// Those of `out`, and NaN or `+∞`.
pub(crate) fn write_exp(out: &mut impl Write, ln: f64) -> io::Result<()> {
    let value = ln.exp();
    if ln == f64::NEG_INFINITY || ln.is_nan() || ln == f64::INFINITY {
        return write_number(out, value);
    }
    if value.is_normal() {
        // Rounding may have moved `exp` past the double whose logarithm it is.
        let short = (0..17).filter_map(|digits| format!("{value:.digits$e}").parse().ok());
        let mut candidates = short.chain([value.next_down(), value.next_up()]);
        let exact = candidates.find(|x: &f64| x.ln().to_bits() == ln.to_bits());
        return write_number(out, exact.unwrap_or(value));
    }
    let exponent = (ln / LN_10).floor();
    let rest = exponent.mul_add(-LN_10, ln) - exponent * LN_10_REST;
    // Rounding may leave the mantissa below 1 or at 10, which is as good.
    let mantissa = rest.exp();
    for digits in 0..17 {
        let text = format!("{mantissa:.digits$}e{exponent}");
        let last = digits == 16;
        if last || real(text.as_bytes()) == Ok(Real::Ln(ln)) {
            return out.write_all(text.as_bytes());
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_values_keep_their_bits() {
        for text in [
            "1",
            "0.1",
            "1.",
            ".5",
            "+2",
            "25E-1",
            "2.2250738585072014e-308",
            "1.7976931348623157e308",
        ] {
            let value = text.parse().unwrap();
            assert_eq!(real(text.as_bytes()), Ok(Real::Value(value)), "{text}");
        }
    }

    #[test]
    fn zeros_stay_zeros() {
        for text in [
            "0",
            "-0",
            "0.000",
            ".0",
            "0e-9999",
            "-0d99999999999999999999",
            "0/3",
        ] {
            let zero = real(text.as_bytes());
            assert!(matches!(zero, Ok(Real::Value(0.0))), "{text}: {zero:?}");
        }
    }

    /// Reference values: ln of the decimal number, computed with 60 digits.
    #[test]
    fn far_numbers_are_their_logarithms() {
        for (text, ln) in REFERENCE {
            let Ok(Real::Ln(found)) = real(text.as_bytes()) else {
                panic!("{text}");
            };
            let ulp = f64::EPSILON * f64::abs(ln);
            assert!((found - ln).abs() <= ulp, "{text}: {found:?} for {ln:?}");
        }
    }

    #[test]
    fn exponents_of_fortran_and_fractions() {
        for (text, value) in [
            ("1.0D0", 1.0),
            ("4.0d0", 4.0),
            ("25D-1", 2.5),
            ("1d+2", 100.0),
            ("1/3", 1.0 / 3.0),
            ("0.5/2e1", 0.025),
            ("1e-400/2e-400", 0.5),
        ] {
            let found = real(text.as_bytes()).unwrap().ln();
            assert!((found - f64::ln(value)).abs() < 2e-13, "{text}: {found}");
        }
        let far = real(b"1e-200/1e200").unwrap();
        assert!(matches!(far, Real::Ln(ln) if (ln + 400.0 * LN_10).abs() < 1e-12));
    }

    #[test]
    fn what_is_no_number_says_why() {
        for (reason, texts) in [
            (
                NotReal::Word,
                &[
                    "", ".", "-", "e5", "1e", "1e+", "1e5.5", "x", "1x", "0x10", "1_0", "1,5", "/",
                    "1/", "/2", "1/2/3", "1.2.3", "--1", "é",
                ][..],
            ),
            (NotReal::Negative, &["-1", "-1e-999", "-1/2", "-1e999"]),
            (
                NotReal::Range,
                &[
                    "inf",
                    "-inf",
                    "nan",
                    "NaN",
                    "Infinity",
                    "1/0",
                    "0/0",
                    "1e1000000001",
                    "1e999999999",
                    "1e900000000/1e-900000000",
                    "1e-99999999999999999999",
                ],
            ),
        ] {
            for text in texts {
                assert_eq!(real(text.as_bytes()), Err(reason), "{text}");
            }
        }
    }

    #[test]
    fn logarithms_are_any_numbers_and_minus_infinity() {
        for (text, ln) in [
            ("0", 0.0),
            ("-1.5", -1.5),
            ("400", 400.0),
            ("-4D2", -400.0),
            ("1e-999", 0.0),
            ("-inf", f64::NEG_INFINITY),
            ("-Infinity", f64::NEG_INFINITY),
        ] {
            assert_eq!(logarithm(text.as_bytes()), Ok(ln), "{text}");
        }
        for text in ["inf", "nan", "-nan", "1e999", "-1e999"] {
            assert_eq!(logarithm(text.as_bytes()), Err(NotReal::Range), "{text}");
        }
        for text in ["", "x", "1/3", "dinf"] {
            assert_eq!(logarithm(text.as_bytes()), Err(NotReal::Word), "{text}");
        }
    }

    #[test]
    fn what_is_written_reads_back_to_the_same_logarithm() {
        let mut bits = 1u64;
        for round in 0..20_000 {
            bits = bits
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            let unit = (bits >> 11) as f64 / (1u64 << 53) as f64 - 0.5;
            let ln = unit * 10f64.powi(round % 7);
            let mut text = Vec::new();
            write_exp(&mut text, ln).unwrap();
            let read = real(&text).unwrap();
            let close = match read {
                Real::Value(_) => (read.ln() - ln).abs() <= f64::EPSILON,
                Real::Ln(back) => back.to_bits() == ln.to_bits(),
            };
            assert!(close, "{ln:?} {read:?} {}", String::from_utf8_lossy(&text));
        }
    }

    #[test]
    fn far_numbers_are_written_with_the_fewest_digits() {
        for text in ["4.87331e-525", "2e-4756", "1e400", "5e-324", "9.9e-5000"] {
            let mut written = Vec::new();
            write_exp(&mut written, real(text.as_bytes()).unwrap().ln()).unwrap();
            assert_eq!(String::from_utf8(written).unwrap(), text);
        }
    }

    const REFERENCE: [(&str, f64); 12] = [
        ("4.87331e-525", -1207.2734004441936),
        ("2e-4756", -10950.40155509912),
        ("1e400", 921.0340371976183),
        ("5e-324", -744.4281322176367),
        ("1e-308", -709.1962086421661),
        ("2.2250738585072009e-308", -708.3964185322641),
        ("1.8e308", 709.7839953070682),
        ("1e998000000", 2297979922.808058),
        ("7e-998000000", -2297979920.8621473),
        (
            "1.000000000000000000000000000000000000000000000001e-400",
            -921.0340371976183,
        ),
        ("0.00012345678901234567890e-999", -2309.282127250712),
        ("000123.456e+00700", 1616.6254499131153),
    ];
}
