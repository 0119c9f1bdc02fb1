//! Numbers that JSON lacks.

use serde::Serializer;

/// Nats or their decimal cousins: an infinite value becomes the string `"-inf"` or `"inf"`.
pub(crate) fn number<S: Serializer>(x: &f64, serializer: S) -> Result<S::Ok, S::Error> {
    if x.is_finite() {
        // Adding 0 turns −0 into 0.
        serializer.serialize_f64(*x + 0.0)
    } else {
        serializer.serialize_str(&x.to_string())
    }
}

/// Something that is counted, such as bytes: a whole number, rounded up. Where none of 64 bits
/// holds it, which only a prediction can be, it is a [`number`].
pub(crate) fn whole<S: Serializer>(x: &f64, serializer: S) -> Result<S::Ok, S::Error> {
    const LIMIT: f64 = (1u64 << 63) as f64 * 2.0;
    let whole = x.ceil();
    if (0.0..LIMIT).contains(&whole) {
        serializer.serialize_u64(whole as u64)
    } else {
        number(x, serializer)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::value::Serializer;

    use super::*;

    #[test]
    fn no_number_is_minus_zero_and_what_is_counted_is_whole() {
        let of = |x| number(&x, Serializer).unwrap().to_string();
        assert_eq!(of(-0.0), "0.0");
        assert_eq!(of(-1.5), "-1.5");
        assert_eq!(of(f64::NEG_INFINITY), "\"-inf\"");
        let of = |x| whole(&x, Serializer).unwrap().to_string();
        assert_eq!(of(-0.0), "0");
        assert_eq!(of(1.5), "2");
        assert_eq!(of(2f64.powi(53) + 2.0), "9007199254740994");
        assert_eq!(of(1e30), "1e+30");
        assert_eq!(of(f64::INFINITY), "\"inf\"");
    }
}
