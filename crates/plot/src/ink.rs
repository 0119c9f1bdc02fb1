//! Colours and markers.

use plotters::style::RGBColor;

/// The palette of Okabe and Ito without its yellow, which a white page swallows.
const COLOURS: [RGBColor; 7] = [
    RGBColor(0, 114, 178),
    RGBColor(230, 159, 0),
    RGBColor(0, 158, 115),
    RGBColor(213, 94, 0),
    RGBColor(204, 121, 167),
    RGBColor(86, 180, 233),
    RGBColor(0, 0, 0),
];

/// Outlines of the markers, in pixels around their middle.
const SHAPES: [&[(i32, i32)]; 6] = [
    // Circle, as an octagon.
    &[
        (-4, -2),
        (-2, -4),
        (2, -4),
        (4, -2),
        (4, 2),
        (2, 4),
        (-2, 4),
        (-4, 2),
        (-4, -2),
    ],
    // Square.
    &[(-3, -3), (3, -3), (3, 3), (-3, 3), (-3, -3)],
    // Triangles.
    &[(0, -5), (4, 3), (-4, 3), (0, -5)],
    &[(0, 5), (4, -3), (-4, -3), (0, 5)],
    // Diamond.
    &[(0, -5), (4, 0), (0, 5), (-4, 0), (0, -5)],
    // Star of two bars.
    &[(-4, -4), (4, 4), (0, 0), (-4, 4), (4, -4)],
];

/// The look of one series.
#[derive(Clone, Copy)]
pub(crate) struct Ink {
    pub(crate) colour: RGBColor,
    pub(crate) marker: &'static [(i32, i32)],
    pub(crate) filled: bool,
}

impl Ink {
    /// The look of the `index`-th name of a figure; the first 42 differ in colour or marker.
    pub(crate) fn nth(index: usize) -> Self {
        let marker = SHAPES[index % SHAPES.len()];
        Self {
            colour: COLOURS[index % COLOURS.len()],
            marker,
            filled: marker.len() != 5 || marker[0] == marker[4],
        }
    }
}
