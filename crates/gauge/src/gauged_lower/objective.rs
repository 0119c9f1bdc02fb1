//! The evidence lower bound of a gauged model as a function of gauges and distribution.
//!
//! ```text
//! ELBO(G, q) = Σ_a E_q[ln f_{a,G}] + H(q) + μ Σ_a mean_x ln f_{a,G}(x)
//! ```
//!
//! The last term is the barrier that keeps the entries positive; the mean runs over the entries that
//! are not zero under every gauge. Neither term changes with the scale of a row of a gauge.

use forney_bounds::MeanField;
use forney_certify::{DoubleDouble, Objective};
use forney_exact::vmath;
use forney_model::{FactorGraph, Table, VarId};

use super::product::{dot, product, slope};
use super::start::{Gaugeable, moving};
use super::witness::GaugedMeanField;
use crate::gauges::plain;
use crate::moving::{Leg, MovingGauges};
use crate::{GaugeError, Gauges, axis};

/// `−ELBO(G, q)`, to be minimised.
///
/// The parameters lie one behind the other: the gauges (row by row), then, unless `q` is fixed, one
/// logit for each state, `q_v ∝ exp(logit)` on the support.
#[derive(Clone, Debug)]
pub(super) struct GaugedElbo {
    /// Scales of the tables.
    constant: DoubleDouble,
    factors: Vec<Factor>,
    gauges: MovingGauges,
    /// Place of the first state of each variable.
    first: Vec<usize>,
    q: Vec<f64>,
    d_q: Vec<f64>,
    /// `−∞` where `q = 0`; `None` if `q` is fixed.
    support: Option<Vec<f64>>,
    barrier: f64,
    work: Work,
}

#[derive(Clone, Debug)]
struct Factor {
    /// First state and cardinality of each variable of the scope.
    axes: Vec<(usize, usize)>,
    /// Plain numbers with largest entry 1; empty without legs.
    base: Vec<f64>,
    legs: Vec<Leg>,
    /// `ln f` of the gauged table, relative to the scale of the plain one; 0 where the entry is zero under every gauge.
    ln: Vec<f64>,
    /// The entries that are zero under every gauge.
    zeros: Vec<usize>,
}

/// Room for one factor.
#[derive(Clone, Debug, Default)]
struct Work {
    values: Vec<f64>,
    other: Vec<f64>,
    /// `Π q` over the scope, then `∂ELBO/∂f`.
    joint: Vec<f64>,
    rooms: [Vec<f64>; 2],
}

impl GaugedElbo {
    /// Loads the model; `q` moves on its support, or is fixed.
    pub(super) fn new(
        graph: &FactorGraph,
        gaugeable: &[Gaugeable],
        q: &MeanField,
        fixed: bool,
    ) -> Self {
        let (gauges, legs) = moving(graph, gaugeable);
        let mut first = vec![0];
        for card in graph.cards() {
            first.push(first[first.len() - 1] + card);
        }
        let place = |v: &VarId| (first[v.index()], graph.card(*v));
        let factor = |(table, legs): (&Table, Vec<Leg>)| {
            let mut factor = Factor {
                axes: table.scope().iter().map(place).collect(),
                base: match legs[..] {
                    [] => Vec::new(),
                    _ => plain(table),
                },
                ln: table.relative().to_vec(),
                zeros: zeros(table, &legs),
                legs,
            };
            for &zero in &factor.zeros {
                factor.ln[zero] = 0.0;
            }
            factor
        };
        let factors: Vec<Factor> = graph.factors().iter().zip(legs).map(factor).collect();
        let flat: Vec<f64> = q.q.iter().flatten().copied().collect();
        let support = |&p: &f64| if p > 0.0 { 0.0 } else { f64::NEG_INFINITY };
        let largest = factors.iter().map(|f| f.ln.len()).max().unwrap_or(0).max(1);
        let room = vec![0.0; largest];
        Self {
            constant: graph.ln_scale(),
            factors,
            gauges,
            first,
            d_q: vec![0.0; flat.len()],
            support: (!fixed).then(|| flat.iter().map(support).collect()),
            q: flat,
            barrier: 0.0,
            work: Work {
                values: room.clone(),
                other: room.clone(),
                joint: room.clone(),
                rooms: [room.clone(), room],
            },
        }
    }

