//! One side of the bracket, and the methods that take turns on it.

use forney_certify::{Above, Below, Side, Stop};

use super::schedule::{Account, Next, next};
use super::shared::Portfolio;
use crate::job::Slice;
use crate::{Gives, Inapplicable, Job, Method, Turn, Work};

/// The share of the time that has passed for one turn of the method that promises most, and for a trial.
/// Found on grids of 900 to 100,000 variables with weak and strong couplings.
const TURN: f64 = 0.3;
const TRIAL_TURN: f64 = 0.06;

/// The share of a method that has its side for itself; at a fixed ibound, where another level gains less than a
/// local search that goes on, one of the time that is left.
const SINGLE: f64 = 0.5;
const SEARCH: f64 = 0.9;

/// So long, and for so many turns, the first method has its side for itself: it proves something while the turns of
/// others would be too short for their beginnings.
const ALONE: f64 = 0.25;
const FIRST_TURNS: usize = 2;

/// A method begins once this share of the time that has passed holds its beginning.
const BEGINNING: f64 = 0.5;

/// The share of the iterations of a trial, and of the turn of a leader where higher ibounds follow.
const TRIAL_ITERATIONS: f64 = 0.25;
const LEADER_ITERATIONS: f64 = 0.5;

/// One method on the side of a lane.
struct Entry<'j> {
    run: Box<dyn Work + 'j>,
    /// Can it go on?
    open: bool,
    /// Is what it set out to do done?
    again: bool,
}

/// What goes on from turn to turn.
pub(super) struct Lane<'j> {
    job: &'j Job<'j>,
    side: Gives,
    entries: Vec<Entry<'j>>,
    accounts: Vec<Account>,
    /// Why methods could not go on, the first of them first.
    pub(super) refused: Vec<Inapplicable>,
    /// Why the methods are over.
    stop: Stop,
}

/// What a lane has of its run.
#[derive(Clone, Copy)]
pub(super) struct Course<'p, 'w> {
    pub(super) portfolio: Portfolio<'p, 'w>,
    /// The share of each lane where lanes take turns on one thread.
    pub(super) turn: f64,
    /// Upper − lower before the turn, in nats.
    pub(super) gap: f64,
}

