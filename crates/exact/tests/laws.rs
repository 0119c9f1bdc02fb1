//! Laws of exact elimination and of split schedules, against enumeration on random models.

use forney_exact::{
    Bucket, Engine, Heuristic, Keep, Order, Schedule, SplitRule, Whole, greedy, ln_z, marginals,
    most_probable,
};
use forney_model::enumerate::enumerate;
use forney_model::{Domains, Evidence, FactorGraph, Table, VarId};
use forney_testing::{Family, assert_near, mixed, shuffled};
use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64;

const MODELS: u64 = 1000;

/// Small models of every awkward kind; every fifth has entries far beyond the range of a float.
fn model(seed: u64) -> FactorGraph {
    let family = Family {
        variables: 1..8,
        factors: 0..10,
        zeros: &[0.0, 0.1, 0.5],
        spread: if seed.is_multiple_of(5) { 2000.0 } else { 2.0 },
        ..Family::SPARSE
    };
    family.at(seed)
}

fn random_order(graph: &FactorGraph, rng: &mut Pcg64) -> Order {
    Order::new(shuffled(graph, rng), graph).unwrap()
}

#[test]
fn elimination_agrees_with_enumeration() {
    for seed in 0..MODELS {
        let graph = model(seed);
        let mut rng = Pcg64::seed_from_u64(seed);
        let oracle = enumerate(&graph);
        for order in [
            greedy(&graph, Heuristic::MinFill, None),
            random_order(&graph, &mut rng),
        ] {
            let what = format!("seed {seed}");
            assert_near(
                ln_z(&graph, &order, f64::INFINITY).unwrap(),
                oracle.ln_z,
                &what,
            );

            let best = most_probable(&graph, &order, f64::INFINITY).unwrap();
            assert_near(best.ln_value, oracle.ln_max, &what);

            let found = marginals(&graph, &order, f64::INFINITY).unwrap();
            assert_near(found.ln_z, oracle.ln_z, &what);
            for (found, expected) in found.variables.iter().zip(&oracle.marginals) {
                for (p, q) in found.iter().zip(expected) {
                    assert!((p - q).abs() < 1e-9, "{what}: {p} for {q}");
                }
            }
            for (table, joint) in graph.factors().iter().zip(&found.factors) {
                check_joint(&found.variables, table, joint, &what);
            }
        }
    }
}

/// The joint of a factor sums to the marginals of its variables and vanishes on hard zeros.
fn check_joint(variables: &[Vec<f64>], table: &Table, joint: &[f64], what: &str) {
    let mut sums: Vec<Vec<f64>> = table.cards().iter().map(|&card| vec![0.0; card]).collect();
    let mut at = 0;
    forney_model::enumerate::for_each_assignment(table.cards(), |states| {
        for (sum, &state) in sums.iter_mut().zip(states) {
            sum[state] += joint[at];
        }
        if table.relative()[at] == f64::NEG_INFINITY {
            assert!(
                joint[at] <= 0.0,
                "{what}: a forbidden entry has probability {}",
                joint[at]
            );
        }
        at += 1;
    });
    for (sum, v) in sums.iter().zip(table.scope()) {
        for (p, q) in sum.iter().zip(&variables[v.index()]) {
            assert!((p - q).abs() < 1e-9, "{what}: {p} for {q}");
        }
    }
}

#[test]
fn evidence_is_clamping_is_an_indicator() {
    let mut possible = 0;
    for seed in 0..MODELS {
        let graph = model(seed);
        let mut rng = Pcg64::seed_from_u64(seed ^ 0xe71d);
        let mut evidence = Evidence::default();
        let mut factors = graph.factors().to_vec();
        for v in graph.variables() {
            if rng.random::<f64>() < 0.4 {
                let (card, state) = (graph.card(v), rng.random_range(0..graph.card(v)));
                evidence.observe(v, state).unwrap();
                let mut indicator = vec![f64::NEG_INFINITY; card];
                indicator[state] = 0.0;
                factors.push(Table::from_ln(vec![v], vec![card], indicator).unwrap());
            }
        }
        let multiplied = FactorGraph::new(graph.cards().to_vec(), factors).unwrap();
        let clamped = Domains::observed(&graph, &evidence)
            .unwrap()
            .restrict(&graph);
        let expected = enumerate(&multiplied);
        let what = format!("seed {seed}");
        for model in [&multiplied, clamped.graph()] {
            let order = greedy(model, Heuristic::MinFill, None);
            let value = ln_z(model, &order, f64::INFINITY).unwrap();
            assert_near(value, expected.ln_z, &what);
        }
        let order = greedy(clamped.graph(), Heuristic::MinFill, None);
        let found = marginals(clamped.graph(), &order, f64::INFINITY).unwrap();
        for (p, q) in clamped
            .lift_marginals(&found.variables)
            .iter()
            .zip(&expected.marginals)
        {
            for (p, q) in p.iter().zip(q) {
                assert!((p - q).abs() < 1e-9, "{what}: {p} for {q}");
            }
        }
        possible += usize::from(expected.ln_z.is_finite());
    }
    assert!(possible > 300, "only {possible} models were possible");
}

