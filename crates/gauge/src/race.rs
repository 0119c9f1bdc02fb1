//! One race: candidates are scored by the bound that a few evaluations give.
//!
//! In a *gauged* race gauges move from the start. In a *plain* one shifts and weights find the order
//! and the winner hands over to gauges, which is cheaper and where few buckets are split also better.

use forney_bounds::BoundError;
use forney_bounds::wmbe::MiniBuckets;
use forney_certify::Budget;
use forney_exact::{Schedule, frontier};
use rayon::prelude::*;

use crate::climb::Climb;
use crate::orders::{Candidate, Field, first_round};
use crate::racer::{Racer, bytes, is_addressed};

/// The share of a race's time in which its candidates are compiled.
const COMPILING: f64 = 0.4;

/// Seconds that a gradient evaluation with gauges takes for one clique entry, for predictions.
const SECONDS_PER_ENTRY: f64 = 2e-8;

/// A gauged race that would take more than this share of the time is slow.
const SLOW: f64 = 0.125;

/// Gauged evaluations of the winner of a plain race before it meets one of a gauged race.
const GAUGED: usize = 175;

/// The winner of a race.
pub(crate) struct Won<'g, C: Climb> {
    pub(crate) winner: Racer<'g, C>,
    /// Evaluations of all that lost.
    pub(crate) lost: usize,
    /// Seconds of one of its evaluations, 0 if there was no race.
    pub(crate) pace: f64,
}

impl<'f> Field<'f> {
    /// Race `number` within so many bytes, every other one plain unless gauges are given: the better
    /// quarter goes on with twice the evaluations, until one is left or the time ends.
    ///
    /// # Errors
    /// As [`Schedule::compile`](forney_exact::Schedule::compile), if not even one candidate fits.
    pub(crate) fn race<C: Climb>(
        &self,
        number: usize,
        memory: f64,
        time: &Budget,
    ) -> Result<Won<'f, C>, BoundError> {
        let compiling = match time.remaining() {
            Some(left) => &time.capped(left.mul_f64(COMPILING)),
            None => time,
        };
        let gauges = self.options.gauges.as_ref();
        // Gauges found before are the start wherever gauges matter.
        let plain = number % 2 == 1 && gauges.is_none();
        let candidates = self.candidates::<C>(number, plain, memory, compiling)?;
        let mut racers: Vec<Racer<'_, C>> = candidates
            .into_par_iter()
            .enumerate()
            // The first evaluation of each is what takes time here.
            .filter(|(place, _)| *place == 0 || compiling.stop().is_none())
            .map(|(_, candidate)| Racer::new(candidate, self.graph, plain, gauges))
            .collect();
        let mut evaluations = first_round(plain);
        let mut lost = 0;
        let mut pace = 0.0;
        while racers.len() > 1 {
            let began = time.elapsed();
            racers
                .par_iter_mut()
                .for_each(|racer| racer.cycle(evaluations, time));
            pace = (time.elapsed() - began).as_secs_f64() / evaluations as f64;
            // NaN sorts last.
            racers.sort_by(|a, b| a.value().total_cmp(&b.value()));
            let kept = match time.stop() {
                Some(_) => 1,
                None => racers.len().div_ceil(4),
            };
            let out = racers.drain(kept..);
            lost += out.map(|racer| racer.evaluations()).sum::<usize>();
            evaluations *= 2;
        }
        let mut winner = racers.remove(0);
        if plain && time.stop().is_none() {
            winner.hand_over();
            // As many gauged evaluations as the winner of a gauged race has behind it.
            winner.cycle(GAUGED, time);
        }
        Ok(Won { winner, lost, pace })
    }

    /// Would a gauged race take too much of the time?
    ///
    /// # Errors
    /// As [`Schedule::compile`].
    pub(crate) fn is_slow(&self, budget: &Budget) -> Result<bool, BoundError> {
        let Some(left) = budget.remaining() else {
            return Ok(false);
        };
        let first = self.options.order.clone();
        let first = first.unwrap_or_else(|| frontier(self.graph, None));
        let mut rule = MiniBuckets::new(self.options.limit, None);
        let schedule = Schedule::compile(self.graph, &first, &mut rule)?;
        let evaluations = self.kind.race_evaluations(self.count) as f64;
        let seconds = SECONDS_PER_ENTRY * evaluations * schedule.demand().total_entries;
        let threads = rayon::current_num_threads() as f64;
        Ok(seconds > SLOW * threads * left.as_secs_f64())
    }

    /// The candidates of race `number`, at least one; a single one if it splits nothing.
    fn candidates<C: Climb>(
        &self,
        number: usize,
        plain: bool,
        mut memory: f64,
        budget: &Budget,
    ) -> Result<Vec<Candidate>, BoundError> {
        let first = number * self.count;
        let compiled: Vec<_> = (first..first + self.count)
            .into_par_iter()
            .filter(|&number| number == first || budget.stop().is_none())
            .map(|number| self.compile::<C::Side>(number, plain, memory, budget))
            .collect();
        let mut candidates = Vec::new();
        let mut refused = None;
        for candidate in compiled {
            let admitted = candidate.and_then(|candidate| {
                let demand = candidate.schedule.demand();
                let bytes = bytes(&candidate.schedule);
                let addressed = is_addressed(&candidate.schedule);
                demand.admit(bytes, if addressed { memory } else { 0.0 })?;
                memory -= bytes;
                Ok(candidate)
            });
            match admitted {
                Ok(candidate) if candidate.schedule.is_exact() => return Ok(vec![candidate]),
                Ok(candidate) => candidates.push(candidate),
                Err(error) => refused = Some(error),
            }
        }
        match refused {
            Some(error) if candidates.is_empty() => Err(error),
            _ => Ok(candidates),
        }
    }
}
