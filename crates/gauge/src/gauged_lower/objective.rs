//! The evidence lower bound of a gauged model as a function of gauges and distribution.
//!
//! ```text
//! ELBO(G, q) = Σ_a E_q[ln f_{a,G}] + H(q) + μ Σ_a mean_x ln f_{a,G}(x)
//! ```
//!
//! The last term is the barrier that keeps the entries positive; the mean runs over the entries that
//! are not zero under every gauge. Neither term changes with the scale of a row of a gauge.

use std::ops::Range;

use forney_bounds::MeanField;
use forney_certify::{DoubleDouble, Objective};
use forney_exact::vmath;
use forney_model::{FactorGraph, FactorId, VarId};
use nalgebra::DMatrix;

use super::product::{dot, product, slope};
use super::start::Gaugeable;
use super::witness::GaugedMeanField;
use crate::{GaugeError, Gauges, MAX_CONDITION, axis};

/// `−ELBO(G, q)`, to be minimised.
///
/// The parameters lie one behind the other: the gauges (row by row), then, unless `q` is fixed, one
/// logit for each state, `q_v ∝ exp(logit)` on the support.
#[derive(Clone, Debug)]
pub(super) struct GaugedElbo {
    /// Scales of the tables.
    constant: DoubleDouble,
    factors: Vec<Factor>,
    slots: Vec<Slot>,
    /// `G_v^{-T}`, where `G_v` lies among the parameters.
    inverses: Vec<f64>,
    /// `∂ELBO/∂δ` for `G ← (I + δ) G`.
    tangents: Vec<f64>,
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

/// One gauged axis of a factor.
#[derive(Clone, Copy, Debug)]
struct Leg {
    slot: usize,
    stride: usize,
    /// Does `G^{-T}` act here, and not `G`?
    inverse: bool,
}

/// Where a gauge lies among the parameters.
#[derive(Clone, Debug)]
struct Slot {
    variable: VarId,
    card: usize,
    range: Range<usize>,
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
        let mut slots = Vec::with_capacity(gaugeable.len());
        let mut legs: Vec<Vec<Leg>> = vec![Vec::new(); graph.num_factors()];
        let mut end = 0;
        for (slot, gaugeable) in gaugeable.iter().enumerate() {
            let card = graph.card(gaugeable.variable);
            let range = end..end + card * card;
            end = range.end;
            for (a, inverse) in gaugeable.factors.into_iter().zip([false, true]) {
                let scope = graph.factors()[a.index()].scope();
                let after = scope.iter().skip_while(|&&u| u != gaugeable.variable);
                let stride = after.skip(1).map(|&u| graph.card(u)).product();
                legs[a.index()].push(Leg {
                    slot,
                    stride,
                    inverse,
                });
            }
            slots.push(Slot {
                variable: gaugeable.variable,
                card,
                range,
            });
        }
        let mut first = vec![0];
        for card in graph.cards() {
            first.push(first[first.len() - 1] + card);
        }
        let mut factors = Vec::with_capacity(graph.num_factors());
        for (a, legs) in legs.into_iter().enumerate() {
            let table = &graph.factors()[a];
            let place = |v: &VarId| (first[v.index()], graph.card(*v));
            let mut factor = Factor {
                axes: table.scope().iter().map(place).collect(),
                base: Vec::new(),
                ln: table.relative().to_vec(),
                zeros: Vec::new(),
                legs,
            };
            if !factor.legs.is_empty() {
                let identity = Gauges::identity(graph);
                factor.base = identity.transform_factor(FactorId::new(a), table).values;
            }
            factor.zeros = zeros(table.relative(), &factor.legs, &slots);
            for &zero in &factor.zeros {
                factor.ln[zero] = 0.0;
            }
            factors.push(factor);
        }
        let flat: Vec<f64> = q.q.iter().flatten().copied().collect();
        let support = |&p: &f64| if p > 0.0 { 0.0 } else { f64::NEG_INFINITY };
        let largest = factors.iter().map(|f| f.ln.len()).max().unwrap_or(0).max(1);
        let side = slots.iter().map(|s| s.card * s.card).max().unwrap_or(0);
        let room = vec![0.0; largest.max(side)];
        Self {
            constant: graph.ln_scale(),
            factors,
            inverses: vec![0.0; end],
            tangents: vec![0.0; end],
            slots,
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
        let mut x = vec![0.0; self.inverses.len()];
        for slot in &self.slots {
            let entries = &mut x[slot.range.clone()];
            if let Some(matrix) = gauges.first(slot.variable) {
                // nalgebra stores columns.
                entries.copy_from_slice(matrix.transpose().as_slice());
            } else {
                let diagonal = entries.iter_mut().step_by(slot.card + 1);
                diagonal.for_each(|x| *x = 1.0);
            }
        }
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
        let matrices = self.slots.iter().map(|slot| {
            let entries = &x[slot.range.clone()];
            let matrix = DMatrix::from_row_slice(slot.card, slot.card, entries);
            (slot.variable, matrix)
        });
        Ok(GaugedMeanField {
            gauges: Gauges::new(graph, matrices.collect())?,
            q: MeanField {
                q: graph.variables().map(states).collect(),
            },
        })
    }

