//! Factor graphs as pictures: circles are variables, squares factors.

use std::fmt::Write as _;

use forney_model::{FactorGraph, VarId};

/// Where something stands.
pub(crate) type Spot = (f64, f64);

/// Nodes and lines, in units of the layout, with the extent of the drawing.
pub(crate) struct Drawing {
    lines: Vec<(Spot, Spot)>,
    circles: Vec<Spot>,
    squares: Vec<Spot>,
}

/// A factor graph with its variables where the layout puts them and its factors amid them; observed
/// variables are left out.
pub(crate) fn drawing(graph: &FactorGraph, layout: impl Fn(VarId) -> Spot) -> Drawing {
    let free = |v: &VarId| graph.card(*v) > 1;
    let mut drawing = Drawing {
        lines: Vec::new(),
        circles: graph.variables().filter(free).map(&layout).collect(),
        squares: Vec::new(),
    };
    for factor in graph.factors() {
        let scope = factor.scope().iter().copied().filter(free);
        let spots: Vec<Spot> = scope.map(&layout).collect();
        if spots.is_empty() {
            continue;
        }
        let n = spots.len() as f64;
        let mut middle = spots
            .iter()
            .fold((0.0, 0.0), |m, s| (m.0 + s.0 / n, m.1 + s.1 / n));
        if let [alone] = spots[..] {
            // A field stands beside its variable.
            middle = (alone.0 + 0.25, alone.1 + 0.25);
        }
        drawing.lines.extend(spots.iter().map(|&s| (s, middle)));
        drawing.squares.push(middle);
    }
    drawing
}

/// The drawings in a row.
pub(crate) fn side_by_side(drawings: &[Drawing]) -> String {
    const SIDE: f64 = 320.0;
    const MARGIN: f64 = 24.0;
    let mut body = String::new();
    for (k, drawing) in drawings.iter().enumerate() {
        let spots = || drawing.circles.iter().chain(&drawing.squares);
        let least = |of: fn(&Spot) -> f64| spots().map(of).fold(f64::INFINITY, f64::min);
        let most = |of: fn(&Spot) -> f64| spots().map(of).fold(f64::NEG_INFINITY, f64::max);
        let (left, top) = (least(|s| s.0), least(|s| s.1));
        let extent = (most(|s| s.0) - left).max(most(|s| s.1) - top).max(1e-9);
        let scale = (SIDE - 2.0 * MARGIN) / extent;
        let at = |(x, y): Spot| {
            let shift = MARGIN + SIDE * k as f64;
            (shift + scale * (x - left), MARGIN + scale * (y - top))
        };
        for &(a, b) in &drawing.lines {
            let ((ax, ay), (bx, by)) = (at(a), at(b));
            let _ = writeln!(
                body,
                "<line x1=\"{ax:.1}\" y1=\"{ay:.1}\" x2=\"{bx:.1}\" y2=\"{by:.1}\" stroke=\"#555\"/>"
            );
        }
        for (x, y) in drawing.circles.iter().map(|&s| at(s)) {
            let _ = writeln!(
                body,
                "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"5\" fill=\"#fff\" stroke=\"#0072B2\" stroke-width=\"2\"/>"
            );
        }
        for (x, y) in drawing.squares.iter().map(|&s| at(s)) {
            let (x, y) = (x - 4.0, y - 4.0);
            let _ = writeln!(
                body,
                "<rect x=\"{x:.1}\" y=\"{y:.1}\" width=\"8\" height=\"8\" fill=\"#D55E00\"/>"
            );
        }
    }
    picture(SIDE * drawings.len() as f64, SIDE, &body)
}

/// An SVG picture around its elements.
pub(crate) fn picture(width: f64, height: f64, body: &str) -> String {
    format!(
        "<svg width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {width} {height}\" \
         xmlns=\"http://www.w3.org/2000/svg\" font-family=\"sans-serif\" font-size=\"14\">\n\
         <rect width=\"{width}\" height=\"{height}\" fill=\"#fff\"/>\n{body}</svg>\n"
    )
}
