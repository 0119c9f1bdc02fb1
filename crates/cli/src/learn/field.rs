//! One field of a table.

/// What a field of a text says.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Field {
    Number(f64),
    Bool(bool),
    Missing,
    Word,
}

/// How the tools write that there is nothing.
const MISSING: [&str; 7] = ["?", "na", "n/a", "#n/a", "<na>", "null", "none"];

impl Field {
    pub(super) fn of(text: &str) -> Self {
        if text.is_empty() {
            return Self::Missing;
        }
        if let Ok(number) = text.parse::<f64>() {
            return if number.is_nan() {
                Self::Missing
            } else {
                Self::Number(number)
            };
        }
        if MISSING.iter().any(|word| text.eq_ignore_ascii_case(word)) {
            return Self::Missing;
        }
        if text.eq_ignore_ascii_case("true") || text.eq_ignore_ascii_case("false") {
            return Self::Bool(text.len() == 4);
        }
        fortran(text).map_or(Self::Word, Self::Number)
    }
}

/// A number with the exponent of a Fortran program: `1.5D-3`.
fn fortran(text: &str) -> Option<f64> {
    let (digits, exponent) = text.split_once(['d', 'D'])?;
    digits
        .ends_with(|c: char| c.is_ascii_digit() || c == '.')
        .then_some(())?;
    format!("{digits}e{exponent}").parse().ok()
}

/// Whether a word is a number but for a comma in place of the point.
pub(super) fn decimal_comma(text: &str) -> bool {
    text.matches(',').count() == 1 && text.replace(',', ".").parse::<f64>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_as_every_tool_writes_them() {
        for (text, value) in [
            ("1", 1.0),
            ("-2.5e-3", -2.5e-3),
            (".5", 0.5),
            ("+1.", 1.0),
            ("1.5D0", 1.5),
            ("-1.5d-03", -1.5e-3),
            ("2.D+2", 200.0),
            ("inf", f64::INFINITY),
        ] {
            assert_eq!(Field::of(text), Field::Number(value), "{text}");
        }
        for text in ["", "?", "NA", "nan", "-NaN", "NULL", "None", "n/a", "<NA>"] {
            assert_eq!(Field::of(text), Field::Missing, "{text}");
        }
        for text in [
            "x", "d", "1d", "d1", "infd1", "1,5", "0x10", "1 2", "--1", "T", "??",
        ] {
            assert_eq!(Field::of(text), Field::Word, "{text}");
        }
        assert_eq!(Field::of("TRUE"), Field::Bool(true));
        assert_eq!(Field::of("False"), Field::Bool(false));
        assert!(decimal_comma("1,5") && !decimal_comma("1,234,5") && !decimal_comma("a,5"));
    }
}
