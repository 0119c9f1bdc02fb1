//! Bounds and the exact answer side by side, so that neither waits for the other.
//!
//! The threads are shared: while an order is searched or eliminated, the bounds have the other half.
//! With one thread the two take turns.

use std::panic::resume_unwind;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use forney_certify::{Budget, Stop};
use rayon::{ThreadPool, ThreadPoolBuilder};

use super::Job;
use super::climb::Ascent;
use super::exact::{Attempt, Verdict};
use crate::BoundError;

/// With one thread, exact attempts may take this share of the time that bounds have taken.
const TURN: f64 = 0.5;

impl<'j, 'w> Job<'j, 'w> {
    /// The exact answer if it is quick; else bounds, with the search for it beside them.
    pub(super) fn auto(&self) -> Result<Stop, BoundError> {
        let mut attempt = Attempt::new(self);
        if attempt.is_quick(self) && attempt.eliminate(self)? {
            return Ok(Stop::Converged);
        }
        // Without an end of time, counted iterations must give the same numbers on any machine.
        let counted = self.budget.remaining().is_none() && self.options.iterations.is_some();
        let threads = rayon::current_num_threads();
        if counted || threads == 1 {
            return self.by_turns(attempt);
        }
        let half = |threads: usize| ThreadPoolBuilder::new().num_threads(threads).build();
        match (half(threads / 2), half(threads - threads / 2)) {
            (Ok(exact), Ok(bounds)) => self.side_by_side(attempt, &exact, &bounds),
            // A system without threads left.
            _ => self.by_turns(attempt),
        }
    }

    /// A level of bounds, then an attempt at the exact answer, and so on.
    fn by_turns(&self, mut attempt: Attempt) -> Result<Stop, BoundError> {
        let mut ascent = Ascent::new(self);
        let (mut tried, mut over) = (Duration::ZERO, false);
        loop {
            let began = self.budget.elapsed();
            if !over && (ascent.round == 0 || tried <= began.mul_f64(TURN)) {
                match attempt.verdict(self) {
                    Verdict::Beside | Verdict::Alone => {
                        if attempt.eliminate(self)? {
                            return Ok(Stop::Converged);
                        }
                        over = true;
                    }
                    Verdict::Search => attempt.search(self),
                    Verdict::GiveUp => over = true,
                }
                tried += self.budget.elapsed() - began;
            }
            if let Some(stop) = ascent.level(self)? {
                return Ok(stop);
            }
        }
    }

    /// Both at once, each on threads of its own.
    fn side_by_side(
        &self,
        attempt: Attempt,
        exact_pool: &ThreadPool,
        bounds_pool: &ThreadPool,
    ) -> Result<Stop, BoundError> {
        // The bounds end when the exact answer is there or wants their memory; the search for it ends
        // when the bracket is closed or out of iterations.
        let (bounds_over, exact_over) = (Flag::default(), Flag::default());
        let bounds_budget = self.budget.cancelled_by(bounds_over.raisable());
        let exact_budget = self.budget.cancelled_by(exact_over.raisable());
        let bounds = self.within(&bounds_budget);
        let exact = self.within(&exact_budget);
        let (stop, outcome) = thread::scope(|scope| {
            let worker = scope.spawn(|| {
                let outcome = exact_pool.install(|| exact.attempt(attempt));
                if !matches!(outcome, Ok(Outcome::GivenUp)) {
                    bounds_over.raise();
                }
                outcome
            });
            let mut ascent = Ascent::new(&bounds);
            let stop = loop {
                // Threads that the exact answer no longer needs serve the bounds as well.
                let stop = if worker.is_finished() {
                    ascent.level(&bounds)
                } else {
                    bounds_pool.install(|| ascent.level(&bounds))
                };
                match stop {
                    Ok(None) => {}
                    Ok(Some(stop)) => break Ok(stop),
                    Err(error) => break Err(error),
                }
            };
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
        Ok(match stop? {
            // Stopped for an elimination that was not done in time.
            Stop::Interrupted => self.ended().unwrap_or(Stop::Interrupted),
            stop => stop,
        })
    }

    /// Searches and eliminates until that is done, out of reach, or in need of all memory.
    fn attempt(&self, mut attempt: Attempt) -> Result<Outcome, BoundError> {
        while self.budget.stop().is_none() {
            match attempt.verdict(self) {
                Verdict::Search => attempt.search(self),
                Verdict::Alone => return Ok(Outcome::Waiting(attempt)),
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

    /// The same job under another budget.
    fn within<'b>(&self, budget: &'b Budget) -> Job<'b, 'w>
    where
        'j: 'b,
    {
        Job { budget, ..*self }
    }
}

/// What became of the exact answer beside the bounds.
enum Outcome {
    /// It is on the board.
    Solved,
    /// It is worth the memory of the bounds.
    Waiting(Attempt),
    GivenUp,
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
