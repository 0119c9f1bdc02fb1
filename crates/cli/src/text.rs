//! Numbers for people.

use std::ops::RangeInclusive;

/// A table whose columns are as wide as what stands in them, two spaces apart: numbers to the right
/// in columns of numbers, words to the left in all others.
pub(crate) fn table<const N: usize>(
    lines: &[[String; N]],
    numbers: RangeInclusive<usize>,
) -> String {
    let widest = |column: usize| lines.iter().map(|line| line[column].chars().count()).max();
    let wide: [usize; N] = std::array::from_fn(|column| widest(column).unwrap_or(0));
    let mut text = String::new();
    for line in lines {
        let cells = line.iter().enumerate().map(|(column, cell)| {
            let wide = wide[column];
            match numbers.contains(&column) {
                true => format!("{cell:>wide$}"),
                false => format!("{cell:<wide$}"),
            }
        });
        text += cells.collect::<Vec<_>>().join("  ").trim_end();
        text.push('\n');
    }
    text
}

/// A time that was measured.
pub(crate) fn seconds(s: f64) -> String {
    match s {
        _ if s < 0.1 => format!("{:.1} ms", 1e3 * s),
        _ if s < 100.0 => format!("{s:.2} s"),
        _ if s < 7200.0 => format!("{:.1} min", s / 60.0),
        _ => format!("{:.1} h", s / 3600.0),
    }
}

/// A time that was predicted, one digit.
pub(crate) fn rough_seconds(s: f64) -> String {
    const UNITS: [(f64, &str); 5] = [
        (31_557_600.0, "years"),
        (86_400.0, "days"),
        (3_600.0, "h"),
        (60.0, "min"),
        (1.0, "s"),
    ];
    let unit = UNITS.into_iter().find(|&(size, _)| s >= size);
    match unit {
        None => "less than 1 s".to_owned(),
        Some((size, name)) if s / size >= 1e4 => format!("about {:.0e} {name}", s / size),
        Some((size, name)) => format!("about {:.0} {name}", s / size),
    }
}

/// `ln x` as `log₁₀ x`.
pub(crate) fn log10(ln: f64) -> f64 {
    ln / std::f64::consts::LN_10
}

/// All digits of a value that is exact but for rounding.
pub(crate) fn digits(x: f64) -> String {
    // Adding 0 turns −0 into 0.
    let x = x + 0.0;
    if x == 0.0 || !x.is_finite() || (1e-5..1e16).contains(&x.abs()) {
        x.to_string()
    } else {
        format!("{x:e}")
    }
}

/// A lower bound with six decimals, rounded down.
pub(crate) fn rounded_down(x: f64) -> String {
    rounded(x, f64::floor)
}

/// An upper bound with six decimals, rounded up.
pub(crate) fn rounded_up(x: f64) -> String {
    rounded(x, f64::ceil)
}

/// What the last of six decimals counts.
pub(crate) const MILLIONTH: f64 = 1e-6;

/// A difference of bounds, rounded up.
pub(crate) fn gap(x: f64) -> String {
    match x {
        0.0 => "0".to_owned(),
        _ if x < MILLIONTH => format!("{x:.1e}"),
        _ => rounded_up(x),
    }
}

fn rounded(x: f64, whole: fn(f64) -> f64) -> String {
    const SCALE: f64 = 1e6;
    // Above 2^53 millionths a double has no digits there to round.
    let near = if x.abs() < 9e9 {
        whole(x * SCALE) / SCALE
    } else {
        x
    };
    // Adding 0 turns −0 into 0.
    format!("{:.6}", near + 0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_are_never_rounded_to_the_wrong_side() {
        assert_eq!(rounded_down(1.234_567_9), "1.234567");
        assert_eq!(rounded_up(1.234_567_1), "1.234568");
        assert_eq!(rounded_down(-1.234_567_1), "-1.234568");
        assert_eq!(rounded_up(-1e-9), "0.000000");
        assert_eq!(rounded_down(f64::NEG_INFINITY), "-inf");
        assert_eq!(rounded_up(f64::INFINITY), "inf");
        assert_eq!(rounded_up(1e300), format!("{:.6}", 1e300));
    }

    #[test]
    fn values_keep_their_digits() {
        assert_eq!(digits(219.161_017_936_073_02), "219.16101793607302");
        assert_eq!(digits(-0.0), "0");
        assert_eq!(digits(5.4e-15), "5.4e-15");
        assert_eq!(digits(-1e300), "-1e300");
        assert_eq!(digits(f64::NEG_INFINITY), "-inf");
    }

    #[test]
    fn columns_are_as_wide_as_their_cells() {
        let lines = [
            ["order", "width", "takes"],
            ["search", "7", "less than 1 s"],
            ["é", "1234567", ""],
        ];
        let told = table(&lines.map(|line| line.map(str::to_owned)), 1..=1);
        let expected = "order     width  takes\nsearch        7  less than 1 s\né       1234567\n";
        assert_eq!(told, expected);
        assert_eq!(table::<2>(&[], 0..=0), "");
    }

    #[test]
    fn times_fit_a_reader() {
        assert_eq!(seconds(0.0123), "12.3 ms");
        assert_eq!(seconds(12.345), "12.35 s");
        assert_eq!(seconds(600.0), "10.0 min");
        assert_eq!(rough_seconds(0.3), "less than 1 s");
        assert_eq!(rough_seconds(150.0), "about 2 min");
        assert_eq!(rough_seconds(1e20), "about 3e12 years");
        assert_eq!(rough_seconds(f64::INFINITY), "about inf years");
    }
}
