//! What a chart shows.

/// One set of axes with its series.
#[derive(Debug, Clone)]
pub struct Chart {
    /// Written above the axes.
    pub title: String,
    /// The horizontal axis.
    pub x: Axis,
    /// The vertical axis.
    pub y: Axis,
    /// Drawn in this order; a series of the same name in another chart of the figure looks the same.
    pub series: Vec<Series>,
}

/// One axis; its range is that of the points.
#[derive(Debug, Clone)]
pub struct Axis {
    /// What is measured, with its unit.
    pub label: String,
    /// Logarithmic: a point that is not positive is not drawn.
    pub log: bool,
}

impl Axis {
    /// A linear axis.
    pub fn linear(label: impl Into<String>) -> Self {
        Self {
            label: label.into(),
            log: false,
        }
    }

    /// A logarithmic axis.
    pub fn log(label: impl Into<String>) -> Self {
        Self {
            label: label.into(),
            log: true,
        }
    }
}

/// Points under one name.
#[derive(Debug, Clone)]
pub struct Series {
    /// The name in the legend; an empty name has no entry there.
    pub name: String,
    /// In drawing order. A point that cannot be shown (infinite, NaN, not positive on a logarithmic
    /// axis) is left out and breaks the line there.
    pub points: Vec<Point>,
    /// How the points are drawn.
    pub style: Style,
}

/// How the points of a series are drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// Straight lines, with markers at some of the points.
    Line,
    /// Each value holds until the next point, as the best bound so far does; markers at some points.
    Steps,
    /// Straight lines without markers, for densities and contours.
    Curve,
    /// Markers alone.
    Points,
}

/// One point.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Point {
    /// Horizontal value.
    pub x: f64,
    /// Vertical value.
    pub y: f64,
    /// Half the length of the vertical error bar; 0 draws none.
    pub error: f64,
}

impl Point {
    /// A point without an error bar.
    pub fn new(x: f64, y: f64) -> Self {
        Self { x, y, error: 0.0 }
    }

    /// The point with an error bar from `y − error` to `y + error`.
    pub fn error(self, error: f64) -> Self {
        Self { error, ..self }
    }

    /// The mean of several values of y, with their standard error as the bar (none for a single value).
    ///
    /// A value that is not finite makes the mean so, and the point is not drawn.
    pub fn mean(x: f64, values: &[f64]) -> Self {
        let n = values.len() as f64;
        let mean = values.iter().sum::<f64>() / n;
        let square: f64 = values.iter().map(|v| (v - mean).powi(2)).sum();
        let error = if values.len() > 1 {
            (square / (n - 1.0) / n).sqrt()
        } else {
            0.0
        };
        Self { x, y: mean, error }
    }
}
