//! Coordinate ascent on the evidence lower bound.

use std::sync::Arc;

use forney_certify::{DoubleDouble, Flaw, Refine};
use forney_model::{FactorGraph, VarId};

use super::tables::{Tables, Weights};
use super::witness::MeanField;

/// Coordinate ascent: each update maximises the bound over one `q_v`, all others fixed,
///
/// ```text
/// q_v(x_v) ∝ exp Σ_{a ∋ v} E_{q \ q_v}[ln f_a | x_v]
/// ```
///
/// (Goodfellow, Bengio & Courville 2016, eq. 19.56), over the states with a finite expectation. So
/// no update lowers the bound, and from a start with a finite bound no hard zero ever gets any
/// probability. One [`sweep`](Refine::sweep) updates every variable: one after the other, or
/// [all at once](Self::with_block_updates).
///
/// There are two criteria of convergence: what a sweep gains, which [`drive`](forney_certify::drive)
/// looks at, and how far it moved the distributions, [`change`](Self::change).
///
/// # Complexity
/// A sweep takes time linear in the table entries, times the scope size, and allocates nothing.
///
/// # Example
/// ```
/// use forney_bounds::{MeanField, MeanFieldAscent};
/// use forney_certify::{Certificate, Refine};
/// use forney_model::generate::ising_grid;
/// use rand::SeedableRng;
/// let model = ising_grid(5, 0.5, 0.5, &mut rand_pcg::Pcg64::seed_from_u64(1));
/// let start = MeanField::uniform(&model);
/// let mut ascent = MeanFieldAscent::new(&model, &start)?;
/// let value = ascent.sweep();
/// assert!(value > start.verify(&model)?.ln());
/// assert!((ascent.point().verify(&model)?.ln() - value).abs() < 1e-9);
/// # Ok::<(), forney_certify::Flaw>(())
/// ```
#[derive(Clone, Debug)]
pub struct MeanFieldAscent {
    tables: Arc<Tables>,
    order: Vec<VarId>,
    /// All `q_v`, one after the other.
    q: Vec<f64>,
    /// 1 where `q > 0`, 0 elsewhere.
    support: Vec<f64>,
    weights: Weights,
    expected: Vec<f64>,
    forbidden: Vec<f64>,
    /// The damping of block updates; `None` updates one variable after the other.
    damping: Option<f64>,
    /// `q` before the last sweep, and how far that moved it.
    before: Vec<f64>,
    change: f64,
    /// Where a block update goes.
    moved: Vec<f64>,
}

impl MeanFieldAscent {
    /// Starts at a product distribution.
    ///
    /// # Errors
    /// [`Flaw::Invalid`] if `start` is not one distribution for each variable.
    pub fn new(graph: &FactorGraph, start: &MeanField) -> Result<Self, Flaw> {
        let start = start.normalised(graph)?;
        let mut ascent = Self::on(&Arc::new(Tables::new(graph)));
        for (q, start) in ascent.q.iter_mut().zip(start.iter().flatten()) {
            *q = *start;
        }
        ascent.mark_support();
        Ok(ascent)
    }

    /// Lets every sweep update all variables at once: each `q_v` moves by `1 − damping` of the way
    /// to its own optimum under the distributions before the sweep.
    ///
    /// Such a step may lower the bound, and two variables may move into a hard zero together. It
    /// is then taken back, and the sweep updates one variable after the other instead.
    ///
    /// # Panics
    /// If the damping is not in `[0, 1)`.
    #[must_use]
    pub fn with_block_updates(mut self, damping: f64) -> Self {
        assert!((0.0..1.0).contains(&damping), "a damping in [0, 1)");
        self.damping = Some(damping);
        self
    }

    /// The largest change of any `q_v(x_v)` in the last sweep; infinite before the first.
    #[must_use]
    pub fn change(&self) -> f64 {
        self.change
    }

    /// Starts at the uniform distribution.
    pub(super) fn on(tables: &Arc<Tables>) -> Self {
        let order: Vec<VarId> = (0..tables.num_variables()).map(VarId::new).collect();
        let largest = (order.iter()).map(|&v| tables.states(v).len()).max();
        let room = vec![0.0; largest.unwrap_or(0)];
        let mut q = vec![0.0; tables.num_states()];
        for &v in &order {
            let states = tables.states(v);
            let p = 1.0 / states.len() as f64;
            q[states].fill(p);
        }
        Self {
            tables: Arc::clone(tables),
            order,
            q,
            support: vec![1.0; tables.num_states()],
            weights: tables.weights(),
            expected: room.clone(),
            forbidden: room,
            damping: None,
            before: Vec::new(),
            change: f64::INFINITY,
            moved: Vec::new(),
        }
    }

