//! Lower bounds beside mini-buckets, in turns: mean field, plain and structured, and cutset conditioning.
//!
//! A turn goes on where the last one ended. Where time has no end it is a fixed amount of work, so that
//! the result does not depend on the machine.

use std::time::Duration;

use forney_certify::{Below, Certificate, Limits, Refine, Stop};

use super::Job;
use super::climb::{IBOUND_STEP, first_ibound};
use super::level::MEMORY;
use crate::conditioning::Conditioning;
use crate::mean_field::{self, MeanField};
use crate::options::{Activity, Method};
use crate::structured_mean_field;

/// Starts of mean field in a turn without an end of time, the most sweeps of each, and what a sweep gains for
/// each variable, in nats, once it has converged.
const MEAN_FIELD_STARTS: usize = 8;
const MEAN_FIELD_SWEEPS: usize = 500;
const MEAN_FIELD_GAIN: f64 = 1e-8;

/// The same for structured mean field: larger blocks gain more than its last sweeps.
const UNTIMED_BLOCK_STARTS: usize = 4;
const BLOCK_SWEEPS: usize = 100;
const BLOCK_GAIN: f64 = 1e-5;

/// Its starts side by side where time has an end; at the next ibound the others follow.
const BLOCK_STARTS: usize = 2;

/// When a start is over.
fn limits(job: &Job<'_, '_>, sweeps: usize, gain: f64) -> Limits {
    Limits {
        sweeps: Some(sweeps),
        tolerance: gain * job.graph.num_variables() as f64,
    }
}

/// The share of a turn of mean field for its sweeps; the rest is for the proof.
const ASCENDING: f64 = 0.9;

/// The share of a turn of conditioning for cooling; on strongly coupled grids all hangs on where it ends.
const COOLING: f64 = 0.4;

/// Rounds of conditioning in a turn without an end of time.
const UNTIMED_ROUNDS: usize = 3;

/// Mean field alone proves its bound after this share of the time that has passed.
const PROVING: f64 = 0.5;

/// Starts of mean field, one after the other or as many as there are threads.
#[derive(Default)]
pub(super) struct Products<'g> {
    starts: Option<mean_field::Starts<'g>>,
    /// The best product distribution that is on the board, and its objective.
    best: Option<(f64, MeanField)>,
}

impl<'g> Products<'g> {
    /// A turn of so much time; returns the sweeps of its starts.
    pub(super) fn turn(&mut self, job: &Job<'g, '_>, time: Duration) -> usize {
        job.board.say(Activity::Below("mean field"));
        let known = self.value();
        let starts = self.starts.get_or_insert_with(|| {
            let limits = limits(job, MEAN_FIELD_SWEEPS, MEAN_FIELD_GAIN);
            mean_field::Starts::new(job.graph, job.options.seed, limits)
        });
        let budget = job.if_timed(time.mul_f64(ASCENDING));
        let timed = budget.remaining().is_some();
        if let (Method::MeanField, Some(most)) = (job.options.method, job.options.iterations) {
            let left = most.saturating_sub(job.board.counted::<Below>());
            starts.courses.limit(starts.courses.sweeps() + left);
        }
        let before = starts.courses.sweeps();
        let mut begun = false;
        while starts.courses.go_on(&budget) && budget.stop().is_none() && (timed || !begun) {
            // Of a huge model one start may be all that there is time for.
            let side_by_side = match timed {
                false => MEAN_FIELD_STARTS,
                true if starts.begun() == 0 => 1,
                true => rayon::current_num_threads(),
            };
            starts.begin(side_by_side, &budget);
            begun = true;
        }
        if let Some((value, point)) = starts.courses.better_than(known)
            && let Ok(lower) = point.verify(job.graph)
        {
            job.board.post(lower, Method::MeanField.name());
            self.best = Some((value, point));
        }
        starts.courses.sweeps() - before
    }

    /// The objective of the best product distribution so far.
    fn value(&self) -> f64 {
        let best = self.best.as_ref();
        best.map_or(f64::NEG_INFINITY, |&(value, _)| value)
    }

    /// The best product distribution so far.
    fn best(&self, job: &Job<'g, '_>) -> MeanField {
        let best = self.best.as_ref().map(|(_, point)| point.clone());
        best.unwrap_or_else(|| MeanField::uniform(job.graph))
    }
}

/// Structured mean field over larger and larger blocks.
pub(super) struct Blocks<'g> {
    starts: Option<structured_mean_field::Starts<'g>>,
    /// The ibound of the next starts, and the number of the first of them.
    ibound: usize,
    first: usize,
    /// Have any blocks fitted, and what is the largest ibound of those that do, if that is known?
    fitted: bool,
    largest: Option<usize>,
    /// The best objective that is on the board.
    value: f64,
}

