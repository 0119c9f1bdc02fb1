//! From level to level: all the time at one ibound, or higher and higher ones.

use forney_certify::Stop;

use super::Job;
use super::level::{Level, State};
use crate::BoundError;
use crate::wmbe::CliqueLimit;

/// The first ibound of the ascent, and its step.
const FIRST_IBOUND: usize = 2;
const IBOUND_STEP: usize = 2;

/// Bounds at higher and higher ibounds.
pub(super) struct Ascent<'g> {
    ibound: usize,
    /// Does nothing larger fit?
    capped: bool,
    round: u64,
    state: State<'g>,
}

impl<'g> Ascent<'g> {
    /// Starts at the least ibound that holds the factors.
    pub(super) fn new(job: &Job<'g, '_>) -> Self {
        let scopes = job.graph.factors().iter().map(|f| f.scope().len());
        let least = scopes.max().unwrap_or(0).saturating_sub(1);
        Self {
            ibound: least.max(FIRST_IBOUND),
            capped: false,
            round: 0,
            state: State::default(),
        }
    }

    /// One level; why the ascent is over, if it is.
    pub(super) fn level(&mut self, job: &Job<'g, '_>) -> Result<Option<Stop>, BoundError> {
        let level = job.level(self.ibound, self.round, &mut self.state);
        self.round += 1;
        match level {
            // The sides are refused for the same reason, and what they have proved counts.
            Err(error @ BoundError::MiniBucketsTooLarge { .. }) => {
                job.board.refuse(error);
                return Ok(Some(Stop::MemoryLimit));
            }
            level => match level? {
                Level::Exact => return Ok(Some(Stop::Converged)),
                Level::Done => self.ibound += IBOUND_STEP,
                // Nothing larger fits, at least for now: what follows goes into other orders.
                Level::Capped => self.capped = true,
            },
        }
        if let Some(stop) = job.ended() {
            return Ok(Some(stop));
        }
        let endless = job.budget.remaining().is_none() && job.options.iterations.is_none();
        Ok((self.capped && endless).then_some(Stop::MemoryLimit))
    }
}

impl Job<'_, '_> {
    /// All the time at one ibound: the race, then its winner, then races with other seeds.
    pub(super) fn fixed(&self, ibound: usize) -> Result<Stop, BoundError> {
        CliqueLimit::admit(ibound, self.graph)?;
        let mut state = State::default();
        for round in 0.. {
            if let Level::Exact = self.level(ibound, round, &mut state)? {
                return Ok(Stop::Converged);
            }
            if let Some(stop) = self.ended() {
                return Ok(stop);
            }
            if self.budget.remaining().is_none() && self.options.iterations.is_none() {
                break;
            }
        }
        Ok(Stop::Converged)
    }
}
