//! Ascent over all distributions along a spanning forest.

use std::sync::Arc;

use forney_certify::{DoubleDouble, Refine};
use forney_exact::{Heuristic, Marginals, Order, Schedule, Whole, greedy};
use forney_model::{FactorGraph, Table, VarId};
use rayon::prelude::*;

use super::StartError;
use super::partition::total_correlation;
use super::subtree::Forest;
use crate::elbo::{Tractable, mean};
use crate::mean_field::MeanField;
use crate::spanning::heaviest_forest;

/// Steps shorter than this gain nothing that numbers could hold.
const LEAST_STEP: f64 = 1e-6;

/// Natural-gradient ascent over `q(x) ∝ Π_v φ_v(x_v) Π_{c ∈ T} φ_c(x_c)`, where `T` is a spanning
/// forest of the strongest factors (Saul & Jordan 1996; Wiegerinck 2000).
///
/// ```text
/// ln φ_c ← (1 − η) ln φ_c + η [ ln f_c + Σ_{a ∉ T: c ∈ S_a} E_q[ln f_a | x_c] ]
/// ln φ_v ← (1 − η) ln φ_v − η Σ_{a ∉ T} (d_{S_a}(v) − 1) E_q[ln f_a | x_v]
/// ```
///
/// | symbol | name |
/// |---|---|
/// | `S_a` | the part of the forest between the variables of `a` |
/// | `d_S(v)` | factors of `S` that mention `v`; the second line is for the variables of `S_a` and `a` |
/// | `η` | step: the longest of `1, ½, ¼ …` with which the bound does not fall |
///
/// Unlike the blocks of [`StructuredAscent`](crate::StructuredAscent), whose factors inside are all
/// in `q_B`, a forest reaches every variable of the model, and cuts all factors that close a cycle.
/// States that the start excludes stay excluded, so from a start with a finite bound the bound stays
/// finite. From one with an infinite bound there is no ascent.
///
/// # Complexity
/// For each step, one pass over the forest for each entry of each factor outside of it.
///
/// # Example
/// ```
/// use forney_bounds::{ForestAscent, MeanField};
/// use forney_certify::{Certificate, Refine};
/// use forney_model::generate::ising_grid;
/// use rand::SeedableRng;
/// let model = ising_grid(5, 0.5, 0.5, &mut rand_pcg::Pcg64::seed_from_u64(1));
/// let start = MeanField::uniform(&model);
/// let mut ascent = ForestAscent::new(&model, &start, 1e9)?;
/// let value = ascent.sweep();
/// assert!(value > start.verify(&model)?.ln());
/// assert!((ascent.point().verify(&model)?.ln() - value).abs() < 1e-9);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct ForestAscent<'g> {
    graph: &'g FactorGraph,
    /// The factor of the model behind each table of the forest; those of single variables come
    /// before them in `q`.
    members: Vec<usize>,
    cuts: Vec<Cut>,
    order: Order,
    schedule: Arc<Schedule>,
    here: Point,
    step: f64,
    memory: f64,
}

/// A factor outside of the forest.
#[derive(Clone, Debug)]
struct Cut {
    factor: usize,
    /// The tables of `q` that its expectation depends on, with the sign and number of times.
    depends: Vec<(usize, f64)>,
}

/// A distribution, its bound and where it should go.
#[derive(Clone, Debug)]
struct Point {
    q: FactorGraph,
    value: f64,
    /// For each table of `q`.
    target: Vec<Vec<f64>>,
}

