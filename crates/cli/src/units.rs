//! Durations and sizes as a user writes them.

use std::time::Duration;

/// `10`, `30s`, `500ms`, `2m`, `1h`; a bare number is seconds. Zero is refused: nothing could be
/// done in it.
pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    let (number, unit) = split(text)?;
    let seconds = match unit.as_str() {
        "" | "s" | "sec" => 1.0,
        "ms" => 1e-3,
        "m" | "min" => 60.0,
        "h" => 3600.0,
        _ => return Err(format!("`{unit}` is no unit of time; use ms, s, m or h")),
    };
    let duration = Duration::try_from_secs_f64(number * seconds)
        .map_err(|_| "this is longer than any clock".to_owned())?;
    if duration.is_zero() {
        return Err("the time must be more than 0".to_owned());
    }
    Ok(duration)
}

/// `4GiB`, `512MB`, `1e9`; a bare number is bytes, `K`, `M`, `G` and `T` alone are binary.
pub(crate) fn bytes(text: &str) -> Result<f64, String> {
    let (number, unit) = split(text)?;
    let factor = match unit.as_str() {
        "" | "b" => 1.0,
        "k" | "kib" => 2f64.powi(10),
        "m" | "mib" => 2f64.powi(20),
        "g" | "gib" => 2f64.powi(30),
        "t" | "tib" => 2f64.powi(40),
        "kb" => 1e3,
        "mb" => 1e6,
        "gb" => 1e9,
        "tb" => 1e12,
        _ => {
            return Err(format!(
                "`{unit}` is no unit of memory; use for instance MiB, GiB or GB"
            ));
        }
    };
    if number * factor < 1.0 {
        return Err("the memory must be at least one byte".to_owned());
    }
    Ok(number * factor)
}

/// A difference in nats, finite and not negative.
pub(crate) fn nats(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(nats) if nats >= 0.0 && nats.is_finite() => Ok(nats),
        _ => Err("expected a number of nats, 0 or more".to_owned()),
    }
}

/// A finite number ≥ 0, and the unit behind it in lower case.
fn split(text: &str) -> Result<(f64, String), String> {
    let text = text.trim();
    // The `e` of an exponent is followed by a digit, that of no unit is.
    let unit = text
        .char_indices()
        .find(|&(at, c)| {
            let exponent = matches!(c, 'e' | 'E')
                && text[at + 1..].starts_with(|next: char| next.is_ascii_digit() || next == '-');
            c.is_alphabetic() && !exponent
        })
        .map_or(text.len(), |(at, _)| at);
    let (number, unit) = text.split_at(unit);
    match number.trim().parse::<f64>() {
        Ok(number) if number >= 0.0 && number.is_finite() => {
            Ok((number, unit.trim().to_lowercase()))
        }
        _ => Err("expected a number, 0 or more, and a unit".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times() {
        for (text, milliseconds) in [
            ("10", 10_000),
            ("30s", 30_000),
            ("0.5", 500),
            ("500ms", 500),
            ("2m", 120_000),
            ("1 h", 3_600_000),
            ("1e3ms", 1_000),
            ("1E-1S", 100),
        ] {
            assert_eq!(
                duration(text),
                Ok(Duration::from_millis(milliseconds)),
                "{text}"
            );
        }
        for text in [
            "0",
            "0s",
            "-1",
            "",
            "s",
            "nan",
            "inf",
            "1e300",
            "10 parsecs",
            "1e-30",
        ] {
            assert!(duration(text).is_err(), "{text}");
        }
    }

    #[test]
    fn sizes() {
        for (text, size) in [
            ("4GiB", 4.0 * 2f64.powi(30)),
            ("512MB", 512e6),
            ("1.5g", 1.5 * 2f64.powi(30)),
            ("1e9", 1e9),
            ("100 kib", 102_400.0),
            ("7b", 7.0),
        ] {
            assert_eq!(bytes(text), Ok(size), "{text}");
        }
        for text in ["0", "-1GiB", "many", "4 apples", "", "inf", "1e400"] {
            assert!(bytes(text).is_err(), "{text}");
        }
    }

    #[test]
    fn gaps() {
        assert_eq!(nats("1e-3"), Ok(1e-3));
        assert_eq!(nats("0"), Ok(0.0));
        for text in ["-1", "nan", "inf", "x"] {
            assert!(nats(text).is_err(), "{text}");
        }
    }
}
