//! Who races where gauges are to move: candidates with gauges from the start, or without them until one of
//! them has won.

use forney_bounds::race::Rules;
use forney_bounds::wmbe::{Candidate, CliqueLimit, Field, MiniBuckets, PlainField, PlainRacer};
use forney_certify::Budget;
use forney_exact::{Order, Schedule, TooLarge, frontier};
use forney_model::FactorGraph;

use crate::Gauges;
use crate::optimiser::Optimiser;
use crate::orders::gauged_candidate;
use crate::racer::{GaugedRacer, held_bytes};

/// Gauges on fewer than one in so many variables, such as the corners of a grid, wait until shifts and
/// weights have gained what they can.
const FEW: usize = 16;

/// Evaluations of the first cycle of a winner, and of one with few gauges.
pub(crate) const CYCLE: usize = 150;
const SHORT_CYCLE: usize = 50;

/// One in four goes on with twice the evaluations, for half of the time.
const RULES: Rules = Rules {
    first: 25,
    keep: 4,
    time: 0.5,
};

/// Seconds that a gradient evaluation with gauges takes for one clique entry, for predictions.
const SECONDS_PER_ENTRY: f64 = 2e-8;

/// A gauged race that would take more than this share of the time is slow.
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
    cycle: usize,
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

/// The candidates of a race.
pub(crate) struct GaugedField<'f, C: Optimiser> {
    pub(crate) plain: PlainField<'f, C::Side>,
    pub(crate) gaugeable: Gaugeable,
    /// Do gauges wait?
    pub(crate) waits: bool,
    pub(crate) limit: CliqueLimit,
    /// The caller's order.
    pub(crate) fixed: Option<&'f Order>,
    /// The order and the gauges with which the first candidate begins.
    pub(crate) known: Option<&'f (Order, Gauges)>,
    pub(crate) candidates: usize,
    /// The number of the race: none repeats the candidates of another.
    pub(crate) round: usize,
    pub(crate) seed: u64,
}

impl<C: Optimiser> GaugedField<'_, C> {
    /// Evaluations of a race and the first cycle of its winner.
    pub(crate) fn evaluations(&self) -> usize {
        RULES.evaluations(self.candidates) + self.gaugeable.cycle
    }

    /// Would a gauged race take too much of the time?
    pub(crate) fn is_slow(&self, budget: &Budget) -> bool {
        let Some(left) = budget.remaining() else {
            return false;
        };
        let graph = self.plain.graph();
        let first = self
            .fixed
            .map_or_else(|| frontier(graph, None), Order::clone);
        let mut rule = MiniBuckets::new(self.limit, None);
        let Ok(schedule) = Schedule::compile(graph, &first, &mut rule) else {
            return true;
        };
        let evaluations = RULES.evaluations(self.candidates) as f64;
        let seconds = SECONDS_PER_ENTRY * evaluations * schedule.demand().total_entries;
        let threads = rayon::current_num_threads() as f64;
        seconds > SLOW * threads * left.as_secs_f64()
    }
}

impl<C: Optimiser> Field for GaugedField<'_, C> {
    type Racer = GaugedRacer<C>;

    fn graph(&self) -> &FactorGraph {
        self.plain.graph()
    }

    fn rules(&self) -> Rules {
        if self.waits {
            self.plain.rules()
        } else {
            RULES
        }
    }

    /// A gauged race leaves half of the evaluations.
    fn count(&self, evaluations: usize) -> usize {
        match self.waits {
            true => self.plain.count(evaluations),
            false => RULES.affordable(self.candidates, evaluations / 2),
        }
    }

    fn is_late(&self, number: usize) -> bool {
        self.waits && self.plain.is_late(number)
    }

    fn compile(
        &self,
        race: u64,
        (number, count): (usize, usize),
        memory: f64,
        budget: &Budget,
    ) -> Result<Candidate, TooLarge> {
        if self.waits {
            return self.plain.compile(race, (number, count), memory, budget);
        }
        let known = self.known.filter(|_| number == 0);
        let fixed = self.fixed.or(known.map(|(order, _)| order));
        let place = (self.round * count + number, count);
        gauged_candidate(self.graph(), fixed, self.limit, place, self.seed)
    }

    fn bytes(&self, schedule: &Schedule) -> f64 {
        match self.waits {
            true => self.plain.bytes(schedule),
            false => held_bytes(schedule),
        }
    }

    fn start(&self, candidate: Candidate, number: usize) -> GaugedRacer<C> {
        let (graph, cycle) = (self.graph(), self.gaugeable.cycle);
        if self.waits {
            return GaugedRacer::plain(PlainRacer::new(candidate, graph), graph, cycle);
        }
        let known = self.known.filter(|_| number == 0);
        GaugedRacer::gauged(candidate, graph, known.map(|(_, gauges)| gauges), cycle)
    }
}
