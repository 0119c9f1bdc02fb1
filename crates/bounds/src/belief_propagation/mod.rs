//! Belief propagation: sum-product messages on the factor graph, and the Bethe value.
//!
//! ```text
//! μ_{a→v}(x_v) = ln Σ_{x_a \ x_v} f_a(x_a) Π_{u ∈ a \ v} exp n_{u→a}(x_u),   n_{v→a} = λ_v − μ_{a→v}
//! λ_v = Σ_{a ∋ v} μ_{a→v}
//! ln Z_Bethe = Σ_a ln Σ_{x_a} f_a Π_{v ∈ a} exp n_{v→a} + Σ_v (1 − d_v) ln Σ_{x_v} exp λ_v
//! ```
//!
//! (Pearl 1988; Yedidia, Freeman & Weiss 2005.)
//!
//! | symbol | name | unit |
//! |---|---|---|
//! | `μ_{a→v}` | message from a factor to a variable, largest entry 0 | nats |
//! | `n_{v→a}` | cavity: message from a variable to a factor | nats |
//! | `d_v` | factors of several variables that mention `v`; the others are part of `λ_v` | |
//! | `ln Z_Bethe` | an [`Estimate`]: exact on trees, a bound nowhere else | nats |

mod heap;
pub(crate) mod network;

use forney_certify::{Budget, Estimate, Limits, Refine, Run, Stop, Sweep};
use forney_model::{Domains, FactorGraph, simplify};

use heap::Heap;
use network::{Cavities, Network, ln_sum_exp};

/// No finite message goes further below its largest entry, in nats.
const LARGEST: f64 = 1e6;

/// In which order messages are updated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MessageSchedule {
    /// All at once, from those of the sweep before.
    Parallel,
    /// The one that would change most is next (Elidan, McGraw & Koller 2006); a sweep is as many
    /// updates as there are messages.
    Residual,
}

/// What belief propagation says.
#[derive(Clone, Debug, PartialEq)]
pub struct Beliefs {
    /// The Bethe value; `−∞` if the messages prove that `Z = 0`.
    pub ln_z: Estimate,
    /// By variable: about `p(x_v)`, one number for each state. All zero if `Z = 0`.
    pub variables: Vec<Vec<f64>>,
}

/// Messages that are updated sweep by sweep.
///
/// # Complexity
/// A parallel sweep takes time linear in the table entries, times the scope size. A residual one
/// takes that times the number of factors of a variable. Neither allocates.
///
/// # Example
/// ```
/// use forney_bounds::{BeliefPropagation, MessageSchedule};
/// use forney_certify::Refine;
/// use forney_model::generate::ising_grid;
/// use rand::SeedableRng;
/// let model = ising_grid(8, 0.5, 0.5, &mut rand_pcg::Pcg64::seed_from_u64(1));
/// let mut messages = BeliefPropagation::new(&model, MessageSchedule::Residual, 0.0);
/// while messages.residual() > 1e-9 {
///     messages.sweep();
/// }
/// assert!(messages.point().ln_z.ln.is_finite());
/// ```
#[derive(Clone, Debug)]
pub struct BeliefPropagation {
    network: Network,
    damping: f64,
    messages: Vec<f64>,
    /// What the messages would be after an update.
    next: Vec<f64>,
    sums: Vec<f64>,
    fields: Vec<f64>,
    cavities: Cavities,
    /// For the residual schedule: how much each message would change.
    heap: Option<Heap>,
    residual: f64,
    bethe: Estimate,
}

impl BeliefPropagation {
    /// Starts with messages that say nothing.
    ///
    /// An update moves a message by `1 − damping` of the way; 0 is no damping.
    ///
    /// # Panics
    /// If the damping is not in `[0, 1)`.
    #[must_use]
    pub fn new(graph: &FactorGraph, schedule: MessageSchedule, damping: f64) -> Self {
        assert!((0.0..1.0).contains(&damping), "a damping in [0, 1)");
        let network = Network::new(graph);
        let zeros = vec![0.0; network.num_messages()];
        let mut propagation = Self {
            damping,
            messages: zeros.clone(),
            next: zeros.clone(),
            sums: zeros,
            fields: network.potentials.clone(),
            cavities: network.cavities(),
            heap: None,
            residual: f64::INFINITY,
            bethe: Estimate { ln: 0.0 },
            network,
        };
        propagation.refresh();
        propagation.bethe.ln = propagation.compute_bethe();
        if schedule == MessageSchedule::Residual {
            propagation.propose();
            let changes = (0..propagation.network.axes.len()).map(|axis| propagation.change(axis));
            propagation.heap = Some(Heap::new(changes.collect()));
        }
        propagation
    }