impl<'g> Blocks<'g> {
    /// The first blocks have the ibound of the caller, or the least one that holds the factors.
    pub(super) fn new(job: &Job<'g, '_>) -> Self {
        let fixed = job.options.ibound;
        Self {
            starts: None,
            ibound: fixed.unwrap_or_else(|| first_ibound(job.graph)),
            first: 0,
            fitted: false,
            largest: fixed,
            value: f64::NEG_INFINITY,
        }
    }

    /// A turn of so much time; false if blocks do not fit.
    pub(super) fn turn(
        &mut self,
        job: &Job<'g, '_>,
        products: &Products<'g>,
        time: Duration,
    ) -> bool {
        job.board.say(Activity::Below("structured mean field"));
        let time = time.mul_f64(ASCENDING);
        let mut budget = job.if_timed(time);
        let timed = budget.remaining().is_some();
        let (mut begun, mut fits) = (false, true);
        let mut fresh = self.starts.is_none();
        let starts = self.starts.get_or_insert_with(|| {
            let memory = MEMORY * job.options.memory;
            let limits = limits(job, BLOCK_SWEEPS, BLOCK_GAIN);
            structured_mean_field::Starts::new(job.graph, job.options.seed, memory, limits)
        });
        while fits && starts.courses.go_on(&budget) && budget.stop().is_none() && (timed || !begun)
        {
            let beside = match timed {
                true => BLOCK_STARTS,
                false => UNTIMED_BLOCK_STARTS,
            };
            let numbers = self.first..self.first + beside;
            let product = products.best(job);
            let whole = timed.then_some(time);
            match starts.begin(numbers, self.ibound, &product, whole, &budget) {
                Ok(limited) => {
                    self.first += beside;
                    self.fitted = true;
                    // Without larger blocks others of the same size follow.
                    if !limited && self.largest.is_none() {
                        self.ibound += IBOUND_STEP;
                        self.first %= UNTIMED_BLOCK_STARTS;
                    }
                }
                Err(_) if self.fitted && self.largest.is_none() => {
                    self.ibound -= IBOUND_STEP;
                    self.largest = Some(self.ibound);
                }
                Err(_) => fits = false,
            }
            if std::mem::take(&mut fresh) {
                // The beginning itself may have taken all of the turn.
                budget = job.if_timed(time);
            }
            begun = true;
        }
        // A start begins at the best product, and nothing is to be proved before it is better.
        if let Some((value, point)) = starts.courses.better_than(self.value.max(products.value()))
            && let Ok(lower) = point.verify(job.graph)
        {
            job.board.post(lower, "structured-mf");
            self.value = value;
        }
        fits
    }
}

/// Cutset conditioning, from a configuration that is cooled again and again.
#[derive(Default)]
pub(super) struct Cutsets<'g> {
    /// Is there an allowed configuration to begin from? Where none is found, further effort seldom
    /// changes that.
    search: Option<Option<Conditioning<'g>>>,
}

impl<'g> Cutsets<'g> {
    /// A turn of so much time, of one round at least; false if there is nothing more to try.
    pub(super) fn turn(&mut self, job: &Job<'g, '_>, time: Duration) -> bool {
        job.board.say(Activity::Below("cutset conditioning"));
        let post = |search: &Conditioning<'_>| {
            if let Ok(lower) = search.point().verify(job.graph) {
                job.board.post(lower, "conditioning");
            }
        };
        let search = self.search.get_or_insert_with(|| {
            let (seed, memory) = (job.options.seed, MEMORY * job.options.memory);
            let search = Conditioning::new(job.graph, seed, memory, job.budget);
            search.ok().flatten()
        });
        let Some(search) = search else {
            return false;
        };
        let budget = job.if_timed(time);
        // Longer coolings later find what the first ones have missed.
        if search.cool(&job.if_timed(time.mul_f64(COOLING))) {
            post(search);
        }
        let timed = budget.remaining().is_some();
        let rounds = if timed { usize::MAX } else { UNTIMED_ROUNDS };
        for _ in 0..rounds {
            if search.is_finished() || job.budget.stop().is_some() {
                break;
            }
            if search.round(&budget) {
                post(search);
            }
            if budget.stop().is_some() || job.ended().is_some() {
                break;
            }
        }
        !search.is_finished()
    }
}

impl Job<'_, '_> {
    /// Mean field alone, with new starts while the budget lasts.
    pub(super) fn mean_field_only(&self) -> Stop {
        if !self.open().1 {
            return Stop::SweepLimit;
        }
        let mut products = Products::default();
        loop {
            // What is under way is proved at times, in case it is all that there will be.
            let sweeps = products.turn(self, self.step(PROVING));
            self.board.count::<Below>(sweeps.max(1));
            if let Some(stop) = self.ended() {
                return stop;
            }
            if self.budget.remaining().is_none() && self.options.iterations.is_none() {
                return Stop::Converged;
            }
        }
    }
}
