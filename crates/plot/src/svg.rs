//! Drawing charts.

use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use crate::axis::Scale;
use crate::ink::Ink;
use crate::{Chart, PlotError, Series, Style};

/// Size of one chart in pixels.
const SIZE: (u32, u32) = (500, 360);
/// Width of the legend beside the charts without its text, and of a character of that, about.
const LEGEND: (u32, u32) = (56, 8);
/// Charts side by side before a new row begins.
const COLUMNS: usize = 2;
/// Markers along one line, about.
const MARKERS: usize = 9;

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;
type Pixel = (i32, i32);

/// The charts as one SVG picture, two in a row, with one legend.
///
/// The same charts give the same bytes.
///
/// # Errors
/// [`PlotError::NoChart`] without charts, [`PlotError::Empty`] for a chart with nothing to show.
pub fn svg(charts: &[Chart]) -> Result<String, PlotError> {
    if charts.is_empty() {
        return Err(PlotError::NoChart);
    }
    let columns = charts.len().min(COLUMNS);
    let rows = charts.len().div_ceil(columns);
    let names = names(charts);
    let longest = names.iter().map(|(name, _)| name.chars().count()).max();
    let legend = longest.map_or(0, |longest| LEGEND.0 + LEGEND.1 * longest as u32);
    let width = SIZE.0 * columns as u32;
    let height = (SIZE.1 * rows as u32).max(30 + 20 * names.len() as u32);
    let mut picture = String::new();
    {
        let backend = SVGBackend::with_string(&mut picture, (width + legend, height));
        let root = backend.into_drawing_area();
        let draw = || -> Result<(), Failure> {
            root.fill(&WHITE)?;
            let (charts_area, legend_area) = root.split_horizontally(width);
            let (charts_area, _) = charts_area.split_vertically(SIZE.1 * rows as u32);
            let areas = charts_area.split_evenly((rows, columns));
            for (chart, area) in charts.iter().zip(&areas) {
                draw_chart(&root, area, chart, &names)?;
            }
            draw_legend(&legend_area, &names)?;
            root.present()?;
            Ok(())
        };
        draw().map_err(PlotError::from)?;
    }
    Ok(picture)
}

/// What went wrong while drawing.
enum Failure {
    Empty(String),
    Draw(String),
}

impl<E: std::error::Error + Send + Sync> From<DrawingAreaErrorKind<E>> for Failure {
    fn from(error: DrawingAreaErrorKind<E>) -> Self {
        Self::Draw(error.to_string())
    }
}

impl From<Failure> for PlotError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Empty(title) => Self::Empty { title },
            Failure::Draw(why) => Self::Draw(why),
        }
    }
}

/// The names of all series in order of appearance, with how the first of each name is drawn.
fn names(charts: &[Chart]) -> Vec<(&str, Style)> {
    let mut names: Vec<(&str, Style)> = Vec::new();
    for series in charts.iter().flat_map(|c| &c.series) {
        if !series.name.is_empty() && names.iter().all(|(name, _)| *name != series.name) {
            names.push((&series.name, series.style));
        }
    }
    names
}

