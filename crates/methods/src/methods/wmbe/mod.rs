//! `wmbe`: weighted mini-buckets whose orders and partitions race, at higher and higher ibounds or again and
//! again at one.

mod level;
mod size;

use forney_bounds::BoundError;
use forney_bounds::wmbe::{CliqueLimit, NAME, PlainRacer, WeightMap};
use forney_certify::{Above, Below, Stop};
use forney_model::FactorGraph;

use crate::{ExactOn, Gives, Inapplicable, Job, Method, Slice, Turn, Work};
use forney_bounds::race::Won;
use level::Level;
use size::Reached;

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
pub(super) fn least_gain(job: &Job<'_>, capped: bool, slice: &Slice<'_, '_>) -> f64 {
    match (job.options.ibound, capped) {
        (Some(_), _) => LEAST_GAIN,
        (None, _) if slice.gap.is_finite() => LEAST_PART * slice.gap,
        // Nothing is known of a side yet: the entropy of all assignments stands in for the gap.
        (None, false) => LEAST_PART * job.ln_states().value(),
        (None, true) => LEAST_GAIN,
    }
}

/// Mini-buckets, shifts and weights: an iteration is a gradient evaluation.
pub(crate) struct WeightedMiniBuckets;

impl Method for WeightedMiniBuckets {
    fn name(&self) -> &'static str {
        NAME
    }

    fn gives(&self) -> &'static [Gives] {
        &[Gives::Upper, Gives::Lower]
    }

    fn exact_on(&self) -> Option<ExactOn> {
        Some(ExactOn::Trees)
    }

    fn takes_part(&self, _: &FactorGraph) -> bool {
        true
    }

    fn simplifies(&self) -> bool {
        true
    }

    fn begin<'j>(&self, job: &'j Job<'_>, side: Gives) -> Result<Box<dyn Work + 'j>, Inapplicable> {
        Ok(match side {
            Gives::Upper => Box::new(Ladder::<Above>::new(job)?),
            _ => Box::new(Ladder::<Below>::new(job)?),
        })
    }
}

/// What goes on from level to level.
pub(super) struct Ladder<'j, S: WeightMap> {
    job: &'j Job<'j>,
    ibound: usize,
    /// Does nothing larger fit?
    capped: bool,
    round: u64,
    /// The best so far, on which a local search goes on.
    incumbent: Option<Box<Won<PlainRacer<S>>>>,
    /// The size of the last race.
    reached: Option<Reached>,
}

impl<'j, S: WeightMap> Ladder<'j, S> {
    /// Starts at the ibound of the caller, or at the least one that holds the factors.
    pub(super) fn new(job: &'j Job<'_>) -> Result<Self, BoundError> {
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

    fn is_fixed(&self) -> bool {
        self.job.options.ibound.is_some()
    }
}

impl<S: WeightMap> Work for Ladder<'_, S> {
    fn go_on(&mut self, slice: &Slice<'_, '_>) -> Result<Turn, Inapplicable> {
        if slice.iterations == Some(0) {
            return Ok(Turn::Over(Stop::SweepLimit));
        }
        let level = self.level(slice)?;
        self.round += 1;
        match level {
            Level::Exact => return Ok(Turn::Over(Stop::Converged)),
            // What follows goes into other orders.
            _ if self.is_fixed() => {}
            Level::Done { ibound } => self.ibound = ibound + IBOUND_STEP,
            // Nothing larger fits, at least for now.
            Level::Capped => self.capped = true,
        }
        let endless = !slice.is_timed() && slice.iterations.is_none();
        Ok(match endless {
            true if self.is_fixed() => Turn::Again,
            true if self.capped => Turn::Over(Stop::MemoryLimit),
            _ => Turn::Open,
        })
    }
}