    /// The largest change of any message in the last sweep, or with the residual schedule the
    /// largest that is left, in nats; infinite before the first.
    #[must_use]
    pub fn residual(&self) -> f64 {
        self.residual
    }

    /// The Bethe value at the present messages.
    #[must_use]
    pub fn bethe(&self) -> Estimate {
        self.bethe
    }

    fn compute_bethe(&mut self) -> f64 {
        let mut ln = self.network.constant;
        for v in 0..self.network.num_variables() {
            let field = &self.fields[self.network.states(v)];
            let ln_sum = ln_sum_exp(field.iter().copied());
            if ln_sum == f64::NEG_INFINITY {
                return ln_sum;
            }
            ln += (1.0 - self.network.uses(v).len() as f64) * ln_sum;
        }
        for factor in 0..self.network.factors.len() {
            ln += (self.network).ln_total(factor, &mut self.cavities, &mut self.sums);
        }
        ln.value()
    }

    /// For each factor of the model what its variables tell of each other under the beliefs, in
    /// nats; 0 for factors of fewer than two variables.
    pub(crate) fn information(&mut self, factors: usize) -> Vec<f64> {
        let mut information = vec![0.0; factors];
        for factor in 0..self.network.factors.len() {
            let id = self.network.factors[factor].id;
            information[id] = self.network.information(factor, &mut self.cavities);
        }
        information
    }

    /// Works out fields and cavities from the messages.
    fn refresh(&mut self) {
        (self.network).all_cavities(&self.messages, &mut self.fields, &mut self.cavities);
    }

    /// Works out what all messages would become.
    fn propose(&mut self) {
        self.network
            .all_messages(&mut self.cavities, &mut self.sums, &mut self.next);
        for axis in &self.network.axes {
            scale(&mut self.next[axis.message()]);
        }
    }

    /// How much a message would change.
    fn change(&self, axis: usize) -> f64 {
        let message = self.network.axes[axis].message();
        distance(&self.messages[message.clone()], &self.next[message])
    }

    /// Moves a message towards what it would become.
    fn accept(&mut self, axis: usize) {
        let message = self.network.axes[axis].message();
        let own = &mut self.messages[message.clone()];
        if self.damping > 0.0 {
            for (own, next) in own.iter_mut().zip(&self.next[message]) {
                *own = self.damping * *own + (1.0 - self.damping) * next;
            }
        } else {
            own.copy_from_slice(&self.next[message]);
        }
    }

    fn parallel_sweep(&mut self) {
        self.propose();
        self.residual = 0.0;
        for axis in 0..self.network.axes.len() {
            self.residual = self.residual.max(self.change(axis));
            self.accept(axis);
        }
        self.refresh();
    }

    fn residual_sweep(&mut self, heap: &mut Heap) {
        for _ in 0..self.network.axes.len() {
            let Some((axis, change)) = heap.first() else {
                break;
            };
            if change <= 0.0 {
                break;
            }
            self.accept(axis);
            heap.set(axis, self.change(axis));
            let variable = self.network.axes[axis].variable;
            self.network
                .field(variable, &self.messages, &mut self.fields);
            for at in 0..self.network.uses(variable).len() {
                let into = self.network.uses(variable)[at];
                self.network
                    .cavity(into, &self.fields, &self.messages, &mut self.cavities);
                self.cavities.expose(&self.network.axes[into]);
                if into == axis {
                    continue;
                }
                let factor = self.network.axes[into].factor;
                for out in self.network.factors[factor].axes.clone() {
                    if out == into {
                        continue;
                    }
                    let message = self.network.axes[out].message();
                    let next = &mut self.next[message];
                    self.network.message(out, &mut self.cavities, next);
                    scale(next);
                    heap.set(out, self.change(out));
                }
            }
        }
        self.residual = heap.first().map_or(0.0, |(_, change)| change);
    }
}

impl Refine for BeliefPropagation {
    type Point = Beliefs;