impl<'g> ForestAscent<'g> {
    /// Starts at a product distribution, at its product with the factors of the forest, or at these
    /// alone, whichever is best. On a model that is a forest the last one is exact.
    ///
    /// `memory` is in bytes, for the marginals of the forest.
    ///
    /// # Errors
    /// [`StartError`] if `start` is not one distribution for each variable, or the forest does not
    /// fit.
    ///
    /// # Panics
    /// Never: the start is normalised before tables are made of it.
    pub fn new(graph: &'g FactorGraph, start: &MeanField, memory: f64) -> Result<Self, StartError> {
        let start = start.normalised(graph)?;
        let members = strongest_forest(graph);
        let mut tables: Vec<Table> = (start.iter().enumerate())
            .map(|(v, q)| Table::from_values(vec![VarId::new(v)], vec![q.len()], q))
            .collect::<Result<_, _>>()
            .expect("distributions");
        tables.extend(members.iter().map(|&a| graph.factors()[a].clone()));
        let tree = FactorGraph::new(graph.cards().to_vec(), tables).expect("tables of the model");
        let order = greedy(&tree, Heuristic::MinFill, None);
        let schedule = Schedule::compile(&tree, &order, &mut Whole)?;
        let demand = schedule.demand();
        demand.admit(demand.kept_bytes, memory)?;

        let forest = Forest::new(graph, &members);
        let outside = (0..graph.num_factors()).filter(|a| members.binary_search(a).is_err());
        let cuts = outside.map(|factor| Cut {
            factor,
            depends: forest.between(graph.factors()[factor].scope()),
        });
        let (variables, factors) = tree.factors().split_at(graph.num_variables());
        let ones = |table: &Table| with_entries(table, vec![0.0; table.num_entries()]);
        let product = variables.iter().cloned().chain(factors.iter().map(ones));
        let alone = variables.iter().map(ones).chain(factors.iter().cloned());
        let [product, alone] = [product.collect(), alone.collect()]
            .map(|q| FactorGraph::new(graph.cards().to_vec(), q).expect("the same scopes"));
        let mut ascent = Self {
            graph,
            cuts: cuts.collect(),
            order,
            schedule: schedule.into(),
            here: Point {
                q: product.clone(),
                value: f64::NEG_INFINITY,
                target: Vec::new(),
            },
            step: 1.0,
            memory,
            members,
        };
        for q in [product, tree, alone] {
            let start = ascent.evaluate(q);
            if start.value > ascent.here.value {
                ascent.here = start;
            }
        }
        Ok(ascent)
    }

    /// `ELBO(q)`, in nats.
    #[must_use]
    pub fn elbo(&self) -> f64 {
        self.here.value
    }

    /// Works out the bound of a distribution and where its tables should go.
    fn evaluate(&self, q: FactorGraph) -> Point {
        let found = Marginals::along(&self.schedule, &q);
        let mut point = Point {
            value: f64::NEG_INFINITY,
            target: q
                .factors()
                .iter()
                .map(|table| table.relative().to_vec())
                .collect(),
            q,
        };
        if found.ln_z == f64::NEG_INFINITY {
            return point;
        }
        let outside: Vec<(f64, Vec<Vec<f64>>)> = (self.cuts.par_iter())
            .map(|cut| self.expectations(cut, &point.q, &found))
            .collect();
        let (of_variables, of_members) = found.factors.split_at(self.graph.num_variables());
        let mut value = self.graph.ln_scale() + found.ln_relative;
        for (table, p) in point.q.factors().iter().zip(&found.factors) {
            value -= mean(p, table.relative());
        }
        for (&a, p) in self.members.iter().zip(of_members) {
            value += mean(p, self.graph.factors()[a].relative());
        }
        value += outside.iter().map(|(mean, _)| *mean).sum::<DoubleDouble>();
        if !value.is_finite() {
            return point;
        }
        point.value = value.value();
        let variables = of_variables.iter().map(|_| None);
        let members = self.members.iter();
        let members = members.map(|&a| Some(self.graph.factors()[a].relative()));
        let targets = point.target.iter_mut().zip(&found.factors);
        for ((target, p), ln) in targets.zip(variables.chain(members)) {
            // Entries without probability stay as they are.
            for (x, _) in p.iter().enumerate().filter(|(_, p)| **p > 0.0) {
                target[x] = ln.map_or(0.0, |ln| ln[x]);
            }
        }
        for (cut, (_, sums)) in self.cuts.iter().zip(&outside) {
            for (&(table, times), sums) in cut.depends.iter().zip(sums) {
                let entries = point.target[table].iter_mut().zip(sums);
                for ((target, sum), p) in entries.zip(&found.factors[table]) {
                    if *p > 0.0 {
                        *target += times * sum / p;
                    }
                }
            }
        }
        point
    }

