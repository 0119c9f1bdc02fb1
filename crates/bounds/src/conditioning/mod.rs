//! Cutset conditioning (Pearl 1988) as a lower bound: fix some variables, eliminate the others
//! exactly.
//!
//! ```text
//! Z = Σ_{x_C} Z(x_C) ≥ Z(x_C) = Σ_{x_V\C} Π_a f_a(x_C, x_V\C)      for every C and every x_C
//! ```
//!
//! | symbol | name | |
//! |---|---|---|
//! | `C` | cutset: the fixed variables | few enough that the others can be eliminated |
//! | `x_C` | their states | |
//! | `−ln p(x_C) = ln Z − ln Z(x_C)` | what the bound misses | nats |
//!
//! The bound is tight if the states of `C` are hardly in doubt. So each round fixes variables that
//! are both in many large cliques and nearly certain given the cutset of an earlier round. Hard
//! zeros do no harm: they prune what is left.

mod cutset;
mod forests;
mod witness;

use forney_certify::{Budget, Refine};
use forney_exact::{Pace, marginals, most_probable};
use forney_model::{Contradiction, FactorGraph};
use rand::SeedableRng;
use rand_pcg::Pcg64;
use rayon::prelude::*;

pub use witness::Conditioned;

use crate::AllowedSearch;
use cutset::{Cutset, Knowledge, Limit, choose};
use forests::cool;

// All of these were set by hand, and not tuned.

/// The share of the time that the first sweep takes for a good configuration to start from.
const COOLING: f64 = 0.1;
/// Cutsets tried in parallel in each round.
const PROPOSALS: usize = 4;
/// First limit on the entries of all cliques, and its growth.
const FIRST_ENTRIES: f64 = 1e5;
const GROWTH: f64 = 4.0;
/// Rounds without improvement before the limit grows.
const PATIENCE: usize = 3;
/// Rounds without improvement before the end, if the limit cannot grow and time has no end.
const LAST_PATIENCE: usize = 12;
/// Less than this is no improvement, in nats.
const IMPROVEMENT: f64 = 1e-3;
/// Bytes that messages take for each clique entry, for predictions.
const BYTES_PER_ENTRY: f64 = 8.0;
/// Share of the time that is left which one round may take by prediction.
const ROUND_SHARE: f64 = 0.05;
/// Seconds that a round may be predicted to take: it is not interrupted.
const LONGEST_ROUND: f64 = 2.0;
/// Entries of an elimination that take as long as one of the passes of a round does at worst.
const COST: f64 = 20.0;

/// The search for a cutset and a configuration of it with a large `Z(x_C)`.
///
/// Limits on the cost of elimination start small and grow while memory and time allow. One
/// [`sweep`](Refine::sweep) works until the bound improves; it returns the same value again only
/// at the end: when the bound is exact, when the budget is over, or, if that has no end, when
/// many rounds at the largest limit brought nothing.
///
/// # Bound
/// Below, for any model and after any stop.
///
/// # Complexity
/// A round takes a few eliminations of what is not fixed, in parallel; each of them takes its
/// share of the memory. A round is not interrupted.
///
/// # Example
/// ```
/// use forney_bounds::Conditioning;
/// use forney_certify::{Budget, Certificate, Refine};
/// use forney_model::{enumerate::enumerate, generate::ising_grid};
/// use rand::SeedableRng;
/// let model = ising_grid(4, 1.0, 0.5, &mut rand_pcg::Pcg64::seed_from_u64(3));
/// let search = Conditioning::new(&model, 1, 1e9, &Budget::unlimited());
/// let mut search = search.expect("Z > 0").expect("found");
/// let value = search.sweep();
/// let lower = search.point().verify(&model)?;
/// assert!((lower.ln() - value).abs() < 1e-9 && value <= enumerate(&model).ln_z + 1e-9);
/// # Ok::<(), forney_certify::Flaw>(())
/// ```
#[derive(Clone, Debug)]
pub struct Conditioning<'g> {
    graph: &'g FactorGraph,
    budget: Budget,
    rng: Pcg64,
    seed: u64,
    memory: f64,
    cooled: bool,
    round: usize,
    entries: f64,
    idle: usize,
    finished: bool,
    knowledge: Knowledge,
    best: Conditioned,
    value: f64,
}

/// One cutset tried out.
struct Proposal {
    point: Conditioned,
    ln_z: f64,
    knowledge: Knowledge,
}

impl<'g> Conditioning<'g> {
    /// Starts at an allowed configuration; `None` if none was found in time. `memory` is in bytes.
    ///
    /// # Errors
    /// [`Contradiction`] if there is none: `Z = 0`.
    pub fn new(
        graph: &'g FactorGraph,
        seed: u64,
        memory: f64,
        budget: &Budget,
    ) -> Result<Option<Self>, Contradiction> {
        let search = AllowedSearch {
            temperature: 0.1,
            ..AllowedSearch::default()
        };
        let mut rng = Pcg64::seed_from_u64(seed);
        let Some(found) = search.find(graph, &mut rng, budget)? else {
            return Ok(None);
        };
        let entries: usize = graph
            .factors()
            .iter()
            .map(|table| table.num_entries())
            .sum();
        let mut search = Self {
            graph,
            budget: budget.clone(),
            rng,
            seed,
            memory,
            cooled: false,
            round: 0,
            entries: FIRST_ENTRIES.max(4.0 * entries as f64),
            idle: 0,
            finished: false,
            best: Conditioned::whole(graph, &found.states, memory),
            value: f64::NEG_INFINITY,
            knowledge: Knowledge::of(found.states),
        };
        search.value = graph.ln_value(&search.knowledge.states);
        Ok(Some(search))
    }

