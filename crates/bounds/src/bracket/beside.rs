//! Upper bounds, lower bounds and the exact answer side by side, so that none waits for another.
//!
//! On several threads each side climbs at its own pace, and the search for the exact answer has
//! threads of its own beside them, half as many. On one thread they take turns. Without an end of
//! time counted iterations must give the same numbers on any machine: then both sides go from level
//! to level together.

use std::panic::resume_unwind;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use forney_certify::{Budget, Stop};
use rayon::ThreadPoolBuilder;

use super::Job;
use super::exact::{Attempt, Verdict};
use super::lane::Lane;
use crate::BoundError;
use crate::options::{BoundOptions, Sides};

/// With one thread, exact attempts may take this share of the time that bounds have taken.
const TURN: f64 = 0.5;

/// What became of the exact answer beside the bounds.
enum Outcome {
    /// It is on the board.
    Solved,
    /// It is worth the memory of the bounds.
    Waiting(Box<Attempt>),
    GivenUp,
}

impl<'j, 'w> Job<'j, 'w> {
    /// The exact answer if it is quick; else bounds, with the search for it beside them.
    pub(super) fn auto(&self) -> Result<Stop, BoundError> {
        let mut attempt = Attempt::new(self);
        if attempt.is_quick(self) && attempt.eliminate(self)? {
            return Ok(Stop::Converged);
        }
        let threads = rayon::current_num_threads();
        if threads == 1 || self.is_counted() {
            return self.by_turns(Some(attempt));
        }
        match ThreadPoolBuilder::new().num_threads(threads / 2).build() {
            Ok(pool) => self.beside(attempt, &pool),
            // A system without threads left.
            Err(_) => self.by_turns(Some(attempt)),
        }
    }

    /// Bounds without attempts at the exact answer.
    pub(super) fn bounds_only(&self) -> Result<Stop, BoundError> {
        let stop = if rayon::current_num_threads() == 1 || self.is_counted() {
            self.by_turns(None)?
        } else {
            let over = Flag::default();
            let budget = self.budget.cancelled_by(over.raisable());
            self.why(self.within(&budget).both_sides(&over)?)
        };
        // Without a number of iterations, one level at a fixed ibound is all there is to do.
        let all = stop == Stop::SweepLimit && self.options.iterations.is_none();
        Ok(if all { Stop::Converged } else { stop })
    }

    /// Are there iterations to count, and no end of time?
    fn is_counted(&self) -> bool {
        self.budget.remaining().is_none() && self.options.iterations.is_some()
    }

    /// An attempt at the exact answer, then a turn of bounds on each side, and so on.
    fn by_turns(&self, mut attempt: Option<Attempt>) -> Result<Stop, BoundError> {
        let apart = self.options.sides == Sides::Both && !self.is_counted();
        let sides = match apart {
            true => vec![Sides::Upper, Sides::Lower],
            false => vec![self.options.sides],
        };
        let turn = 1.0 / sides.len() as f64;
        let options: Vec<BoundOptions> = sides.into_iter().map(|s| self.only(s)).collect();
        let job = |options| Job {
            options,
            turn,
            ..*self
        };
        let lane = |options| {
            let job = job(options);
            Lane::new(&job).map(|lane| (job, lane))
        };
        let mut lanes: Vec<_> = options.iter().map(lane).collect::<Result<_, _>>()?;
        let (mut stop, mut tried) = (Stop::Converged, Duration::ZERO);
        while !lanes.is_empty() {
            let began = self.budget.elapsed();
            if let Some(mut exact) = attempt.take_if(|_| tried <= began.mul_f64(TURN)) {
                match exact.verdict(self) {
                    Verdict::Beside | Verdict::Alone => {
                        if exact.eliminate(self)? {
                            return Ok(Stop::Converged);
                        }
                    }
                    Verdict::Search => {
                        exact.search(self);
                        attempt = Some(exact);
                    }
                    Verdict::GiveUp => {}
                }
                tried += self.budget.elapsed() - began;
            }
            for at in (0..lanes.len()).rev() {
                let (job, lane) = &mut lanes[at];
                match lane.turn(job)? {
                    Some(Stop::Converged) => return Ok(Stop::Converged),
                    Some(ended) => {
                        stop = ended;
                        lanes.remove(at);
                    }
                    None => {}
                }
            }
        }
        Ok(stop)
    }

