//! Configurations of high value, by exact sampling of random forests while it gets colder.
//!
//! ```text
//! x_F ~ p(x_F | x_V\F)^{1/T}      F: variables that no factor joins to a cycle, drawn anew each time
//! ```
//!
//! A forest is sampled exactly at any temperature by one pass of messages to its roots and one of draws
//! back (Hamze & de Freitas 2004), so half of the variables of a sparse model move at once, and
//! barriers that hold single variables back are none (Selby 2014).

use forney_certify::Budget;
use forney_model::FactorGraph;
use rand::RngExt;
use rand::seq::SliceRandom;
use rand_pcg::Pcg64;

use crate::belief_propagation::network::ln_sum_exp;

// All of these were set by hand, and not tuned; what cooling gains is in docs/decisions.md.

/// Sweeps of the first cooling; each later one takes twice as many.
const FIRST_SWEEPS: usize = 64;

/// Coolings if time has no end, so that the result does not depend on the machine.
const UNTIMED_COOLINGS: usize = 2;

/// The last temperature, as a share of the first: only the best is drawn then.
const COLD: f64 = 0.02;

/// A factor takes part in a forest with at most so many entries.
const MOST_ENTRIES: usize = 4096;

/// The best of the configurations that several coolings end in, and of the allowed one they start from.
///
/// # Complexity
/// For each sweep the entries of the factors over the variables that are free in it.
pub(super) fn cool(
    graph: &FactorGraph,
    start: &[usize],
    rng: &mut Pcg64,
    budget: &Budget,
) -> Vec<usize> {
    let mut forests = Forests::new(graph, start);
    let hot = forests.first_temperature();
    let (mut best, mut value) = (start.to_vec(), graph.ln_value(start));
    let coolings = match budget.remaining() {
        Some(_) => usize::BITS as usize - 8,
        None => UNTIMED_COOLINGS,
    };
    for cooling in 0..coolings {
        let sweeps = FIRST_SWEEPS << cooling;
        let mut ended = false;
        for sweep in 0..sweeps {
            ended = budget.stop().is_some();
            if ended {
                break;
            }
            let along = sweep as f64 / (sweeps - 1) as f64;
            forests.sweep(1.0 / (hot * COLD.powf(along)), rng);
        }
        if ended {
            // What is left of the way down, in one step: single draws of what is best.
            forests.sweep(1.0 / (hot * COLD), rng);
        }
        let found = graph.ln_value(&forests.states);
        if found > value {
            value = found;
            best.clone_from(&forests.states);
        }
        if ended {
            break;
        }
    }
    best
}

/// A variable in a factor.
#[derive(Clone, Copy)]
struct Leg {
    factor: usize,
    variable: usize,
    stride: usize,
}

/// The present configuration and the forest of the present sweep.
struct Forests<'g> {
    graph: &'g FactorGraph,
    states: Vec<usize>,
    /// The entry of each factor at the present states.
    at: Vec<usize>,
    /// Legs by factor, and by variable, with the place of the first of each.
    by_factor: (Vec<Leg>, Vec<usize>),
    by_variable: (Vec<Leg>, Vec<usize>),
    order: Vec<usize>,
    /// Parents of a union of variables and, after them, factors.
    parent: Vec<u32>,
    /// The variable that met a union last.
    met: Vec<usize>,
    free: Vec<bool>,
    /// Entries of each factor over its free variables.
    entries: Vec<usize>,
    /// Free variables from the roots down, each with the leg by which it hangs on its factor.
    visits: Vec<(usize, Option<Leg>)>,
    visited: Vec<bool>,
    /// The logarithm of what the variable and all below it weigh, for each of its states.
    messages: Vec<f64>,
    first_message: Vec<usize>,
    /// Joint states of the children of one factor: their logarithms, then their weights.
    weights: Vec<f64>,
    children: Vec<Leg>,
}

/// Lists the legs by an owner.
fn grouped(mut legs: Vec<Leg>, owners: usize, owner: fn(&Leg) -> usize) -> (Vec<Leg>, Vec<usize>) {
    legs.sort_by_key(owner);
    let mut first = vec![0; owners + 1];
    for leg in &legs {
        first[owner(leg) + 1] += 1;
    }
    for at in 0..owners {
        first[at + 1] += first[at];
    }
    (legs, first)
}

