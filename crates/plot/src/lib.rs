#![doc = include_str!("../README.md")]

mod axis;
mod chart;
mod contour;
mod ink;
mod svg;
mod tiles;

pub use chart::{Axis, Chart, Point, Series, Style};
pub use svg::svg;
pub use tiles::tiles_png;

/// Why there is no picture.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PlotError {
    /// A figure without charts.
    #[error("a figure needs at least one chart")]
    NoChart,
    /// No point of a chart can be drawn.
    #[error(
        "chart {title:?} has no point that its axes can show: every point is infinite, NaN, \
         or not positive on a logarithmic axis"
    )]
    Empty {
        /// Title of the chart.
        title: String,
    },
    /// Tiles that do not fit their shape.
    #[error(
        "{atoms} atoms of {entries} entries are not tiles of {height}×{width} in {columns} columns"
    )]
    Shape {
        /// Number of atoms.
        atoms: usize,
        /// Entries of each atom.
        entries: usize,
        /// Height of a tile.
        height: usize,
        /// Width of a tile.
        width: usize,
        /// Tiles in a row of the picture.
        columns: usize,
    },
    /// An atom with an entry that is no number.
    #[error("atom {atom} has an entry that is infinite or NaN")]
    NotFinite {
        /// The atom's row.
        atom: usize,
    },
    /// The picture could not be written.
    #[error("could not draw: {0}")]
    Draw(String),
}
