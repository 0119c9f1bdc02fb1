//! The evidence lower bound of any tractable distribution.
//!
//! ```text
//! ELBO(q) = E_q[ln p̃] + H(q) = ln Z − KL(q ‖ p) ≤ ln Z,     p̃(x) = Π_a f_a(x_a)
//! ```
//!
//! (Goodfellow, Bengio & Courville 2016, eq. 19.3 and 19.7.)
//!
//! | symbol | name | unit |
//! |---|---|---|
//! | `q(x) = Π_c φ_c(x_c) / Z_q` | [`Tractable::q`] | |
//! | `H(q) = ln Z_q − Σ_c E_q[ln φ_c]` | entropy | nats |
//! | `E_q[ln f_a]` | by the joint marginal of each independent part of `x_a` | nats |
//!
//! Sums run over the relative entries of all tables. The scale of `q` has no part in its entropy, and
//! that of the model is added once, at the end.

use forney_certify::{Below, Certificate, DoubleDouble, Flaw, Lower};
use forney_exact::{Marginals, Order, Schedule, Whole, marginals};
use forney_model::walk::advance;
use forney_model::{FactorGraph, ModelError, Table, VarId};
use petgraph::unionfind::UnionFind;

/// A distribution whose marginals can be computed: a witness of `ln Z ≥ ELBO(q)`.
///
/// # Example
/// ```
/// use forney_bounds::Tractable;
/// use forney_certify::Certificate;
/// use forney_exact::{Heuristic, greedy, ln_z};
/// use forney_model::generate::ising_grid;
/// use rand::SeedableRng;
/// let model = ising_grid(4, 1.0, 0.5, &mut rand_pcg::Pcg64::seed_from_u64(3));
/// let order = greedy(&model, Heuristic::MinFill, None);
/// let exact = ln_z(&model, &order, 1e9)?;
/// let itself = Tractable { q: model.clone(), order, memory: 1e9 };
/// assert!((itself.verify(&model)?.ln() - exact).abs() < 1e-9);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Tractable {
    /// The factors `φ_c`, over the variables of the model; they need not be normalised.
    pub q: FactorGraph,
    /// The order in which they are eliminated.
    pub order: Order,
    /// Bytes that the elimination may take.
    pub memory: f64,
}

impl Certificate<FactorGraph> for Tractable {
    type Side = Below;

    /// `ELBO(q)`; `−∞` if `q` gives a forbidden entry any probability.
    ///
    /// # Errors
    /// [`Flaw::Invalid`] if `q` has other variables than the model or no probability at all, if
    /// the order does not fit, or if elimination needs more than the memory allowed.
    ///
    /// # Complexity
    /// Exact marginals of `q` with a clique for every part of a factor that is connected in `q`: with
    /// all of these cliques at once, or one after the other if that takes less time.
    fn verify(&self, graph: &FactorGraph) -> Result<Lower, Flaw> {
        let invalid = |error: &dyn std::error::Error| Flaw::Invalid(error.to_string());
        if self.q.cards() != graph.cards() {
            return Err(Flaw::Invalid("q is over other variables".into()));
        }
        let order = Order::new(self.order.vars().to_vec(), graph).map_err(|e| invalid(&e))?;
        let parts = self.parts(graph);
        let (found, joints) = self.joints(&order, &parts).map_err(|e| invalid(&*e))?;
        if found.ln_z == f64::NEG_INFINITY {
            return Err(Flaw::Invalid("q has no probability anywhere".into()));
        }
        Lower::new(self.value(graph, &parts, &found, &joints))
    }
}

/// The marginals of `q`, and the joint distributions of some scopes.
type Joints = (Marginals, Vec<Vec<f64>>);

impl Tractable {
    /// For each factor of `graph` the parts of its scope that are independent under `q`.
    fn parts(&self, graph: &FactorGraph) -> Vec<Parts> {
        let mut connected = UnionFind::<usize>::new(graph.num_variables());
        for table in self.q.factors() {
            for pair in table.scope().windows(2) {
                connected.union(pair[0].index(), pair[1].index());
            }
        }
        let same = |u: VarId, v: VarId| connected.equiv(u.index(), v.index());
        let factors = graph.factors().iter();
        factors.map(|table| Parts::of(table, same)).collect()
    }

    /// The marginals of `q`, and the joint distribution of every part.
    fn joints(&self, order: &Order, parts: &[Parts]) -> Result<Joints, Box<dyn std::error::Error>> {
        let parts: Vec<&Vec<VarId>> = parts.iter().flat_map(|parts| &parts.scopes).collect();
        let together = self.with_cliques(&parts)?;
        let schedule = Schedule::compile(&together, order, &mut Whole)?;
        let demand = schedule.demand();
        // One elimination for each part, which takes at least an entry for each variable.
        let each = |entries: f64| entries * (1 + parts.len()) as f64;
        let quick = demand.total_entries <= each(self.q.num_variables() as f64);
        let alone = || Schedule::compile(&self.q, order, &mut Whole);
        if demand.kept_bytes <= self.memory
            && (quick || demand.total_entries <= each(alone()?.demand().total_entries))
        {
            let mut found = Marginals::along(&schedule.into(), &together);
            let joints = found.factors.split_off(self.q.num_factors());
            return Ok((found, joints));
        }
        let joint = |part: &Vec<VarId>| {
            let with = self.with_cliques(&[part])?;
            let mut found = marginals(&with, order, self.memory)?;
            Ok(found.factors.pop().unwrap_or_default())
        };
        let joints: Result<_, Box<dyn std::error::Error>> = parts.into_iter().map(joint).collect();
        Ok((marginals(&self.q, order, self.memory)?, joints?))
    }

