use forney_exact::*;
use forney_model::generate::*;
use rand::SeedableRng;
fn main() {
    let l: usize = std::env::args().nth(1).unwrap().parse().unwrap();
    let g = ising_grid(l, 1.0, 0.1, &mut rand_pcg::Pcg64::seed_from_u64(1));
    let order = Order::new(g.variables().collect(), &g).unwrap();
    for _ in 0..3 {
        let t = std::time::Instant::now();
        let s = Schedule::compile(&g, &order, &mut Whole).unwrap();
        let d = s.demand();
        let t1 = t.elapsed();
        let v = ln_z(&g, &order, f64::INFINITY).unwrap();
        println!(
            "compile {t1:?} total {:?} ln_z {v} ns/entry {} live {} kept {} width {}",
            t.elapsed(),
            (t.elapsed() - t1).as_secs_f64() * 1e9 / d.total_entries,
            human(d.live_bytes),
            human(d.kept_bytes),
            d.width
        );
    }
    let t = std::time::Instant::now();
    if l <= 17 {
        let m = marginals(&g, &order, 1e11).unwrap();
        println!("marginals {:?} {}", t.elapsed(), m.variables[3][0]);
    }
}
