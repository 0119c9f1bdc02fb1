//! Starts of structured mean field over blocks of one width after the other.

use std::ops::Range;
use std::time::Duration;

use forney_certify::{Budget, Certificate, Limits, Refine};
use forney_model::FactorGraph;
use rand_pcg::Pcg64;
use rayon::prelude::*;

use super::StartError;
use super::ascent::{StructuredAscent, clique_limit};
use super::partition::{partition, total_correlation};
use crate::belief_propagation::{BeliefPropagation, MessageSchedule};
use crate::course::{Courses, Start};
use crate::mean_field::MeanField;

// Set by hand, not tuned.

/// Seconds that an update takes for one clique entry at worst, for predictions.
const SECONDS_PER_ENTRY: f64 = 2e-8;
/// Cliques are so small that at least so many sweeps fit in the time, all starts together.
const LEAST_SWEEPS: f64 = 6.0;

/// Sweeps of belief propagation before blocks are chosen.
const SWEEPS: usize = 20;

/// Starts over blocks of a model whose domains are pruned.
pub(crate) struct Starts<'g> {
    graph: &'g FactorGraph,
    seed: u64,
    memory: f64,
    /// How strong each factor is: by its table, and by what its variables tell of each other under the
    /// beliefs of belief propagation.
    tables: Vec<f64>,
    beliefs: Option<Vec<f64>>,
    /// Has the uniform distribution no bound?
    zeros: bool,
    pub(crate) courses: Courses<StructuredAscent<'g>>,
}

impl<'g> Starts<'g> {
    /// Nothing is begun yet; `memory` is in bytes, for all starts together.
    pub(crate) fn new(graph: &'g FactorGraph, seed: u64, memory: f64, limits: Limits) -> Self {
        let uniform = MeanField::uniform(graph).verify(graph);
        Self {
            graph,
            seed,
            memory,
            tables: graph.factors().iter().map(total_correlation).collect(),
            beliefs: None,
            // Written so that what cannot be verified is no start either.
            zeros: !uniform.is_ok_and(|lower| lower.ln() > f64::NEG_INFINITY),
            courses: Courses::new(limits),
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
            StructuredAscent::over(graph, start, &blocks, memory)
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
        let first = begun.next().transpose()?;
        // Blocks of another start may be too large where the first ones were not.
        let begun = first.into_iter().chain(begun.flatten());
        begun.for_each(|ascent| self.courses.begin(ascent));
        Ok(limit.entries < (ibound as f64 + 2.0).exp2())
    }
}

impl Start for StructuredAscent<'_> {
    fn value(&mut self) -> f64 {
        self.elbo()
    }
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