    /// `q` with tables of ones, which make elimination compute the joint marginals of their scopes.
    fn with_cliques(&self, scopes: &[&Vec<VarId>]) -> Result<FactorGraph, ModelError> {
        let mut tables = self.q.factors().to_vec();
        for &scope in scopes {
            let cards: Vec<usize> = scope.iter().map(|&v| self.q.card(v)).collect();
            let ones = vec![0.0; cards.iter().product()];
            tables.push(Table::from_ln(scope.clone(), cards, ones)?);
        }
        FactorGraph::new(self.q.cards().to_vec(), tables)
    }

    /// An entry whose marginal is too small for a number counts as excluded. The value is then
    /// that of `q` without such entries, from which it differs by rounding.
    fn value(
        &self,
        graph: &FactorGraph,
        parts: &[Parts],
        found: &Marginals,
        joints: &[Vec<f64>],
    ) -> f64 {
        let mut sum = DoubleDouble::from(found.ln_relative);
        for (table, p) in self.q.factors().iter().zip(&found.factors) {
            sum -= mean(p, table.relative());
        }
        let mut next = joints.iter();
        for (table, parts) in graph.factors().iter().zip(parts) {
            let own = next.by_ref().take(parts.scopes.len());
            let joint: Vec<&[f64]> = own.map(Vec::as_slice).collect();
            sum += expectation(table, &parts.places, &joint);
        }
        (sum + graph.ln_scale()).value()
    }
}

/// The variables of a factor in parts that are independent of each other under some distribution.
#[derive(Clone, Debug)]
pub(crate) struct Parts {
    pub(crate) scopes: Vec<Vec<VarId>>,
    /// For each variable of the factor in which part it lies, and with which stride.
    pub(crate) places: Vec<(usize, usize)>,
}

impl Parts {
    /// The parts of a factor, by whether two variables are in the same one.
    pub(crate) fn of(table: &Table, same: impl Fn(VarId, VarId) -> bool) -> Self {
        let mut scopes: Vec<Vec<VarId>> = Vec::new();
        let mut place = |&v: &VarId| {
            let held = scopes.iter().position(|part| same(part[0], v));
            let part = held.unwrap_or(scopes.len());
            scopes.resize(scopes.len().max(part + 1), Vec::new());
            scopes[part].push(v);
            (part, 0)
        };
        let mut places: Vec<(usize, usize)> = table.scope().iter().map(&mut place).collect();
        let mut strides = vec![1; scopes.len()];
        for ((part, stride), card) in places.iter_mut().zip(table.cards()).rev() {
            *stride = strides[*part];
            strides[*part] *= card;
        }
        Self { scopes, places }
    }
}

/// `Σ p · ln`, with `0 · (−∞) = 0`.
pub(crate) fn mean(p: &[f64], ln: &[f64]) -> f64 {
    let positive = p.iter().zip(ln).filter(|(p, _)| **p > 0.0);
    positive.map(|(p, ln)| p * ln).sum()
}

/// `E[ln (f / max f)]` if the parts of its scope are independent.
///
/// `joint` holds the distribution of each part; `places` says for each variable of the scope in
/// which part it lies, and with which stride.
pub(crate) fn expectation(table: &Table, places: &[(usize, usize)], joint: &[&[f64]]) -> f64 {
    let mut sum = [0.0];
    let own = |&(part, stride): &(usize, usize)| (part + 1, stride);
    let places: Vec<(usize, usize)> = places.iter().map(own).collect();
    conditional_expectation(table, &places, joint, &mut sum);
    sum[0]
}

/// `E[ln (f / max f) | x_S]` for every state of some variables `S` of the scope of `f`.
///
/// As [`expectation`], but part 0 is `S` itself and has no distribution; `out` is over its states.
pub(crate) fn conditional_expectation(
    table: &Table,
    places: &[(usize, usize)],
    joint: &[&[f64]],
    out: &mut [f64],
) {
    out.fill(0.0);
    let mut state = vec![0; places.len()];
    let mut at = vec![0; joint.len() + 1];
    for &ln in table.relative() {
        let p = || joint.iter().zip(&at[1..]).map(|(p, &at)| p[at]);
        // The product of positive probabilities may be too small for a number; it is not zero.
        if p().all(|p| p > 0.0) {
            out[at[0]] += if ln == f64::NEG_INFINITY {
                ln
            } else {
                p().product::<f64>() * ln
            };
        }
        advance(&mut state, table.cards(), |axis, back| {
            let (part, stride) = places[axis];
            if back {
                at[part] -= stride * (table.cards()[axis] - 1);
            } else {
                at[part] += stride;
            }
        });
    }
}