/// Splits every bucket at random.
struct RandomSplit(Pcg64);

impl SplitRule for RandomSplit {
    fn split(&mut self, bucket: &Bucket<'_>) -> Vec<Vec<usize>> {
        let most = self.0.random_range(1..4usize);
        let mut groups = vec![Vec::new(); most];
        for table in 0..bucket.scopes.len() {
            groups[self.0.random_range(0..most)].push(table);
        }
        groups.retain(|group| !group.is_empty());
        groups
    }
}

fn split_engine(graph: &FactorGraph, rng: &mut Pcg64) -> Engine {
    let order = random_order(graph, rng);
    let mut rule = RandomSplit(Pcg64::seed_from_u64(rng.random()));
    let schedule = Schedule::compile(graph, &order, &mut rule).unwrap();
    Engine::new(schedule.into(), graph, Keep::All)
}

/// Weights of each split: positive ones that sum to 1, or one positive and the others negative.
fn random_weights(schedule: &Schedule, upper: bool, rng: &mut Pcg64) -> Vec<f64> {
    let mut weights = vec![0.0; schedule.num_weights()];
    for split in schedule.splits() {
        let part = &mut weights[split.first_weight..split.first_weight + split.steps.len()];
        for w in part.iter_mut() {
            *w = rng.random::<f64>() + 0.05;
        }
        if upper {
            let sum: f64 = part.iter().sum();
            part.iter_mut().for_each(|w| *w /= sum);
        } else {
            let positive = rng.random_range(0..part.len());
            part.iter_mut().for_each(|w| *w = -*w);
            part[positive] = 0.0;
            part[positive] = 1.0 - part.iter().sum::<f64>();
        }
    }
    weights
}

#[test]
fn holder_weights_bound_from_above_and_reverse_ones_from_below() {
    for seed in 0..MODELS {
        let graph = mixed(seed);
        let mut rng = Pcg64::seed_from_u64(seed ^ 0xb0b);
        let exact = enumerate(&graph).ln_z;
        let mut engine = split_engine(&graph, &mut rng);
        let schedule = engine.schedule().clone();
        let shifts: Vec<f64> = (0..schedule.num_shifts())
            .map(|_| 2.0 * rng.random::<f64>() - 1.0)
            .collect();
        let slack = if exact.is_finite() {
            1e-9 * exact.abs().max(1.0)
        } else {
            0.0
        };
        let upper = engine.forward(&random_weights(&schedule, true, &mut rng), &shifts);
        assert!(
            upper >= exact - slack,
            "seed {seed}: upper {upper} below {exact}"
        );
        let lower = engine.forward(&random_weights(&schedule, false, &mut rng), &shifts);
        assert!(
            lower <= exact + slack,
            "seed {seed}: lower {lower} above {exact}"
        );
        assert!(!upper.is_nan() && !lower.is_nan());
    }
}

#[test]
fn a_zero_weight_is_the_limit_of_small_ones() {
    let mut compared = 0;
    for seed in 0..200 {
        let graph = mixed(seed);
        let mut rng = Pcg64::seed_from_u64(seed);
        let mut engine = split_engine(&graph, &mut rng);
        let schedule = engine.schedule().clone();
        let shifts = vec![0.0; schedule.num_shifts()];
        let (mut max, mut near) = (
            vec![0.0; schedule.num_weights()],
            vec![0.0; schedule.num_weights()],
        );
        for split in schedule.splits() {
            max[split.first_weight] = 1.0;
            let others = split.steps.len() as f64 - 1.0;
            near[split.first_weight..split.first_weight + split.steps.len()].fill(1e-12);
            near[split.first_weight] = 1.0 - 1e-12 * others;
        }
        assert_near(
            engine.forward(&max, &shifts),
            engine.forward(&near, &shifts),
            "mini-bucket maximum",
        );
        compared += usize::from(!schedule.is_exact());
    }
    assert!(compared > 50);
}

