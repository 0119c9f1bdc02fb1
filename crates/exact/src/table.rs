//! A message or factor as the engine holds it: plain, signed or logarithmic, with its range.

use forney_certify::DoubleDouble;

use crate::dispatch::dispatch;
use crate::vmath;

/// How the entries of a [`Values`] are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// `value = entry · exp(ln_scale)`, no entry negative.
    Linear,
    /// `value = entry · exp(ln_scale)` of either sign.
    Signed,
    /// `ln value = entry + ln_scale`.
    Log,
}

/// What a step does with the signs of its tables (Ahn et al. 2018, eq. 8): `|Σ| ≤ Σ|·|`, so absolute
/// values may be taken anywhere, and are taken from the first split on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Signs {
    /// Its tables have none.
    Absent,
    /// Its sum keeps them, its message as well.
    Kept,
    /// Its sum keeps them, its message is the absolute value.
    Dropped,
}

/// Natural logarithms of the smallest and largest entry that is not zero, scale and signs excluded.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Range {
    pub(crate) min: f64,
    pub(crate) max: f64,
}

impl Range {
    /// The range of a table of zeros.
    pub(crate) const EMPTY: Self = Self {
        min: f64::INFINITY,
        max: f64::NEG_INFINITY,
    };

    /// The range of a table that is no number anywhere.
    const LOST: Self = Self {
        min: f64::NAN,
        max: f64::NAN,
    };

    pub(crate) fn is_empty(self) -> bool {
        self.max == f64::NEG_INFINITY
    }

    pub(crate) fn spread(self) -> f64 {
        self.max - self.min
    }

    pub(crate) fn join(self, other: Self) -> Self {
        // Not those of the library, which pass over what is no number.
        let pick = |first: bool, a: f64, b: f64| if first || a.is_nan() { a } else { b };
        Self {
            min: pick(self.min < other.min, self.min, other.min),
            max: pick(self.max > other.max, self.max, other.max),
        }
    }
}

dispatch! {
    /// The range of `data` in this form; zeros are left out.
    pub(crate) fn range(form: Form, data: &[f64]) -> Range {
        let zero = if form == Form::Log { f64::NEG_INFINITY } else { 0.0 };
        let (min, max) = match form {
            Form::Signed => extremes::<true>(data, zero),
            Form::Linear | Form::Log => extremes::<false>(data, zero),
        };
        if max <= zero {
            // What is no number is not zero: it has to reach the end of the pass.
            let lost = data.iter().any(|x| x.is_nan());
            return if lost { Range::LOST } else { Range::EMPTY };
        }
        match form {
            Form::Linear | Form::Signed => {
                // Not the logarithm of the system, whose last bit depends on the processor.
                let mut ln = [0.0; 2];
                vmath::ln_slice::body(&[min, max], &mut ln);
                let [min, max] = ln;
                Range { min, max }
            }
            Form::Log => Range { min, max },
        }
    }
}

/// Smallest magnitude above `zero` and largest, or the entries themselves where they have no signs, in lanes so
/// that it vectorises; the last lanes may overlap those before them.
#[inline(always)]
fn extremes<const SIGNED: bool>(data: &[f64], zero: f64) -> (f64, f64) {
    let Some(last) = data.last_chunk::<8>() else {
        let mut found = (f64::INFINITY, f64::NEG_INFINITY);
        for &x in data {
            found = see::<SIGNED>(found, x, zero);
        }
        return found;
    };
    let (mut least, mut most) = ([f64::INFINITY; 8], [f64::NEG_INFINITY; 8]);
    for chunk in data.as_chunks::<8>().0.iter().chain([last]) {
        for ((least, most), &x) in least.iter_mut().zip(&mut most).zip(chunk) {
            (*least, *most) = see::<SIGNED>((*least, *most), x, zero);
        }
    }
    reduce(least, most)
}

#[inline(always)]
fn see<const SIGNED: bool>((least, most): (f64, f64), x: f64, zero: f64) -> (f64, f64) {
    let x = if SIGNED { x.abs() } else { x };
    let positive = if x > zero { x } else { f64::INFINITY };
    (
        if positive < least { positive } else { least },
        if x > most { x } else { most },
    )
}

/// The smallest of some lanes and the largest of others, halves against halves.
#[inline(always)]
fn reduce(least: [f64; 8], most: [f64; 8]) -> (f64, f64) {
    (
        halves(least, |x, y| if y < x { y } else { x }),
        halves(most, |x, y| if y > x { y } else { x }),
    )
}

