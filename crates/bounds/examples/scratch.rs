use forney_bounds::wmbe::*;
use forney_certify::*;
use forney_exact::*;
use rand::SeedableRng;
use std::sync::Arc;
use std::time::Instant;
fn run<S: objective_alias::W>(
    g: &forney_model::FactorGraph,
    order: &Order,
    limit: CliqueLimit,
    seed: Option<u64>,
    its: usize,
) -> (f64, f64, usize, f64, usize) {
    let schedule =
        Arc::new(Schedule::compile(g, order, &mut MiniBuckets::new(limit, seed)).unwrap());
    schedule.check(g).unwrap();
    let d = schedule.demand();
    let x0 = WmbeObjective::<S>::start(&schedule);
    let t = Instant::now();
    let mut l = Lbfgs::new(WmbeObjective::<S>::new(schedule.clone(), g), x0, 10);
    let v0 = l.value();
    for _ in 0..its {
        l.sweep();
        if l.evaluations() > its {
            break;
        }
    }
    let dt = t.elapsed().as_secs_f64();
    (
        S::SENSE * v0,
        S::SENSE * l.value(),
        l.evaluations(),
        dt,
        d.total_entries as usize,
    )
}
mod objective_alias {
    pub use forney_bounds::wmbe::WeightMap as W;
}
fn main() {
    let a: Vec<String> = std::env::args().collect();
    let g = forney_uai::read_model(&std::fs::read(&a[1]).unwrap())
        .unwrap()
        .to_graph()
        .unwrap();
    let exact: f64 = a[2].parse().unwrap();
    let its: usize = a[4].parse().unwrap();
    let limit = CliqueLimit {
        ibound: a[3].parse().unwrap(),
        entries: 1e7,
    };
    let mut rng = rand_pcg::Pcg64::seed_from_u64(1);
    let orders = [
        ("minfill", greedy(&g, Heuristic::MinFill, None)),
        ("wminfill", greedy(&g, Heuristic::WeightedMinFill, None)),
        ("minsize", greedy(&g, Heuristic::MinSize, None)),
        ("minfill-r", greedy(&g, Heuristic::MinFill, Some(&mut rng))),
        ("minsize-r", greedy(&g, Heuristic::MinSize, Some(&mut rng))),
        ("sweep", sweep(&g, None)),
        ("natural", Order::new(g.variables().collect(), &g).unwrap()),
    ];
    for (name, order) in &orders {
        let u = run::<Above>(&g, order, limit, None, its);
        let l = run::<Below>(&g, order, limit, None, its);
        println!(
            "{name:10} up {:8.3} -> {:8.3} ({} ev {:.3}s, {:.2} us/ev, {:.2} ns/entry)  low {:8.3} -> {:8.3} ({} ev {:.3}s)",
            u.0 - exact,
            u.1 - exact,
            u.2,
            u.3,
            u.3 * 1e6 / u.2 as f64,
            u.3 * 1e9 / u.2 as f64 / u.4 as f64,
            l.0 - exact,
            l.1 - exact,
            l.2,
            l.3
        );
    }
}