    /// Cools a configuration anew; if it is better than the one that cutsets come from, they come from
    /// this one. Says whether the bound improved.
    ///
    /// Cutsets keep states that are good together; they find them badly from poor ones.
    pub fn cool(&mut self, budget: &Budget) -> bool {
        self.cooled = true;
        let known = &self.knowledge.states;
        let states = cool(self.graph, known, &mut self.rng, budget);
        let value = self.graph.ln_value(&states);
        if value > self.graph.ln_value(known) {
            self.knowledge = Knowledge::of(states);
        }
        let improved = value > self.value;
        if improved {
            self.value = value;
            self.best = Conditioned::whole(self.graph, &self.knowledge.states, self.memory);
        }
        improved
    }

    /// Is the bound exact, or is there nothing more to try?
    #[must_use]
    pub fn is_finished(&self) -> bool {
        self.finished
    }

    /// One round: tries several cutsets until the budget ends it; says whether the bound improved.
    pub fn round(&mut self, budget: &Budget) -> bool {
        let limit = Limit {
            entries: self.entries,
            memory: self.memory / PROPOSALS as f64,
        };
        let first = self.round * PROPOSALS;
        self.round += 1;
        let proposals: Vec<Option<Proposal>> = (first..first + PROPOSALS)
            .into_par_iter()
            .map(|number| {
                let mut rng = Pcg64::new(self.seed.into(), number as u128);
                let cutset = choose(self.graph, &self.knowledge, limit, &mut rng, budget)?;
                self.evaluate(cutset)
            })
            .collect();
        let best = proposals
            .into_iter()
            .flatten()
            .reduce(|best, next| if next.ln_z > best.ln_z { next } else { best });
        let Some(best) = best else {
            // Without a cutset there is nothing more to try, but for one that was not found in time.
            self.finished = budget.stop().is_none();
            return false;
        };
        self.knowledge = best.knowledge;
        let improved = best.ln_z > self.value + IMPROVEMENT;
        if best.ln_z > self.value {
            self.value = best.ln_z;
            self.finished = best.point.fixed.is_empty();
            self.best = best.point;
        }
        if improved {
            self.idle = 0;
        } else {
            self.rest();
        }
        improved
    }

    /// Counts a round without improvement; raises the limit, or ends, after several.
    fn rest(&mut self) {
        self.idle += 1;
        if self.idle < PATIENCE {
            return;
        }
        let entries = GROWTH * self.entries;
        let seconds = Pace::of(&self.budget).seconds(COST * entries * PROPOSALS as f64);
        let left = self.budget.remaining().map(|left| left.as_secs_f64());
        let fits = BYTES_PER_ENTRY * entries * PROPOSALS as f64 <= self.memory;
        let short = seconds < LONGEST_ROUND;
        if fits && short && left.is_none_or(|left| seconds < ROUND_SHARE * left) {
            self.entries = entries;
            self.idle = 0;
        } else {
            self.finished = left.is_none() && self.idle >= LAST_PATIENCE;
        }
    }

    /// The bound that a cutset gives, and what its conditional distribution tells.
    fn evaluate(&self, cutset: Cutset) -> Option<Proposal> {
        let Cutset {
            fixed,
            rest,
            domains,
            order,
        } = cutset;
        let found = marginals(&rest, &order, f64::INFINITY).ok()?;
        let best = most_probable(&rest, &order, f64::INFINITY).ok()?;
        let mut knowledge = self.knowledge.clone();
        for v in self.graph.variables() {
            knowledge.states[v.index()] = domains.state(v, best.states[v.index()]);
        }
        let mut free = vec![true; self.graph.num_variables()];
        for (v, _) in &fixed {
            free[v.index()] = false;
        }
        for v in self.graph.variables().filter(|v| free[v.index()]) {
            let p = found.variables[v.index()][best.states[v.index()]];
            knowledge.surprise[v.index()] = -p.max(f64::MIN_POSITIVE).ln();
        }
        Some(Proposal {
            point: Conditioned {
                fixed,
                order,
                memory: self.memory,
            },
            ln_z: found.ln_z,
            knowledge,
        })
    }
}

impl Refine for Conditioning<'_> {
    type Point = Conditioned;

    fn sweep(&mut self) -> f64 {
        let budget = self.budget.clone();
        if !self.cooled {
            let share = budget.remaining().map(|left| left.mul_f64(COOLING));
            self.cool(&share.map_or_else(|| budget.clone(), |share| budget.capped(share)));
        }
        while !self.finished && budget.stop().is_none() && !self.round(&budget) {}
        self.value
    }

    fn point(&self) -> Conditioned {
        self.best.clone()
    }
}
