use forney_bounds::wmbe::*;
use forney_certify::*;
use forney_exact::*;
use forney_gauge::*;
use forney_model::*;
use rand::SeedableRng;
use std::sync::Arc;
use std::time::Instant;

fn paper_order(g: &FactorGraph) -> Vec<VarId> {
    let n = g.num_factors();
    let mut o = vec![];
    for i in 0..n {
        o.push(VarId::new(i));
        if i < n / 2 {
            o.push(VarId::new(n + i));
        }
    }
    o
}

fn main() {
    let a: Vec<String> = std::env::args().collect();
    let g = forney_uai::read_model(&std::fs::read(&a[1]).unwrap()).unwrap().to_graph().unwrap();
    let exact: f64 = a[2].parse().unwrap();
    let ibound = a[3].parse().unwrap();
    let order = &a[4];
    let which = &a[5];
    let its: usize = a[6].parse().unwrap();
    let lr: f64 = a.get(7).map_or(0.03, |x| x.parse().unwrap());
    let forney = if a[1].contains("ising") && !order.starts_with("orig") {
        let (r, c) = Forney::grid_sides(&g).unwrap();
        Forney::of_grid(&g, r, c).unwrap()
    } else {
        Forney::new(&g, 3).unwrap()
    };
    let f = forney.graph();
    let mut rng = rand_pcg::Pcg64::seed_from_u64(1);
    let o = match order.as_str() {
        "paper" => Order::new(forney.lift(&paper_order(&g)), f).unwrap(),
        "minfill" => greedy(f, Heuristic::MinFill, None),
        "minfill-r" => greedy(f, Heuristic::MinFill, Some(&mut rng)),
        "minsize" => greedy(f, Heuristic::MinSize, None),
        "sweep" => sweep(f, None),
        _ => Order::new(f.variables().collect(), f).unwrap(),
    };
    let limit = CliqueLimit { ibound, entries: 1e7 };
    let s = Arc::new(Schedule::compile(f, &o, &mut MiniBuckets::new(limit, None)).unwrap());
    s.check(f).unwrap();
    println!("steps {} splits {} shifts {} entries {}", s.steps().len(), s.splits().len(), s.num_shifts(), s.demand().total_entries);
    if which == "theta" {
        let x0 = WmbeObjective::<Above>::start(&s);
        let t = Instant::now();
        let mut l = Lbfgs::new(WmbeObjective::<Above>::new(s.clone(), f), x0, 12);
        println!("start {:.4}", l.value() - exact);
        for &m in &[20, 50, 150, 500, 1500, 5000] {
            while l.evaluations() < m.min(its) {
                let v = l.value();
                if !(l.sweep() < v) { break; }
            }
            println!("theta-w {:5} {:.4} {:.3}s", l.evaluations(), l.value() - exact, t.elapsed().as_secs_f64());
        }
        return;
    }
    let keep = !which.contains("abs");
    let o = GaugeObjective::new(s.clone(), f, keep);
    let mut x0 = o.start();
    let ng = o.num_gauge_entries();
    let ns = s.num_shifts() ;
    let no_gauge = which.contains("nogauge");
    if let Ok(s) = std::env::var("SEED") {
        use rand::RngExt;
        let amp: f64 = std::env::var("AMP").map_or(0.1, |x| x.parse().unwrap());
        let mut r = rand_pcg::Pcg64::seed_from_u64(s.parse().unwrap());
        for x in &mut x0[..ng] { if std::env::var("HAD").is_err() {*x += amp * (2.0 * r.random::<f64>() - 1.0);} }
        if std::env::var("HAD").is_ok() { for m in x0[..ng].chunks_mut(4) { let h = 0.5f64.sqrt(); m.copy_from_slice(&[h, h, h, -h]); for x in m { *x += amp * (2.0 * r.random::<f64>() - 1.0); } } }
    }
    let no_shift = which.contains("noshift");
    let mut o2 = o.clone();
    let obj = move |x: &[f64], g: &mut [f64]| {
        let v = o2.evaluate(x, g);
        if no_shift { g[ng..ng + ns].fill(0.0); }
        if no_gauge { g[..ng].fill(0.0); }
        v
    };
    let t = Instant::now();
    if which.starts_with("tan") {
        let mut o = o.clone();
        let dims: Vec<usize> = { let mut d = vec![]; let mut at = 0; while at < ng { let c = if g.cards().iter().all(|&c| c == 2) { 2 } else { panic!() }; d.push(c); at += c * c; } d };
        let mut x = x0.clone();
        let n = x.len();
        let (mut m, mut v2, mut gr) = (vec![0.0; n], vec![0.0; n], vec![0.0; n]);
        let mut best = f64::INFINITY;
        let b1: f64 = std::env::var("B1").map_or(0.9, |x| x.parse().unwrap());
        let b2: f64 = std::env::var("B2").map_or(0.99, |x| x.parse().unwrap());
        for it in 1..=its {
            let v = o.evaluate(&x, &mut gr);
            best = best.min(v);
            // E = Mbar M^T
            let mut at = 0;
            for &c in &dims {
                let mb = gr[at..at + c * c].to_vec();
                for i in 0..c { for j in 0..c {
                    gr[at + i * c + j] = (0..c).map(|k| mb[i * c + k] * x[at + j * c + k]).sum();
                } }
                at += c * c;
            }
            let step = lr * 0.5 * (1.0 + (std::f64::consts::PI * it as f64 / its as f64).cos());
            let mut d = vec![0.0; n];
            for i in 0..n {
                m[i] = b1 * m[i] + (1.0 - b1) * gr[i];
                v2[i] = b2 * v2[i] + (1.0 - b2) * gr[i] * gr[i];
                d[i] = -step * m[i] / (1.0 - b1.powi(it as i32)) / ((v2[i] / (1.0 - b2.powi(it as i32))).sqrt() + 1e-12);
            }
            let mut at = 0;
            for &c in &dims {
                let xm = x[at..at + c * c].to_vec();
                for i in 0..c { for j in 0..c {
                    x[at + i * c + j] += (0..c).map(|k| d[at + i * c + k] * xm[k * c + j]).sum::<f64>();
                } }
                at += c * c;
            }
            for i in ng..n { x[i] += d[i]; }
            if [20, 50, 150, 500, 1500, 5000, 15000].contains(&it) { println!("tan {it} {:.4} {:.3}s", best - exact, t.elapsed().as_secs_f64()); }
        }
        return;
    }
    if which.starts_with("lbfgs") {
        let mut l = Lbfgs::new(obj, x0, 20);
        println!("start {:.4}", l.value() - exact);
        for &m in &[20, 50, 150, 500, 1500, 5000] {
            while l.evaluations() < m.min(its) {
                let v = l.value();
                if !(l.sweep() < v) { break; }
            }
            println!("lbfgs {:5} {:.4} {:.3}s", l.evaluations(), l.value() - exact, t.elapsed().as_secs_f64());
        }
        return;
    }
    if which.contains("cycle") {
        let first: usize = std::env::var("CYCLE").map_or(150, |x| x.parse().unwrap());
        let growth: f64 = std::env::var("GROWTH").map_or(2.0, |x| x.parse().unwrap());
        let lr2: f64 = std::env::var("LR2").map_or(lr, |x| x.parse().unwrap());
        let mut ad = Adam::new(obj, x0, lr, first);
        let mut len = first;
        let mut end = 0;
        while ad.evaluations() < its {
            end += len;
            while ad.evaluations() < end { ad.sweep(); }
            println!("cycle {:5} {:.4} {:.3}s", ad.evaluations(), ad.value() - exact, t.elapsed().as_secs_f64());
            len = (len as f64 * growth) as usize;
            ad.restart(lr2, len);
        }
        println!();
        return;
    }
    let mut ad = Adam::new(obj, x0, lr, its);
    for &m in &[1, 20, 50, 150, 500, 1500, 5000, 15000] {
        while ad.evaluations() < m && ad.evaluations() < its { ad.sweep(); }
        if m <= its { println!("adam {:5} {:.4} {:.3}s", ad.evaluations(), ad.value() - exact, t.elapsed().as_secs_f64()); }
    }
    println!("{:.1} us/it", t.elapsed().as_secs_f64() * 1e6 / its as f64);
}
