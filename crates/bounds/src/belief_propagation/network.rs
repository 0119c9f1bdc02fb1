//! The factor graph laid out flat for messages, and the kernels that compute them.
//!
//! Messages are logarithms, but products and sums over a table are plain: each message into a
//! factor is scaled to a largest entry of 1, and so is the table. Where a sum comes near underflow
//! it is computed again in logarithms.

use std::ops::Range;

use forney_certify::DoubleDouble;
use forney_exact::vmath;
use forney_model::FactorGraph;
use forney_model::walk::{contract, joint};

use crate::elbo::mean;
use crate::spanning::heaviest_forest;

/// Sums below this may have lost a summand to underflow.
const TINY: f64 = 1e-200;

/// Factors of several variables, with one place for each state of each of their variables.
#[derive(Clone, Debug)]
pub(crate) struct Network {
    /// Place of the first state of each variable; at the end, the number of states.
    first: Vec<usize>,
    /// `Σ ln (f / max f)` of the factors of one variable, for each state.
    pub(crate) potentials: Vec<f64>,
    /// The scales of all factors, and `Σ ln f` of those without variables.
    pub(crate) constant: DoubleDouble,
    pub(crate) factors: Vec<Factor>,
    pub(crate) axes: Vec<Axis>,
    pub(crate) ln: Vec<f64>,
    /// `exp(ln f / ρ − peak)`.
    table: Vec<f64>,
    /// Indices of `axes`, grouped by variable.
    uses: Vec<usize>,
    groups: Vec<Range<usize>>,
    num_messages: usize,
    largest: usize,
}

#[derive(Clone, Debug)]
pub(crate) struct Factor {
    /// Its number in the model.
    pub(crate) id: usize,
    pub(crate) axes: Range<usize>,
    pub(crate) entries: Range<usize>,
    /// `ρ`: messages belong to `f^{1/ρ}` and count `ρ` times.
    pub(crate) power: f64,
    peak: f64,
}

/// One variable of a scope: the entry with its state `x` lies at `(a · card + x) · after + b`.
#[derive(Clone, Debug)]
pub(crate) struct Axis {
    pub(crate) factor: usize,
    pub(crate) variable: usize,
    /// Place of the first state of the variable.
    pub(crate) first: usize,
    pub(crate) card: usize,
    after: usize,
    /// Place of the first entry of the message.
    pub(crate) at: usize,
}

impl Axis {
    pub(crate) fn message(&self) -> Range<usize> {
        self.at..self.at + self.card
    }

    pub(crate) fn states(&self) -> Range<usize> {
        self.first..self.first + self.card
    }
}

/// The messages from variables to factors, each with a largest entry of 1, and room to work.
#[derive(Clone, Debug)]
pub(crate) struct Cavities {
    pub(crate) ln: Vec<f64>,
    pub(crate) plain: Vec<f64>,
    /// The largest entry of each, before it was scaled.
    pub(crate) peaks: Vec<f64>,
    before: Vec<f64>,
    after: Vec<f64>,
}

impl Cavities {
    /// The message of one axis from its logarithms, by state; the plain one is left to the caller.
    pub(crate) fn set(&mut self, number: usize, axis: &Axis, ln: impl Fn(usize) -> f64) {
        let own = &mut self.ln[axis.message()];
        let mut peak = f64::NEG_INFINITY;
        for (x, own) in own.iter_mut().enumerate() {
            *own = ln(x);
            peak = peak.max(*own);
        }
        if peak == f64::NEG_INFINITY {
            peak = 0.0;
        }
        for ln in own {
            *ln -= peak;
        }
        self.peaks[number] = peak;
    }

    /// The plain message of one axis from its logarithms.
    pub(crate) fn expose(&mut self, axis: &Axis) {
        for entry in axis.message() {
            self.plain[entry] = self.ln[entry].exp();
        }
    }
}