    /// `E[ln f]` of a factor outside, its scale left out, and `Σ_{x_a} q(x_a, x_t) ln f(x_a)` for the
    /// tables `t` on which it depends.
    fn expectations(&self, cut: &Cut, q: &FactorGraph, found: &Marginals) -> (f64, Vec<Vec<f64>>) {
        let factor = &self.graph.factors()[cut.factor];
        let len = |&(table, _): &(usize, f64)| found.factors[table].len();
        let mut sums: Vec<Vec<f64>> = cut.depends.iter().map(|t| vec![0.0; len(t)]).collect();
        let mut mean = 0.0;
        let mut tables = q.factors().to_vec();
        for (entry, &ln) in factor.relative().iter().enumerate() {
            let mut rest = entry;
            for (&v, &card) in factor.scope().iter().zip(factor.cards()).rev() {
                let own = &q.factors()[v.index()];
                let mut only = vec![f64::NEG_INFINITY; card];
                only[rest % card] = own.relative()[rest % card];
                tables[v.index()] = with_entries(own, only);
                rest /= card;
            }
            let clamped = FactorGraph::new(q.cards().to_vec(), tables.clone());
            let clamped = clamped.expect("the same scopes");
            let given = Marginals::along(&self.schedule, &clamped);
            let scale = (clamped.ln_scale() - q.ln_scale()).value();
            let p = (scale + (given.ln_relative - found.ln_relative)).exp();
            if p > 0.0 {
                mean += p * ln;
                for (sums, &(table, _)) in sums.iter_mut().zip(&cut.depends) {
                    for (sum, given) in sums.iter_mut().zip(&given.factors[table]) {
                        if *given > 0.0 {
                            *sum += p * given * ln;
                        }
                    }
                }
            }
        }
        (mean, sums)
    }

    /// The tables moved by `step` of the way to their targets.
    fn moved(&self, step: f64) -> FactorGraph {
        let moved = |(table, target): (&Table, &Vec<f64>)| {
            let entries = table.relative().iter().zip(target).map(|(&from, &to)| {
                if from == f64::NEG_INFINITY {
                    from
                } else {
                    (1.0 - step) * from + step * to
                }
            });
            with_entries(table, entries.collect())
        };
        let tables = self.here.q.factors().iter().zip(&self.here.target);
        FactorGraph::new(self.graph.cards().to_vec(), tables.map(moved).collect())
            .expect("the same scopes")
    }
}

impl Refine for ForestAscent<'_> {
    type Point = Tractable;

    fn sweep(&mut self) -> f64 {
        while self.here.value.is_finite() && self.step > LEAST_STEP {
            let next = self.evaluate(self.moved(self.step));
            if next.value >= self.here.value {
                self.here = next;
                self.step = (2.0 * self.step).min(1.0);
                break;
            }
            self.step *= 0.5;
        }
        self.here.value
    }

    fn point(&self) -> Tractable {
        Tractable {
            q: self.here.q.clone(),
            order: self.order.clone(),
            memory: self.memory,
        }
    }
}

/// The same table with other entries, relative to the scale that it has.
fn with_entries(table: &Table, ln: Vec<f64>) -> Table {
    Table::from_ln(table.scope().to_vec(), table.cards().to_vec(), ln)
        .and_then(|other| other.scaled(table.ln_scale()))
        .expect("logarithms")
}

/// A spanning forest of factors, the strongest first; ascending.
fn strongest_forest(graph: &FactorGraph) -> Vec<usize> {
    let strengths: Vec<f64> = graph.factors().iter().map(total_correlation).collect();
    let wide = |a: usize| {
        let scope = graph.factors()[a].scope().iter();
        scope.filter(|&&v| graph.card(v) > 1).map(|v| v.index())
    };
    let all = (0..graph.num_factors()).collect();
    heaviest_forest(graph.num_variables(), all, &strengths, wide)
}
