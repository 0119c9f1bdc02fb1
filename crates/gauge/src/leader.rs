//! The winner of a race, which goes on in cycles, each twice as long as the one before.

use forney_bounds::race::{Proof, Racer, Won};
use forney_certify::Budget;

use crate::optimiser::Optimiser;
use crate::racer::{GaugedRacer, Ordered};

/// The part of the time left that a last cycle is planned for.
const PLANNED: f64 = 0.9;

/// A winner, with what its cycles have come to.
pub(crate) struct Leader<'g, C: Optimiser> {
    pub(crate) racer: GaugedRacer<'g, C>,
    /// The best proof of its race, which may be another's.
    pub(crate) proof: Option<Proof<C::Side, Ordered<C::Side>>>,
    /// The value after the race and after each cycle.
    heights: Vec<f64>,
    /// Evaluations of the first cycle.
    first_cycle: usize,
    /// Did the last cycle gain too little for another one?
    idle: bool,
}

impl<'g, C: Optimiser> Leader<'g, C> {
    pub(crate) fn new(won: Won<GaugedRacer<'g, C>>, first_cycle: usize) -> Self {
        let Won { racer, proof } = won;
        Self {
            heights: vec![racer.value()],
            racer,
            proof,
            first_cycle,
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
            PLANNED * left.as_secs_f64() / self.racer.pace()
        });
        let left = in_time.min(most as f64);
        if left < 3.0 * length as f64 {
            (left as usize).clamp(1.min(most), most)
        } else {
            length
        }
    }

    pub(crate) fn cycle(&mut self, evaluations: usize, tolerance: f64, budget: &Budget) {
        if evaluations == 0 {
            return;
        }
        let before = self.racer.value();
        self.racer.cycle(evaluations, budget);
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
