//! Elimination of long chains whose scales cancel, against sums to twice the digits of a float.

use forney_certify::DoubleDouble;
use forney_exact::{
    Engine, Heuristic, Keep, Order, Schedule, Whole, greedy, ln_z, marginals, most_probable,
};
use forney_model::enumerate::enumerate;
use forney_model::{FactorGraph, Table, VarId};
use forney_testing::rng;
use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64;

/// The tables of a chain, each over two neighbours, as plain numbers.
struct Chain {
    cards: Vec<usize>,
    tables: Vec<Vec<f64>>,
}

impl Chain {
    /// Binary variables; tables of the order of `10^299`, and then as many of the order of `10^-301`.
    fn cancelling(pairs: usize) -> Self {
        let [large, small] = [
            vec![2.5e299, 7.5e299, 5e299, 5e299],
            vec![2.5e-301, 7.5e-301, 5e-301, 5e-301],
        ];
        Self {
            cards: vec![2; 2 * pairs + 1],
            tables: [vec![large; pairs], vec![small; pairs]].concat(),
        }
    }

    /// Mixed cardinalities, hard zeros and a random power of ten for each table; the powers of a
    /// table and the next but one cancel. Entries of one table span `10^span`.
    fn random(len: usize, span: f64, seed: u64) -> Self {
        let mut rng = Pcg64::seed_from_u64(seed);
        let cards: Vec<usize> = (0..=len).map(|_| rng.random_range(1..4)).collect();
        let mut powers = [0.0, 0.0];
        let tables = (0..len).map(|at| {
            let power = match at % 4 {
                0 | 1 => (2.0 * rng.random::<f64>() - 1.0) * (300.0 - span),
                _ => -powers[at % 2],
            };
            powers[at % 2] = power;
            let entry = |number: usize| {
                let digits = 10f64.powf(power - span * rng.random::<f64>());
                if number > 0 && rng.random::<f64>() < 0.1 {
                    0.0
                } else {
                    digits
                }
            };
            (0..cards[at] * cards[at + 1]).map(entry).collect()
        });
        Self {
            tables: tables.collect(),
            cards,
        }
    }

    fn graph(&self) -> FactorGraph {
        let table = |(at, values): (usize, &Vec<f64>)| {
            let scope = vec![VarId::new(at), VarId::new(at + 1)];
            Table::from_values(scope, self.cards[at..at + 2].to_vec(), values).unwrap()
        };
        let tables = self.tables.iter().enumerate().map(table);
        FactorGraph::new(self.cards.clone(), tables.collect()).unwrap()
    }

    /// `ln Z` of the floats as they are: vector times matrix to twice the digits.
    fn ln_z(&self) -> f64 {
        let mut vector = vec![DoubleDouble::from(1.0); self.cards[0]];
        let mut scale = DoubleDouble::ZERO;
        for (values, &card) in self.tables.iter().zip(&self.cards[1..]) {
            // A power of two brings the entries near 1 without rounding.
            let power = values.iter().copied().fold(0.0, f64::max).log2().floor() as i32;
            let near = 2f64.powi(-power);
            let mut next = vec![DoubleDouble::ZERO; card];
            for (x, row) in vector.iter().zip(values.chunks_exact(card)) {
                for (sum, value) in next.iter_mut().zip(row) {
                    *sum += *x * (value * near);
                }
            }
            let most = next.iter().map(|x| x.value()).fold(0.0, f64::max);
            for x in &mut next {
                *x = *x / DoubleDouble::from(most);
            }
            scale += DoubleDouble::ln(most) + DoubleDouble::ln(2.0) * f64::from(power);
            vector = next;
        }
        let sum = vector.into_iter().fold(DoubleDouble::ZERO, |a, b| a + b);
        (scale + DoubleDouble::ln(sum.value())).value()
    }