    fn sweep(&mut self) -> f64 {
        match self.heap.take() {
            None => self.parallel_sweep(),
            Some(mut heap) => {
                self.residual_sweep(&mut heap);
                self.heap = Some(heap);
            }
        }
        self.bethe.ln = self.compute_bethe();
        self.bethe.ln
    }

    fn point(&self) -> Beliefs {
        let ln_z = self.bethe;
        let belief = |v: usize| {
            let field = &self.fields[self.network.states(v)];
            let ln_sum = ln_sum_exp(field.iter().copied());
            let none = ln_z.ln == f64::NEG_INFINITY;
            let p = |&ln: &f64| if none { 0.0 } else { (ln - ln_sum).exp() };
            field.iter().map(p).collect()
        };
        Beliefs {
            ln_z,
            variables: (0..self.network.num_variables()).map(belief).collect(),
        }
    }
}

/// Belief propagation until no message changes by more than the tolerance, in nats.
///
/// States that hard zeros forbid are pruned first, and factors within others merged. Messages that
/// oscillate end at the limit of sweeps.
///
/// # Example
/// ```
/// use forney_bounds::{MessageSchedule, belief_propagation};
/// use forney_certify::{Budget, Limits, Stop};
/// use forney_model::{FactorGraph, Table, VarId, enumerate::enumerate};
/// let link = |a, b| Table::from_values(vec![VarId(a), VarId(b)], vec![2, 2], &[3.0, 1.0, 1.0, 2.0]);
/// let chain = FactorGraph::new(vec![2; 3], vec![link(0, 1)?, link(1, 2)?])?;
/// let limits = Limits { sweeps: Some(100), tolerance: 1e-12 };
/// let run = belief_propagation(&chain, MessageSchedule::Parallel, 0.0, &limits, &Budget::unlimited());
/// assert_eq!(run.stop, Stop::Converged);
/// assert!((run.point.ln_z.ln - enumerate(&chain).ln_z).abs() < 1e-12);
/// # Ok::<(), forney_model::ModelError>(())
/// ```
#[must_use]
pub fn belief_propagation(
    graph: &FactorGraph,
    schedule: MessageSchedule,
    damping: f64,
    limits: &Limits,
    budget: &Budget,
) -> Run<Beliefs> {
    let mut domains = Domains::full(graph);
    if domains.prune(graph).is_err() {
        let none = |&card: &usize| vec![0.0; card];
        return Run {
            point: Beliefs {
                ln_z: Estimate {
                    ln: f64::NEG_INFINITY,
                },
                variables: graph.cards().iter().map(none).collect(),
            },
            trace: Vec::new(),
            stop: Stop::Converged,
        };
    }
    let restriction = domains.restrict(graph);
    let simple = simplify(restriction.graph());
    let inner = simple.as_ref().unwrap_or(restriction.graph());
    let mut messages = BeliefPropagation::new(inner, schedule, damping);
    let mut trace = Vec::new();
    // Messages have to converge, not values: two sweeps may give the same value while a message
    // is still on its way.
    let stop = loop {
        if messages.residual() <= limits.tolerance {
            break Stop::Converged;
        }
        if limits.sweeps.is_some_and(|most| trace.len() >= most) {
            break Stop::SweepLimit;
        }
        if let Some(stop) = budget.stop() {
            break stop;
        }
        trace.push(Sweep {
            value: messages.sweep(),
            number: trace.len() + 1,
            elapsed_s: budget.elapsed().as_secs_f64(),
        });
    };
    let mut point = messages.point();
    point.variables = restriction.lift_marginals(&point.variables);
    Run { point, trace, stop }
}

/// Gives a message a largest entry of 0; one that is `−∞` everywhere stays as it is.
fn scale(message: &mut [f64]) {
    let most = message.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    if most > f64::NEG_INFINITY {
        for ln in message {
            *ln -= most;
            // Around cycles of hard zeros messages may grow without end.
            if ln.is_finite() {
                *ln = ln.max(-LARGEST);
            }
        }
    }
}

/// The largest difference of two messages, 0 between equal infinities.
fn distance(a: &[f64], b: &[f64]) -> f64 {
    let apart = |(a, b): (&f64, &f64)| {
        if a.max(*b) == f64::NEG_INFINITY {
            0.0
        } else {
            (a - b).abs()
        }
    };
    a.iter().zip(b).map(apart).fold(0.0, f64::max)
}
