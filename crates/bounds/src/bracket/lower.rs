//! Lower bounds beside mini-buckets: mean field, plain and structured, and cutset conditioning.

use std::time::Duration;

use forney_certify::{Below, Budget, Certificate, Limits, Refine, Stop};

use super::Job;
use crate::conditioning::Conditioning;
use crate::mean_field::mean_field;
use crate::options::{Activity, Method, Sides};
use crate::structured_mean_field::structured_mean_field;

/// Starts of one batch of mean field, and the most sweeps of each.
const MEAN_FIELD_STARTS: usize = 8;
const MEAN_FIELD_SWEEPS: usize = 500;

/// The share of the time of a batch for its sweeps; the rest is for its proof.
const ASCENDING: f64 = 0.9;

/// Starts of structured mean field at one ibound, and the most sweeps of each.
const STRUCTURED_STARTS: usize = 4;
const STRUCTURED_SWEEPS: usize = 100;

/// The shares of mean field, structured mean field and conditioning at each level: of the one that has
/// proved the best lower bound, and of others. Found on grids of 900 to 10,000 variables with weak and
/// strong couplings, at 5 and 20 seconds.
pub(super) const LEADING: f64 = 0.3;
const FOLLOWING: f64 = 0.12;

/// The share of cooling before conditioning; on strongly coupled grids all hangs on where it ends.
const COOLING: f64 = 0.15;

/// The beginnings of these methods take longer than a turn that is shorter than this, and mini-buckets
/// prove something meanwhile.
const SHORTEST_TURN: Duration = Duration::from_millis(30);

/// Names of the methods in reports.
const MEAN_FIELD: &str = "mf";
const STRUCTURED: &str = "structured-mf";
pub(super) const CONDITIONING: &str = "conditioning";
/// Mean field, plain and structured.
pub(super) const MEAN_FIELDS: [&str; 2] = [MEAN_FIELD, STRUCTURED];

/// Rounds of conditioning between two levels if time has no end.
const UNTIMED_ROUNDS: usize = 3;

impl Job<'_, '_> {
    /// One batch of mean-field starts; returns the sweeps of the best.
    fn mean_field(&self, batch: u64, budget: &Budget) -> usize {
        if self.options.sides == Sides::Upper {
            return 0;
        }
        let limits = Limits {
            sweeps: Some(MEAN_FIELD_SWEEPS),
            tolerance: 1e-6,
        };
        let seed = self.options.seed.wrapping_add(batch);
        let timed = budget.remaining();
        // Of a huge model one start may be all that there is time for, and its proof takes time as well.
        let starts = match timed {
            Some(_) if batch == 0 => 1,
            _ => MEAN_FIELD_STARTS,
        };
        let ascents = timed.map(|left| budget.capped(left.mul_f64(ASCENDING)));
        let budget = ascents.as_ref().unwrap_or(budget);
        let run = mean_field(self.graph, seed, starts, &limits, budget);
        if let Ok(lower) = run.point.verify(self.graph) {
            self.board.post(lower, MEAN_FIELD);
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
    fn condition(&self, search: &mut Conditioning<'_>, time: Duration) {
        let budget = self.budget.capped(time);
        let post = |search: &Conditioning<'_>| {
            if let Ok(lower) = search.point().verify(self.graph) {
                self.board.post(lower, CONDITIONING);
            }
        };
        // Longer coolings later find what the first ones have missed.
        if search.cool(&self.sliced(COOLING)) {
            post(search);
        }
        let timed = self.budget.remaining().is_some();
        let rounds = if timed { usize::MAX } else { UNTIMED_ROUNDS };
        for _ in 0..rounds {
            if search.is_finished() || self.budget.stop().is_some() {
                break;
            }
            if search.round(&budget) {
                post(search);
            }
            if budget.stop().is_some() || self.ended().is_some() {
                break;
            }
        }
    }

    /// Mean field alone, with new starts while the budget lasts.
    pub(super) fn mean_field_only(&self) -> Stop {
        for round in 0.. {
            let sweeps = self.mean_field(round, self.budget);
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
    /// Batches of mean field so far.
    batches: u64,
    /// Is there an allowed configuration to begin from?
    conditioning: Option<Option<Conditioning<'g>>>,
}

impl<'g> Extras<'g> {
    /// Mean field before all others: it is quick.
    pub(super) fn begin(&mut self, job: &Job<'g, '_>) {
        if Self::wanted(job) && !std::mem::replace(&mut self.begun, true) {
            self.mean_field(job, FOLLOWING);
        }
    }

    /// Their turn at one level: whoever is ahead gets most.
    pub(super) fn turn(&mut self, job: &Job<'g, '_>, ibound: usize, round: u64) {
        let held = job.board.method::<Below>() != "none";
        if !Self::wanted(job) || held && job.slice(FOLLOWING) < SHORTEST_TURN {
            return;
        }
        let share = |name: &str| match job.board.method::<Below>() == name {
            true => LEADING,
            false => FOLLOWING,
        };
        if round > 0 {
            self.mean_field(job, share(MEAN_FIELD));
        }
        job.board.say(Activity::Below("structured mean field"));
        job.structured(ibound, round, job.slice(share(STRUCTURED)));
        job.board.say(Activity::Below("cutset conditioning"));
        let search = self.conditioning.get_or_insert_with(|| {
            // It fails where no allowed configuration is found, which further effort seldom changes.
            let (seed, memory) = (job.options.seed, 0.4 * job.options.memory);
            let search = Conditioning::new(job.graph, seed, memory, job.budget);
            search.ok().flatten()
        });
        if let Some(search) = search {
            job.condition(search, job.slice(share(CONDITIONING)));
        }
    }

    /// Batches of starts until the time is over; one if that has no end.
    fn mean_field(&mut self, job: &Job<'g, '_>, share: f64) {
        job.board.say(Activity::Below("mean field"));
        let budget = job.sliced(share);
        loop {
            job.mean_field(self.batches, &budget);
            self.batches += 1;
            if job.budget.remaining().is_none() || budget.stop().is_some() {
                break;
            }
        }
    }

    fn wanted(job: &Job<'g, '_>) -> bool {
        job.options.method == Method::Auto && job.open().1
    }
}
