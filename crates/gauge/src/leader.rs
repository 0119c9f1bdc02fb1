//! The best candidate so far, and those that want its place.

use forney_certify::Budget;

use crate::climb::Climb;
use crate::orders::Field;
use crate::race::Won;
use crate::racer::Racer;

/// The part of the time left that a last cycle is planned for.
const PLANNED: f64 = 0.9;

/// The winner of a race, which goes on in cycles, each twice as long as the one before.
pub(crate) struct Leader<'g, C: Climb> {
    pub(crate) racer: Racer<'g, C>,
    /// The value after the race and after each cycle.
    heights: Vec<f64>,
    /// Evaluations of the first cycle.
    first_cycle: usize,
    /// Seconds of an evaluation, as last measured.
    pace: f64,
    /// Did the last cycle gain too little for another one?
    idle: bool,
}

impl<'g, C: Climb> Leader<'g, C> {
    pub(crate) fn new(won: Racer<'g, C>, pace: f64, first_cycle: usize) -> Self {
        Self {
            heights: vec![won.value()],
            racer: won,
            first_cycle,
            pace,
            idle: false,
        }
    }

    /// Evaluations of the next cycle, 0 for none.
    ///
    /// The last one takes all that is left: steps of a cycle that is cut short are too large to end
    /// with.
    pub(crate) fn next_cycle(&self, most: usize, budget: &Budget) -> usize {
        if self.idle {
            return 0;
        }
        let doublings = (self.heights.len() - 1).min(32);
        let length = self.first_cycle.saturating_mul(1 << doublings);
        // The pace of 0 that nothing measured gives leaves no end of time.
        let in_time = budget.remaining().map_or(f64::INFINITY, |left| {
            PLANNED * left.as_secs_f64() / self.pace
        });
        let left = in_time.min(most as f64);
        if left < 3.0 * length as f64 {
            (left as usize).clamp(1, most.max(1))
        } else {
            length
        }
    }

    pub(crate) fn cycle(&mut self, evaluations: usize, tolerance: f64, budget: &Budget) {
        if evaluations == 0 {
            return;
        }
        let (before, spent) = (self.racer.value(), self.racer.evaluations());
        let began = budget.elapsed();
        self.racer.cycle(evaluations, budget);
        let seconds = (budget.elapsed() - began).as_secs_f64();
        self.pace = seconds / (self.racer.evaluations() - spent) as f64;
        let value = self.racer.value();
        self.heights.push(value);
        // Written so that NaN, which infinities give, is idle too.
        #[allow(clippy::neg_cmp_op_on_partial_ord)]
        let idle = !(before - value > tolerance);
        self.idle = idle;
    }

    pub(crate) fn is_idle(&self) -> bool {
        self.idle
    }

    /// The value after the race and after each cycle.
    pub(crate) fn heights(&self) -> &[f64] {
        &self.heights
    }

    /// Is its bound tighter? Nothing is tighter than itself, and NaN than nothing.
    pub(crate) fn is_ahead_of(&self, value: f64) -> bool {
        self.racer.value().total_cmp(&value).is_lt()
    }
}

/// What later races came to.
pub(crate) struct Later<'g, C: Climb> {
    /// The best that was ahead of the leader everywhere.
    pub(crate) challenger: Option<Leader<'g, C>>,
    /// How many races there were.
    pub(crate) races: usize,
    /// Evaluations of all candidates but the challenger.
    pub(crate) spent: usize,
}

/// What later races may take.
pub(crate) struct Allowed<'b> {
    /// Races at most.
    pub(crate) races: usize,
    /// No further race begins after so many evaluations.
    pub(crate) enough: usize,
    /// Evaluations at most.
    pub(crate) most: usize,
    pub(crate) memory: f64,
    pub(crate) budget: &'b Budget,
}

impl<'f> Field<'f> {
    /// Races from number `first` on; each winner climbs while it is ahead of what the leader was
    /// after as many cycles, and one cycle more.
    pub(crate) fn challenge<C: Climb>(
        &self,
        first: usize,
        heights: &[f64],
        allowed: &Allowed<'_>,
    ) -> Later<'f, C> {
        let mut later = Later {
            challenger: None,
            races: 0,
            spent: 0,
        };
        let mut heights = heights.to_vec();
        let mut memory = allowed.memory;
        // A race that leaves nothing for its winner is not worth its evaluations.
        let least = 2 * self.kind.race_evaluations(self.count);
        while later.races < allowed.races && allowed.budget.stop().is_none() {
            let spent = later.evaluations();
            let left = allowed.most.saturating_sub(spent);
            if left < least || (later.races > 0 && spent >= allowed.enough) {
                break;
            }
            let race = self.race::<C>(first + later.races, memory, allowed.budget);
            let Ok(Won { winner, lost, pace }) = race else {
                break;
            };
            later.races += 1;
            let end = winner.evaluations() + left.saturating_sub(lost + winner.evaluations());
            let mut challenger = Leader::new(winner, pace, self.kind.first_cycle());
            let mut ahead = true;
            for &height in &heights {
                ahead = challenger.is_ahead_of(height);
                let left = end.saturating_sub(challenger.racer.evaluations());
                if !ahead || left == 0 {
                    break;
                }
                let cycle = challenger.next_cycle(left, allowed.budget);
                challenger.cycle(cycle, self.options.tolerance, allowed.budget);
            }
            later.spent += lost;
            if !ahead {
                later.spent += challenger.racer.evaluations();
                continue;
            }
            heights.clone_from(&challenger.heights);
            memory = allowed.memory - challenger.racer.bytes();
            if let Some(before) = later.challenger.replace(challenger) {
                later.spent += before.racer.evaluations();
            }
        }
        later
    }
}

impl<C: Climb> Later<'_, C> {
    fn evaluations(&self) -> usize {
        let challenger = self.challenger.as_ref();
        self.spent + challenger.map_or(0, |leader| leader.racer.evaluations())
    }
}