impl Network {
    pub(crate) fn new(graph: &FactorGraph) -> Self {
        let mut first = vec![0];
        for card in graph.cards() {
            first.push(first[first.len() - 1] + card);
        }
        let mut network = Self {
            potentials: vec![0.0; first[first.len() - 1]],
            first,
            constant: graph.ln_scale(),
            factors: Vec::new(),
            axes: Vec::new(),
            ln: Vec::new(),
            table: Vec::new(),
            uses: Vec::new(),
            groups: Vec::new(),
            num_messages: 0,
            largest: 1,
        };
        let mut uses = vec![Vec::new(); graph.num_variables()];
        for (id, table) in graph.factors().iter().enumerate() {
            // An axis of one state changes no place in the table.
            let scope = table.scope().iter().filter(|&&v| graph.card(v) > 1);
            let scope: Vec<usize> = scope.map(|v| v.index()).collect();
            match scope[..] {
                [] => network.constant += table.relative()[0],
                [v] => {
                    let first = network.first[v];
                    let own = &mut network.potentials[first..first + table.num_entries()];
                    for (sum, ln) in own.iter_mut().zip(table.relative()) {
                        *sum += ln;
                    }
                }
                _ => {
                    let axes = network.axes.len();
                    let mut after = table.num_entries();
                    for &variable in &scope {
                        let card = graph.cards()[variable];
                        after /= card;
                        uses[variable].push(network.axes.len());
                        network.axes.push(Axis {
                            factor: network.factors.len(),
                            variable,
                            first: network.first[variable],
                            card,
                            after,
                            at: network.num_messages,
                        });
                        network.num_messages += card;
                    }
                    let entries = network.ln.len();
                    network.ln.extend(table.relative());
                    network.largest = network.largest.max(table.num_entries());
                    network.factors.push(Factor {
                        id,
                        axes: axes..network.axes.len(),
                        entries: entries..network.ln.len(),
                        power: 1.0,
                        peak: 0.0,
                    });
                }
            }
        }
        for of_variable in uses {
            let begin = network.uses.len();
            network.uses.extend(of_variable);
            network.groups.push(begin..network.uses.len());
        }
        network.table = network.ln.clone();
        let ones = vec![1.0; network.factors.len()];
        network.set_powers(&ones);
        network
    }

    /// Replaces `f` by `f^{1/ρ}`; no `ρ` is 0, and none is negative where `f` holds a zero.
    pub(crate) fn set_powers(&mut self, powers: &[f64]) {
        for (factor, &power) in self.factors.iter_mut().zip(powers) {
            let ln = &self.ln[factor.entries.clone()];
            let most = (ln.iter().map(|ln| ln / power)).fold(f64::NEG_INFINITY, f64::max);
            factor.power = power;
            factor.peak = if most.is_finite() { most } else { 0.0 };
            let table = &mut self.table[factor.entries.clone()];
            vmath::exp_scaled(ln, 1.0 / power, factor.peak * power, table);
        }
    }

    /// A spanning forest of some factors, the heaviest first.
    pub(crate) fn heaviest_forest(&self, among: Vec<usize>, weights: &[f64]) -> Vec<usize> {
        let scope = |factor: usize| {
            let axes = self.axes[self.factors[factor].axes.clone()].iter();
            axes.map(|axis| axis.variable)
        };
        heaviest_forest(self.num_variables(), among, weights, scope)
    }

    pub(crate) fn num_variables(&self) -> usize {
        self.groups.len()
    }

    pub(crate) fn num_messages(&self) -> usize {
        self.num_messages
    }

    /// Where the states of a variable lie.
    pub(crate) fn states(&self, variable: usize) -> Range<usize> {
        self.first[variable]..self.first[variable + 1]
    }

    /// The axes of a variable.
    pub(crate) fn uses(&self, variable: usize) -> &[usize] {
        &self.uses[self.groups[variable].clone()]
    }

    pub(crate) fn cavities(&self) -> Cavities {
        Cavities {
            ln: vec![0.0; self.num_messages],
            plain: vec![1.0; self.num_messages],
            peaks: vec![0.0; self.axes.len()],
            before: vec![0.0; self.largest],
            after: vec![0.0; self.largest],
        }
    }

    /// `λ_v = θ_v + Σ_a ρ_a μ_{a→v}` for every state.
    pub(crate) fn fields(&self, messages: &[f64], fields: &mut [f64]) {
        fields.copy_from_slice(&self.potentials);
        for axis in &self.axes {
            let power = self.factors[axis.factor].power;
            let message = &messages[axis.message()];
            for (field, message) in fields[axis.states()].iter_mut().zip(message) {
                *field += power * message;
            }
        }
    }

    /// `λ_v` of one variable.
    pub(crate) fn field(&self, variable: usize, messages: &[f64], fields: &mut [f64]) {
        let states = self.states(variable);
        let field = &mut fields[states.clone()];
        field.copy_from_slice(&self.potentials[states]);
        for &axis in self.uses(variable) {
            let axis = &self.axes[axis];
            let power = self.factors[axis.factor].power;
            for (field, message) in field.iter_mut().zip(&messages[axis.message()]) {
                *field += power * message;
            }
        }
    }