impl<'j> Lane<'j> {
    /// Nothing has had a turn.
    pub(super) fn new(job: &'j Job<'j>, methods: &[&'static dyn Method], side: Gives) -> Self {
        let (mut entries, mut refused) = (Vec::new(), Vec::new());
        for method in methods.iter().filter(|m| m.gives().contains(&side)) {
            match method.begin(job, side) {
                Ok(run) => entries.push(Entry {
                    run,
                    open: true,
                    again: false,
                }),
                Err(reason) => refused.push(reason),
            }
        }
        Self {
            job,
            side,
            accounts: vec![Account::default(); entries.len()],
            entries,
            refused,
            stop: Stop::Converged,
        }
    }

    /// Lets go of all that its methods hold.
    pub(super) fn forget(&mut self) {
        self.entries.clear();
        self.accounts.clear();
    }

    /// One turn of the method that promises most, or of each where time has no end; why the lane is over,
    /// if it is.
    pub(super) fn turn(&mut self, course: Course<'_, '_>) -> Option<Stop> {
        if !self.entries.iter().any(|entry| entry.open) {
            return Some(self.stop);
        }
        match course.portfolio.budget.remaining() {
            Some(left) => self.next_turn(course, left.as_secs_f64()),
            None => self.round(course),
        }
        let open = |entry: &Entry<'_>| entry.open;
        let timed = course.portfolio.budget.remaining().is_some();
        let work_left = |entry: &Entry<'_>| entry.open && !entry.again;
        if let Some(stop) = course.portfolio.budget.stop() {
            return Some(stop);
        }
        if self.left(course) == Some(0) {
            return Some(Stop::SweepLimit);
        }
        let over = match timed {
            true => !self.entries.iter().any(open),
            // Without an end of time the work that was set out for is all there is to do.
            false => !self.entries.iter().any(work_left) && self.is_tried(course),
        };
        over.then_some(self.stop)
    }

    /// Have all that are counted had what their iterations allow, or are there none to give?
    fn is_tried(&self, course: Course<'_, '_>) -> bool {
        let counts = |entry: &Entry<'_>| entry.open && entry.run.is_counted();
        self.left(course).is_none() || !self.entries.iter().any(counts)
    }

    /// Iterations that are left.
    fn left(&self, course: Course<'_, '_>) -> Option<usize> {
        let board = course.portfolio.board;
        let counted = match self.side {
            Gives::Upper => board.counted::<Above>(),
            _ => board.counted::<Below>(),
        };
        let most = self.job.options.iterations;
        most.map(|most| most.saturating_sub(counted))
    }

    /// Goes on with one method; its bound is entered in its account.
    fn go_on(&mut self, at: usize, share: f64, iterations: Option<usize>, course: Course<'_, '_>) {
        let Course {
            portfolio,
            turn,
            gap,
        } = course;
        let others = |(other, entry): (usize, &Entry<'_>)| other != at && entry.open;
        let shared = self.entries.iter().enumerate().any(others);
        let fixed = self.job.options.ibound.is_some();
        let share = match (shared, fixed) {
            (true, _) => share,
            (false, true) => SEARCH,
            (false, false) => SINGLE,
        };
        let slice = Slice {
            board: portfolio.board,
            whole: portfolio.budget,
            share,
            of_left: fixed && !shared,
            turn,
            iterations,
            gap,
            shared,
            exclusive: false,
        };
        let began = portfolio.budget.elapsed();
        self.take_entered(course);
        let entry = &mut self.entries[at];
        if self.accounts[at].turns() == 0 {
            let head_start = entry.run.head_start();
            if head_start.is_finite() {
                self.accounts[at].enter(0.0, head_start);
            }
        }
        match entry.run.go_on(&slice) {
            Ok(Turn::Open | Turn::Waiting) => entry.again = false,
            Ok(Turn::Again) => entry.again = true,
            Ok(Turn::Over(stop)) => {
                entry.open = false;
                self.stop = stop;
            }
            Err(reason) => {
                entry.open = false;
                if reason.is_memory() {
                    self.stop = Stop::MemoryLimit;
                }
                self.refused.push(reason);
            }
        }
        let took = (portfolio.budget.elapsed() - began).as_secs_f64();
        let entered = self.take_entered(course);
        self.accounts[at].enter(took, entered);
    }

    /// The best bound entered since the last call, so that more is better.
    fn take_entered(&self, course: Course<'_, '_>) -> f64 {
        fn better<S: Side>(ln: f64) -> f64 {
            if S::UPPER { -ln } else { ln }
        }
        let board = course.portfolio.board;
        match self.side {
            Gives::Upper => better::<Above>(board.take_entered::<Above>()),
            _ => better::<Below>(board.take_entered::<Below>()),
        }
    }

    /// The method that promises most, or a trial of another one.
    fn next_turn(&mut self, course: Course<'_, '_>, left: f64) {
        let Some((at, share)) = self.choose(course, left) else {
            return;
        };
        let single = self.entries.iter().filter(|entry| entry.open).count() == 1;
        let iterations = self.left(course).map(|left| match single {
            true => left,
            false => (LEADER_ITERATIONS * left as f64).ceil() as usize,
        });
        self.go_on(at, share, iterations, course);
    }

    /// The next method, and the share of the time that has passed for its turn; `None` if none is left.
    fn choose(&self, course: Course<'_, '_>, left: f64) -> Option<(usize, f64)> {
        let passed = course.portfolio.budget.elapsed().as_secs_f64();
        let mut open: Vec<bool> = self.entries.iter().map(|entry| entry.open).collect();
        if open.first() == Some(&true) {
            if passed < ALONE || self.accounts[0].turns() < FIRST_TURNS {
                return Some((0, TURN));
            }
            for (open, entry) in open.iter_mut().zip(&self.entries) {
                *open &= BEGINNING * course.turn * passed >= entry.run.beginning();
            }
        }
        let slice = TURN * course.turn * passed;
        match next(&self.accounts, &open, slice, left)? {
            Next::Trial(at) => Some((at, TRIAL_TURN)),
            Next::Best(at) => Some((at, TURN)),
        }
    }

    /// A turn of each where time has no end. Those whose steps are counted have a trial each; then whoever leads has
    /// what is left, or half of it where higher ibounds follow.
    fn round(&mut self, course: Course<'_, '_>) {
        let part = match self.job.options.ibound {
            Some(_) => 1.0,
            None => LEADER_ITERATIONS,
        };
        let counted = |at: &usize| self.entries[*at].open && self.entries[*at].run.is_counted();
        let rivals: Vec<usize> = (0..self.entries.len()).filter(counted).collect();
        let best = |at: &&usize| self.accounts[**at].best();
        // The first of equals leads.
        let leader = (rivals.iter().rev()).max_by(|a, b| best(a).total_cmp(&best(b)));
        let leader = leader.copied();
        let fresh: Vec<usize> = rivals
            .iter()
            .copied()
            .filter(|&at| self.accounts[at].turns() == 0)
            .collect();
        let all = self.left(course);
        let share = |share: f64, of: usize| (share * of as f64).ceil() as usize;
        for at in 0..self.entries.len() {
            let left = self.left(course);
            let iterations = match (rivals.contains(&at), left, all) {
                _ if !self.entries[at].open => continue,
                (true, Some(left), Some(all)) if rivals.len() > 1 => {
                    if fresh.contains(&at) {
                        Some(left.min(share(TRIAL_ITERATIONS, all)))
                    } else if fresh.is_empty() && leader == Some(at) {
                        Some(share(part, left))
                    } else {
                        continue;
                    }
                }
                (_, left, _) => left,
            };
            self.go_on(at, TURN, iterations, course);
        }
    }
}
