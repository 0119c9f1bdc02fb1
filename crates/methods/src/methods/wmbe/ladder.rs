//! What goes on from level to level, and when a level is over.

use forney_bounds::BoundError;
use forney_bounds::race::Won;
use forney_bounds::wmbe::{CliqueLimit, PlainRacer, WeightMap};
use forney_model::FactorGraph;

use crate::{Job, Slice};

/// The least first ibound, and the step to the next one.
const FIRST_IBOUND: usize = 2;
pub(crate) const IBOUND_STEP: usize = 2;

/// The first ibound of an ascent: it holds the factors.
pub(crate) fn first_ibound(graph: &FactorGraph) -> usize {
    let scopes = graph.factors().iter().map(|f| f.scope().len());
    let least = scopes.max().unwrap_or(0).saturating_sub(1);
    least.max(FIRST_IBOUND)
}

/// A level that is one of many has converged once an evaluation gains no more than this part of the gap: a
/// higher ibound halves the gap for about a hundred times this gain.
const LEAST_PART: f64 = 2e-4;
/// One that is the last, in nats.
const LEAST_GAIN: f64 = 1e-6;

/// An evaluation of a level that gains no more than this, in nats, is one too many; nothing larger than a level that
/// is `capped` fits.
pub(crate) fn least_gain(job: &Job<'_>, capped: bool, slice: &Slice<'_, '_>) -> f64 {
    match (job.options.ibound, capped) {
        (Some(_), _) => LEAST_GAIN,
        (None, _) if slice.gap.is_finite() => LEAST_PART * slice.gap,
        // Nothing is known of a side yet: the entropy of all assignments stands in for the gap.
        (None, false) => LEAST_PART * job.ln_states().value(),
        (None, true) => LEAST_GAIN,
    }
}

/// From one ibound to the next one the entries of all cliques grow by this factor at least.
const GROWTH: f64 = 2.0;

/// What goes on from level to level.
pub(crate) struct Ladder<'j, S: WeightMap> {
    pub(super) job: &'j Job<'j>,
    pub(super) ibound: usize,
    /// Does nothing larger fit?
    pub(super) capped: bool,
    pub(super) round: u64,
    /// The best so far, on which a local search goes on.
    pub(super) incumbent: Option<Box<Won<PlainRacer<S>>>>,
    /// The size of the last race.
    pub(super) reached: Option<Reached>,
}

impl<'j, S: WeightMap> Ladder<'j, S> {
    /// Starts at the ibound of the caller, or at the least one that holds the factors.
    pub(crate) fn new(job: &'j Job<'_>) -> Result<Self, BoundError> {
        let fixed = job.options.ibound;
        if let Some(ibound) = fixed {
            CliqueLimit::admit(ibound, job.graph)?;
        }
        Ok(Self {
            job,
            ibound: fixed.unwrap_or_else(|| first_ibound(job.graph)),
            capped: false,
            round: 0,
            incumbent: None,
            reached: None,
        })
    }

    pub(super) fn is_fixed(&self) -> bool {
        self.job.options.ibound.is_some()
    }
}

/// The size of the last race.
#[derive(Clone, Copy)]
pub(super) struct Reached {
    pub(super) limit: CliqueLimit,
    /// The entries of all cliques of a candidate.
    pub(super) entries: f64,
    /// Do larger ones not follow?
    pub(super) last: bool,
    /// Was it quick to compile, so that a local search pays?
    pub(super) cheap: bool,
    /// Is nothing left to do at this size?
    pub(super) idle: bool,
}

impl Reached {
    /// The least entries of what the next race needs.
    pub(super) fn next_entries(&self) -> f64 {
        let growth = if self.last { 1.0 } else { GROWTH };
        growth * self.entries
    }
}
