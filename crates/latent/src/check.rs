//! The checks that every estimator makes before it computes.

use ndarray::{ArrayView1, ArrayView2};

use crate::LatentError;

/// Refuses NaN and infinities, naming the first place.
pub(crate) fn finite(what: &'static str, matrix: ArrayView2<'_, f64>) -> Result<(), LatentError> {
    for ((row, column), &value) in matrix.indexed_iter() {
        if !value.is_finite() {
            return Err(LatentError::NotFinite {
                what,
                row,
                column,
                value,
            });
        }
    }
    Ok(())
}

/// As [`finite`], of a vector, which counts as one row.
pub(crate) fn finite_vector(
    what: &'static str,
    vector: ArrayView1<'_, f64>,
) -> Result<(), LatentError> {
    finite(what, vector.insert_axis(ndarray::Axis(0)))
}

/// Refuses what has overflowed on the way, or has become NaN.
pub(crate) fn computed<'a>(
    what: &'static str,
    values: impl IntoIterator<Item = &'a f64>,
) -> Result<(), LatentError> {
    let range = "finite (rescale the data)";
    let mut values = values.into_iter();
    match values.find(|value| !value.is_finite()) {
        Some(&value) => within(what, range, value, false),
        None => Ok(()),
    }
}

/// Refuses a size other than `expected`.
pub(crate) fn shape(what: &'static str, expected: usize, found: usize) -> Result<(), LatentError> {
    if expected == found {
        Ok(())
    } else {
        Err(LatentError::Shape {
            what,
            expected,
            found,
        })
    }
}

/// Refuses the first size that is not the expected one: what it is, what is expected, and what was found.
pub(crate) fn shapes<const N: usize>(
    sizes: [(&'static str, usize, usize); N],
) -> Result<(), LatentError> {
    let mut sizes = sizes.into_iter();
    sizes.try_for_each(|(what, expected, found)| shape(what, expected, found))
}

/// Refuses everything but finite numbers above 0.
pub(crate) fn positive(what: &'static str, value: f64) -> Result<(), LatentError> {
    let admissible = value.is_finite() && value > 0.0;
    within(what, "finite and above 0", value, admissible)
}

/// Refuses everything but finite numbers from 0 on.
pub(crate) fn not_negative(what: &'static str, value: f64) -> Result<(), LatentError> {
    let admissible = value.is_finite() && value >= 0.0;
    within(what, "finite and at least 0", value, admissible)
}

/// Refuses a least variance, as a share of that of a column, that is lost in rounding or is all of it.
pub(crate) fn floor(what: &'static str, value: f64) -> Result<(), LatentError> {
    let admissible = (1e-12..1.0).contains(&value);
    within(what, "from 1e-12 to below 1", value, admissible)
}

/// Refuses none of what at least one is needed of.
pub(crate) fn some(what: &'static str, count: usize) -> Result<(), LatentError> {
    within(what, "at least 1", count as f64, count > 0)
}

/// Refuses a value that is not `admissible`.
pub(crate) fn within(
    what: &'static str,
    range: &'static str,
    value: f64,
    admissible: bool,
) -> Result<(), LatentError> {
    if admissible {
        Ok(())
    } else {
        Err(LatentError::OutOfRange { what, range, value })
    }
}

/// Refuses a tolerance below 0 and NaN.
pub(crate) fn tolerance(value: f64) -> Result<(), LatentError> {
    within("the tolerance", "at least 0", value, value >= 0.0)
}

/// Refuses fewer than `needed` examples.
pub(crate) fn enough(examples: usize, needed: usize) -> Result<(), LatentError> {
    if examples >= needed {
        Ok(())
    } else {
        Err(LatentError::TooFewExamples { examples, needed })
    }
}

/// Refuses a column whose values are all the same.
pub(crate) fn varying(data: ArrayView2<'_, f64>) -> Result<(), LatentError> {
    let mut constant: Vec<usize> = (0..data.ncols()).collect();
    for row in data.rows() {
        constant.retain(|&column| row[column] - data[[0, column]] == 0.0);
        if constant.is_empty() {
            return Ok(());
        }
    }
    match constant.first() {
        Some(&column) => Err(LatentError::ZeroVariance { column }),
        None => Ok(()),
    }
}
