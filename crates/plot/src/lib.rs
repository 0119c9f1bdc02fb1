//! Charts as SVG and tiles as PNG, in colours that a colour-blind reader can tell apart.
//!
//! A figure is a slice of [`Chart`]s, drawn side by side with one legend; a series keeps its colour and
//! its marker in every chart of a figure.
//!
//! # Example
//! ```
//! use forney_plot::{Axis, Chart, Point, Series, Style, svg};
//!
//! let gap = Series {
//!     name: "WMBE".into(),
//!     points: vec![Point::new(1.0, 3.5).error(0.2), Point::new(2.0, 0.9)],
//!     style: Style::Line,
//! };
//! let chart = Chart {
//!     title: "Gap of the upper bound".into(),
//!     x: Axis::linear("interaction strength β"),
//!     y: Axis::log("ln bound − ln Z [nats]"),
//!     series: vec![gap],
//! };
//! let picture = svg(&[chart])?;
//! assert!(picture.starts_with("<svg"));
//! # Ok::<(), forney_plot::PlotError>(())
//! ```

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