/// Written out: as a loop it goes through memory.
#[inline(always)]
fn halves([a, b, c, d, e, f, g, h]: [f64; 8], pick: impl Fn(f64, f64) -> f64) -> f64 {
    let [a, b, c, d] = [pick(a, e), pick(b, f), pick(c, g), pick(d, h)];
    let [a, b] = [pick(a, c), pick(b, d)];
    pick(a, b)
}

/// A table that owns its entries. The vector may be longer than the table: buffers are reused.
#[derive(Clone, Debug)]
pub(crate) struct Values {
    pub(crate) form: Form,
    pub(crate) data: Vec<f64>,
    /// What was taken out of it: of a base when it was loaded, of a message by its own step, without
    /// what was taken out of its inputs. Whoever runs a pass adds all of these up.
    pub(crate) ln_scale: DoubleDouble,
    pub(crate) range: Range,
}

impl Values {
    /// `ln` of an entry, what was taken out of the table left aside.
    pub(crate) fn ln_entry(&self, at: usize) -> f64 {
        match self.form {
            Form::Linear | Form::Signed => self.data[at].abs().ln(),
            Form::Log => self.data[at],
        }
    }

    /// As [`Values::ln_entry`] of a table without variables; NaN if a pass that was stopped has left no entry.
    pub(crate) fn ln_only(&self) -> f64 {
        match self.data.is_empty() {
            true => f64::NAN,
            false => self.ln_entry(0),
        }
    }

    pub(crate) fn empty() -> Self {
        Self {
            form: Form::Linear,
            data: Vec::new(),
            ln_scale: DoubleDouble::ZERO,
            range: Range::EMPTY,
        }
    }
}

/// A table as a step sees it; `negated` flips the sign of logarithms (the other end of a shift).
#[derive(Clone, Copy, Debug)]
pub(crate) struct View<'t> {
    pub(crate) form: Form,
    pub(crate) data: &'t [f64],
    pub(crate) range: Range,
    pub(crate) negated: bool,
}

impl<'t> View<'t> {
    /// A place without a table.
    pub(crate) const NONE: Self = Self {
        form: Form::Log,
        data: &[],
        range: Range::EMPTY,
        negated: false,
    };

    /// Shows the first entries of a table.
    #[inline(always)]
    pub(crate) fn set(&mut self, table: &'t Values, len: usize) {
        self.form = table.form;
        self.data = &table.data[..len];
        self.range = table.range;
        self.negated = false;
    }

    /// Shows a cost shift: finite logarithms of this range, added or subtracted.
    #[inline(always)]
    pub(crate) fn set_shift(&mut self, data: &'t [f64], range: Range, added: bool) {
        self.form = Form::Log;
        self.data = data;
        self.range = if added {
            range
        } else {
            Range {
                min: -range.max,
                max: -range.min,
            }
        };
        self.negated = !added;
    }

    /// `ln s`, the entry that makes every `(f / s)^{1/w}` at most 1; the scale excluded.
    pub(crate) fn norm(&self, weight: f64) -> f64 {
        if weight > 0.0 {
            self.range.max
        } else {
            self.range.min
        }
    }

    /// `±1`: the factor that turns an entry into the logarithm it stands for.
    pub(crate) fn sign(&self) -> f64 {
        if self.negated { -1.0 } else { 1.0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_number_is_not_zero() {
        for form in [Form::Linear, Form::Signed, Form::Log] {
            for len in [1, 3, 8, 11] {
                assert!(range(form, &vec![f64::NAN; len]).max.is_nan());
            }
        }
        let lost = range(Form::Log, &[f64::NAN]);
        for joined in [Range::EMPTY.join(lost), lost.join(Range::EMPTY)] {
            assert!(joined.min.is_nan() && joined.max.is_nan());
        }
        assert!(range(Form::Linear, &[0.0; 9]).is_empty());
        assert!(range(Form::Log, &[f64::NEG_INFINITY; 2]).is_empty());
        assert!(range(Form::Signed, &[]).is_empty());
    }

    #[test]
    fn ranges_are_those_of_all_entries() {
        for len in 1..40 {
            let data: Vec<f64> = (0..len).map(|i| f64::from(i * 7 % 13) - 6.0).collect();
            let fold = |values: &[f64]| {
                let max = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
                let above = values.iter().copied().filter(|&x| x > f64::NEG_INFINITY);
                (above.fold(f64::INFINITY, f64::min), max)
            };
            let found = range(Form::Log, &data);
            assert_eq!((found.min, found.max), fold(&data), "{len}");
            let sizes: Vec<f64> = data.iter().map(|x| x.abs().ln()).collect();
            let (found, (min, max)) = (range(Form::Signed, &data), fold(&sizes));
            assert!((found.min - min).abs() < 1e-12 && (found.max - max).abs() < 1e-12);
        }
    }
}