    /// The message from a variable to a factor, `λ_v − μ_{a→v}`, in logarithms.
    pub(crate) fn cavity(
        &self,
        axis: usize,
        fields: &[f64],
        messages: &[f64],
        cavities: &mut Cavities,
    ) {
        let a = &self.axes[axis];
        cavities.set(axis, a, |x| {
            let (field, own) = (fields[a.first + x], messages[a.at + x]);
            if own != f64::NEG_INFINITY {
                return field - own;
            }
            // −∞ − (−∞): what the other factors say has to be added up anew.
            let others = self.uses(a.variable).iter().filter(|&&other| other != axis);
            let sum: f64 = others
                .map(|&other| {
                    let other = &self.axes[other];
                    self.factors[other.factor].power * messages[other.at + x]
                })
                .sum();
            self.potentials[a.first + x] + sum
        });
    }

    /// All messages from variables to factors, plain as well, and the fields on the way.
    pub(crate) fn all_cavities(
        &self,
        messages: &[f64],
        fields: &mut [f64],
        cavities: &mut Cavities,
    ) {
        self.fields(messages, fields);
        for axis in 0..self.axes.len() {
            self.cavity(axis, fields, messages, cavities);
        }
        vmath::exp_slice(&cavities.ln, &mut cavities.plain);
    }

    /// `ln Σ_{x_a \ x_v} f^{1/ρ} Π_{u ≠ v} n_{u→a}` for every state of one axis.
    pub(crate) fn message(&self, axis: usize, cavities: &mut Cavities, out: &mut [f64]) {
        self.sums(axis, cavities, out);
        if out.iter().any(|&sum| sum < TINY) {
            self.ln_sums(axis, cavities, out);
        } else {
            for sum in &mut *out {
                *sum = sum.ln();
            }
        }
        self.add_peaks(axis, cavities, out);
    }

    /// All messages from factors to variables; `sums` is room of the same length.
    pub(crate) fn all_messages(&self, cavities: &mut Cavities, sums: &mut [f64], out: &mut [f64]) {
        for (number, axis) in self.axes.iter().enumerate() {
            self.sums(number, cavities, &mut sums[axis.message()]);
        }
        vmath::ln_slice(sums, out);
        for (number, axis) in self.axes.iter().enumerate() {
            let out = &mut out[axis.message()];
            if sums[axis.message()].iter().any(|&sum| sum < TINY) {
                self.ln_sums(number, cavities, out);
            }
            self.add_peaks(number, cavities, out);
        }
    }

    fn add_peaks(&self, axis: usize, cavities: &Cavities, out: &mut [f64]) {
        let factor = &self.factors[self.axes[axis].factor];
        let others = factor.axes.clone().filter(|&other| other != axis);
        let peak = factor.peak + others.map(|other| cavities.peaks[other]).sum::<f64>();
        for ln in out {
            *ln += peak;
        }
    }

    /// The sums of plain numbers, without peaks.
    fn sums(&self, axis: usize, cavities: &mut Cavities, out: &mut [f64]) {
        let Axis {
            factor,
            card,
            after,
            ..
        } = self.axes[axis];
        let Factor { axes, entries, .. } = &self.factors[factor];
        let table = &self.table[entries.clone()];
        let Cavities {
            plain,
            before: room_before,
            after: room_after,
            ..
        } = cavities;
        if axes.len() == 2 {
            if after == 1 {
                let other = &plain[self.axes[axes.start].message()];
                out.fill(0.0);
                for (p, row) in other.iter().zip(table.chunks_exact(card)) {
                    for (out, f) in out.iter_mut().zip(row) {
                        *out += p * f;
                    }
                }
            } else {
                let other = &plain[self.axes[axes.start + 1].message()];
                for (out, row) in out.iter_mut().zip(table.chunks_exact(after)) {
                    *out = row.iter().zip(other).map(|(f, p)| f * p).sum();
                }
            }
            return;
        }
        out.fill(0.0);
        let before = self.joint(axes.start..axis, plain, room_before);
        let behind = self.joint(axis + 1..axes.end, plain, room_after);
        contract(before, table, behind, out);
    }

