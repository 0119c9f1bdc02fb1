//! Which variables to fix: those that shrink the cliques most and whose states are least in doubt.

use forney_certify::Budget;
use forney_exact::{Heuristic, Order, Schedule, Whole, greedy};
use forney_model::{Domains, FactorGraph, VarId};
use rand::RngExt;
use rand_pcg::Pcg64;

use super::witness::fix;

/// What is known about the distribution so far.
#[derive(Clone, Debug)]
pub(super) struct Knowledge {
    /// An allowed configuration.
    pub(super) states: Vec<usize>,
    /// `−ln p(x_v | x_C)` of that configuration for each variable, when it was last not in `C`:
    /// about what fixing it costs the bound, in nats.
    pub(super) surprise: Vec<f64>,
}

/// What is assumed of a variable before anything is known of it, in nats. Set by hand, as those below;
/// not tuned.
const UNKNOWN: f64 = 0.7;

impl Knowledge {
    /// A configuration of which nothing else is known.
    pub(super) fn of(states: Vec<usize>) -> Self {
        Self {
            surprise: vec![UNKNOWN; states.len()],
            states,
        }
    }
}

/// What the elimination of the variables that are not fixed may cost.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limit {
    /// Entries of all cliques together.
    pub(super) entries: f64,
    /// Bytes with all messages kept.
    pub(super) memory: f64,
}

/// A choice of variables to fix, and what is left of the model.
pub(super) struct Cutset {
    pub(super) fixed: Vec<(VarId, usize)>,
    pub(super) rest: FactorGraph,
    pub(super) domains: Domains,
    pub(super) order: Order,
}

/// After fixing variables so that the cliques of the present order shrink by this factor, the rest
/// is pruned, simplified and ordered anew, which often shrinks it much further.
const SHRINK: f64 = 30.0;
/// The first aim is this many times the limit, since the new order shrinks the rest further ...
const AIM: f64 = 4.0;
/// ... and the later ones this part of the present entries.
const CAREFUL: f64 = 0.6;

/// Added to every surprise, so that nearly certain variables do not all come before the others.
const DOUBT: f64 = 0.02;

/// Fixes variables to their known states until the rest is within the limit; `None` if the model
/// has numbers that cannot be multiplied, or the budget is over.
pub(super) fn choose(
    graph: &FactorGraph,
    knowledge: &Knowledge,
    limit: Limit,
    rng: &mut Pcg64,
    budget: &Budget,
) -> Option<Cutset> {
    // Whims, so that different random numbers give different cutsets.
    let whim: Vec<f64> = (0..graph.num_variables())
        .map(|_| 0.5 + rng.random::<f64>())
        .collect();
    let mut fixed = Vec::new();
    while budget.stop().is_none() {
        let (rest, domains) = fix(graph, &fixed).ok()??;
        let order = greedy(&rest, Heuristic::MinFill, Some(rng));
        let total = order.cost(&rest).total_entries;
        let mut goal = (total / SHRINK).max((AIM * limit.entries).min(CAREFUL * total));
        if total <= limit.entries {
            let schedule = Schedule::compile(&rest, &order, &mut Whole).ok()?;
            if schedule.demand().kept_bytes <= limit.memory {
                return Some(Cutset {
                    fixed,
                    rest,
                    domains,
                    order,
                });
            }
            goal = CAREFUL * total;
        }
        let mut cliques = Cliques::new(&rest, &order);
        let before = fixed.len();
        while fixed.len() == before || cliques.total() > goal {
            if budget.stop().is_some() {
                return None;
            }
            let worth = |v: VarId| {
                let gain = cliques.gain[v.index()];
                gain * whim[v.index()] / (knowledge.surprise[v.index()] + DOUBT)
            };
            let best = graph
                .variables()
                .filter(|&v| cliques.gain[v.index()] > 0.0)
                .max_by(|&a, &b| worth(a).total_cmp(&worth(b)))?;
            fixed.push((best, knowledge.states[best.index()]));
            cliques.remove(best, &rest);
        }
    }
    None
}

/// The cliques of an elimination order, while variables are taken out of them.
struct Cliques {
    members: Vec<Vec<VarId>>,
    entries: Vec<f64>,
    /// The cliques of each variable.
    of: Vec<Vec<usize>>,
    /// Entries that go if the variable is fixed, over all cliques of several variables.
    gain: Vec<f64>,
}

impl Cliques {
    /// The clique of `v` is `v`, its later neighbours, and what its children in the elimination
    /// tree pass on.
    fn new(graph: &FactorGraph, order: &Order) -> Self {
        let n = graph.num_variables();
        let mut position = vec![0; n];
        for (at, v) in order.vars().iter().enumerate() {
            position[v.index()] = at;
        }
        let mut passed: Vec<Vec<VarId>> = vec![Vec::new(); n];
        let mut cliques = Self {
            members: Vec::with_capacity(n),
            entries: Vec::with_capacity(n),
            of: vec![Vec::new(); n],
            gain: vec![0.0; n],
        };
        for &v in order.vars() {
            let mut later = std::mem::take(&mut passed[v.index()]);
            for a in graph.factors_of(v) {
                later.extend(graph.factors()[a.index()].scope());
            }
            later.retain(|u| position[u.index()] > position[v.index()]);
            later.sort_unstable();
            later.dedup();
            if let Some(&parent) = later.iter().min_by_key(|u| position[u.index()]) {
                passed[parent.index()].extend(&later);
            }
            later.push(v);
            let entries = later.iter().map(|&u| graph.card(u) as f64).product();
            for u in &later {
                cliques.of[u.index()].push(cliques.members.len());
            }
            cliques.members.push(later);
            cliques.entries.push(entries);
        }
        for clique in 0..n {
            cliques.count(clique, graph, 1.0);
        }
        cliques
    }

    fn total(&self) -> f64 {
        self.entries.iter().sum()
    }

    /// Adds what one clique contributes to the gains of its variables, or takes it away.
    fn count(&mut self, clique: usize, graph: &FactorGraph, sign: f64) {
        let members = &self.members[clique];
        if members.len() > 1 {
            for &u in members {
                let gone = 1.0 - 1.0 / graph.card(u) as f64;
                self.gain[u.index()] += sign * self.entries[clique] * gone;
            }
        }
    }

    fn remove(&mut self, v: VarId, graph: &FactorGraph) {
        for clique in std::mem::take(&mut self.of[v.index()]) {
            self.count(clique, graph, -1.0);
            self.members[clique].retain(|&u| u != v);
            self.entries[clique] /= graph.card(v) as f64;
            self.count(clique, graph, 1.0);
        }
        self.gain[v.index()] = 0.0;
    }
}
