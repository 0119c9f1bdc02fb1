//! Starts of structured mean field, which go on where the clock interrupted them.

use std::ops::Range;
use std::time::Duration;

use forney_certify::{Budget, Certificate, Limits, Refine, Run};
use forney_model::FactorGraph;
use rand_pcg::Pcg64;
use rayon::prelude::*;

use super::StartError;
use super::ascent::{StructuredAscent, clique_limit};
use super::partition::{partition, total_correlation};
use crate::belief_propagation::{BeliefPropagation, MessageSchedule};
use crate::course::Course;
use crate::elbo::Tractable;
use crate::mean_field::MeanField;

/// Seconds that an update takes for one clique entry at worst, for predictions.
const SECONDS_PER_ENTRY: f64 = 2e-8;
/// Cliques are so small that at least so many sweeps fit in the time, all starts together.
const LEAST_SWEEPS: f64 = 6.0;

/// Sweeps of belief propagation before blocks are chosen.
const SWEEPS: usize = 20;

/// Starts over blocks of a model whose domains are pruned, and the best of those that are over.
pub(crate) struct Starts<'g> {
    graph: &'g FactorGraph,
    seed: u64,
    memory: f64,
    limits: Limits,
    /// How strong each factor is: by its table, and by what its variables tell of each other under the
    /// beliefs of belief propagation.
    tables: Vec<f64>,
    beliefs: Option<Vec<f64>>,
    /// Has the uniform distribution no bound?
    zeros: bool,
    open: Vec<Course<StructuredAscent<'g>>>,
    best: Option<(f64, Run<Tractable>)>,
}

impl<'g> Starts<'g> {
    /// Nothing is begun yet; `memory` is in bytes, for all starts together.
    pub(crate) fn new(graph: &'g FactorGraph, seed: u64, memory: f64, limits: Limits) -> Self {
        let uniform = MeanField::uniform(graph).verify(graph);
        Self {
            graph,
            seed,
            memory,
            limits,
            tables: graph.factors().iter().map(total_correlation).collect(),
            beliefs: None,
            // Written so that what cannot be verified is no start either.
            zeros: !uniform.is_ok_and(|lower| lower.ln() > f64::NEG_INFINITY),
            open: Vec::new(),
            best: None,
        }
    }

    /// Begins the starts of these numbers side by side, over blocks of width at most `ibound`.
    ///
    /// With hard zeros all begin at `naive`, else every second one does, and the others at the uniform
    /// distribution. Some sweeps have to fit in the time. True if that or the memory holds no larger blocks.
    pub(crate) fn begin(
        &mut self,
        numbers: Range<usize>,
        ibound: usize,
        naive: &MeanField,
        time: Option<Duration>,
        budget: &Budget,
    ) -> Result<bool, StartError> {
        let Self {
            graph, seed, zeros, ..
        } = *self;
        // The starts run side by side on as many threads as there are, and have the same share on one.
        let memory = self.memory / numbers.len().max(1) as f64;
        let mut limit = clique_limit(graph, ibound, memory);
        if let Some(time) = time {
            let cliques = SECONDS_PER_ENTRY * graph.num_variables().max(1) as f64;
            let sweep = time.as_secs_f64() / LEAST_SWEEPS;
            limit.entries = limit.entries.min(sweep / cliques);
        }
        // So many starts differ without random numbers. Beliefs take longer, so tables come first.
        let plain = if zeros { 2 } else { 4 };
        let believed = |number: usize| number % plain >= plain / 2;
        if numbers.clone().any(believed) && self.beliefs.is_none() {
            self.beliefs = Some(believed_correlation(graph, budget));
        }
        let uniform = MeanField::uniform(graph);
        let begin = |number: usize| {
            let strengths = match &self.beliefs {
                Some(beliefs) if believed(number) => beliefs,
                _ => &self.tables,
            };
            let mut rng = Pcg64::new(seed.into(), number as u128);
            let whim = (number >= plain).then_some(&mut rng);
            let blocks = partition(graph, limit, strengths, whim);
            let start = match zeros || number.is_multiple_of(2) {
                true => naive,
                false => &uniform,
            };
            let ascent = StructuredAscent::over(graph, start, &blocks, memory)?;
            Ok(Course::new(ascent))
        };
        let first = numbers.start;
        let begun = numbers.into_par_iter();
        let begun: Vec<Option<Result<_, StartError>>> = begun
            .map(|number| {
                let wanted = number == first || budget.stop().is_none();
                wanted.then(|| begin(number))
            })
            .collect();
        let mut begun = begun.into_iter().flatten();
        self.open.extend(begun.next().transpose()?);
        // Blocks of another start may be too large where the first ones were not.
        self.open.extend(begun.flatten());
        Ok(limit.entries < (ibound as f64 + 2.0).exp2())
    }

    /// Goes on with those that are under way until they are over, or the budget is; true if all are.
    pub(crate) fn go_on(&mut self, budget: &Budget) -> bool {
        let limits = self.limits;
        let open = self.open.par_iter_mut();
        open.for_each(|course| course.go_on(&limits, budget));
        let (over, open) = (self.open.drain(..)).partition(|course| course.is_over());
        self.open = open;
        self.close(over, budget);
        self.open.is_empty()
    }

    /// Keeps the best of these, the earlier one of equals.
    fn close(&mut self, courses: Vec<Course<StructuredAscent<'g>>>, budget: &Budget) {
        for course in courses {
            let value = value(&course);
            if self.best.as_ref().is_none_or(|&(best, _)| value > best) {
                self.best = Some((value, course.report(budget)));
            }
        }
    }

    /// The best distribution of all starts, over or under way, with its objective in nats, if that is
    /// above what is known.
    pub(crate) fn better_than(&self, known: f64) -> Option<(f64, Tractable)> {
        let over = self.best.as_ref().filter(|&&(value, _)| value > known);
        let known = over.map_or(known, |&(value, _)| value);
        let open = self.open.iter().map(|course| (value(course), course));
        let open = open.filter(|&(value, _)| value > known);
        match open.max_by(|(a, _), (b, _)| a.total_cmp(b)) {
            Some((value, course)) => Some((value, course.point())),
            None => over.map(|(value, run)| (*value, run.point.clone())),
        }
    }

    /// The best of all starts as it stands; `None` if there was none.
    pub(crate) fn finish(mut self, budget: &Budget) -> Option<Run<Tractable>> {
        let open = std::mem::take(&mut self.open);
        self.close(open, budget);
        self.best.map(|(_, run)| run)
    }
}

/// `ELBO(q)` of a start now.
fn value(course: &Course<StructuredAscent<'_>>) -> f64 {
    course.value().unwrap_or_else(|| course.refine().elbo())
}

/// What the variables of each factor tell of each other, by belief propagation.
fn believed_correlation(graph: &FactorGraph, budget: &Budget) -> Vec<f64> {
    let mut messages = BeliefPropagation::new(graph, MessageSchedule::Residual, 0.0);
    for _ in 0..SWEEPS {
        if budget.stop().is_some() {
            break;
        }
        messages.sweep();
    }
    messages.information(graph.num_factors())
}
