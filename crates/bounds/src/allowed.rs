//! Search for an allowed configuration: an assignment of positive weight.

use forney_certify::{Below, Budget, Certificate, Flaw, Lower};
use forney_model::walk::advance;
use forney_model::{Contradiction, Domains, FactorGraph, Mark, Propagation, VarId};
use rand::{Rng, RngExt};

/// A full assignment: a witness of `ln Z ≥ Σ_a ln f_a(x_a)`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Configuration {
    /// One state for each variable.
    pub states: Vec<usize>,
}

impl Certificate<FactorGraph> for Configuration {
    type Side = Below;

    /// `Σ_a ln f_a(x_a)`; `−∞` if a factor forbids the assignment.
    ///
    /// # Errors
    /// [`Flaw::Invalid`] if there is not one existing state for each variable.
    fn verify(&self, graph: &FactorGraph) -> Result<Lower, Flaw> {
        let exist = self.states.len() == graph.num_variables()
            && (self.states.iter().zip(graph.cards())).all(|(state, card)| state < card);
        if !exist {
            return Err(Flaw::Invalid(format!(
                "no assignment of {} variables: {:?}",
                graph.num_variables(),
                self.states
            )));
        }
        Lower::new(graph.ln_value(&self.states))
    }
}

/// How to search for an allowed configuration: depth first with propagation of hard zeros,
/// random restarts, and variables that failed often first.
///
/// # Example
/// ```
/// use forney_bounds::AllowedSearch;
/// use forney_certify::Budget;
/// use forney_model::{FactorGraph, Table, VarId};
/// use rand::SeedableRng;
/// let differ = |a, b| {
///     Table::from_values(vec![VarId(a), VarId(b)], vec![3, 3], &[0., 1., 1., 1., 0., 1., 1., 1., 0.])
/// };
/// let triangle = FactorGraph::new(vec![3; 3], vec![differ(0, 1)?, differ(1, 2)?, differ(2, 0)?])?;
/// let mut rng = rand_pcg::Pcg64::seed_from_u64(1);
/// let found = AllowedSearch::default().find(&triangle, &mut rng, &Budget::unlimited());
/// let colouring = found.expect("Z > 0").expect("easy to find");
/// assert!(triangle.ln_value(&colouring.states).is_finite());
/// # Ok::<(), forney_model::ModelError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AllowedSearch {
    /// `T` in the choice of states, `p(x_v) ∝ exp(score(x_v) / T)`: high for variety, low for
    /// configurations of high value.
    pub temperature: f64,
    /// Gives up after looking at so many table entries.
    pub effort: usize,
}

impl Default for AllowedSearch {
    fn default() -> Self {
        Self {
            temperature: 1.0,
            effort: 100_000_000,
        }
    }
}

impl AllowedSearch {
    /// An allowed configuration, or `None` if none was found within the effort and the budget.
    ///
    /// # Errors
    /// [`Contradiction`] if there is none: `Z = 0`.
    ///
    /// # Complexity
    /// Without a dead end, linear in the table entries, times the scope size.
    pub fn find(
        &self,
        graph: &FactorGraph,
        rng: &mut impl Rng,
        budget: &Budget,
    ) -> Result<Option<Configuration>, Contradiction> {
        let propagation = Propagation::new(graph, &Domains::full(graph))?;
        let mut descent = Descent {
            graph,
            temperature: self.temperature,
            propagation,
            order: graph.variables().collect(),
            failures: vec![0.0; graph.num_variables()],
            decisions: Vec::new(),
            looked_at: 0,
        };
        let mut dead_ends = FIRST_DEAD_ENDS;
        while descent.looked_at <= self.effort && budget.stop().is_none() {
            descent.restart(rng);
            if descent.run(dead_ends, self.effort, rng, budget)? {
                return Ok(Some(descent.configuration()));
            }
            dead_ends += dead_ends / 2;
        }
        Ok(None)
    }
}

/// Dead ends before the first restart; half as many more before each later one. Set by hand, not tuned.
const FIRST_DEAD_ENDS: usize = 32;

