//! Exact sums and beliefs on one forest of factors.

use forney_certify::{DoubleDouble, Flaw};

use crate::belief_propagation::network::{Cavities, Network, ln_sum_exp};

/// Factors without a cycle among them, in an order in which messages can be passed.
#[derive(Clone, Debug)]
pub(super) struct Forest {
    /// Factors of the network, ascending.
    pub(super) members: Vec<usize>,
    /// (factor, axis towards its root), leaves first.
    steps: Vec<(usize, usize)>,
    roots: Vec<usize>,
}

/// Room for the messages of one forest.
#[derive(Clone, Debug)]
pub(super) struct Room {
    cavities: Cavities,
    /// Messages towards the roots.
    up: Vec<f64>,
    out: Vec<f64>,
    /// Unnormalised logarithms of beliefs.
    fields: Vec<f64>,
    /// `b_v(x_v)` after [`Forest::beliefs`], for every state.
    pub(super) beliefs: Vec<f64>,
    /// `E[ln f_a]` after [`Forest::beliefs`], for every member.
    pub(super) means: Vec<f64>,
    /// `ln Z_T`, without the constant of the network.
    pub(super) ln_z: f64,
}

impl Room {
    pub(super) fn new(network: &Network) -> Self {
        let messages = vec![0.0; network.num_messages()];
        Self {
            cavities: network.cavities(),
            up: messages.clone(),
            out: messages,
            fields: network.potentials.clone(),
            beliefs: network.potentials.clone(),
            means: Vec::new(),
            ln_z: 0.0,
        }
    }
}

impl Forest {
    /// Orders the factors.
    ///
    /// # Errors
    /// [`Flaw::Invalid`] if they do not exist, are repeated, or close a cycle.
    pub(super) fn new(network: &Network, members: Vec<usize>) -> Result<Self, Flaw> {
        let mut inside = vec![false; network.factors.len()];
        for &a in &members {
            match inside.get_mut(a) {
                Some(inside) if !*inside => *inside = true,
                _ => {
                    let problem = "a forest names a factor twice, or one that does not exist";
                    return Err(Flaw::Invalid(problem.into()));
                }
            }
        }
        let mut seen = vec![false; network.num_variables()];
        let (mut steps, mut roots) = (Vec::with_capacity(members.len()), Vec::new());
        let mut queue = Vec::new();
        for root in 0..network.num_variables() {
            if std::mem::replace(&mut seen[root], true) {
                continue;
            }
            roots.push(root);
            queue.push(root);
            while let Some(v) = queue.pop() {
                for &axis in network.uses(v) {
                    let factor = network.axes[axis].factor;
                    if !std::mem::replace(&mut inside[factor], false) {
                        continue;
                    }
                    steps.push((factor, axis));
                    for other in network.factors[factor].axes.clone() {
                        let u = network.axes[other].variable;
                        if other != axis && std::mem::replace(&mut seen[u], true) {
                            let problem = "the factors of a forest close a cycle";
                            return Err(Flaw::Invalid(problem.into()));
                        }
                        if other != axis {
                            queue.push(u);
                        }
                    }
                }
            }
        }
        steps.reverse();
        Ok(Self {
            members,
            steps,
            roots,
        })
    }

    /// `ln Z_T = ln Σ_x exp (Σ_v λ_v + Σ_{a ∈ T} (ln f_a / ρ_a − Σ_{v ∈ a} μ_{a→v}))`.
    ///
    /// # Complexity
    /// Linear in the entries of the factors of the forest.
    pub(super) fn sum(&self, network: &Network, fields: &[f64], shifts: &[f64], room: &mut Room) {
        room.fields.copy_from_slice(fields);
        let mut ln_z = DoubleDouble::ZERO;
        for &(factor, towards) in &self.steps {
            for axis in network.factors[factor].axes.clone() {
                if axis != towards {
                    self.cavity(network, axis, shifts, false, room);
                }
            }
            let message = network.axes[towards].message();
            let states = network.axes[towards].states();
            let up = &mut room.up[message.clone()];
            network.message(towards, &mut room.cavities, up);
            for (up, shift) in up.iter_mut().zip(&shifts[message]) {
                *up -= shift;
            }
            // What a message has in common for all states is kept apart: along a path it would grow
            // until the differences lost their digits.
            let most = up.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            let most = if most.is_finite() { most } else { 0.0 };
            ln_z += most;
            for (up, field) in up.iter_mut().zip(&mut room.fields[states]) {
                *up -= most;
                *field += *up;
            }
        }
        for &root in &self.roots {
            ln_z += ln_sum_exp(room.fields[network.states(root)].iter().copied());
        }
        room.ln_z = ln_z.value();
    }

    /// Beliefs of the variables and mean logarithms of the factors, after [`Forest::sum`].
    pub(super) fn beliefs(&self, network: &Network, shifts: &[f64], room: &mut Room) {
        room.means.resize(self.members.len(), 0.0);
        for &(factor, towards) in self.steps.iter().rev() {
            self.cavity(network, towards, shifts, true, room);
            for axis in network.factors[factor].axes.clone() {
                if axis == towards {
                    continue;
                }
                let message = network.axes[axis].message();
                let out = &mut room.out[message.clone()];
                network.message(axis, &mut room.cavities, out);
                let fields = room.fields[network.axes[axis].states()].iter_mut();
                for ((field, out), shift) in fields.zip(out).zip(&shifts[message]) {
                    *field += *out - shift;
                }
            }
            let at = self.members.binary_search(&factor);
            room.means[at.expect("a member")] = network.mean_ln(factor, &mut room.cavities);
        }
        for v in 0..network.num_variables() {
            let states = network.states(v);
            let field = &room.fields[states.clone()];
            let ln_sum = ln_sum_exp(field.iter().copied());
            for (belief, ln) in room.beliefs[states].iter_mut().zip(field) {
                *belief = (ln - ln_sum).exp();
            }
        }
    }

    /// What a variable says to a factor; `back` if its field holds the factor's message already.
    fn cavity(&self, network: &Network, axis: usize, shifts: &[f64], back: bool, room: &mut Room) {
        let a = &network.axes[axis];
        room.cavities.set(axis, a, |x| {
            let own = if back { room.up[a.at + x] } else { 0.0 };
            let ln = room.fields[a.first + x] - shifts[a.at + x] - own;
            // A state that the factor itself forbids: what is left does not matter.
            if ln.is_nan() { f64::NEG_INFINITY } else { ln }
        });
        room.cavities.expose(a);
    }
}
