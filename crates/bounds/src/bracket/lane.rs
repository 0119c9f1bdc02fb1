//! One side of the bracket, or both together: mini-buckets, and below the methods beside them.

use std::time::Duration;

use forney_certify::Stop;
use forney_model::Table;

use super::Job;
use super::climb::Ascent;
use super::lower::{Blocks, Cutsets, Products};
use super::schedule::{Account, Next, next};
use crate::BoundError;

/// The share of the time that has passed for one turn of the method that promises most, and for a trial.
/// Found on grids of 900 to 100,000 variables with weak and strong couplings.
pub(super) const TURN: f64 = 0.3;
const TRIAL_TURN: f64 = 0.06;

/// So long, and for so many levels, mini-buckets have the lane for themselves: they prove something while the
/// turns of others would be too short for their beginnings.
const ALONE: Duration = Duration::from_millis(250);
const FIRST_LEVELS: usize = 2;

/// The share of the time that has passed for the beginnings of blocks and cutsets.
const BEGINNING: f64 = 0.5;

/// Seconds for each entry of a table before blocks, and before cutsets, prove anything, as measured on grids of
/// 1,000 to 100,000 variables.
const BLOCK_SECONDS: f64 = 1e-6;
const CUTSET_SECONDS: f64 = 5e-6;

/// The methods of a lane, by their places in its accounts.
const MINI_BUCKETS: usize = 0;
const PRODUCTS: usize = 1;
const BLOCKS: usize = 2;
const CUTSETS: usize = 3;
const METHODS: usize = 4;

/// What goes on from turn to turn.
pub(super) struct Lane<'g> {
    ascent: Ascent,
    products: Products<'g>,
    blocks: Blocks<'g>,
    cutsets: Cutsets<'g>,
    accounts: [Account; METHODS],
    /// Which of the methods can go on.
    open: [bool; METHODS],
    /// The entries of all tables.
    entries: f64,
}

impl<'g> Lane<'g> {
    /// Nothing has had a turn.
    ///
    /// # Errors
    /// As [`Ascent::new`].
    pub(super) fn new(job: &Job<'g, '_>) -> Result<Self, BoundError> {
        let below = job.alternates();
        let entries = job.graph.factors().iter().map(Table::num_entries);
        Ok(Self {
            ascent: Ascent::new(job)?,
            products: Products::default(),
            blocks: Blocks::new(job),
            cutsets: Cutsets::default(),
            accounts: Default::default(),
            open: [true, below, below, below],
            entries: entries.sum::<usize>() as f64,
        })
    }

    /// One turn of the method that promises most, or of each where time has no end; why the lane is over,
    /// if it is.
    pub(super) fn turn(&mut self, job: &Job<'g, '_>) -> Result<Option<Stop>, BoundError> {
        let alone = !self.open[PRODUCTS..].contains(&true);
        if let Some(left) = job.budget.remaining().filter(|_| !alone) {
            return self.next_turn(job, left);
        }
        let ended = self.ascent.level(job)?;
        if ended == Some(Stop::Converged) {
            return Ok(ended);
        }
        for method in PRODUCTS..METHODS {
            if self.open[method] {
                self.turn_below(method, job, TURN);
            }
        }
        // Whatever ended mini-buckets, an interruption ended the others.
        Ok(job.budget.stop().or(ended).or_else(|| job.ended()))
    }

    fn next_turn(&mut self, job: &Job<'g, '_>, left: Duration) -> Result<Option<Stop>, BoundError> {
        let Some((method, share)) = self.choose(job, left) else {
            return Ok(Some(Stop::MemoryLimit));
        };
        let began = job.budget.elapsed();
        job.board.take_entered();
        if method == MINI_BUCKETS {
            match self.ascent.level(job)? {
                // The methods beside them may need less.
                Some(Stop::MemoryLimit) => self.open[MINI_BUCKETS] = false,
                Some(stop) => return Ok(Some(stop)),
                None => {}
            }
        } else {
            if method == BLOCKS && self.accounts[BLOCKS].turns() == 0 {
                // They begin where mean field has come to.
                self.accounts[BLOCKS].enter(0.0, self.accounts[PRODUCTS].best());
            }
            self.turn_below(method, job, share);
        }
        let took = (job.budget.elapsed() - began).as_secs_f64();
        let entered = job.board.take_entered();
        self.accounts[method].enter(took, entered);
        Ok(job.ended())
    }

    /// The next method, and the share of the time that has passed for its turn; `None` if none is left.
    fn choose(&self, job: &Job<'g, '_>, left: Duration) -> Option<(usize, f64)> {
        let passed = job.budget.elapsed();
        let mut open = self.open;
        if open[MINI_BUCKETS] {
            if passed < ALONE || self.accounts[MINI_BUCKETS].turns() < FIRST_LEVELS {
                return Some((MINI_BUCKETS, TURN));
            }
            let due = job.passed(BEGINNING).as_secs_f64() / self.entries;
            open[BLOCKS] &= due >= BLOCK_SECONDS;
            open[CUTSETS] &= due >= CUTSET_SECONDS;
        }
        let slice = job.passed(TURN).as_secs_f64();
        match next(&self.accounts, &open, slice, left.as_secs_f64())? {
            Next::Trial(method) => Some((method, TRIAL_TURN)),
            Next::Best(method) => Some((method, TURN)),
        }
    }

    /// A turn of one of the methods beside mini-buckets.
    fn turn_below(&mut self, method: usize, job: &Job<'g, '_>, share: f64) {
        let time = job.step(share);
        match method {
            BLOCKS => self.open[BLOCKS] = self.blocks.turn(job, &self.products, time),
            CUTSETS => self.open[CUTSETS] = self.cutsets.turn(job, time),
            _ => {
                self.products.turn(job, time);
            }
        }
    }
}
