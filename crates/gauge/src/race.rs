//! One race: candidates are scored by the bound that a few evaluations give.

use forney_bounds::BoundError;
use forney_certify::Budget;
use rayon::prelude::*;

use crate::climb::Climb;
use crate::orders::{Candidate, Field};
use crate::racer::{Racer, bytes, is_addressed};

/// The share of a race's time in which its candidates are compiled.
const COMPILING: f64 = 0.4;

/// The winner of a race.
pub(crate) struct Won<'g, C: Climb> {
    pub(crate) winner: Racer<'g, C>,
    /// Evaluations of all that lost.
    pub(crate) lost: usize,
    /// Seconds of one of its evaluations, 0 if there was no race.
    pub(crate) pace: f64,
}

impl<'f> Field<'f> {
    /// Race `number` within so many bytes: the better quarter goes on with twice the evaluations,
    /// until one is left or the time ends.
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
        let candidates = self.candidates::<C>(number, memory, compiling)?;
        let mut racers: Vec<Racer<'_, C>> = candidates
            .into_par_iter()
            .enumerate()
            // The first evaluation of each is what takes time here.
            .filter(|(place, _)| *place == 0 || compiling.stop().is_none())
            .map(|(_, candidate)| Racer::new(candidate, self.graph, self.options.gauges.as_ref()))
            .collect();
        let mut evaluations = self.kind.first_round();
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
        let winner = racers.remove(0);
        Ok(Won { winner, lost, pace })
    }

    /// The candidates of race `number`, at least one; a single one if it splits nothing.
    fn candidates<C: Climb>(
        &self,
        number: usize,
        mut memory: f64,
        budget: &Budget,
    ) -> Result<Vec<Candidate>, BoundError> {
        let first = number * self.count;
        let compiled: Vec<_> = (first..first + self.count)
            .into_par_iter()
            .filter(|&number| number == first || budget.stop().is_none())
            .map(|number| self.compile::<C::Side>(number, memory, budget))
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
