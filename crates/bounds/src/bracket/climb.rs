//! Mini-buckets from level to level: at higher and higher ibounds, or again and again at one.

use forney_certify::Stop;
use forney_model::FactorGraph;

use super::Job;
use super::level::{Incumbents, Level};
use crate::BoundError;
use crate::wmbe::CliqueLimit;

/// The least first ibound, and the step to the next one.
const FIRST_IBOUND: usize = 2;
pub(super) const IBOUND_STEP: usize = 2;

/// The first ibound of an ascent: it holds the factors.
pub(super) fn first_ibound(graph: &FactorGraph) -> usize {
    let scopes = graph.factors().iter().map(|f| f.scope().len());
    let least = scopes.max().unwrap_or(0).saturating_sub(1);
    least.max(FIRST_IBOUND)
}

/// Bounds at higher and higher ibounds, or at the one that the caller fixed.
pub(super) struct Ascent {
    ibound: usize,
    fixed: bool,
    /// Does nothing larger fit?
    capped: bool,
    round: u64,
    incumbents: Incumbents,
}

impl Ascent {
    /// Starts at the ibound of the caller, or at the least one that holds the factors.
    ///
    /// # Errors
    /// [`BoundError::IboundTooSmall`] if that of the caller does not hold them.
    pub(super) fn new(job: &Job<'_, '_>) -> Result<Self, BoundError> {
        let fixed = job.options.ibound;
        if let Some(ibound) = fixed {
            CliqueLimit::admit(ibound, job.graph)?;
        }
        Ok(Self {
            ibound: fixed.unwrap_or_else(|| first_ibound(job.graph)),
            fixed: fixed.is_some(),
            capped: false,
            round: 0,
            incumbents: Incumbents::default(),
        })
    }

    /// One level; why the ascent is over, if it is.
    pub(super) fn level(&mut self, job: &Job<'_, '_>) -> Result<Option<Stop>, BoundError> {
        let level = job.level(self.ibound, self.round, &mut self.incumbents);
        self.round += 1;
        match level {
            // The sides are refused for the same reason, and what they have proved counts.
            Err(error @ BoundError::MiniBucketsTooLarge { .. }) => {
                job.board.refuse(error);
                return Ok(Some(Stop::MemoryLimit));
            }
            level => match level? {
                Level::Exact => return Ok(Some(Stop::Converged)),
                // What follows goes into other orders.
                _ if self.fixed => {}
                Level::Done { ibound } => self.ibound = ibound + IBOUND_STEP,
                // Nothing larger fits, at least for now.
                Level::Capped => self.capped = true,
            },
        }
        if let Some(stop) = job.ended() {
            return Ok(Some(stop));
        }
        let endless = job.budget.remaining().is_none() && job.options.iterations.is_none();
        Ok(match endless {
            // The other side may go on.
            true if self.fixed => Some(Stop::SweepLimit),
            true if self.capped => Some(Stop::MemoryLimit),
            _ => None,
        })
    }
}