    /// `Π n` over the joint states of some axes of one factor, last one fastest.
    fn joint<'w>(&self, axes: Range<usize>, plain: &[f64], room: &'w mut [f64]) -> &'w [f64] {
        let messages = self.axes[axes].iter().map(|axis| &plain[axis.message()]);
        joint(messages, room)
    }

    /// The same sums in logarithms, without peaks, where plain numbers would underflow.
    fn ln_sums(&self, axis: usize, cavities: &Cavities, out: &mut [f64]) {
        let own = &self.axes[axis];
        let factor = &self.factors[own.factor];
        let ln_entry = |entry: usize| {
            let mut sum = self.ln[factor.entries.start + entry] / factor.power - factor.peak;
            for other in factor.axes.clone().filter(|&other| other != axis) {
                let other = &self.axes[other];
                sum += cavities.ln[other.at + entry / other.after % other.card];
            }
            sum
        };
        for (x, out) in out.iter_mut().enumerate() {
            let entries =
                (0..factor.entries.len()).filter(|entry| entry / own.after % own.card == x);
            *out = ln_sum_exp(entries.map(ln_entry));
        }
    }

    /// `ln Σ_{x_a} f^{1/ρ} Π_u n_{u→a}`; `room` holds at least one message.
    pub(crate) fn ln_total(&self, factor: usize, cavities: &mut Cavities, room: &mut [f64]) -> f64 {
        let axis = self.factors[factor].axes.start;
        let own = &self.axes[axis];
        let room = &mut room[..own.card];
        self.sums(axis, cavities, room);
        let plain = &cavities.plain[own.message()];
        let total: f64 = room.iter().zip(plain).map(|(sum, n)| sum * n).sum();
        if total >= TINY {
            let axes = self.factors[factor].axes.clone();
            return total.ln()
                + self.factors[factor].peak
                + cavities.peaks[axes].iter().sum::<f64>();
        }
        self.message(axis, cavities, room);
        let terms = room.iter().zip(&cavities.ln[own.message()]);
        ln_sum_exp(terms.map(|(m, n)| m + n)) + cavities.peaks[axis]
    }
}

impl Network {
    /// `b_a ∝ f^{1/ρ} Π_u n_{u→a}`, one probability for each entry; zeros if there is no mass.
    fn belief<'c>(&self, factor: usize, cavities: &'c mut Cavities) -> &'c [f64] {
        let factor = &self.factors[factor];
        let Cavities {
            ln, plain, before, ..
        } = cavities;
        self.joint(factor.axes.clone(), plain, before);
        let belief = &mut before[..factor.entries.len()];
        for (p, f) in belief.iter_mut().zip(&self.table[factor.entries.clone()]) {
            *p *= f;
        }
        let mut total: f64 = belief.iter().sum();
        if total < TINY {
            for (entry, p) in belief.iter_mut().enumerate() {
                let axes = self.axes[factor.axes.clone()].iter();
                let cavity = axes.map(|axis| ln[axis.at + entry / axis.after % axis.card]);
                *p = self.ln[factor.entries.start + entry] / factor.power + cavity.sum::<f64>();
            }
            let most = belief.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            let most = if most.is_finite() { most } else { 0.0 };
            for p in &mut *belief {
                *p = (*p - most).exp();
            }
            total = belief.iter().sum();
        }
        if total > 0.0 {
            for p in &mut *belief {
                *p /= total;
            }
        }
        belief
    }

    /// `E[ln f_a]` under the belief of a factor.
    pub(crate) fn mean_ln(&self, factor: usize, cavities: &mut Cavities) -> f64 {
        let belief = self.belief(factor, cavities);
        mean(belief, &self.ln[self.factors[factor].entries.clone()])
    }

    /// `Σ b_a ln (b_a / Π_v b_v)` in nats, the mutual information if there are two variables.
    pub(crate) fn information(&self, factor: usize, cavities: &mut Cavities) -> f64 {
        let axes = &self.axes[self.factors[factor].axes.clone()];
        let belief = self.belief(factor, cavities);
        let negative_entropy = |p: f64| if p > 0.0 { p * p.ln() } else { 0.0 };
        let mut information: f64 = belief.iter().copied().map(negative_entropy).sum();
        for axis in axes {
            for x in 0..axis.card {
                let blocks = belief.chunks_exact(axis.card * axis.after);
                let states = blocks.flat_map(|block| &block[x * axis.after..][..axis.after]);
                information -= negative_entropy(states.sum());
            }
        }
        information
    }
}

/// `ln Σ exp`, `−∞` of nothing.
pub(crate) fn ln_sum_exp(ln: impl Iterator<Item = f64> + Clone) -> f64 {
    let most = ln.clone().fold(f64::NEG_INFINITY, f64::max);
    if most == f64::NEG_INFINITY {
        return most;
    }
    most + ln.map(|ln| (ln - most).exp()).sum::<f64>().ln()
}
