//! Many starts of mean field, cooled one by one.

use std::sync::Arc;

use forney_certify::{Budget, Limits, Refine};
use forney_model::FactorGraph;
use rand::seq::SliceRandom;
use rand::{Rng, RngExt};
use rand_pcg::Pcg64;
use rayon::prelude::*;

use super::annealing::{Cooling, first_temperatures};
use super::tables::Tables;
use super::{MeanField, MeanFieldAscent};
use crate::AllowedSearch;
use crate::course::{Courses, Start};

/// Choice of states in the search for an allowed start, taken in turn by the starts. Set by hand,
/// not tuned.
const TEMPERATURES: [f64; 3] = [0.1, 0.3, 1.0];

/// Starts of mean field on a model whose domains are pruned.
pub struct MeanFieldStarts<'g> {
    graph: &'g FactorGraph,
    tables: Arc<Tables>,
    temperatures: [f64; 4],
    seed: u64,
    /// The number of the next start.
    next: usize,
    /// Those that were begun.
    pub courses: Courses<CooledAscent>,
}

/// One start: it is cooled, and then ascends.
pub struct CooledAscent {
    cooling: Cooling,
    ascent: MeanFieldAscent,
}

impl<'g> MeanFieldStarts<'g> {
    /// Nothing is begun yet.
    #[must_use]
    pub fn new(graph: &'g FactorGraph, seed: u64, limits: Limits) -> Self {
        Self {
            graph,
            tables: Arc::new(Tables::new(graph)),
            temperatures: first_temperatures(graph),
            seed,
            next: 0,
            courses: Courses::new(limits),
        }
    }

    /// Begins so many starts side by side.
    pub fn begin(&mut self, starts: usize, budget: &Budget) {
        let numbers = self.next..self.next + starts;
        self.next += starts;
        let begun = numbers.into_par_iter().filter_map(|number| {
            let mut rng = Pcg64::new(self.seed.into(), number as u128);
            let ascent = start(self.graph, &self.tables, number, &mut rng, budget)?;
            let cooling = Cooling::from(self.temperatures[number % self.temperatures.len()]);
            Some(CooledAscent { cooling, ascent })
        });
        let begun: Vec<CooledAscent> = begun.collect();
        begun
            .into_iter()
            .for_each(|start| self.courses.begin(start));
    }

    /// How many starts were begun.
    #[must_use]
    pub fn begun(&self) -> usize {
        self.next
    }
}

impl Refine for CooledAscent {
    type Point = MeanField;

    fn sweep(&mut self) -> f64 {
        self.ascent.sweep()
    }

    fn point(&self) -> MeanField {
        self.ascent.point()
    }
}

impl Start for CooledAscent {
    fn prepare(&mut self, budget: &Budget) -> bool {
        self.cooling.go_on(&mut self.ascent, budget);
        self.cooling.is_over()
    }

    fn value(&mut self) -> f64 {
        self.ascent.elbo()
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
