//! Level sets of a function of two variables.

use std::ops::RangeInclusive;

use crate::{Point, Series, Style};

/// Cells along each side of the grid on which a function is sampled.
const CELLS: usize = 120;

impl Series {
    /// The level sets `{(x, y) : f(x, y) = level}`, by marching squares on a fixed grid.
    ///
    /// A cell with a corner where `f` is not finite shows nothing.
    pub fn contours(
        name: impl Into<String>,
        f: impl Fn(f64, f64) -> f64,
        x: RangeInclusive<f64>,
        y: RangeInclusive<f64>,
        levels: &[f64],
    ) -> Self {
        let at = |range: &RangeInclusive<f64>, i: usize| {
            range.start() + (range.end() - range.start()) * i as f64 / CELLS as f64
        };
        let corner = |i: usize, j: usize| {
            let (x, y) = (at(&x, i), at(&y, j));
            (x, y, f(x, y))
        };
        let rows: Vec<Vec<_>> = (0..=CELLS)
            .map(|i| (0..=CELLS).map(|j| corner(i, j)).collect())
            .collect();
        let mut points = Vec::new();
        for &level in levels {
            for (i, j) in (0..CELLS).flat_map(|i| (0..CELLS).map(move |j| (i, j))) {
                let cell = [
                    rows[i][j],
                    rows[i + 1][j],
                    rows[i + 1][j + 1],
                    rows[i][j + 1],
                ];
                if cell.iter().all(|c| c.2.is_finite()) {
                    segments(&cell, level, &mut points);
                }
            }
        }
        Self {
            name: name.into(),
            points,
            style: Style::Curve,
        }
    }
}

/// The level's crossings of a cell's sides, joined in pairs; a gap after each pair.
///
/// A level crosses two sides or all four. With four (a saddle) the crossings are joined in the order
/// of the sides, one of the two readings that the corners allow.
fn segments(cell: &[(f64, f64, f64); 4], level: f64, points: &mut Vec<Point>) {
    let sides = (0..4).filter_map(|i| {
        let ((ax, ay, a), (bx, by, b)) = (cell[i], cell[(i + 1) % 4]);
        ((a < level) != (b < level)).then(|| {
            let share = (level - a) / (b - a);
            Point::new(ax + share * (bx - ax), ay + share * (by - ay))
        })
    });
    let crossings: Vec<Point> = sides.collect();
    for pair in crossings.chunks_exact(2) {
        points.extend([pair[0], pair[1], Point::new(f64::NAN, f64::NAN)]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn circles_have_their_radius() {
        let f = |x: f64, y: f64| x * x + y * y;
        let circle = Series::contours("", f, -2.0..=2.0, -2.0..=2.0, &[1.0]);
        let shown = circle.points.iter().filter(|p| p.x.is_finite());
        let radii: Vec<f64> = shown.map(|p| f(p.x, p.y).sqrt()).collect();
        assert!(radii.len() > 100);
        assert!(radii.iter().all(|r| (r - 1.0).abs() < 1e-3));
    }

    #[test]
    fn cells_without_values_stay_empty() {
        let f = |x: f64, _: f64| if x < 0.0 { f64::NAN } else { x };
        let line = Series::contours("", f, -1.0..=1.0, 0.0..=1.0, &[-0.5, 0.51]);
        let shown = line.points.iter().filter(|p| p.x.is_finite());
        assert!(shown.clone().count() > 0);
        assert!(shown.clone().all(|p| (p.x - 0.51).abs() < 1e-9));
    }
}
