//! A message or factor as the engine holds it: plain, signed or logarithmic, with its range.

use forney_certify::DoubleDouble;

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

    pub(crate) fn is_empty(self) -> bool {
        self.max == f64::NEG_INFINITY
    }

    pub(crate) fn spread(self) -> f64 {
        self.max - self.min
    }

    pub(crate) fn join(self, other: Self) -> Self {
        Self {
            min: self.min.min(other.min),
            max: self.max.max(other.max),
        }
    }

    /// The range of `data` in this form; zeros are left out.
    pub(crate) fn of(form: Form, data: &[f64]) -> Self {
        let (zero, (min, max)) = match form {
            Form::Linear => (0.0, extremes(data, 0.0)),
            Form::Signed => (0.0, magnitudes(data)),
            Form::Log => (f64::NEG_INFINITY, extremes(data, f64::NEG_INFINITY)),
        };
        if max <= zero {
            return Self::EMPTY;
        }
        match form {
            Form::Linear | Form::Signed => Self {
                min: min.ln(),
                max: max.ln(),
            },
            Form::Log => Self { min, max },
        }
    }
}

crate::dispatch::dispatch! {
    /// Smallest magnitude above 0 and largest magnitude.
    fn magnitudes(data: &[f64]) -> (f64, f64) {
        let (mut least, mut most) = ([f64::INFINITY; 8], [f64::NEG_INFINITY; 8]);
        for chunk in data.chunks(8) {
            for ((x, least), most) in chunk.iter().zip(&mut least).zip(&mut most) {
                let x = x.abs();
                let positive = if x > 0.0 { x } else { f64::INFINITY };
                *least = if positive < *least { positive } else { *least };
                *most = if x > *most { x } else { *most };
            }
        }
        (
            least.into_iter().fold(f64::INFINITY, f64::min),
            most.into_iter().fold(f64::NEG_INFINITY, f64::max),
        )
    }
}

crate::dispatch::dispatch! {
    /// Smallest entry above `zero` and largest entry, in lanes so that it vectorises.
    fn extremes(data: &[f64], zero: f64) -> (f64, f64) {
        let mut least = [f64::INFINITY; 8];
        let mut most = [f64::NEG_INFINITY; 8];
        let mut chunks = data.chunks_exact(8);
        for chunk in &mut chunks {
            for lane in 0..8 {
                let x = chunk[lane];
                let positive = if x > zero { x } else { f64::INFINITY };
                least[lane] = if positive < least[lane] { positive } else { least[lane] };
                most[lane] = if x > most[lane] { x } else { most[lane] };
            }
        }
        for &x in chunks.remainder() {
            least[0] = if x > zero && x < least[0] { x } else { least[0] };
            most[0] = if x > most[0] { x } else { most[0] };
        }
        (
            least.into_iter().fold(f64::INFINITY, f64::min),
            most.into_iter().fold(f64::NEG_INFINITY, f64::max),
        )
    }
}

/// A table that owns its entries. The vector may be longer than the table: buffers are reused.
#[derive(Clone, Debug)]
pub(crate) struct Values {
    pub(crate) form: Form,
    pub(crate) data: Vec<f64>,
    pub(crate) ln_scale: DoubleDouble,
    pub(crate) range: Range,
}

impl Values {
    pub(crate) fn empty() -> Self {
        Self {
            form: Form::Linear,
            data: Vec::new(),
            ln_scale: DoubleDouble::ZERO,
            range: Range::EMPTY,
        }
    }

    pub(crate) fn view(&self, len: usize) -> View<'_> {
        View {
            form: self.form,
            data: &self.data[..len],
            ln_scale: self.ln_scale,
            range: self.range,
            negated: false,
        }
    }
}

/// A table as a step sees it; `negated` flips the sign of logarithms (the other end of a shift).
#[derive(Clone, Copy, Debug)]
pub(crate) struct View<'t> {
    pub(crate) form: Form,
    pub(crate) data: &'t [f64],
    pub(crate) ln_scale: DoubleDouble,
    pub(crate) range: Range,
    pub(crate) negated: bool,
}

impl<'t> View<'t> {
    /// A place without a table.
    pub(crate) const NONE: Self = Self {
        form: Form::Log,
        data: &[],
        ln_scale: DoubleDouble::ZERO,
        range: Range::EMPTY,
        negated: false,
    };

    /// A cost shift: finite logarithms, added or subtracted.
    pub(crate) fn shift(data: &'t [f64], added: bool) -> Self {
        let range = Range::of(Form::Log, data);
        let range = if added {
            range
        } else {
            Range {
                min: -range.max,
                max: -range.min,
            }
        };
        Self {
            form: Form::Log,
            data,
            ln_scale: DoubleDouble::ZERO,
            range,
            negated: !added,
        }
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
