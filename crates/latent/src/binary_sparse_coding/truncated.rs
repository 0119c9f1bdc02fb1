//! The truncated posterior: M. Henniges, G. Puertas, J. Bornschein, J. Eggert, J. Lücke, *Binary sparse
//! coding* (2010).

use forney_exact::vmath::exp_scaled;
use ndarray::Array2;
use serde::{Deserialize, Serialize};

use super::e_step::{EStep, Posteriors, Problem};
use crate::{LatentError, check};

/// The most states that are considered for an example.
const MAX_STATES: usize = 1 << 16;

/// `q ∝ p(h, v)` over few states: every unit alone, and at most `active` units at a time among the
/// `candidates` that explain the example best, each alone.
///
/// # Complexity
/// `O(S γ + H ln H)` for each example, with `S = Σ_{k ≤ γ} C(H', k)` states, `H'` candidates and `γ`
/// active ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Truncated {
    /// `H'`.
    pub candidates: usize,
    /// `γ`.
    pub active: usize,
}

impl Default for Truncated {
    /// Eight candidates, at most five of them active: 219 states.
    fn default() -> Self {
        Self {
            candidates: 8,
            active: 5,
        }
    }
}

/// A set of candidates: another one with one more, of a higher place.
#[derive(Clone, Copy)]
struct Node {
    parent: usize,
    place: usize,
    depth: usize,
    /// Whether no set is made of this one.
    leaf: bool,
}

/// All sets of at most `active` out of `candidates`, each behind its parent; the empty set is first.
fn sets(candidates: usize, active: usize) -> Result<Vec<Node>, LatentError> {
    let mut nodes = vec![Node {
        parent: 0,
        place: 0,
        depth: 0,
        leaf: false,
    }];
    let mut parent = 0;
    while parent < nodes.len() {
        let node = nodes[parent];
        if node.depth < active {
            let first = if node.depth == 0 { 0 } else { node.place + 1 };
            for place in first..candidates {
                nodes.push(Node {
                    parent,
                    place,
                    depth: node.depth + 1,
                    leaf: node.depth + 1 == active || place + 1 == candidates,
                });
            }
        }
        let limit = "small enough for 2^16 states of an example";
        let admissible = nodes.len() <= MAX_STATES;
        check::within(
            "the number of candidates",
            limit,
            candidates as f64,
            admissible,
        )?;
        parent += 1;
    }
    Ok(nodes)
}

impl EStep for Truncated {
    fn name(&self) -> &'static str {
        "truncated"
    }

    fn infer(&self, problem: &Problem<'_>) -> Result<Posteriors, LatentError> {
        let (examples, units) = problem.fields.dim();
        check::some("the number of candidates", self.candidates)?;
        check::some("the number of active units", self.active)?;
        let count = self.candidates.min(units);
        let nodes = sets(count, self.active)?;
        let mut q = Posteriors {
            means: Array2::zeros((examples, units)),
            second: Array2::zeros((units, units)),
            entropy: 0.0,
        };
        // Behind the sets, the units that are no candidates, each alone.
        let mut state = State {
            nodes: &nodes,
            ln: vec![0.0; nodes.len() + units - count],
            p: vec![0.0; nodes.len() + units - count],
            inputs: vec![0.0; nodes.len() * count],
            pairs: vec![0.0; count * count],
            together: vec![0.0; count * count],
        };
        let mut order: Vec<usize> = (0..units).collect();
        for n in 0..examples {
            if problem.is_over() {
                break;
            }
            let field = problem.fields.row(n);
            order.sort_unstable_by(|&a, &b| field[b].total_cmp(&field[a]).then(a.cmp(&b)));
            state.infer(problem, n, order.split_at(count), &mut q);
        }
        Ok(q)
    }
}

/// Memory for one example.
struct State<'a> {
    nodes: &'a [Node],
    ln: Vec<f64>,
    p: Vec<f64>,
    /// What each candidate would add to each set.
    inputs: Vec<f64>,
    /// The couplings of the candidates.
    pairs: Vec<f64>,
    /// The unnormalised probabilities that two candidates are on, row by the higher place.
    together: Vec<f64>,
}

impl State<'_> {
    /// Adds the posterior of example `n`.
    fn infer(
        &mut self,
        problem: &Problem<'_>,
        n: usize,
        (candidates, others): (&[usize], &[usize]),
        q: &mut Posteriors,
    ) {
        let field = problem.fields.row(n);
        let count = candidates.len();
        for (i, &a) in candidates.iter().enumerate() {
            self.inputs[i] = field[a];
            for (j, &b) in candidates.iter().enumerate() {
                self.pairs[i * count + j] = problem.couplings[[a, b]];
            }
        }
        for (set, node) in self.nodes.iter().enumerate().skip(1) {
            let (before, inputs) = self.inputs.split_at_mut(set * count);
            let parent = &before[node.parent * count..][..count];
            self.ln[set] = self.ln[node.parent] + parent[node.place];
            if node.leaf {
                continue;
            }
            let row = &self.pairs[node.place * count..][..count];
            for ((input, parent), pair) in inputs.iter_mut().zip(parent).zip(row) {
                *input = parent - pair;
            }
        }
        let sets = self.nodes.len();
        for (ln, &unit) in self.ln[sets..].iter_mut().zip(others) {
            *ln = field[unit];
        }
        let most = self.ln.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        exp_scaled(&self.ln, 1.0, most, &mut self.p);
        let sum: f64 = self.p.iter().sum();
        let energy: f64 = self
            .ln
            .iter()
            .zip(&self.p)
            .map(|(ln, p)| (ln - most) * p)
            .sum::<f64>()
            / sum;
        q.entropy += sum.ln() - energy;

        for (p, &unit) in self.p[sets..].iter().zip(others) {
            q.means[[n, unit]] += p / sum;
            q.second[[unit, unit]] += p / sum;
        }
        // From the last set to the first: the mass of a set and of all that contain it by adding
        // higher places is the probability that its last unit is on together with the ones before.
        self.together.fill(0.0);
        for set in (1..sets).rev() {
            let Node { parent, place, .. } = self.nodes[set];
            let mass = self.p[set];
            self.p[parent] += mass;
            let row = &mut self.together[place * count..][..count];
            row[place] += mass;
            let mut ancestor = parent;
            while ancestor != 0 {
                let Node { parent, place, .. } = self.nodes[ancestor];
                row[place] += mass;
                ancestor = parent;
            }
        }
        for (i, &a) in candidates.iter().enumerate() {
            let own = self.together[i * count + i] / sum;
            q.means[[n, a]] += own;
            q.second[[a, a]] += own;
            for (j, &b) in candidates[..i].iter().enumerate() {
                let pair = self.together[i * count + j] / sum;
                q.second[[a, b]] += pair;
                q.second[[b, a]] += pair;
            }
        }
    }
}
