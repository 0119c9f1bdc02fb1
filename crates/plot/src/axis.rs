//! The scale of one axis: its range, where it is ticked and how a tick is written.

use std::ops::Range;

use plotters::coord::ranged1d::{KeyPointHint, NoDefaultFormatting, Ranged, ValueFormatter};

use crate::Axis;

/// A value that a linear or logarithmic axis can show, as its position along the axis.
fn position(log: bool, value: f64) -> Option<f64> {
    let position = if log { value.log10() } else { value };
    position.is_finite().then_some(position)
}

/// The scale of one axis.
#[derive(Debug, Clone)]
pub(crate) struct Scale {
    log: bool,
    /// Ends as positions: values, or their log10 on a logarithmic axis.
    from: f64,
    to: f64,
}

impl Scale {
    /// The scale that shows all these values with a little room; none if there is nothing to show.
    pub(crate) fn over(axis: &Axis, values: impl Iterator<Item = f64>) -> Option<Self> {
        let shown = values.filter_map(|v| position(axis.log, v));
        let (from, to) = shown.fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), v| {
            (a.min(v), b.max(v))
        });
        if from > to {
            return None;
        }
        // One value alone, or values that agree to rounding, still need an axis of some length.
        let least = 1e-9 * from.abs().max(to.abs()).max(1e-300);
        let room = if to - from > least {
            0.04 * (to - from)
        } else if from.abs() > 0.0 && !axis.log {
            0.1 * from.abs()
        } else {
            0.5
        };
        let (from, to) = (from - room, to + room);
        (from.is_finite() && to.is_finite()).then_some(Self {
            log: axis.log,
            from,
            to,
        })
    }

    /// Whether the axis can show the value.
    pub(crate) fn shows(&self, value: f64) -> bool {
        position(self.log, value).is_some_and(|p| p >= self.from && p <= self.to)
    }

    /// Values that are ticked, ascending.
    fn ticks(&self) -> Vec<f64> {
        if !self.log {
            return linear_ticks(self.from, self.to);
        }
        let decades = self.to - self.from;
        if decades < 0.7 {
            return linear_ticks(10f64.powf(self.from), 10f64.powf(self.to));
        }
        let stride = (decades / 7.0).ceil().max(1.0) as i32;
        let digits: &[f64] = match decades {
            d if d < 1.7 => &[1.0, 2.0, 5.0],
            d if d < 3.0 => &[1.0, 3.0],
            _ => &[1.0],
        };
        let first = self.from.floor() as i32;
        let powers = (first..=self.to.ceil() as i32).filter(|p| p.rem_euclid(stride) == 0);
        powers
            .flat_map(|p| digits.iter().map(move |d| d * 10f64.powi(p)))
            .filter(|&v| self.shows(v))
            .collect()
    }
}

/// Multiples of 1, 2 or 5 times a power of ten, at most eight of them.
fn linear_ticks(from: f64, to: f64) -> Vec<f64> {
    let least = (to - from) / 7.0;
    let power = 10f64.powf(least.log10().floor());
    let factor = [1.0, 2.0, 5.0].into_iter().find(|f| f * power >= least);
    let step = factor.unwrap_or(10.0) * power;
    let first = (from / step).ceil() as i64;
    (0..8)
        .map(|i| (first + i) as f64 * step)
        .filter(|&v| v <= to)
        .collect()
}

impl Ranged for Scale {
    type FormatOption = NoDefaultFormatting;
    type ValueType = f64;

    fn map(&self, value: &f64, (low, high): (i32, i32)) -> i32 {
        let share = match position(self.log, *value) {
            Some(position) => (position - self.from) / (self.to - self.from),
            None => 0.0,
        };
        low + (f64::from(high - low) * share).round() as i32
    }

    fn key_points<Hint: KeyPointHint>(&self, _: Hint) -> Vec<f64> {
        self.ticks()
    }

    fn range(&self) -> Range<f64> {
        let value = |p: f64| if self.log { 10f64.powf(p) } else { p };
        value(self.from)..value(self.to)
    }
}

impl ValueFormatter<f64> for Scale {
    fn format_ext(&self, value: &f64) -> String {
        number(*value)
    }
}

/// At most six digits, in scientific notation where that is shorter; a true minus sign.
fn number(value: f64) -> String {
    let size = value.abs();
    let text = if size < 1e-12 {
        "0".to_owned()
    } else if (1e-3..1e6).contains(&size) {
        let places = (5 - size.log10().floor() as i32).clamp(0, 8) as usize;
        let text = format!("{value:.places$}");
        match text.contains('.') {
            true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
            false => text,
        }
    } else {
        let text = format!("{value:.3e}");
        let (digits, power) = text.split_once('e').unwrap_or((&text, "0"));
        let digits = digits.trim_end_matches('0').trim_end_matches('.');
        format!("{digits}e{power}")
    };
    text.replace('-', "−")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ticks(log: bool, values: &[f64]) -> Vec<String> {
        let axis = Axis {
            label: String::new(),
            log,
        };
        let scale = Scale::over(&axis, values.iter().copied()).expect("something to show");
        scale.ticks().iter().map(|&v| number(v)).collect()
    }

    #[test]
    fn ticks_are_round_numbers() {
        assert_eq!(ticks(false, &[0.0, 2.0]), ["0", "0.5", "1", "1.5", "2"]);
        assert_eq!(
            ticks(false, &[-12.0, 0.0]),
            ["−12", "−10", "−8", "−6", "−4", "−2", "0"]
        );
        assert_eq!(
            ticks(true, &[0.01, 1000.0]),
            ["0.01", "0.1", "1", "10", "100", "1000"]
        );
        assert!((4..=8).contains(&ticks(true, &[1e-6, 1e8]).len()));
        assert!(ticks(true, &[3.0, 4.0]).len() >= 3);
        assert!(!ticks(false, &[7.0]).is_empty());
        assert!(!ticks(true, &[7.0]).is_empty());
    }

    #[test]
    fn nothing_to_show_is_no_scale() {
        let values = [f64::NAN, f64::INFINITY, -1.0, 0.0];
        assert!(Scale::over(&Axis::log("x"), values.into_iter()).is_none());
        assert!(Scale::over(&Axis::linear("x"), values[..2].iter().copied()).is_none());
    }
}
