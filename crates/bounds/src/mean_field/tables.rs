//! The model laid out flat for mean field, and expectations of its tables.

use std::ops::Range;

use forney_certify::DoubleDouble;
use forney_model::walk::{contract, joint};
use forney_model::{FactorGraph, VarId};

/// All tables in one array, with the places where each variable meets them.
#[derive(Debug)]
pub(super) struct Tables {
    /// Place of the first state of each variable in a flat `q`; at the end, the number of states.
    first: Vec<usize>,
    /// The scales of all factors, and `Σ ln f` of those without variables.
    pub(super) constant: DoubleDouble,
    pub(super) factors: Vec<Factor>,
    axes: Vec<Axis>,
    /// `ln (f / max f)`, with 0 in place of `−∞`.
    ln: Vec<f64>,
    /// 1 where `ln f = −∞` and 0 elsewhere, for the factors that hold zeros.
    forbidden: Vec<f64>,
    /// Indices of `axes`, grouped by variable.
    uses: Vec<usize>,
    /// The group of each variable in `uses`.
    groups: Vec<Range<usize>>,
}

#[derive(Debug)]
pub(super) struct Factor {
    pub(super) axes: Range<usize>,
    ln: Range<usize>,
    /// Empty if no entry is zero.
    forbidden: Range<usize>,
}

/// One variable of a scope.
#[derive(Debug)]
struct Axis {
    factor: usize,
    first: usize,
    card: usize,
}

/// Room for the joint probabilities of the variables before and after one axis.
#[derive(Clone, Debug)]
pub(super) struct Weights {
    before: Vec<f64>,
    after: Vec<f64>,
}

impl Tables {
    pub(super) fn new(graph: &FactorGraph) -> Self {
        let mut first = vec![0];
        for card in graph.cards() {
            first.push(first[first.len() - 1] + card);
        }
        let mut tables = Self {
            first,
            constant: graph.ln_scale(),
            factors: Vec::new(),
            axes: Vec::new(),
            ln: Vec::new(),
            forbidden: Vec::new(),
            uses: Vec::new(),
            groups: Vec::new(),
        };
        let mut uses = vec![Vec::new(); graph.num_variables()];
        for table in graph.factors() {
            if table.scope().is_empty() {
                tables.constant += table.relative()[0];
                continue;
            }
            let (axes, ln) = (tables.axes.len(), tables.ln.len());
            let forbidden = tables.forbidden.len();
            for (&v, &card) in table.scope().iter().zip(table.cards()) {
                uses[v.index()].push(tables.axes.len());
                tables.axes.push(Axis {
                    factor: tables.factors.len(),
                    first: tables.first[v.index()],
                    card,
                });
            }
            let is_zero = |&ln: &f64| ln == f64::NEG_INFINITY;
            let finite = |ln: &f64| if is_zero(ln) { 0.0 } else { *ln };
            tables.ln.extend(table.relative().iter().map(finite));
            if table.relative().iter().any(is_zero) {
                let flags = table.relative().iter().map(|ln| f64::from(is_zero(ln)));
                tables.forbidden.extend(flags);
            }
            tables.factors.push(Factor {
                axes: axes..tables.axes.len(),
                ln: ln..tables.ln.len(),
                forbidden: forbidden..tables.forbidden.len(),
            });
        }
        for of_variable in uses {
            let begin = tables.uses.len();
            tables.uses.extend(of_variable);
            tables.groups.push(begin..tables.uses.len());
        }
        tables
    }

    /// Where the states of `v` lie in a flat `q`.
    pub(super) fn states(&self, v: VarId) -> Range<usize> {
        self.first[v.index()]..self.first[v.index() + 1]
    }

    pub(super) fn hold_zeros(&self) -> bool {
        !self.forbidden.is_empty()
    }

    pub(super) fn num_states(&self) -> usize {
        self.first[self.first.len() - 1]
    }

    pub(super) fn num_variables(&self) -> usize {
        self.groups.len()
    }

    pub(super) fn weights(&self) -> Weights {
        let largest = (self.factors.iter()).map(|factor| factor.ln.len()).max();
        let room = vec![0.0; largest.unwrap_or(0).max(1)];
        Weights {
            before: room.clone(),
            after: room,
        }
    }

    /// For each state of `v`, `Σ_a E_q[ln (f_a / max f_a) | x_v]` over the finite entries, and whether `q`
    /// gives any forbidden entry with that state a positive probability: `forbidden` counts
    /// such entries. `support` holds 1 where `q` is positive, 0 elsewhere.
    pub(super) fn expectations(
        &self,
        v: VarId,
        (q, support): (&[f64], &[f64]),
        weights: &mut Weights,
        (ln, forbidden): (&mut [f64], &mut [f64]),
    ) {
        ln.fill(0.0);
        forbidden.fill(0.0);
        for &axis in &self.uses[self.groups[v.index()].clone()] {
            let factor = &self.factors[self.axes[axis].factor];
            self.contract(axis, &self.ln[factor.ln.clone()], q, weights, ln);
            if !factor.forbidden.is_empty() {
                let flags = &self.forbidden[factor.forbidden.clone()];
                self.contract(axis, flags, support, weights, forbidden);
            }
        }
    }

    /// `E_q[ln (f / max f)]` of one factor; `−∞` if a forbidden entry has a positive probability.
    pub(super) fn expectation(
        &self,
        factor: &Factor,
        (q, support): (&[f64], &[f64]),
        weights: &mut Weights,
    ) -> f64 {
        let whole = factor.axes.end;
        let dot = |entries: &[f64], q: &[f64], weights: &mut Weights| {
            let joint = self.joint(factor.axes.start..whole, q, &mut weights.before);
            let sum: f64 = joint.iter().zip(entries).map(|(p, f)| p * f).sum();
            sum
        };
        let flags = &self.forbidden[factor.forbidden.clone()];
        if !flags.is_empty() && dot(flags, support, weights) > 0.0 {
            return f64::NEG_INFINITY;
        }
        dot(&self.ln[factor.ln.clone()], q, weights)
    }

    /// Adds `Σ_{a, b} p(a) p(b) f(a, x, b)` to `out[x]`.
    fn contract(
        &self,
        axis: usize,
        entries: &[f64],
        q: &[f64],
        weights: &mut Weights,
        out: &mut [f64],
    ) {
        let axes = self.factors[self.axes[axis].factor].axes.clone();
        let before = self.joint(axes.start..axis, q, &mut weights.before);
        let behind = self.joint(axis + 1..axes.end, q, &mut weights.after);
        contract(before, entries, behind, out);
    }

    /// `Π q` over the joint states of some axes of one scope, last one fastest.
    fn joint<'w>(&self, axes: Range<usize>, q: &[f64], room: &'w mut [f64]) -> &'w [f64] {
        let part = |axis: &Axis| &q[axis.first..axis.first + axis.card];
        joint(self.axes[axes].iter().map(part), room)
    }
}
