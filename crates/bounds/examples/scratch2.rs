use forney_bounds::*;
use forney_certify::*;
use std::time::Duration;
fn main() {
    let a: Vec<String> = std::env::args().collect();
    let g = forney_uai::read_model(&std::fs::read(&a[1]).unwrap())
        .unwrap()
        .to_graph()
        .unwrap();
    let exact: f64 = a[2].parse().unwrap();
    let ibound = a[3].parse().ok();
    let time: f64 = a[4].parse().unwrap();
    let budget = Budget::new(Some(Duration::from_secs_f64(time)), Default::default());
    let method = a.get(5).map_or(Method::Wmbe, |m| m.parse().unwrap());
    let o = BoundOptions {
        ibound,
        method,
        iterations: a.get(6).and_then(|x| x.parse().ok()),
        ..Default::default()
    };
    let mut last = 0.0;
    let r = bracket(&g, &o, &budget, &mut |p| {
        if p.elapsed_s > last * 1.3 || std::env::var("V").is_ok() {
            last = p.elapsed_s;
            println!(
                "  {:8.3}s i={} it={} low {:9.4} up {:9.4}",
                p.elapsed_s,
                p.ibound,
                p.iterations,
                p.lower - exact,
                p.upper - exact
            )
        }
    });
    match r {
        Ok(r) => println!(
            "{:?} low {:.4} up {:.4} i={} it={} {} exact={} t={:.3} mem {:.1}MB",
            r.stop,
            r.bracket.lower().ln() - exact,
            r.bracket.upper().ln() - exact,
            r.ibound,
            r.iterations,
            r.upper_method,
            r.exact,
            budget.elapsed().as_secs_f64(),
            r.peak_bytes / 1e6
        ),
        Err(e) => println!("{e}"),
    }
}
