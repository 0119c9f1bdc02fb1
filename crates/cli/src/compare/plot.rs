//! The table as a picture: how each bound closes in with time.

use std::io;
use std::path::Path;

use forney_certify::Bracket;
use forney_methods::Gives;
use forney_plot::{Axis, Chart, Point, Series, Style, svg};

use crate::done::Output;
use crate::error::Failure;

use super::report::{Report, Row, distance};

/// Upper bounds, lower bounds and estimates, each in a chart of its own; distances are logarithmic,
/// so that what is exact falls out of the picture.
pub(crate) fn plot(path: &Path, report: &Report) -> Result<Output, Failure> {
    let from = match report.ln_z() {
        Some(_) => "distance from ln Z [nats]",
        None => "distance from the other end of the best bracket [nats]",
    };
    let chart = |(side, title): (Gives, &str)| Chart {
        title: title.to_owned(),
        x: Axis::log("time [s]"),
        y: Axis::log(from),
        series: (report.rows.iter())
            .filter(|row| row.side == side)
            .map(|row| series(row, report.bracket()))
            .collect(),
    };
    let charts: Vec<Chart> = [
        (Gives::Upper, "Upper bounds"),
        (Gives::Lower, "Lower bounds"),
        (Gives::Estimate, "Estimates"),
    ]
    .into_iter()
    .map(chart)
    .filter(|chart| chart.series.iter().any(is_visible))
    .collect();
    let path = path.to_owned();
    match svg(&charts) {
        Ok(picture) => Ok(Output {
            path,
            bytes: picture.into_bytes(),
        }),
        Err(error) => Err(Failure::Output {
            path,
            source: io::Error::other(error),
        }),
    }
}

fn series(row: &Row, bracket: &Bracket) -> Series {
    let at = |time: f64, ln: f64| Point::new(time, distance(ln, bracket));
    let mut points: Vec<Point> = (row.points.iter())
        .map(|point| at(point.elapsed_s, point.value.ln()))
        .collect();
    // The last value holds until the method ended.
    points.extend(row.value.map(|value| at(row.elapsed_s, value.ln())));
    Series {
        name: row.method.to_owned(),
        points,
        style: Style::Steps,
    }
}

fn is_visible(series: &Series) -> bool {
    let visible = |point: &Point| point.x > 0.0 && point.y > 0.0 && point.y.is_finite();
    series.points.iter().any(visible)
}