impl<'g> Forests<'g> {
    fn new(graph: &'g FactorGraph, start: &[usize]) -> Self {
        let (n, m) = (graph.num_variables(), graph.num_factors());
        let mut legs = Vec::new();
        let mut at = vec![0; m];
        for (factor, table) in graph.factors().iter().enumerate() {
            let mut stride = table.num_entries();
            for (&v, &card) in table.scope().iter().zip(table.cards()) {
                stride /= card;
                at[factor] += stride * start[v.index()];
                legs.push(Leg {
                    factor,
                    variable: v.index(),
                    stride,
                });
            }
        }
        let mut first_message = vec![0];
        for &card in graph.cards() {
            first_message.push(first_message[first_message.len() - 1] + card);
        }
        Self {
            graph,
            states: start.to_vec(),
            at,
            by_factor: grouped(legs.clone(), m, |leg| leg.factor),
            by_variable: grouped(legs, n, |leg| leg.variable),
            order: (0..n).filter(|&v| graph.cards()[v] > 1).collect(),
            parent: vec![0; n + m],
            met: vec![usize::MAX; n + m],
            free: vec![false; n],
            entries: vec![1; m],
            visits: Vec::with_capacity(n),
            visited: vec![false; n],
            messages: vec![0.0; first_message[n]],
            first_message,
            weights: Vec::new(),
            children: Vec::new(),
        }
    }

    /// A temperature at which the factors of a variable hardly tell its states apart: the mean over
    /// the factors of the spread of their finite entries, at least 1.
    fn first_temperature(&self) -> f64 {
        let (mut sum, mut count) = (0.0, 0.0);
        for table in self.graph.factors() {
            let finite = || table.relative().iter().copied().filter(|ln| ln.is_finite());
            let spread =
                finite().fold(f64::NEG_INFINITY, f64::max) - finite().fold(f64::INFINITY, f64::min);
            if spread > 0.0 {
                sum += spread;
                count += 1.0;
            }
        }
        if count > 0.0 {
            (sum / count).max(1.0)
        } else {
            1.0
        }
    }

    /// Draws a forest, and the states of its variables at the inverse temperature `beta`.
    fn sweep(&mut self, beta: f64, rng: &mut Pcg64) {
        self.draw_forest(rng);
        self.visit();
        for place in (0..self.visits.len()).rev() {
            self.collect(self.visits[place], beta);
        }
        for place in 0..self.visits.len() {
            let (v, hangs_on) = self.visits[place];
            // All children of a factor are drawn together, when the first of them is visited.
            match hangs_on {
                None => self.draw_root(v, rng),
                Some(leg) if !self.visited[v] => self.draw_children(leg.factor, beta, rng),
                Some(_) => {}
            }
        }
    }

    fn root(&mut self, mut node: usize) -> usize {
        while self.parent[node] as usize != node {
            let up = self.parent[node] as usize;
            self.parent[node] = self.parent[up];
            node = up;
        }
        node
    }

    /// Frees variables in random order as long as no cycle closes and no factor grows too large.
    fn draw_forest(&mut self, rng: &mut Pcg64) {
        let n = self.free.len();
        self.order.shuffle(rng);
        self.met.fill(usize::MAX);
        self.free.fill(false);
        self.entries.fill(1);
        for (node, parent) in self.parent.iter_mut().enumerate() {
            *parent = node as u32;
        }
        let order = std::mem::take(&mut self.order);
        for &v in &order {
            let legs = self.by_variable.1[v]..self.by_variable.1[v + 1];
            let card = self.graph.cards()[v];
            // Two factors of one part would close a cycle.
            let mut fits = true;
            for at in legs.clone() {
                let factor = self.by_variable.0[at].factor;
                let part = self.root(n + factor);
                let met = std::mem::replace(&mut self.met[part], v);
                fits &= met != v && self.entries[factor] * card <= MOST_ENTRIES;
                if !fits {
                    break;
                }
            }
            if fits {
                self.free[v] = true;
                for at in legs {
                    let factor = self.by_variable.0[at].factor;
                    let part = self.root(n + factor);
                    self.parent[part] = v as u32;
                    self.entries[factor] *= card;
                }
            }
        }
        self.order = order;
    }

