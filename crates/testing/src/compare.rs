//! Comparisons that a NaN cannot pass.

use std::fmt::Display;

use forney_certify::slack;

/// Are two values the same up to a relative error of 10⁻⁹, absolute below 1? Equal infinities are.
#[must_use]
pub fn near(found: f64, expected: f64) -> bool {
    found.to_bits() == expected.to_bits()
        || (found - expected).abs() < 1e-9 * expected.abs().max(1.0)
}

/// As [`near`], and says of what.
///
/// # Panics
/// If the two differ.
#[track_caller]
pub fn assert_near(found: f64, expected: f64, what: &str) {
    assert!(near(found, expected), "{what}: {found} for {expected}");
}

/// Fails unless a value reaches another, but for rounding.
///
/// # Panics
/// If it is below, or a NaN.
#[track_caller]
pub fn assert_at_least(found: f64, least: f64, what: impl Display) {
    assert!(
        found >= least - slack(least),
        "{what}: {found} below {least}"
    );
}

/// Fails unless a value stays below another, but for rounding.
///
/// # Panics
/// If it is above, or a NaN.
#[track_caller]
pub fn assert_at_most(found: f64, most: f64, what: impl Display) {
    assert!(found <= most + slack(most), "{what}: {found} above {most}");
}

/// The gradient of a function against central differences: within `tolerance · (1 + |slope|)` at each of
/// the coordinates. `evaluate` writes the gradient and returns the value.
///
/// # Panics
/// If it is not, or the value is not finite.
#[track_caller]
pub fn assert_gradient(
    mut evaluate: impl FnMut(&[f64], &mut [f64]) -> f64,
    mut x: Vec<f64>,
    coordinates: impl IntoIterator<Item = usize>,
    (step, tolerance): (f64, f64),
    what: &str,
) {
    let mut gradient = vec![0.0; x.len()];
    let mut unused = gradient.clone();
    let value = evaluate(&x, &mut gradient);
    assert!(value.is_finite(), "{what}: {value}");
    for at in coordinates {
        let here = x[at];
        let mut side = |to: f64| {
            x[at] = to;
            evaluate(&x, &mut unused)
        };
        let slope = (side(here + step) - side(here - step)) / (2.0 * step);
        x[at] = here;
        assert!(
            (slope - gradient[at]).abs() < tolerance * (1.0 + slope.abs()),
            "{what}, coordinate {at}: {slope} by differences, {} by the gradient",
            gradient[at]
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_near_a_number_that_is_none() {
        let infinity = f64::INFINITY;
        for (a, b) in [
            (f64::NAN, 1.0),
            (1.0, f64::NAN),
            (infinity, 1.0),
            (1.0, -infinity),
        ] {
            assert!(!near(a, b), "{a} {b}");
        }
        assert!(!near(infinity, -infinity) && near(-infinity, -infinity) && near(1.0, 1.0 + 1e-10));
    }

    #[test]
    #[should_panic(expected = "coordinate 1")]
    fn a_wrong_slope_is_told() {
        let wrong = |x: &[f64], gradient: &mut [f64]| {
            gradient.copy_from_slice(&[2.0 * x[0], 2.0 * x[1] + 1e-3]);
            x.iter().map(|x| x * x).sum()
        };
        assert_gradient(wrong, vec![1.0, 2.0], 0..2, (1e-6, 1e-5), "a square");
    }
}
