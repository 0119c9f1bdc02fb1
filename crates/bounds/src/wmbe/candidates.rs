//! Which orders and partitions are worth a race.

use std::sync::Arc;

use forney_certify::Budget;
use forney_exact::{Heuristic, Order, Schedule, TooLarge, frontier, greedy};
use forney_model::FactorGraph;
use rand::SeedableRng;
use rand_pcg::Pcg64;

use super::structure::Structure;
use super::{CliqueLimit, ContentMiniBuckets, MiniBuckets, WeightMap};

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

/// Orders and partitions that race: two in five partitions by content, the others by scope.
///
/// Numbers from `count` on are those of further races, which repeat nothing.
///
/// # Example
/// ```
/// use forney_bounds::wmbe::{Candidates, CliqueLimit};
/// use forney_certify::{Above, Budget};
/// use forney_model::generate::ising_grid;
/// use rand::SeedableRng;
/// let model = ising_grid(6, 1.0, 0.1, &mut rand_pcg::Pcg64::seed_from_u64(1));
/// let candidates = Candidates { fixed: None, count: 8, seed: 0 };
/// let limit = CliqueLimit { ibound: 3, entries: 1e6 };
/// for number in 0..candidates.count {
///     let budget = Budget::unlimited();
///     let candidate = candidates.compile::<Above>(&model, limit, number, 1e9, &budget)?;
///     assert!(candidate.schedule.demand().width <= 3);
/// }
/// # Ok::<(), forney_exact::TooLarge>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Candidates<'o> {
    /// The caller's order, if it fixed one; then only partitions vary.
    pub fixed: Option<&'o Order>,
    /// How many there are in a race.
    pub count: usize,
    /// Seed of ties and partitions.
    pub seed: u64,
}

/// A structure and the schedule that it gives.
#[derive(Clone, Debug)]
pub struct Candidate {
    /// The order and the partitions.
    pub structure: Structure,
    /// What is computed along them.
    pub schedule: Arc<Schedule>,
}

impl Candidates<'_> {
    /// Candidate `number` for a bound on the side of `S`.
    ///
    /// A partition by content goes on by scope once the budget ends or its part of `memory`, in
    /// bytes for all candidates, is used up.
    ///
    /// # Errors
    /// As [`Schedule::compile`]: cliques too large to count.
    pub fn compile<S: WeightMap>(
        &self,
        graph: &FactorGraph,
        limit: CliqueLimit,
        number: usize,
        memory: f64,
        budget: &Budget,
    ) -> Result<Candidate, TooLarge> {
        let order = self.order(graph, number);
        let (structure, schedule) = if self.by_content(number) {
            // Shared by all candidates, whatever the number of threads, for the same numbers on any.
            let memory = memory / self.count.max(1) as f64;
            let mut rule = ContentMiniBuckets::<S>::new(graph, &order, limit, memory, budget);
            Structure::compile(graph, order, &mut rule)?
        } else {
            let noise = self.is_noisy(number);
            let noise = noise.then(|| self.seed.wrapping_add(number as u64));
            Structure::compile(graph, order, &mut MiniBuckets::new(limit, noise))?
        };
        Ok(Candidate {
            structure,
            schedule: schedule.into(),
        })
    }

    /// Candidate 0, whose order is known already.
    ///
    /// # Errors
    /// As [`compile`](Self::compile).
    pub(crate) fn first(
        graph: &FactorGraph,
        order: &Order,
        limit: CliqueLimit,
    ) -> Result<Candidate, TooLarge> {
        let rule = &mut MiniBuckets::new(limit, None);
        let (structure, schedule) = Structure::compile(graph, order.clone(), rule)?;
        Ok(Candidate {
            structure,
            schedule: schedule.into(),
        })
    }

    /// Is the partition of candidate `number` made by content, which takes longer to compile?
    ///
    /// Two in five are, of all kinds of orders; of a fixed order there is but one.
    #[must_use]
    pub fn by_content(&self, number: usize) -> bool {
        match self.fixed {
            Some(_) => number == 1,
            None => number % 5 == 1 || number % 5 == 3,
        }
    }

    fn order(&self, graph: &FactorGraph, number: usize) -> Order {
        self.fixed
            .cloned()
            .unwrap_or_else(|| candidate_order(graph, number, self.seed))
    }

    /// The first candidates of a race take the plain greedy partition, the others a random one near it.
    fn is_noisy(&self, number: usize) -> bool {
        match self.fixed {
            Some(_) => number > 0,
            None => number % self.count.max(1) >= self.count.div_ceil(2).max(4),
        }
    }
}
