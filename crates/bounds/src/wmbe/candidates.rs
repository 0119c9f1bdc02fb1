//! Which orders and partitions are worth a race.

use std::marker::PhantomData;

use forney_certify::Budget;
use forney_exact::{Heuristic, Order, Schedule, TooLarge, frontier, greedy};
use forney_model::FactorGraph;
use rand::SeedableRng;
use rand_pcg::Pcg64;

use super::climb::Field;
use super::plain::{PlainRacer, bytes};
use super::structure::{Candidate, Setting};
use super::{ContentMiniBuckets, MiniBuckets, WeightMap};
use crate::race::Rules;

/// Every candidate has eight evaluations, and a third of them goes on. Three or four evaluations with more
/// candidates were even with that (docs/gauges.md).
const RULES: Rules = Rules {
    first: 8,
    keep: 3,
    time: 1.0,
};

/// Gradient evaluations that a race takes for each of its candidates: `8 (1 + 2/3 + 4/9 + …)`.
pub const RACE_EVALUATIONS: f64 = 24.0;

/// One candidate races for so many evaluations, which leaves some for the winner. Set by hand, not tuned.
const EVALUATIONS_PER_CANDIDATE: usize = 32;

/// Elimination orders worth trying for mini-buckets, the deterministic ones first; `number` picks one.
#[must_use]
pub fn candidate_order(graph: &FactorGraph, number: usize, seed: u64) -> Order {
    let mut ties = Pcg64::seed_from_u64(seed.wrapping_add(number as u64));
    match number {
        0 => greedy(graph, Heuristic::MinFill, None),
        1 => greedy(graph, Heuristic::MinSize, None),
        2 => frontier(graph, None),
        3 => greedy(graph, Heuristic::WeightedMinFill, None),
        n if n % 8 == 7 => frontier(graph, Some(&mut ties)),
        n if n % 3 == 0 => greedy(graph, Heuristic::MinSize, Some(&mut ties)),
        n if n % 3 == 1 => greedy(graph, Heuristic::WeightedMinFill, Some(&mut ties)),
        _ => greedy(graph, Heuristic::MinFill, Some(&mut ties)),
    }
}

/// Orders and partitions that race without gauges: two in five partitions by content, the others by scope.
///
/// # Example
/// ```
/// use forney_bounds::wmbe::{Candidates, CliqueLimit, Field, Setting};
/// use forney_certify::{Above, Budget};
/// use forney_model::generate::ising_grid;
/// use rand::SeedableRng;
/// let model = ising_grid(6, 1.0, 0.1, &mut rand_pcg::Pcg64::seed_from_u64(1));
/// let limit = CliqueLimit { ibound: 3, entries: 1e6 };
/// let setting = Setting { graph: &model, limit, fixed: None, seed: 0 };
/// let candidates = Candidates::<Above>::new(setting, 8);
/// for number in 0..8 {
///     let candidate = candidates.compile(0, (number, 8), 1e9, &Budget::unlimited())?;
///     assert!(candidate.schedule.demand().width <= 3);
/// }
/// # Ok::<(), forney_exact::TooLarge>(())
/// ```
#[derive(Clone, Copy)]
pub struct Candidates<'f, S> {
    setting: Setting<'f>,
    count: usize,
    /// Candidate 0, if it is known.
    first: Option<&'f Candidate>,
    side: PhantomData<S>,
}

impl<'f, S> Candidates<'f, S> {
    /// So many of them, or as many as the evaluations afford.
    #[must_use]
    pub fn new(setting: Setting<'f>, count: usize) -> Self {
        Self {
            setting,
            count,
            first: None,
            side: PhantomData,
        }
    }

    /// Candidate 0 is known already.
    #[must_use]
    pub fn with_first(self, first: Option<&'f Candidate>) -> Self {
        Self { first, ..self }
    }
}

impl<S: WeightMap> Field for Candidates<'_, S> {
    type Racer = PlainRacer<S>;

    fn setting(&self) -> Setting<'_> {
        self.setting
    }

    fn rules(&self) -> Rules {
        RULES
    }

    fn count(&self, evaluations: usize) -> usize {
        let most = (evaluations / EVALUATIONS_PER_CANDIDATE).max(1);
        self.count.min(most)
    }

    /// Partitions by content take longer: two in five are, of all kinds of orders; of a fixed order there is
    /// but one.
    fn is_late(&self, number: usize) -> bool {
        match self.setting.fixed {
            Some(_) => number == 1,
            None => number % 5 == 1 || number % 5 == 3,
        }
    }

    /// A partition by content goes on by scope once the budget ends or its part of the memory is used up.
    fn compile(
        &self,
        race: u64,
        (number, count): (usize, usize),
        memory: f64,
        budget: &Budget,
    ) -> Result<Candidate, TooLarge> {
        if let (0, Some(first)) = (number, self.first) {
            return Ok(first.clone());
        }
        let Setting {
            graph,
            limit,
            fixed,
            seed,
        } = self.setting;
        let seed = seed.wrapping_add(race << 32);
        let order = match fixed {
            Some(order) => order.clone(),
            None => candidate_order(graph, number, seed),
        };
        if self.is_late(number) {
            // Shared by all candidates, whatever the number of threads, for the same numbers on any.
            let memory = memory / count.max(1) as f64;
            let mut rule = ContentMiniBuckets::<S>::new(graph, &order, limit, memory, budget);
            return Candidate::new(graph, order, &mut rule);
        }
        // The first ones take the plain greedy partition, the others a random one near it.
        let noisy = match fixed {
            Some(_) => number > 0,
            None => number >= count.div_ceil(2).max(4),
        };
        let noise = noisy.then(|| seed.wrapping_add(number as u64));
        Candidate::new(graph, order, &mut MiniBuckets::new(limit, noise))
    }

    fn bytes(&self, schedule: &Schedule) -> f64 {
        bytes(schedule)
    }

    fn start(&self, candidate: Candidate) -> PlainRacer<S> {
        PlainRacer::new(candidate, self.setting.graph)
    }
}