    /// Lists the free variables from the roots of the forest down; the children of a factor together.
    fn visit(&mut self) {
        self.visits.clear();
        self.visited.fill(false);
        for root in 0..self.free.len() {
            if !self.free[root] || self.visited[root] {
                continue;
            }
            let mut place = self.visits.len();
            self.visited[root] = true;
            self.visits.push((root, None));
            while let Some(&(v, hangs_on)) = self.visits.get(place) {
                place += 1;
                for at in self.by_variable.1[v]..self.by_variable.1[v + 1] {
                    let factor = self.by_variable.0[at].factor;
                    if hangs_on.is_some_and(|leg| leg.factor == factor) {
                        continue;
                    }
                    for at in self.by_factor.1[factor]..self.by_factor.1[factor + 1] {
                        let leg = self.by_factor.0[at];
                        if self.free[leg.variable] && leg.variable != v {
                            self.visited[leg.variable] = true;
                            self.visits.push((leg.variable, Some(leg)));
                        }
                    }
                }
            }
        }
        // From now on: has it been drawn?
        self.visited.fill(false);
    }

    /// The message of a variable: its factors but the one it hangs on, their children summed out.
    fn collect(&mut self, (v, hangs_on): (usize, Option<Leg>), beta: f64) {
        let card = self.graph.cards()[v];
        let first = self.first_message[v];
        self.messages[first..first + card].fill(0.0);
        for at in self.by_variable.1[v]..self.by_variable.1[v + 1] {
            let own = self.by_variable.0[at];
            if hangs_on.is_some_and(|leg| leg.factor == own.factor) {
                continue;
            }
            let base = self.at[own.factor] - own.stride * self.states[v];
            self.list_children(own.factor, v);
            for state in 0..card {
                let term = if self.children.is_empty() {
                    beta * self.graph.factors()[own.factor].relative()[base + own.stride * state]
                } else {
                    self.weigh(own.factor, base + own.stride * state, beta);
                    ln_sum_exp(self.weights.iter().copied())
                };
                self.messages[first + state] += term;
            }
        }
    }

    /// The free variables of a factor that are not drawn yet, but `parent`.
    fn list_children(&mut self, factor: usize, parent: usize) {
        self.children.clear();
        for leg in &self.by_factor.0[self.by_factor.1[factor]..self.by_factor.1[factor + 1]] {
            let v = leg.variable;
            if v != parent && self.free[v] && !self.visited[v] {
                self.children.push(*leg);
            }
        }
    }

    /// `β ln f + Σ messages` for all joint states of the listed children, the last one fastest; `at` is
    /// the entry of the factor where they have their present states.
    fn weigh(&mut self, factor: usize, at: usize, beta: f64) {
        let ln = self.graph.factors()[factor].relative();
        let present = |leg: &Leg| leg.stride * self.states[leg.variable];
        let base = at - self.children.iter().map(present).sum::<usize>();
        self.weights.clear();
        if let [leg] = self.children[..] {
            let first = self.first_message[leg.variable];
            let messages = &self.messages[first..first + self.graph.cards()[leg.variable]];
            let entries = messages.iter().enumerate();
            let weight = |(state, m): (usize, &f64)| m + beta * ln[base + leg.stride * state];
            self.weights.extend(entries.map(weight));
            return;
        }
        self.weights.push(0.0);
        let mut offsets = vec![base];
        for leg in &self.children {
            let first = self.first_message[leg.variable];
            let messages = &self.messages[first..first + self.graph.cards()[leg.variable]];
            let states = 0..messages.len();
            let each = |&at: &usize| states.clone().map(move |state| at + leg.stride * state);
            offsets = offsets.iter().flat_map(each).collect();
            let sums = self.weights.iter();
            self.weights = sums
                .flat_map(|w| messages.iter().map(move |m| w + m))
                .collect();
        }
        for (weight, &at) in self.weights.iter_mut().zip(&offsets) {
            *weight += beta * ln[at];
        }
    }

    fn draw_root(&mut self, v: usize, rng: &mut Pcg64) {
        let first = self.first_message[v];
        let state = draw(
            &mut self.messages[first..first + self.graph.cards()[v]],
            rng,
        );
        self.set(v, state);
    }

