//! Where little can be gauged, or a race with gauges takes long: weighted mini-buckets first, then
//! gauges on what they have found.

use forney_bounds::BoundError;
use forney_bounds::wmbe::{BestOptions, Candidates, best_mini_buckets};
use forney_certify::{Bound, Budget, Stop};

use crate::climb::Climb;
use crate::leader::Leader;
use crate::orders::Field;
use crate::racer::Racer;
use crate::search::GaugeReport;

/// Evaluations to which the tolerance of a search refers: the first ones of a winner, after which its
/// gain is judged.
pub(crate) const CYCLE: f64 = 150.0;

impl Field<'_> {
    /// Rounds of mini-buckets and gauges, each with another seed, until time or evaluations end; a
    /// single one if neither has an end.
    ///
    /// # Errors
    /// Not even one candidate fits in the memory, or no witness verifies.
    pub(crate) fn plain_first<C: Climb>(
        &self,
        budget: &Budget,
        watch: &mut (dyn FnMut(Bound<C::Side>, usize) + Send),
    ) -> Result<GaugeReport<C::Side>, BoundError> {
        let options = self.options;
        let limited = options.iterations.is_some() || budget.remaining().is_some();
        let mut report: Option<GaugeReport<C::Side>> = None;
        let mut spent = 0;
        for round in 0.. {
            let most = options.iterations.unwrap_or(usize::MAX);
            let found =
                self.round::<C>(round, most - spent, budget, &mut |bound, evaluations| {
                    watch(bound, spent + evaluations);
                })?;
            let evaluations = found.iterations + found.raced;
            spent += evaluations;
            let better = (report.as_ref()).is_none_or(|best| {
                let mut bound = best.bound;
                bound.tighten(found.bound)
            });
            let last = match found.stop {
                Stop::Converged => !limited || found.exact || options.races == Some(1),
                _ => true,
            };
            let (stop, exact) = (found.stop, found.exact);
            if better {
                report = Some(found);
            }
            // A round without evaluations would be followed by its like.
            if let (Some(best), true) = (&mut report, last || evaluations == 0 || spent >= most) {
                best.raced = spent - best.iterations;
                best.stop = if exact { Stop::Converged } else { stop };
                break;
            }
        }
        Ok(report.expect("the first round reports or fails"))
    }

    fn round<C: Climb>(
        &self,
        round: u64,
        most: usize,
        budget: &Budget,
        watch: &mut (dyn FnMut(Bound<C::Side>, usize) + Send),
    ) -> Result<GaugeReport<C::Side>, BoundError> {
        let options = self.options;
        let share = self.kind.plain_share();
        let best = BestOptions {
            limit: options.limit,
            candidates: Candidates {
                fixed: options.order.as_ref(),
                count: self.count,
                seed: options.seed.wrapping_add(round),
            },
            local: options.races.is_none(),
            memory: options.memory,
            iterations: match options.iterations {
                Some(_) => (share * most as f64) as usize,
                None => usize::MAX,
            },
            least_gain: options.tolerance / CYCLE,
        };
        let part = budget
            .remaining()
            .map(|left| budget.capped(left.mul_f64(share)));
        let time = part.as_ref().unwrap_or(budget);
        let began = budget.elapsed();
        let best = best_mini_buckets::<C::Side>(self.graph, &best, time, watch)?;
        let raced = best.evaluations;
        let pace = (budget.elapsed() - began).as_secs_f64() / raced.max(1) as f64;
        let racer = Racer::<C>::after(best, self.graph, options.memory);
        let mut leader = Leader::new(racer, pace, self.kind.first_cycle());
        let (mut bound, mut witness) = leader.racer.prove()?;
        watch(bound, raced);
        let exact = leader.racer.schedule().is_exact();
        let stop = loop {
            let left = most.saturating_sub(raced + leader.racer.evaluations());
            if let Some(stop) = budget.stop() {
                break stop;
            }
            if exact || leader.is_idle() || !leader.racer.is_gauged() {
                break Stop::Converged;
            }
            if left == 0 {
                break Stop::SweepLimit;
            }
            leader.cycle(leader.next_cycle(left, budget), options.tolerance, budget);
            // A witness that does not verify is passed over.
            if let Ok(proof) = leader.racer.prove()
                && bound.tighten(proof.0)
            {
                witness = proof.1;
                watch(bound, raced + leader.racer.evaluations());
            }
        };
        Ok(GaugeReport {
            bound,
            witness,
            order: leader.racer.order.clone(),
            iterations: leader.racer.evaluations(),
            raced,
            exact,
            stop,
        })
    }
}