    /// Sets the weight `μ` of the barrier.
    pub(super) fn with_barrier(mut self, barrier: f64) -> Self {
        self.barrier = barrier;
        self
    }

    /// The parameters of these gauges and the distribution that was loaded.
    pub(super) fn start(&self, gauges: &Gauges) -> Vec<f64> {
        let mut x = self.gauges.parameters(Some(gauges));
        if self.support.is_some() {
            let logits = self.q.iter().map(|&p| if p > 0.0 { p.ln() } else { 0.0 });
            x.extend(logits);
        }
        x
    }

    /// The witness at these parameters.
    pub(super) fn witness(
        &mut self,
        x: &[f64],
        graph: &FactorGraph,
    ) -> Result<GaugedMeanField, GaugeError> {
        self.set_q(x);
        let states = |v: VarId| self.q[self.first[v.index()]..self.first[v.index() + 1]].to_vec();
        Ok(GaugedMeanField {
            gauges: self.gauges.gauges(x, graph)?,
            q: MeanField {
                q: graph.variables().map(states).collect(),
            },
        })
    }

    /// Scales the rows of each gauge so that they are as long as those of its inverse transpose;
    /// the bound stays.
    pub(super) fn balance(&mut self, x: &mut [f64]) {
        self.gauges.balance(x);
    }

    fn set_q(&mut self, x: &[f64]) {
        let Some(support) = &self.support else {
            return;
        };
        let logits = &x[self.gauges.len()..];
        for ((q, logit), support) in self.q.iter_mut().zip(logits).zip(support) {
            *q = logit + support;
        }
        for states in self.first.windows(2) {
            let q = &mut self.q[states[0]..states[1]];
            let most = q.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            q.iter_mut().for_each(|q| *q = (*q - most).exp());
            let sum: f64 = q.iter().sum();
            q.iter_mut().for_each(|q| *q /= sum);
        }
    }

    /// The value and the gradients in `tangents` and `d_q`; NaN outside of the domain.
    fn pass(&mut self, x: &[f64]) -> f64 {
        if !self.gauges.invert(x) {
            return f64::NAN;
        }
        self.d_q.fill(0.0);
        let mut value = self.constant;
        for factor in &mut self.factors {
            let len = factor.ln.len();
            let Work {
                values,
                other,
                joint,
                rooms,
            } = &mut self.work;
            let (values, other) = (&mut values[..len], &mut other[..len]);
            if !factor.legs.is_empty() {
                self.gauges
                    .transform(x, &factor.legs, &factor.base, values, other);
                for &zero in &factor.zeros {
                    values[zero] = 1.0;
                }
                // Written so that NaN is outside of the domain as well.
                if !values.iter().all(|&x| x > 0.0) {
                    return f64::NAN;
                }
                vmath::ln_slice(values, &mut factor.ln);
            }
            let joint = product(&factor.axes, &self.q, joint);
            if factor.zeros.iter().any(|&zero| joint[zero] > 0.0) {
                return f64::NAN;
            }
            value += dot(joint, &factor.ln);
            if self.support.is_some() {
                for (place, &(first, card)) in factor.axes.iter().enumerate() {
                    let d_q = &mut self.d_q[first..first + card];
                    slope(&factor.axes, place, &self.q, &factor.ln, rooms, d_q);
                }
            }
            if factor.legs.is_empty() {
                continue;
            }
            let positive = len - factor.zeros.len();
            let share = self.barrier / positive.max(1) as f64;
            value += share * factor.ln.iter().sum::<f64>();
            for (joint, value) in joint.iter_mut().zip(&*values) {
                *joint = (*joint + share) / value;
            }
            for &zero in &factor.zeros {
                (joint[zero], values[zero]) = (0.0, 0.0);
            }
            self.gauges.pull_back(&factor.legs, values, joint);
        }
        let positive = self.q.iter().filter(|&&p| p > 0.0);
        let entropy: DoubleDouble = positive.map(|p| -p * p.ln()).sum();
        (value + entropy).value()
    }
}