    fn draw_children(&mut self, factor: usize, beta: f64, rng: &mut Pcg64) {
        self.list_children(factor, usize::MAX);
        self.weigh(factor, self.at[factor], beta);
        let mut joint = draw(&mut self.weights, rng);
        while let Some(leg) = self.children.pop() {
            let card = self.graph.cards()[leg.variable];
            self.set(leg.variable, joint % card);
            joint /= card;
        }
    }

    fn set(&mut self, v: usize, state: usize) {
        let before = std::mem::replace(&mut self.states[v], state);
        self.visited[v] = true;
        for leg in &self.by_variable.0[self.by_variable.1[v]..self.by_variable.1[v + 1]] {
            self.at[leg.factor] = self.at[leg.factor] - leg.stride * before + leg.stride * state;
        }
    }
}

/// Draws an index with probability proportional to the exponential of the entry.
fn draw(ln: &mut [f64], rng: &mut Pcg64) -> usize {
    let most = ln.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let mut sum = 0.0;
    for x in ln.iter_mut() {
        // The sums up to each index; an entry of −∞ adds nothing.
        sum += (*x - most).exp();
        *x = sum;
    }
    let mark = sum * rng.random::<f64>();
    let place = ln.partition_point(|&x| x <= mark);
    // Rounding may put the mark at the end; the last state that weighs anything is meant then.
    if place < ln.len() {
        place
    } else {
        ln.partition_point(|&x| x < sum)
    }
}

#[cfg(test)]
mod tests {
    use forney_model::enumerate::enumerate;
    use forney_model::{FactorGraph, VarId};
    use forney_testing::Family;
    use rand::SeedableRng;

    use super::*;
    use crate::AllowedSearch;

    const FAMILY: Family = Family {
        variables: 1..8,
        max_card: 1..5,
        max_scope: 0..4,
        zeros: &[0.0, 0.2],
        spread: 3.0,
        ..Family::SMALL
    };

    fn models() -> impl Iterator<Item = (u64, FactorGraph, Vec<usize>)> {
        (0..400).filter_map(|seed| {
            let mut rng = Pcg64::seed_from_u64(seed);
            let graph = FAMILY.draw(&mut rng);
            let budget = Budget::unlimited();
            let found = AllowedSearch::default().find(&graph, &mut rng, &budget);
            found
                .ok()
                .flatten()
                .map(|found| (seed, graph, found.states))
        })
    }

    /// The best assignment of a small model is found nearly always, and none is forbidden.
    #[test]
    fn cooling_finds_the_best_of_small_models() {
        let (mut best, mut all) = (0, 0);
        for (seed, graph, start) in models() {
            let mut rng = Pcg64::seed_from_u64(seed);
            let states = cool(&graph, &start, &mut rng, &Budget::unlimited());
            let value = graph.ln_value(&states);
            let map = enumerate(&graph).ln_max;
            assert!(
                value.is_finite() && value <= map + 1e-9,
                "seed {seed}: {value} {map}"
            );
            assert!(value >= graph.ln_value(&start), "seed {seed}");
            all += 1;
            best += usize::from(value >= map - 1e-9);
        }
        assert!(all > 250 && best >= all - 3, "{best} of {all}");
    }

    /// At temperature 1 the sweeps leave the distribution of the model as it is.
    #[test]
    fn sweeps_sample_the_model() {
        let mut compared = 0;
        for (seed, graph, start) in models().filter(|(seed, ..)| seed % 40 == 3) {
            let mut rng = Pcg64::seed_from_u64(seed);
            let mut forests = Forests::new(&graph, &start);
            let exact = enumerate(&graph).marginals;
            let mut counts: Vec<Vec<f64>> = exact.iter().map(|p| vec![0.0; p.len()]).collect();
            const SWEEPS: usize = 20_000;
            for _ in 0..SWEEPS {
                forests.sweep(1.0, &mut rng);
                for (counts, &state) in counts.iter_mut().zip(&forests.states) {
                    counts[state] += 1.0 / SWEEPS as f64;
                }
            }
            for v in graph.variables().map(VarId::index) {
                for (p, q) in exact[v].iter().zip(&counts[v]) {
                    assert!((p - q).abs() < 0.03, "seed {seed}: {p} {q}");
                }
            }
            compared += 1;
        }
        assert!(compared > 4);
    }
}