    /// Scales the rows of each gauge so that they are as long as those of its inverse transpose;
    /// the bound stays.
    pub(super) fn balance(&mut self, x: &mut [f64]) {
        for slot in &self.slots {
            let matrix = &mut x[slot.range.clone()];
            let inverse = &mut self.inverses[slot.range.clone()];
            if axis::inverse_transpose(matrix, slot.card, &mut self.work.other, inverse) {
                axis::balance(matrix, inverse, slot.card);
            }
        }
    }

    fn set_q(&mut self, x: &[f64]) {
        let Some(support) = &self.support else {
            return;
        };
        let logits = &x[self.inverses.len()..];
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
        for slot in &self.slots {
            let matrix = &x[slot.range.clone()];
            let out = &mut self.inverses[slot.range.clone()];
            let inverted = axis::inverse_transpose(matrix, slot.card, &mut self.work.other, out);
            // ‖G‖ ‖G⁻¹‖ in Frobenius norms is at least the condition number. Written so that NaN
            // is outside of the domain as well.
            let squared = |entries: &[f64]| entries.iter().map(|x| x * x).sum::<f64>();
            if !(inverted && squared(matrix) * squared(out) <= MAX_CONDITION * MAX_CONDITION) {
                return f64::NAN;
            }
        }
        self.tangents.fill(0.0);
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
                values.copy_from_slice(&factor.base);
                for leg in &factor.legs {
                    let slot = &self.slots[leg.slot];
                    let matrix = if leg.inverse { &self.inverses } else { x };
                    axis::apply(
                        values,
                        slot.card,
                        leg.stride,
                        &matrix[slot.range.clone()],
                        other,
                    );
                    values.swap_with_slice(other);
                }
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
            for leg in &factor.legs {
                let slot = &self.slots[leg.slot];
                let tangent = &mut self.tangents[slot.range.clone()];
                if leg.inverse {
                    // −D_bᵀ: the roles of table and adjoint change places.
                    tangent.iter_mut().for_each(|x| *x = -*x);
                    axis::contract(values, joint, slot.card, leg.stride, tangent);
                    tangent.iter_mut().for_each(|x| *x = -*x);
                } else {
                    axis::contract(joint, values, slot.card, leg.stride, tangent);
                }
            }
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
        let (d_gauges, d_logits) = gradient.split_at_mut(self.inverses.len());
        // G changes by δG, so ∂/∂G = E G^{-T}.
        for slot in &self.slots {
            axis::product(
                &self.tangents[slot.range.clone()],
                &self.inverses[slot.range.clone()],
                slot.card,
                &mut d_gauges[slot.range.clone()],
            );
        }
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
fn zeros(ln: &[f64], legs: &[Leg], slots: &[Slot]) -> Vec<usize> {
    let mut positive: Vec<f64> = ln
        .iter()
        .map(|&ln| f64::from(ln > f64::NEG_INFINITY))
        .collect();
    let mut out = positive.clone();
    for leg in legs {
        let card = slots[leg.slot].card;
        axis::apply(
            &positive,
            card,
            leg.stride,
            &vec![1.0; card * card],
            &mut out,
        );
        std::mem::swap(&mut positive, &mut out);
    }
    let entries = positive.iter().enumerate();
    entries
        .filter(|(_, count)| **count <= 0.0)
        .map(|(at, _)| at)
        .collect()
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
            let gauges = objective.inverses.len();
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