fn draw_chart(
    root: &Area,
    area: &Area,
    chart: &Chart,
    names: &[(&str, Style)],
) -> Result<(), Failure> {
    let empty = || Failure::Empty(chart.title.clone());
    let points = || chart.series.iter().flat_map(|s| &s.points);
    let xs = points().filter(|p| p.y.is_finite()).map(|p| p.x);
    let ys = points().filter(|p| p.x.is_finite());
    let ys = ys.flat_map(|p| [p.y, p.y - p.error, p.y + p.error]);
    let x = Scale::over(&chart.x, xs).ok_or_else(empty)?;
    let y = Scale::over(&chart.y, ys).ok_or_else(empty)?;
    let mut context = ChartBuilder::on(area)
        .caption(legible(&chart.title), ("sans-serif", 18))
        .margin(8)
        .margin_right(18)
        .x_label_area_size(46)
        .y_label_area_size(70)
        .build_cartesian_2d(x.clone(), y.clone())?;
    context
        .configure_mesh()
        .light_line_style(TRANSPARENT)
        .bold_line_style(RGBColor(225, 225, 225))
        .x_desc(legible(&chart.x.label))
        .y_desc(legible(&chart.y.label))
        .axis_desc_style(("sans-serif", 16))
        .label_style(("sans-serif", 14))
        .draw()?;
    let pixel = |x, y| context.backend_coord(&(x, y));
    for (k, series) in chart.series.iter().enumerate() {
        let index = names.iter().position(|(name, _)| *name == series.name);
        // A series without a name has no place in the legend and takes the look of its place.
        let ink = Ink::nth(index.unwrap_or(k));
        let shown = |p: &crate::Point| x.shows(p.x) && y.shows(p.y);
        let runs = series.points.split(|p| !shown(p));
        let runs: Vec<Vec<Pixel>> = runs
            .map(|run| run.iter().map(|p| pixel(p.x, p.y)).collect())
            .collect();
        for p in series.points.iter().filter(|p| shown(p) && p.error > 0.0) {
            // A bar that leaves a logarithmic axis at the bottom ends at the point.
            let end = |value| if y.shows(value) { value } else { p.y };
            let (low, high) = (
                pixel(p.x, end(p.y - p.error)),
                pixel(p.x, end(p.y + p.error)),
            );
            draw_bar(root, low, high, ink)?;
        }
        draw_runs(root, &runs, series, ink)?;
    }
    Ok(())
}

fn draw_runs(root: &Area, runs: &[Vec<Pixel>], series: &Series, ink: Ink) -> Result<(), Failure> {
    let line = ink.colour.stroke_width(2);
    for run in runs.iter().filter(|run| run.len() > 1) {
        match series.style {
            Style::Line | Style::Curve => root.draw(&PathElement::new(run.clone(), line))?,
            Style::Steps => root.draw(&PathElement::new(steps(run), line))?,
            Style::Points => {}
        }
    }
    let points: Vec<Pixel> = runs.iter().flatten().copied().collect();
    let stride = match series.style {
        Style::Curve => return Ok(()),
        Style::Points => 1,
        Style::Line | Style::Steps => points.len().div_ceil(MARKERS + 3).max(1),
    };
    for &point in points.iter().step_by(stride) {
        draw_marker(root, point, ink)?;
    }
    Ok(())
}

fn steps(run: &[Pixel]) -> Vec<Pixel> {
    let mut path: Vec<Pixel> = Vec::with_capacity(2 * run.len());
    for &(x, y) in run {
        if let Some(&(_, before)) = path.last() {
            path.push((x, before));
        }
        path.push((x, y));
    }
    path
}

fn draw_marker(root: &Area, (x, y): Pixel, ink: Ink) -> Result<(), Failure> {
    let outline: Vec<Pixel> = ink.marker.iter().map(|(a, b)| (x + a, y + b)).collect();
    if ink.filled {
        root.draw(&Polygon::new(outline, ink.colour.filled()))?;
    } else {
        root.draw(&PathElement::new(outline, ink.colour.stroke_width(2)))?;
    }
    Ok(())
}

fn draw_bar(root: &Area, low: Pixel, high: Pixel, ink: Ink) -> Result<(), Failure> {
    let line = ink.colour.stroke_width(1);
    let cap = |(x, y): Pixel| vec![(x - 3, y), (x + 3, y)];
    for path in [vec![low, high], cap(low), cap(high)] {
        root.draw(&PathElement::new(path, line))?;
    }
    Ok(())
}

fn draw_legend(area: &Area, names: &[(&str, Style)]) -> Result<(), Failure> {
    let place = Pos::new(HPos::Left, VPos::Center);
    let text = ("sans-serif", 15).into_text_style(area).pos(place);
    for (k, (name, style)) in names.iter().enumerate() {
        let (ink, y) = (Ink::nth(k), 40 + 20 * k as i32);
        if *style != Style::Points {
            let line = vec![(4, y), (34, y)];
            area.draw(&PathElement::new(line, ink.colour.stroke_width(2)))?;
        }
        if *style != Style::Curve {
            draw_marker(area, (19, y), ink)?;
        }
        area.draw(&Text::new(legible(name), (42, y), text.clone()))?;
    }
    Ok(())
}

/// The text without control characters, which XML forbids.
fn legible(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).collect()
}
