use forney_plot::*;
fn main() {
    let mk = |log: bool| {
        let series = (0..10)
            .map(|k| Series {
                name: format!("WMBE-{k} θw"),
                style: if k == 9 {
                    Style::Points
                } else if k == 8 {
                    Style::Steps
                } else {
                    Style::Line
                },
                points: (1..=9)
                    .map(|i| {
                        let x = i as f64 * 0.2;
                        Point::new(x, (x * (1.0 + k as f64)).exp() * 0.01)
                            .error(0.002 * (k as f64) * (i as f64))
                    })
                    .collect(),
            })
            .collect();
        Chart {
            title: "Gap of the upper bound, 10×10".into(),
            x: Axis::linear("interaction strength β"),
            y: Axis {
                label: "log10(bound / Z)".into(),
                log,
            },
            series,
        }
    };
    let c = Chart {
        title: "contours".into(),
        x: Axis::linear("x"),
        y: Axis::linear("y"),
        series: vec![
            Series::contours(
                "p",
                |x, y| -(x * x + y * y - 1.6 * x * y) / (2.0 * 0.36),
                -2.0..=2.0,
                -2.0..=2.0,
                &[-0.5, -2.0],
            ),
            Series::contours(
                "q",
                |x, y| -(x * x + y * y) / (0.72),
                -2.0..=2.0,
                -2.0..=2.0,
                &[-0.5, -2.0],
            ),
        ],
    };
    print!("{}", svg(&[mk(false), mk(true), c]).unwrap());
}
