//! Many starts of mean field, which go on where the clock interrupted them.

use std::sync::Arc;

use forney_certify::{Budget, Limits, Run};
use forney_model::FactorGraph;
use rand::seq::SliceRandom;
use rand::{Rng, RngExt};
use rand_pcg::Pcg64;
use rayon::prelude::*;

use super::annealing::{Cooling, first_temperatures};
use super::tables::Tables;
use super::{MeanField, MeanFieldAscent};
use crate::AllowedSearch;
use crate::course::Course;

/// Choice of states in the search for an allowed start, taken in turn by the starts.
const TEMPERATURES: [f64; 3] = [0.1, 0.3, 1.0];

/// Starts of mean field on a model whose domains are pruned, and the best of those that are over.
pub(crate) struct Starts<'g> {
    graph: &'g FactorGraph,
    tables: Arc<Tables>,
    temperatures: [f64; 4],
    seed: u64,
    limits: Limits,
    /// The number of the next start.
    next: usize,
    sweeps: usize,
    open: Vec<Start>,
    best: Option<Best>,
}

/// One start: it is cooled, and then ascends.
struct Start {
    cooling: Cooling,
    course: Course<MeanFieldAscent>,
}

/// What a start has come to, and its objective.
struct Best {
    value: f64,
    run: Run<MeanField>,
}

impl<'g> Starts<'g> {
    pub(crate) fn new(graph: &'g FactorGraph, seed: u64, limits: Limits) -> Self {
        Self {
            graph,
            tables: Arc::new(Tables::new(graph)),
            temperatures: first_temperatures(graph),
            seed,
            limits,
            next: 0,
            sweeps: 0,
            open: Vec::new(),
            best: None,
        }
    }

    /// Begins so many starts side by side.
    pub(crate) fn begin(&mut self, starts: usize, budget: &Budget) {
        let numbers = self.next..self.next + starts;
        self.next += starts;
        let begun = numbers.into_par_iter().filter_map(|number| {
            let mut rng = Pcg64::new(self.seed.into(), number as u128);
            let ascent = start(self.graph, &self.tables, number, &mut rng, budget)?;
            let first = self.temperatures[number % self.temperatures.len()];
            Some(Start {
                cooling: Cooling::from(first),
                course: Course::new(ascent),
            })
        });
        let begun: Vec<Start> = begun.collect();
        self.open.extend(begun);
    }

    /// Goes on with those that are under way until they are over, or the budget is; true if all are.
    pub(crate) fn go_on(&mut self, budget: &Budget) -> bool {
        let limits = self.limits;
        let sweeps = self.open.par_iter_mut().map(|Start { cooling, course }| {
            cooling.go_on(course.refine_mut(), budget);
            let before = course.sweeps();
            if cooling.is_over() {
                course.go_on(&limits, budget);
            }
            course.sweeps() - before
        });
        self.sweeps += sweeps.max().unwrap_or(0);
        let (over, open) = (self.open.drain(..)).partition(|start| start.course.is_over());
        self.open = open;
        self.close(over, budget);
        self.open.is_empty()
    }

    /// Keeps the best of these starts, the earlier one of equals.
    fn close(&mut self, starts: Vec<Start>, budget: &Budget) {
        for mut start in starts {
            let value = start.value();
            if self.best.as_ref().is_none_or(|best| value > best.value) {
                let run = start.course.report(budget);
                self.best = Some(Best { value, run });
            }
        }
    }

    /// How many starts were begun.
    pub(crate) fn begun(&self) -> usize {
        self.next
    }

    /// Sweeps so far; those of starts side by side count once.
    pub(crate) fn sweeps(&self) -> usize {
        self.sweeps
    }

    /// The best point of all starts, over or under way, with its objective in nats, if that is above what
    /// is known.
    pub(crate) fn better_than(&mut self, known: f64) -> Option<(f64, MeanField)> {
        let mut best = self.best.as_ref().map(|best| (best.value, None));
        for (at, start) in self.open.iter_mut().enumerate() {
            let value = start.value();
            if best.is_none_or(|(best, _)| value > best) {
                best = Some((value, Some(at)));
            }
        }
        let (value, open) = best.filter(|&(best, _)| best > known)?;
        let point = match (open, &self.best) {
            (Some(at), _) => self.open[at].course.point(),
            (None, best) => best.as_ref()?.run.point.clone(),
        };
        Some((value, point))
    }

    /// The best of all starts as it stands; `None` if there was none.
    pub(crate) fn finish(mut self, budget: &Budget) -> Option<Run<MeanField>> {
        let open = std::mem::take(&mut self.open);
        self.close(open, budget);
        self.best.map(|best| best.run)
    }
}

impl Start {
    /// `ELBO(q)` now.
    fn value(&mut self) -> f64 {
        let last = self.course.value();
        last.unwrap_or_else(|| self.course.refine_mut().elbo())
    }
}

/// Where one start begins; `None` if no allowed configuration was found.
fn start(
    graph: &FactorGraph,
    tables: &Arc<Tables>,
    number: usize,
    rng: &mut impl Rng,
    budget: &Budget,
) -> Option<MeanFieldAscent> {
    let mut ascent = MeanFieldAscent::on(tables);
    ascent.order_mut().shuffle(rng);
    if tables.hold_zeros() {
        let search = AllowedSearch {
            temperature: TEMPERATURES[number % TEMPERATURES.len()],
            ..AllowedSearch::default()
        };
        let found = search.find(graph, rng, budget).ok()??;
        for (v, &own) in graph.variables().zip(&found.states) {
            ascent.set(v, (0..graph.card(v)).map(|state| f64::from(state == own)));
        }
    } else {
        for v in graph.variables() {
            ascent.set(v, (0..graph.card(v)).map(|_| 0.5 + rng.random::<f64>()));
        }
    }
    Some(ascent)
}