    /// Bounds on these threads, the exact answer on those of the pool.
    fn beside(&self, attempt: Attempt, pool: &rayon::ThreadPool) -> Result<Stop, BoundError> {
        // The bounds end when the exact answer is there or wants their memory; the search for it ends
        // when the bracket is closed or out of iterations.
        let (bounds_over, exact_over) = (Flag::default(), Flag::default());
        let bounds_budget = self.budget.cancelled_by(bounds_over.raisable());
        let exact_budget = self.budget.cancelled_by(exact_over.raisable());
        let bounds = self.within(&bounds_budget);
        let exact = self.within(&exact_budget);
        let (stop, outcome) = thread::scope(|scope| {
            let worker = scope.spawn(|| {
                let outcome = pool.install(|| exact.attempt(attempt));
                if !matches!(outcome, Ok(Outcome::GivenUp)) {
                    bounds_over.raise();
                }
                outcome
            });
            let stop = bounds.both_sides(&bounds_over);
            // Where memory ended the bounds, the exact answer may still be worth waiting for.
            if !matches!(stop, Ok(Stop::MemoryLimit)) {
                exact_over.raise();
            }
            let outcome = worker.join();
            (stop, outcome.unwrap_or_else(|panic| resume_unwind(panic)))
        });
        match outcome? {
            Outcome::Solved => return Ok(Stop::Converged),
            // What the levels held is gone, and all threads are free.
            Outcome::Waiting(mut attempt) => {
                let wanted = self.ended().is_none() && stop.is_ok();
                if wanted && attempt.eliminate(self)? {
                    return Ok(Stop::Converged);
                }
            }
            Outcome::GivenUp => {}
        }
        Ok(self.why(stop?))
    }

    /// Why the whole job ended, where a part of it was stopped.
    fn why(&self, stop: Stop) -> Stop {
        match stop {
            Stop::Interrupted => self.ended().unwrap_or(Stop::Interrupted),
            stop => stop,
        }
    }

    /// Searches and eliminates until that is done, out of reach, or in need of all memory.
    fn attempt(&self, mut attempt: Attempt) -> Result<Outcome, BoundError> {
        while self.budget.stop().is_none() {
            match attempt.verdict(self) {
                Verdict::Search => attempt.search(self),
                Verdict::Alone => return Ok(Outcome::Waiting(attempt.into())),
                Verdict::GiveUp => break,
                Verdict::Beside => {
                    if attempt.eliminate(self)? {
                        return Ok(Outcome::Solved);
                    }
                    break;
                }
            }
        }
        Ok(Outcome::GivenUp)
    }

    /// Both sides, each at its own pace; `over` ends the other when one has closed the bracket.
    fn both_sides(&self, over: &Flag) -> Result<Stop, BoundError> {
        let side = |sides| {
            let options = self.only(sides);
            let job = Job {
                options: &options,
                ..*self
            };
            let ended = Lane::new(&job).and_then(|mut lane| {
                loop {
                    if let Some(stop) = lane.turn(&job)? {
                        return Ok(stop);
                    }
                }
            });
            if matches!(ended, Ok(Stop::Converged)) {
                over.raise();
            }
            ended
        };
        if self.options.sides != Sides::Both {
            return side(self.options.sides);
        }
        match rayon::join(|| side(Sides::Upper), || side(Sides::Lower)) {
            (Ok(Stop::Converged), _) | (_, Ok(Stop::Converged)) => Ok(Stop::Converged),
            // Memory may end one side long before the other.
            (Ok(Stop::MemoryLimit) | Err(_), Ok(stop)) => Ok(stop),
            (stop, _) => stop,
        }
    }

    /// The options with one side alone.
    fn only(&self, sides: Sides) -> BoundOptions {
        BoundOptions {
            sides,
            ..self.options.clone()
        }
    }

    /// The same job under another budget.
    fn within<'b>(&self, budget: &'b Budget) -> Job<'b, 'w>
    where
        'j: 'b,
    {
        Job { budget, ..*self }
    }
}

/// A flag that one side raises for the other.
#[derive(Default)]
struct Flag(Arc<AtomicBool>);

impl Flag {
    fn raisable(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.0)
    }

    fn raise(&self) {
        self.0.store(true, Ordering::Relaxed);
    }
}