    /// `Σ ln f` along an assignment.
    fn ln_value(&self, states: &[usize]) -> f64 {
        let entries = self.tables.iter().enumerate().map(|(at, values)| {
            DoubleDouble::ln(values[states[at] * self.cards[at + 1] + states[at + 1]])
        });
        entries.sum::<DoubleDouble>().value()
    }
}

#[track_caller]
fn check(chain: &Chain, what: &str) {
    let graph = chain.graph();
    let expected = chain.ln_z();
    assert!(expected.is_finite(), "{what}");
    let close = |found: f64, expected: f64| (found - expected).abs() <= 1e-10;
    // From one end to the other, and both halves towards the middle.
    let mut halves: Vec<VarId> = graph.variables().collect();
    let middle = halves.len() / 2;
    halves[middle..].reverse();
    for vars in [graph.variables().collect(), halves] {
        let order = Order::new(vars, &graph).unwrap();
        let found = ln_z(&graph, &order, 1e9).unwrap();
        assert!(close(found, expected), "{what}: {found} for {expected}");
        let all = marginals(&graph, &order, 1e9).unwrap();
        assert!(close(all.ln_z, expected), "{what}: {}", all.ln_z);
        let relative = (graph.ln_scale() + all.ln_relative).value();
        assert!(close(relative, expected), "{what}: {relative}");
        let best = most_probable(&graph, &order, 1e9).unwrap();
        let value = chain.ln_value(&best.states);
        assert!(close(best.ln_value, value), "{what}: {}", best.ln_value);
        let schedule = Schedule::compile(&graph, &order, &mut Whole).unwrap();
        let most = Engine::new(schedule.into(), &graph, Keep::Live).forward_max();
        assert!(close(most, value), "{what}: {most} for {value}");
    }
}

#[test]
fn scales_that_cancel_leave_all_digits() {
    for pairs in [150, 10_000] {
        let chain = Chain::cancelling(pairs);
        // The floats are not quite the decimals, whose sum is 2.
        assert!((chain.ln_z() - 2f64.ln()).abs() < 1e-11);
        check(&chain, &format!("{pairs} pairs"));
    }
}

#[test]
fn random_scales_leave_all_digits() {
    for seed in 0..10 {
        check(&Chain::random(2000, 1.0, seed), &format!("seed {seed}"));
    }
    check(&Chain::random(20_000, 1.0, 20), "seed 20");
}

#[test]
fn wide_tables_leave_all_digits() {
    // Sums of such a chain are done in logarithms.
    for seed in 0..10 {
        check(&Chain::random(2000, 140.0, seed), &format!("seed {seed}"));
    }
}

/// Strong couplings whose signs contradict each other: the largest entries of neighbouring tables do not meet, so plain
/// messages are far below 1 everywhere, and products of them with other tables must not vanish.
#[test]
fn frustrated_couplings_leave_something() {
    for seed in 0..400u64 {
        let mut rng = rng(seed);
        let (rows, columns) = (rng.random_range(2..5u32), rng.random_range(2..5u32));
        let strength: f64 = rng.random_range(20.0..145.0);
        let mut factors = Vec::new();
        for v in 0..rows * columns {
            let right = (v % columns + 1 < columns).then_some(v + 1);
            let down = (v + columns < rows * columns).then_some(v + columns);
            for u in [right, down].into_iter().flatten() {
                let j = if rng.random_bool(0.5) {
                    strength
                } else {
                    -strength
                };
                let ln = vec![j, -j, -j, j];
                let scope = vec![VarId(v), VarId(u)];
                factors.push(Table::from_ln(scope, vec![2, 2], ln).unwrap());
            }
        }
        let graph = FactorGraph::new(vec![2; (rows * columns) as usize], factors).unwrap();
        let expected = enumerate(&graph).ln_z;
        for heuristic in Heuristic::ALL {
            let order = greedy(&graph, heuristic, None);
            let found = ln_z(&graph, &order, f64::INFINITY).unwrap();
            let off = (found - expected).abs();
            assert!(
                off <= 1e-9 * expected.abs(),
                "{seed}: {found} for {expected}"
            );
        }
    }
}