impl Objective for GaugedElbo {
    fn evaluate(&mut self, x: &[f64], gradient: &mut [f64]) -> f64 {
        self.set_q(x);
        let value = self.pass(x);
        if value.is_nan() {
            gradient.fill(f64::NAN);
            return value;
        }
        let (d_gauges, d_logits) = gradient.split_at_mut(self.gauges.len());
        self.gauges.gradient(d_gauges);
        if self.support.is_some() {
            for states in self.first.windows(2) {
                let states = states[0]..states[1];
                let (q, d_q) = (&self.q[states.clone()], &mut self.d_q[states.clone()]);
                for (d, &p) in d_q.iter_mut().zip(q) {
                    *d = if p > 0.0 { *d - p.ln() - 1.0 } else { 0.0 };
                }
                let mean = dot(q, d_q);
                for ((out, d), p) in d_logits[states].iter_mut().zip(d_q).zip(q) {
                    *out = p * (*d - mean);
                }
            }
        }
        gradient.iter_mut().for_each(|g| *g = -*g);
        -value
    }
}

/// The entries whose fibre over the gauged axes holds zeros alone.
fn zeros(table: &Table, legs: &[Leg]) -> Vec<usize> {
    let positive = |&ln: &f64| f64::from(ln > f64::NEG_INFINITY);
    let mut counts: Vec<f64> = table.relative().iter().map(positive).collect();
    let mut out = counts.clone();
    for leg in legs {
        let ones = vec![1.0; leg.card * leg.card];
        axis::apply(&counts, leg.card, leg.stride, &ones, &mut out);
        std::mem::swap(&mut counts, &mut out);
    }
    (0..counts.len()).filter(|&at| counts[at] <= 0.0).collect()
}

#[cfg(test)]
mod tests {
    use forney_model::Table;
    use forney_testing::{assert_gradient, ring};
    use rand::{RngExt, SeedableRng};
    use rand_pcg::Pcg64;

    use super::super::start::{gaugeable, lift};
    use super::*;

    /// A ring with chords over variables of one cardinality, one of them in a third factor, and
    /// with hard zeros in one table.
    fn model(card: usize, rng: &mut Pcg64) -> FactorGraph {
        let mut tables = ring(card, 2..3, rng).factors().to_vec();
        tables.push(Table::from_ln(vec![VarId(4)], vec![card], vec![0.5; card]).unwrap());
        FactorGraph::new(vec![card; 9], tables).unwrap()
    }

    #[test]
    fn gradients_agree_with_finite_differences() {
        for seed in 0..30 {
            let mut rng = Pcg64::seed_from_u64(seed);
            let graph = model(2 + seed as usize % 3, &mut rng);
            let gaugeable = gaugeable(&graph);
            assert_eq!(gaugeable.len(), 8);
            let q = MeanField::uniform(&graph);
            let fixed = seed % 4 == 3;
            let objective = GaugedElbo::new(&graph, &gaugeable, &q, fixed);
            let mut x = objective.start(&lift(&graph, &gaugeable, 0.2).unwrap());
            let gauges = objective.gauges.len();
            for (at, x) in x.iter_mut().enumerate() {
                // Small enough for every table to stay positive.
                let amplitude = if at < gauges { 1e-4 } else { 1.0 };
                *x += amplitude * (2.0 * rng.random::<f64>() - 1.0);
            }
            let mut objective = objective.with_barrier(0.1);
            let evaluate = |x: &[f64], gradient: &mut [f64]| objective.evaluate(x, gradient);
            let (all, what) = (0..x.len(), format!("seed {seed}"));
            assert_gradient(evaluate, x, all, (1e-7, 1e-4), &what);
        }
    }

    #[test]
    fn balanced_gauges_have_the_same_value() {
        let mut rng = Pcg64::seed_from_u64(1);
        let graph = model(3, &mut rng);
        let gaugeable = gaugeable(&graph);
        let q = MeanField::uniform(&graph);
        let mut objective = GaugedElbo::new(&graph, &gaugeable, &q, true).with_barrier(0.1);
        let mut x = objective.start(&lift(&graph, &gaugeable, 0.2).unwrap());
        // Rows of every gauge at scales between 1 and 9.
        for row in x.chunks_exact_mut(3) {
            let scale = rng.random_range(1.0..9.0);
            row.iter_mut().for_each(|x| *x *= scale);
        }
        let mut unused = vec![0.0; x.len()];
        let before = objective.evaluate(&x, &mut unused);
        let scaled = x.clone();
        objective.balance(&mut x);
        assert!(scaled.iter().zip(&x).any(|(a, b)| (a - b).abs() > 0.1));
        assert!((objective.evaluate(&x, &mut unused) - before).abs() < 1e-9);
    }
}
