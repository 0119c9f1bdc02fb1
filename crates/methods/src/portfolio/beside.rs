//! Upper bounds, lower bounds and the exact answer side by side, so that none waits for another.
//!
//! On several threads each side goes on at its own pace, and the search for the exact answer has
//! threads of its own beside them, half as many. On one thread they take turns. Without an end of
//! time counted iterations must give the same numbers on any machine: then both sides go from turn
//! to turn together.

use std::panic::resume_unwind;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use forney_certify::{Budget, Stop};
use forney_exact::Pace;
use rayon::{ThreadPool, ThreadPoolBuilder};

use super::lane::{Course, Lane};
use super::shared::Portfolio;
use crate::{Slice, Turn, Work};

/// With one thread, exact attempts may take this share of the time that bounds have taken.
const TURN: f64 = 0.5;

/// What is predicted to give the exact answer within this time, and this share of the time that is left, comes
/// before all bounds.
const QUICK: Duration = Duration::from_millis(500);
const QUICK_SHARE: f64 = 0.1;

/// The run that gives both sides at once.
pub(super) type Exact<'j> = Option<Box<dyn Work + 'j>>;

impl<'p, 'w> Portfolio<'p, 'w> {
    /// The exact answer if it is quick; else the lanes, with the search for it beside them.
    pub(super) fn run(&self, lanes: &mut [Lane<'_>], mut exact: Exact<'_>) -> Stop {
        if let Some(run) = &mut exact {
            let ended = self.exactly_first(run);
            if self.is_closed() {
                return Stop::Converged;
            }
            if lanes.is_empty() {
                return ended.or(self.budget.stop()).unwrap_or(Stop::Converged);
            }
            exact = exact.filter(|_| ended.is_none());
        }
        let threads = rayon::current_num_threads();
        if threads == 1 || self.budget.remaining().is_none() {
            return self.by_turns(lanes, exact);
        }
        let pool = |_: &_| ThreadPoolBuilder::new().num_threads(threads / 2).build();
        match exact.as_ref().map(pool) {
            None => {
                let over = Flag::default();
                let budget = self.budget.cancelled_by(over.raisable());
                self.why(self.within(&budget).side_by_side(lanes, &over))
            }
            Some(Ok(pool)) => self.beside(lanes, exact, &pool),
            // A system without threads left.
            Some(Err(_)) => self.by_turns(lanes, exact),
        }
    }

    /// The first step towards the exact answer, and all others if it is near or nothing else is asked for; why
    /// there is none after them.
    fn exactly_first(&self, exact: &mut Box<dyn Work + '_>) -> Option<Stop> {
        let slice = self.exclusive();
        let mut turn = self.step(exact, &slice);
        let quick = QUICK.min(slice.left(QUICK_SHARE)).as_secs_f64();
        // What was near may turn out to be far.
        let near = |exact: &dyn Work| {
            exact.predicted().is_some_and(|predicted| {
                let seconds = Pace::of(self.budget).seconds(predicted.entries);
                predicted.bytes <= self.job.options.memory && seconds <= quick
            })
        };
        while !matches!(turn, Turn::Over(_))
            && (self.job.alone || near(&**exact))
            && self.budget.stop().is_none()
        {
            turn = self.step(exact, &slice);
        }
        match turn {
            Turn::Over(stop) => Some(stop),
            _ => None,
        }
    }

    /// All of the time, memory and threads for the exact answer.
    fn exclusive(&self) -> Slice<'p, 'w> {
        Slice::all(self.board, self.job.options, self.budget)
    }

    /// Threads for the exact answer beside bounds.
    fn shared(&self) -> Slice<'p, 'w> {
        Slice {
            exclusive: false,
            ..self.exclusive()
        }
    }

    /// One step towards the exact answer.
    fn step(&self, exact: &mut Box<dyn Work + '_>, slice: &Slice<'_, '_>) -> Turn {
        exact.go_on(slice).unwrap_or_else(|reason| {
            self.refuse(reason);
            Turn::Over(Stop::MemoryLimit)
        })
    }

    /// All threads and memory for the exact answer: what the lanes held is forgotten, and their bounds are on
    /// the board.
    fn all_for(&self, mut exact: Box<dyn Work + '_>, lanes: &mut [Lane<'_>]) {
        lanes.iter_mut().for_each(Lane::forget);
        let slice = self.exclusive();
        while self.budget.stop().is_none() {
            if let Turn::Over(_) = self.step(&mut exact, &slice) {
                break;
            }
        }
    }

