//! Pictures of what was learned, and of how.

use std::io;
use std::path::Path;

use forney_plot::{Axis, Chart, PlotError, Point, Series, Style, svg, tiles_png};
use ndarray::Array2;

use crate::done::Output;
use crate::error::Failure;

/// Height and width of the tile of an example.
pub(super) fn patch(
    asked: Option<(usize, usize)>,
    columns: usize,
) -> Result<(usize, usize), Failure> {
    let side = columns.isqrt();
    match asked {
        Some((height, width)) if height.checked_mul(width) == Some(columns) => Ok((height, width)),
        Some((height, width)) => Err(Failure::Usage(format!(
            "--patch {height}x{width} does not hold the {columns} columns of the data"
        ))),
        None if side * side == columns => Ok((side, side)),
        None => Err(Failure::Usage(format!(
            "the {columns} columns of the data make no square picture: say --patch HxW"
        ))),
    }
}

/// The objective over the iterations of the start that was kept, as SVG.
pub(super) fn curve(
    path: &Path,
    kind: &str,
    measure: &'static str,
    trace: &[f64],
) -> Result<Output, Failure> {
    let iterations = trace.iter().enumerate();
    let chart = Chart {
        title: kind.to_owned(),
        x: Axis::linear("iteration"),
        y: Axis::linear(measure),
        series: vec![Series {
            name: String::new(),
            points: iterations
                .map(|(at, &objective)| Point::new(at as f64 + 1.0, objective))
                .collect(),
            style: Style::Line,
        }],
    };
    let picture = svg(&[chart]).map_err(|error| unwritten(path, &error))?;
    Ok(Output {
        path: path.to_owned(),
        bytes: picture.into_bytes(),
    })
}

/// The atoms side by side, as PNG.
pub(super) fn tiles(
    path: &Path,
    asked: Option<(usize, usize)>,
    atoms: &Array2<f64>,
) -> Result<Output, Failure> {
    let shape = patch(asked, atoms.ncols())?;
    // As many in a row as there are rows, or one more.
    let columns = atoms.nrows().isqrt().max(1);
    let columns = columns + usize::from(columns * columns < atoms.nrows());
    let bytes = tiles_png(atoms.view(), shape, columns).map_err(|error| unwritten(path, &error))?;
    Ok(Output {
        path: path.to_owned(),
        bytes,
    })
}

fn unwritten(path: &Path, error: &PlotError) -> Failure {
    Failure::Output {
        path: path.to_owned(),
        source: io::Error::other(error.to_string()),
    }
}