#[test]
fn gradients_agree_with_finite_differences() {
    let mut checked = 0;
    for seed in 0..200 {
        let graph = mixed(seed);
        let mut rng = Pcg64::seed_from_u64(seed ^ 0x9e7);
        let mut engine = split_engine(&graph, &mut rng);
        let schedule = engine.schedule().clone();
        let mut shifts: Vec<f64> = (0..schedule.num_shifts())
            .map(|_| 2.0 * rng.random::<f64>() - 1.0)
            .collect();
        let mut weights = random_weights(&schedule, seed % 2 == 0, &mut rng);
        let value = engine.forward(&weights, &shifts);
        let mut d_weights = vec![f64::NAN; weights.len()];
        let mut d_shifts = vec![f64::NAN; shifts.len()];
        engine.backward(&weights, &shifts, false, &mut d_weights, &mut d_shifts);
        assert!(
            d_weights.iter().chain(&d_shifts).all(|g| g.is_finite()),
            "seed {seed}"
        );
        // Differences of values that far away have lost their digits.
        if value == f64::NEG_INFINITY || seed.is_multiple_of(7) {
            continue;
        }
        let step = 1e-5;
        for at in 0..weights.len() + shifts.len() {
            let (gradient, here) = match at.checked_sub(weights.len()) {
                None => (d_weights[at], weights[at]),
                Some(at) => (d_shifts[at], shifts[at]),
            };
            let mut difference = 0.0;
            for sign in [1.0, -1.0] {
                match at.checked_sub(weights.len()) {
                    None => weights[at] = here + sign * step,
                    Some(at) => shifts[at] = here + sign * step,
                }
                difference += sign * engine.forward(&weights, &shifts) / (2.0 * step);
            }
            match at.checked_sub(weights.len()) {
                None => weights[at] = here,
                Some(at) => shifts[at] = here,
            }
            let scale = gradient.abs().max(1.0);
            assert!(
                (gradient - difference).abs() < 2e-5 * scale,
                "seed {seed}, parameter {at}: {gradient} for {difference}"
            );
            checked += 1;
        }
    }
    assert!(checked > 1000, "only {checked} derivatives were compared");
}

#[test]
fn the_same_numbers_for_any_number_of_threads() {
    let graph = forney_model::generate::ising_grid(14, 1.0, 0.1, &mut Pcg64::seed_from_u64(3));
    let order = Order::new(graph.variables().collect(), &graph).unwrap();
    let run = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .unwrap();
        pool.install(|| {
            let value = ln_z(&graph, &order, f64::INFINITY).unwrap();
            (
                value.to_bits(),
                marginals(&graph, &order, f64::INFINITY).unwrap(),
            )
        })
    };
    assert_eq!(run(1), run(4));
}

#[test]
fn what_does_not_fit_is_refused_with_its_width() {
    let graph = forney_model::generate::ising_grid(20, 1.0, 0.1, &mut Pcg64::seed_from_u64(3));
    let order = Order::new(graph.variables().collect(), &graph).unwrap();
    let refused = ln_z(&graph, &order, 1e6).unwrap_err();
    assert_eq!(refused.width, 20);
    assert!(refused.to_string().contains("width 20"), "{refused}");
    // A clique of a thousand variables overflows any count of entries.
    let scope: Vec<Vec<VarId>> = (1..1000).map(|v| vec![VarId(0), VarId(v)]).collect();
    let factors = scope
        .into_iter()
        .map(|s| Table::from_ln(s, vec![9, 9], vec![0.0; 81]).unwrap());
    let star = FactorGraph::new(vec![9; 1000], factors.collect()).unwrap();
    let hub_first = Order::new(star.variables().collect(), &star).unwrap();
    assert!(ln_z(&star, &hub_first, f64::INFINITY).is_err());
    let hub_last = Order::new(star.variables().rev().collect(), &star).unwrap();
    assert_near(
        ln_z(&star, &hub_last, 1e9).unwrap(),
        1000.0 * 9f64.ln(),
        "a star",
    );
}

#[test]
fn extreme_entries_neither_under_nor_overflow() {
    for value in [1e-300, 1e300] {
        let pairs = (1..600).map(|v| {
            let scope = vec![VarId(v - 1), VarId(v)];
            Table::from_values(scope, vec![2, 2], &[value; 4]).unwrap()
        });
        let chain = FactorGraph::new(vec![2; 600], pairs.collect()).unwrap();
        let order = greedy(&chain, Heuristic::MinFill, None);
        let expected = 600.0 * 2f64.ln() + 599.0 * f64::ln(value);
        assert_near(
            ln_z(&chain, &order, f64::INFINITY).unwrap(),
            expected,
            "a chain",
        );
        let schedule = Schedule::compile(&chain, &order, &mut Whole).unwrap();
        assert_eq!(schedule.demand().width, 1);
    }
}