    /// Lanes one after the other, or together where time has no end, and steps towards the exact answer between
    /// them.
    fn by_turns(&self, lanes: &mut [Lane<'_>], mut exact: Exact<'_>) -> Stop {
        let together = self.budget.remaining().is_none();
        let turn = match together {
            true => 1.0,
            false => 1.0 / lanes.len().max(1) as f64,
        };
        let mut stops: Vec<Option<Stop>> = vec![None; lanes.len()];
        let mut tried = Duration::ZERO;
        while stops.contains(&None) && !self.is_closed() {
            let began = self.budget.elapsed();
            if let Some(mut run) = exact.take_if(|_| together || tried <= began.mul_f64(TURN)) {
                match self.step(&mut run, &self.shared()) {
                    Turn::Waiting => {
                        self.all_for(run, lanes);
                        return self.joined([Stop::MemoryLimit]);
                    }
                    Turn::Over(_) => {}
                    Turn::Open | Turn::Again => exact = Some(run),
                }
                tried += self.budget.elapsed() - began;
                if self.is_closed() {
                    break;
                }
            }
            let course = self.course(turn);
            let each = |(lane, stop): (&mut Lane<'_>, &mut Option<Stop>)| {
                if stop.is_none() {
                    *stop = lane.turn(course);
                }
            };
            match (&mut *lanes, stops.as_mut_slice()) {
                ([upper, lower], [above, below]) if together => {
                    rayon::join(|| each((upper, above)), || each((lower, below)));
                }
                (lanes, stops) => lanes.iter_mut().zip(stops).for_each(each),
            }
        }
        self.joined(stops.into_iter().flatten())
    }

    /// The lanes on these threads, the exact answer on those of the pool.
    fn beside(&self, lanes: &mut [Lane<'_>], exact: Exact<'_>, pool: &ThreadPool) -> Stop {
        // The lanes end when the exact answer is there or wants their memory; the search for it ends
        // when the bracket is closed or out of iterations.
        let (lanes_over, exact_over) = (Flag::default(), Flag::default());
        let lanes_budget = self.budget.cancelled_by(lanes_over.raisable());
        let exact_budget = self.budget.cancelled_by(exact_over.raisable());
        let (bounds, search) = (self.within(&lanes_budget), self.within(&exact_budget));
        let (stop, waiting) = thread::scope(|scope| {
            let worker = scope.spawn(|| {
                let waiting = pool.install(|| search.attempt(exact));
                if waiting.is_some() || self.is_closed() {
                    lanes_over.raise();
                }
                waiting
            });
            let stop = bounds.side_by_side(lanes, &lanes_over);
            // Where memory ended the bounds, the exact answer may still be worth waiting for.
            if stop != Stop::MemoryLimit {
                exact_over.raise();
            }
            let waiting = worker.join();
            (stop, waiting.unwrap_or_else(|panic| resume_unwind(panic)))
        });
        if let Some(run) = waiting
            && !self.is_closed()
            && self.budget.stop().is_none()
            && stop != Stop::SweepLimit
        {
            self.all_for(run, lanes);
        }
        self.why(stop)
    }

    /// Goes on until that is done, out of reach, or in need of all memory, which is returned.
    fn attempt<'j>(&self, exact: Exact<'j>) -> Exact<'j> {
        let mut run = exact?;
        while self.budget.stop().is_none() {
            match self.step(&mut run, &self.shared()) {
                Turn::Waiting => return Some(run),
                Turn::Over(_) => break,
                Turn::Open | Turn::Again => {}
            }
        }
        None
    }

    /// The lanes, each at its own pace; `over` ends the others when the bracket has closed.
    fn side_by_side(&self, lanes: &mut [Lane<'_>], over: &Flag) -> Stop {
        let turn = 1.0;
        let one = |lane: &mut Lane<'_>| loop {
            let ended = lane.turn(self.course(turn));
            if self.is_closed() {
                over.raise();
                return Stop::Converged;
            }
            if let Some(stop) = ended {
                return stop;
            }
        };
        match lanes {
            [upper, lower] => {
                let (above, below) = rayon::join(|| one(upper), || one(lower));
                self.joined([above, below])
            }
            lanes => self.joined(lanes.iter_mut().map(one)),
        }
    }

    fn course(&self, turn: f64) -> Course<'p, 'w> {
        Course {
            portfolio: *self,
            turn,
            gap: self.board.progress().bracket.gap(),
        }
    }

    /// Is the gap as small as was asked for?
    fn is_closed(&self) -> bool {
        self.board.progress().bracket.gap() <= self.job.options.gap
    }

    /// Why all of it ended where lanes ended for these reasons: memory may end one side long before the other.
    fn joined(&self, stops: impl IntoIterator<Item = Stop>) -> Stop {
        let rank = |stop: &Stop| match stop {
            Stop::Converged => 0,
            Stop::MemoryLimit => 1,
            _ => 2,
        };
        let last = stops.into_iter().max_by_key(rank);
        match self.is_closed() {
            true => Stop::Converged,
            false => self.budget.stop().or(last).unwrap_or(Stop::Converged),
        }
    }

    /// Why the whole ended, where a part of it was stopped.
    fn why(&self, stop: Stop) -> Stop {
        match stop {
            Stop::Interrupted if self.is_closed() => Stop::Converged,
            // What ended for the exact answer, which did not come to be.
            Stop::Interrupted => self.budget.stop().unwrap_or(Stop::MemoryLimit),
            stop => stop,
        }
    }

    /// The same under another budget.
    fn within<'b>(&self, budget: &'b Budget) -> Portfolio<'b, 'w>
    where
        'p: 'b,
    {
        Portfolio { budget, ..*self }
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