    /// The order of the updates in a sweep: any list of variables.
    pub(super) fn order_mut(&mut self) -> &mut Vec<VarId> {
        &mut self.order
    }

    /// Replaces the distribution of one variable; the weights are not all zero.
    pub(super) fn set(&mut self, v: VarId, weights: impl Iterator<Item = f64>) {
        let states = self.tables.states(v);
        let q = &mut self.q[states.clone()];
        for (q, weight) in q.iter_mut().zip(weights) {
            *q = weight;
        }
        let sum: f64 = q.iter().sum();
        for (q, support) in q.iter_mut().zip(&mut self.support[states]) {
            *q /= sum;
            *support = f64::from(*q > 0.0);
        }
    }

    /// `ELBO(q)`, in nats.
    pub fn elbo(&mut self) -> f64 {
        let mut sum = self.tables.constant;
        for factor in &self.tables.factors {
            let q = (&*self.q, &*self.support);
            sum += self.tables.expectation(factor, q, &mut self.weights);
        }
        let positive = self.q.iter().filter(|&&p| p > 0.0);
        let entropy: DoubleDouble = positive.map(|p| -p * p.ln()).sum();
        (sum + entropy).value()
    }

    /// Maximises the bound over `q_v`. If every state of `v` has an infinite expectation, which
    /// only happens while the bound is `−∞`, `q_v` stays as it is.
    pub fn update(&mut self, v: VarId) {
        self.update_at(v, 1.0);
    }

    /// Maximises `Σ_a E_q[ln f_a] + T · H(q)` over `q_v`.
    pub(super) fn update_at(&mut self, v: VarId, temperature: f64) {
        if !self.optimum(v, temperature) {
            return;
        }
        let states = self.tables.states(v);
        let optimum = &self.expected[..states.len()];
        self.q[states.clone()].copy_from_slice(optimum);
        for (support, &q) in self.support[states].iter_mut().zip(optimum) {
            *support = f64::from(q > 0.0);
        }
    }

    /// Leaves the best `q_v` in `expected`; false if every state has an infinite expectation.
    fn optimum(&mut self, v: VarId, temperature: f64) -> bool {
        let len = self.tables.states(v).len();
        let expected = &mut self.expected[..len];
        let forbidden = &mut self.forbidden[..len];
        let q = (&*self.q, &*self.support);
        self.tables
            .expectations(v, q, &mut self.weights, (expected, forbidden));
        for (e, &count) in expected.iter_mut().zip(&*forbidden) {
            if count > 0.0 {
                *e = f64::NEG_INFINITY;
            }
        }
        let most = expected.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        if most == f64::NEG_INFINITY {
            return false;
        }
        let mut sum = 0.0;
        for e in &mut *expected {
            *e = ((*e - most) / temperature).exp();
            sum += *e;
        }
        for e in expected {
            *e /= sum;
        }
        true
    }

    /// Moves all variables towards their optima; false, with nothing changed, if the bound falls.
    fn block_update(&mut self, damping: f64) -> bool {
        let value = self.elbo();
        let mut moved = std::mem::take(&mut self.moved);
        moved.clone_from(&self.q);
        for v in (0..self.tables.num_variables()).map(VarId::new) {
            if self.optimum(v, 1.0) {
                let states = self.tables.states(v);
                for (q, optimum) in moved[states].iter_mut().zip(&self.expected) {
                    *q = damping * *q + (1.0 - damping) * optimum;
                }
            }
        }
        std::mem::swap(&mut self.q, &mut moved);
        self.mark_support();
        // Written so that NaN is taken back.
        let rises = self.elbo() >= value;
        if !rises {
            std::mem::swap(&mut self.q, &mut moved);
            self.mark_support();
        }
        self.moved = moved;
        rises
    }

    /// Updates every variable at one temperature.
    pub(super) fn sweep_at(&mut self, temperature: f64) {
        for at in 0..self.order.len() {
            self.update_at(self.order[at], temperature);
        }
    }

    fn mark_support(&mut self) {
        for (support, &q) in self.support.iter_mut().zip(&self.q) {
            *support = f64::from(q > 0.0);
        }
    }
}

impl Refine for MeanFieldAscent {
    type Point = MeanField;

    fn sweep(&mut self) -> f64 {
        self.before.clone_from(&self.q);
        let moved = self
            .damping
            .is_some_and(|damping| self.block_update(damping));
        if !moved {
            self.sweep_at(1.0);
        }
        let changes = self.q.iter().zip(&self.before).map(|(a, b)| (a - b).abs());
        self.change = changes.fold(0.0, f64::max);
        self.elbo()
    }

    fn point(&self) -> MeanField {
        let variables = (0..self.tables.num_variables()).map(VarId::new);
        MeanField {
            q: variables
                .map(|v| self.q[self.tables.states(v)].to_vec())
                .collect(),
        }
    }
}
