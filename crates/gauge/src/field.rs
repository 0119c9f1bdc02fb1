//! What can be gauged in a model, and the races in which gauges move from the start.

use std::marker::PhantomData;

use forney_bounds::race::Rules;
use forney_bounds::wmbe::{Candidate, Field, MiniBuckets, Setting};
use forney_certify::Budget;
use forney_exact::{Order, Pace, Schedule, TooLarge, frontier};
use forney_model::FactorGraph;

use crate::Gauges;
use crate::optimiser::Optimiser;
use crate::orders::gauged_candidate;
use crate::racer::{GaugedRacer, held_bytes};

// What was measured of these is in docs/gauges.md: the quarter that goes on, and what is slow. The others were
// set by hand, and not tuned.

/// Gauges on fewer than one in so many variables, such as the corners of a grid, wait until shifts and
/// weights have gained what they can.
const FEW: usize = 16;

/// Evaluations of the first cycle of a winner, and of one with few gauges.
const CYCLE: usize = 150;
const SHORT_CYCLE: usize = 50;

/// One in four goes on with twice the evaluations, for half of the time.
const RULES: Rules = Rules {
    first: 25,
    keep: 4,
    time: 0.5,
};

/// Entries of an elimination that take as long as one of a gradient evaluation with gauges.
const COST: f64 = 20.0;

/// A race that would take more than this share of the time is slow.
const SLOW: f64 = 0.125;

/// How much of a model can be gauged, and so when gauges move.
#[derive(Clone, Copy)]
pub(crate) struct Gaugeable {
    /// Half of the variables or more, as in Forney form: from the start, where there is time.
    pub(crate) most: bool,
    /// The share of time and evaluations that shifts and weights have for themselves where gauges wait: all
    /// of it where nothing can be gauged.
    pub(crate) waiting: f64,
    /// Evaluations of the first cycle of gauges.
    pub(crate) cycle: usize,
}

impl Gaugeable {
    pub(crate) fn of(graph: &FactorGraph) -> Self {
        let (mut all, mut in_two) = (0, 0);
        for v in graph.variables().filter(|&v| graph.card(v) > 1) {
            all += 1;
            in_two += usize::from(graph.factors_of(v).count() == 2);
        }
        let few = FEW * in_two < all;
        Self {
            most: 2 * in_two >= all,
            waiting: match in_two {
                0 => 1.0,
                _ if few => 0.9,
                _ => 0.5,
            },
            cycle: if few { SHORT_CYCLE } else { CYCLE },
        }
    }
}

/// A race in which gauges move from the start.
pub(crate) struct GaugedField<'f, C> {
    /// With the order of known gauges, if there are any.
    pub(crate) setting: Setting<'f>,
    /// Where the only candidate begins.
    pub(crate) known: Option<&'f Gauges>,
    pub(crate) candidates: usize,
    /// The number of the race: none repeats the candidates of another.
    pub(crate) race: usize,
    /// Evaluations of the first cycle of the winner.
    pub(crate) cycle: usize,
    pub(crate) optimiser: PhantomData<fn() -> C>,
}

impl<C: Optimiser> GaugedField<'_, C> {
    /// Evaluations of a race and the first cycle of its winner.
    pub(crate) fn evaluations(&self) -> usize {
        RULES.evaluations(self.candidates) + self.cycle
    }

    /// Would the race take too much of the time?
    pub(crate) fn is_slow(&self, budget: &Budget) -> bool {
        let Some(left) = budget.remaining() else {
            return false;
        };
        let Setting { graph, limit, .. } = self.setting;
        let first = (self.setting.fixed).map_or_else(|| frontier(graph, None), Order::clone);
        let mut rule = MiniBuckets::new(limit, None);
        let Ok(schedule) = Schedule::compile(graph, &first, &mut rule) else {
            return true;
        };
        let evaluations = RULES.evaluations(self.candidates) as f64;
        let entries = COST * evaluations * schedule.demand().total_entries;
        let seconds = Pace::of(budget).seconds(entries);
        let threads = rayon::current_num_threads() as f64;
        seconds > SLOW * threads * left.as_secs_f64()
    }
}

impl<C: Optimiser> Field for GaugedField<'_, C> {
    type Racer = GaugedRacer<C>;

    fn setting(&self) -> Setting<'_> {
        self.setting
    }

    fn rules(&self) -> Rules {
        RULES
    }

    /// A race leaves half of the evaluations.
    fn count(&self, evaluations: usize) -> usize {
        match self.known {
            Some(_) => 1,
            None => RULES.affordable(self.candidates, evaluations / 2),
        }
    }

    fn is_late(&self, _: usize) -> bool {
        false
    }

    fn compile(
        &self,
        _: u64,
        (number, count): (usize, usize),
        _: f64,
        _: &Budget,
    ) -> Result<Candidate, TooLarge> {
        gauged_candidate(&self.setting, (self.race * count + number, count))
    }

    fn bytes(&self, schedule: &Schedule) -> f64 {
        held_bytes(schedule)
    }

    fn start(&self, candidate: Candidate) -> GaugedRacer<C> {
        GaugedRacer::new(candidate, self.setting.graph, self.known, self.cycle)
    }
}
