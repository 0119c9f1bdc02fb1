//! Pictures are well-formed, show only what is a number, and are the same every time.

use forney_plot::{Axis, Chart, PlotError, Point, Series, Style, svg};

fn series(name: &str, style: Style, points: &[(f64, f64, f64)]) -> Series {
    Series {
        name: name.into(),
        points: points
            .iter()
            .map(|&(x, y, e)| Point::new(x, y).error(e))
            .collect(),
        style,
    }
}

fn chart(x: Axis, y: Axis) -> Chart {
    let (nan, inf) = (f64::NAN, f64::INFINITY);
    let odd = [
        (1.0, 2.0, 0.5),
        (2.0, inf, 0.0),
        (3.0, nan, 1.0),
        (-inf, 1.0, 0.0),
        (4.0, 0.0, 0.0),
        (5.0, -3.0, nan),
        (6.0, 1e6, inf),
        (7.0, 5.0, 9.0),
    ];
    let styles = [Style::Line, Style::Steps, Style::Curve, Style::Points];
    let series = styles.map(|style| series(&format!("{style:?} <&\"'>\u{1}"), style, &odd));
    Chart {
        title: "a < b & \"c\" \u{0}".into(),
        x,
        y,
        series: series.into(),
    }
}

/// Every tag that opens closes, in order; `&` only begins an entity.
fn assert_well_formed(picture: &str) {
    let mut open = Vec::new();
    let mut rest = picture;
    while let Some(start) = rest.find('<') {
        let end = start + rest[start..].find('>').expect("the tag ends");
        let tag = &rest[start + 1..end];
        match (tag.strip_prefix('/'), tag.strip_suffix('/')) {
            (Some(name), _) => assert_eq!(open.pop(), Some(name)),
            (None, Some(_)) => {}
            (None, None) => open.push(tag.split_whitespace().next().expect("a name")),
        }
        rest = &rest[end + 1..];
    }
    assert!(open.is_empty() && rest.trim().is_empty());
    for (at, _) in picture.match_indices('&') {
        let entities = ["&amp;", "&lt;", "&gt;", "&quot;", "&apos;", "&#"];
        assert!(entities.iter().any(|e| picture[at..].starts_with(e)));
    }
    assert!(!picture.chars().any(|c| c.is_control() && c != '\n'));
}

fn all_axes() -> Vec<Chart> {
    let axis = |log, label: &str| Axis {
        label: label.into(),
        log,
    };
    [(false, false), (false, true), (true, false), (true, true)]
        .map(|(x, y)| chart(axis(x, "x [s]"), axis(y, "y [nats]")))
        .into()
}

#[test]
fn pictures_are_well_formed_and_show_numbers_only() {
    let picture = svg(&all_axes()).expect("four charts");
    assert_well_formed(&picture);
    for word in ["NaN", "inf", "2147483647", "-2147483648"] {
        assert!(!picture.contains(word), "{word}");
    }
}

#[test]
fn the_same_charts_give_the_same_bytes() {
    assert_eq!(
        svg(&all_axes()).expect("once"),
        svg(&all_axes()).expect("twice")
    );
}

#[test]
fn a_line_breaks_where_a_point_is_missing() {
    let lines = |middle: f64| {
        let points = [
            (0.0, 1.0, 0.0),
            (1.0, 2.0, 0.0),
            (2.0, middle, 0.0),
            (3.0, 1.5, 0.0),
            (4.0, 1.0, 0.0),
        ];
        let chart = Chart {
            title: String::new(),
            x: Axis::linear("x"),
            y: Axis::linear("y"),
            series: vec![series("", Style::Curve, &points)],
        };
        svg(&[chart]).expect("a chart").matches("#0072B2").count()
    };
    assert_eq!(lines(f64::NAN), lines(1.7) + 1);
}

#[test]
fn what_cannot_be_drawn_is_refused() {
    assert!(matches!(svg(&[]), Err(PlotError::NoChart)));
    for points in [&[][..], &[(f64::NAN, 1.0, 0.0)], &[(1.0, -1.0, 0.0)]] {
        let empty = Chart {
            title: "empty".into(),
            x: Axis::linear("x"),
            y: Axis::log("y"),
            series: vec![series("s", Style::Line, points)],
        };
        assert!(matches!(svg(&[empty]), Err(PlotError::Empty { title }) if title == "empty"));
    }
}

#[test]
fn one_point_and_equal_points_have_axes() {
    for y in [0.0, 1e-300, 1e300, -5.0] {
        let chart = Chart {
            title: "t".into(),
            x: Axis::linear("x"),
            y: Axis::linear("y"),
            series: vec![series("s", Style::Line, &[(1.0, y, 0.0), (1.0, y, 0.0)])],
        };
        assert_well_formed(&svg(&[chart]).expect("a picture"));
    }
}

#[test]
fn means_carry_their_standard_error() {
    let point = Point::mean(1.0, &[1.0, 2.0, 3.0]);
    assert!((point.y - 2.0).abs() < 1e-15 && (point.error - 1.0 / 3f64.sqrt()).abs() < 1e-15);
    assert_eq!(Point::mean(1.0, &[4.0]), Point::new(1.0, 4.0));
    assert!(Point::mean(1.0, &[1.0, f64::NAN]).y.is_nan());
}