/// One depth-first search, with what is kept over restarts.
struct Descent<'g> {
    graph: &'g FactorGraph,
    temperature: f64,
    /// States removed without any decision are removed for good.
    propagation: Propagation,
    order: Vec<VarId>,
    /// How often an assignment of each variable met a contradiction.
    failures: Vec<f64>,
    decisions: Vec<Decision>,
    looked_at: usize,
}

struct Decision {
    v: VarId,
    state: usize,
    before: Mark,
    /// Variables up to here in the order were decided before.
    at: usize,
}

impl Descent<'_> {
    fn restart(&mut self, rng: &mut impl Rng) {
        if let Some(first) = self.decisions.first() {
            self.propagation.undo(first.before);
            self.decisions.clear();
        }
        let keys: Vec<f64> = (self.graph.variables())
            .map(|v| {
                let states = self.propagation.num_allowed(v) as f64;
                (states + rng.random::<f64>()) / (1.0 + self.failures[v.index()])
            })
            .collect();
        self.order
            .sort_by(|a, b| keys[a.index()].total_cmp(&keys[b.index()]));
        self.looked_at += self.order.len();
    }

    /// Decides variable after variable; false after too many dead ends, too much effort, or the
    /// end of the budget.
    fn run(
        &mut self,
        dead_ends: usize,
        effort: usize,
        rng: &mut impl Rng,
        budget: &Budget,
    ) -> Result<bool, Contradiction> {
        let mut left = dead_ends;
        let mut at = 0;
        loop {
            let undecided = |v: &VarId| self.propagation.num_allowed(*v) > 1;
            let Some(next) = self.order[at..].iter().position(undecided) else {
                return Ok(true);
            };
            at += next;
            let v = self.order[at];
            let state = self.choose(v, rng);
            let before = self.propagation.mark();
            let begun = self.propagation.work();
            self.decisions.push(Decision {
                v,
                state,
                before,
                at,
            });
            let mut outcome = self.propagation.assign(v, state);
            while outcome.is_err() {
                let Some(wrong) = self.decisions.pop() else {
                    return Err(Contradiction);
                };
                self.failures[wrong.v.index()] += 1.0;
                self.propagation.undo(wrong.before);
                outcome = self.propagation.remove(wrong.v, wrong.state);
                at = wrong.at;
                left = left.saturating_sub(1);
            }
            self.looked_at += 1 + self.propagation.work() - begun;
            if left == 0 || self.looked_at > effort || budget.stop().is_some() {
                return Ok(false);
            }
        }
    }

    /// Draws a state by what the factors allow with it: `score(x_v) = Σ_a ln Σ f_a`, summed over
    /// the entries that agree with the domains.
    fn choose(&mut self, v: VarId, rng: &mut impl Rng) -> usize {
        let mut scores = vec![0.0; self.graph.card(v)];
        for a in self.graph.factors_of(v) {
            let table = &self.graph.factors()[a.index()];
            self.looked_at += table.num_entries();
            let mut sums = vec![0.0; scores.len()];
            let mut states = vec![0; table.scope().len()];
            for ln in table.relative() {
                let mut own = 0;
                let mut allowed = true;
                for (&u, &state) in table.scope().iter().zip(&states) {
                    allowed &= self.propagation.is_allowed(u, state);
                    if u == v {
                        own = state;
                    }
                }
                if allowed {
                    sums[own] += ln.exp();
                }
                advance(&mut states, table.cards(), |_, _| ());
            }
            for (score, sum) in scores.iter_mut().zip(sums) {
                *score += sum.ln();
            }
        }
        // Adding Gumbel noise to ln p and taking the best draws from p.
        let noise = |_| -(-(1.0 - rng.random::<f64>()).ln()).ln();
        let keys: Vec<f64> = (0..scores.len()).map(noise).collect();
        let key = |state: usize| scores[state] + self.temperature * keys[state];
        self.propagation
            .allowed(v)
            .max_by(|&a, &b| key(a).total_cmp(&key(b)))
            .expect("an undecided variable has states")
    }

    fn configuration(&self) -> Configuration {
        let state = |v| self.propagation.allowed(v).next().expect("decided");
        Configuration {
            states: self.graph.variables().map(state).collect(),
        }
    }
}
