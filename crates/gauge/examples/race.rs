use forney_bounds::wmbe::*;
use forney_certify::*;
use forney_gauge::*;
use forney_model::*;
use std::time::*;
fn main() {
    let a: Vec<String> = std::env::args().collect();
    let g = forney_uai::read_model(&std::fs::read(&a[1]).unwrap()).unwrap().to_graph().unwrap();
    let exact: f64 = a[2].parse().unwrap();
    let ibound = a[3].parse().unwrap();
    let time: f64 = a[4].parse().unwrap();
    let orig = a.get(5).is_some_and(|x| x == "orig");
    let forney = match Forney::grid_sides(&g) {
        Some((r, c)) if !orig => Forney::of_grid(&g, r, c).unwrap(),
        _ => Forney::new(&g, 3).unwrap(),
    };
    let f = forney.graph();
    let options = GaugeOptions { limit: CliqueLimit { ibound, entries: 1e8 }, candidates: a.get(6).map_or(32, |x| x.parse().unwrap()), ..Default::default() };
    let t = Instant::now();
    let budget = Budget::new(Some(Duration::from_secs_f64(time)), Default::default());
    match gauged_wmbe(f, &options, &budget, &mut |b, n| println!("   {:.3}s {n} {:.4}", t.elapsed().as_secs_f64(), b.ln() - exact)) {
        Ok(r) => println!("{:.4} its {} {:?} exact {} {:.3}s", r.bound.ln() - exact, r.iterations, r.stop, r.exact, t.elapsed().as_secs_f64()),
        Err(e) => println!("{e}"),
    }
}
