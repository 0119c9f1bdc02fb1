//! Lower bounds beside mini-buckets: mean field, plain and structured, and cutset conditioning.

use std::time::Duration;

use forney_certify::{Below, Certificate, Limits, Refine, Stop};

use super::Job;
use crate::conditioning::Conditioning;
use crate::mean_field::mean_field;
use crate::options::{Activity, Method, Sides};
use crate::structured_mean_field::structured_mean_field;

/// Starts of one batch of mean field, and the most sweeps of each.
const MEAN_FIELD_STARTS: usize = 8;
const MEAN_FIELD_SWEEPS: usize = 500;

/// Starts of structured mean field at one ibound, and the most sweeps of each.
const STRUCTURED_STARTS: usize = 4;
const STRUCTURED_SWEEPS: usize = 100;

/// The share of the time that is left for mean field, once.
const MEAN_FIELD: f64 = 0.1;

/// The shares of structured mean field and of conditioning at each level: of the one that has proved
/// the best lower bound, at first, and else.
const LEADING: f64 = 0.3;
const FIRST: f64 = 0.1;
const FOLLOWING: f64 = 0.04;

/// Names of the methods in reports.
const MEAN_FIELD_NAME: &str = "mf";
const STRUCTURED: &str = "structured-mf";
pub(super) const CONDITIONING: &str = "conditioning";
/// Mean field, plain and structured.
pub(super) const MEAN_FIELDS: [&str; 2] = [MEAN_FIELD_NAME, STRUCTURED];

/// Rounds of conditioning between two levels if time has no end.
const UNTIMED_ROUNDS: usize = 3;

impl<'j> Job<'j, '_> {
    /// One batch of mean-field starts; returns the sweeps of the best.
    fn mean_field(&self, round: u64, time: Duration) -> usize {
        if self.options.sides == Sides::Upper {
            return 0;
        }
        let limits = Limits {
            sweeps: Some(MEAN_FIELD_SWEEPS),
            tolerance: 1e-6,
        };
        let seed = self.options.seed.wrapping_add(round);
        let budget = self.budget.capped(time);
        let run = mean_field(self.graph, seed, MEAN_FIELD_STARTS, &limits, &budget);
        if let Ok(lower) = run.point.verify(self.graph) {
            self.board.post(lower, MEAN_FIELD_NAME);
        }
        run.trace.len()
    }

    /// Structured mean field with blocks of width up to the ibound.
    fn structured(&self, ibound: usize, round: u64, time: Duration) {
        let limits = Limits {
            sweeps: Some(STRUCTURED_SWEEPS),
            tolerance: 1e-4,
        };
        let seed = self.options.seed.wrapping_add(round);
        let budget = self.budget.capped(time);
        let memory = 0.4 * self.options.memory;
        // Blocks that do not fit are no bound, and no failure of the bracket either.
        if let Ok(run) = structured_mean_field(
            self.graph,
            ibound,
            seed,
            STRUCTURED_STARTS,
            memory,
            &limits,
            &budget,
        ) && let Ok(lower) = run.point.verify(self.graph)
        {
            self.board.post(lower, STRUCTURED);
        }
    }

    /// Rounds of cutset conditioning, at least one, until the time is over; a fixed number of them
    /// if there is no end of time, so that the result does not depend on the machine.
    fn condition(&self, search: &mut Option<Conditioning<'j>>, time: Duration) {
        let budget = self.budget.capped(time);
        let Some(search) = search else { return };
        let timed = self.budget.remaining().is_some();
        let rounds = if timed { usize::MAX } else { UNTIMED_ROUNDS };
        for _ in 0..rounds {
            if search.is_finished() || self.budget.stop().is_some() {
                break;
            }
            let improved = search.round(&budget);
            if improved && let Ok(lower) = search.point().verify(self.graph) {
                self.board.post(lower, CONDITIONING);
            }
            if budget.stop().is_some() || self.ended().is_some() {
                break;
            }
        }
    }

    /// The search for cutsets, if an allowed configuration is found.
    fn conditioning(&self) -> Option<Conditioning<'j>> {
        let (seed, memory) = (self.options.seed, 0.4 * self.options.memory);
        let search = Conditioning::new(self.graph, seed, memory, self.budget)
            .ok()
            .flatten()?;
        if let Ok(lower) = search.point().verify(self.graph) {
            self.board.post(lower, CONDITIONING);
        }
        Some(search)
    }

    /// Mean field alone, with new starts while the budget lasts.
    pub(super) fn mean_field_only(&self) -> Stop {
        for round in 0.. {
            let sweeps = self.mean_field(round, Duration::MAX);
            self.board.count::<Below>(sweeps.max(1));
            if let Some(stop) = self.ended() {
                return stop;
            }
            if self.budget.remaining().is_none() && self.options.iterations.is_none() {
                break;
            }
        }
        Stop::Converged
    }
}

/// The methods of the lower side that mini-buckets alternate with.
#[derive(Default)]
pub(super) struct Extras<'g> {
    begun: bool,
    conditioning: Option<Conditioning<'g>>,
}

impl<'g> Extras<'g> {
    /// Mean field, once, before all others: it is quick.
    pub(super) fn begin(&mut self, job: &Job<'g, '_>) {
        if Self::wanted(job) && !std::mem::replace(&mut self.begun, true) {
            job.board.say(Activity::Below("mean field"));
            job.mean_field(0, job.share(MEAN_FIELD));
        }
    }

    /// Their turn at one level: whoever is ahead gets most.
    pub(super) fn turn(&mut self, job: &Job<'g, '_>, ibound: usize, round: u64) {
        if !Self::wanted(job) {
            return;
        }
        let share = |name: &str| match job.board.method::<Below>() == name {
            true => LEADING,
            false if round == 0 => FIRST,
            false => FOLLOWING,
        };
        job.board.say(Activity::Below("structured mean field"));
        job.structured(ibound, round, job.share(share(STRUCTURED)));
        job.board.say(Activity::Below("cutset conditioning"));
        if round == 0 {
            self.conditioning = job.conditioning();
        }
        job.condition(&mut self.conditioning, job.share(share(CONDITIONING)));
    }

    fn wanted(job: &Job<'g, '_>) -> bool {
        job.options.method == Method::Auto && job.open().1
    }
}
