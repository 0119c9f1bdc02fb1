//! `wmbe`: weighted mini-buckets whose orders and partitions race, at higher and higher ibounds or again and
//! again at one.

mod ladder;
mod level;
mod size;

use forney_bounds::wmbe::{NAME, WeightMap};
use forney_certify::{Above, Below, Stop};
use forney_model::FactorGraph;

use crate::{ExactOn, Gives, Inapplicable, Job, Method, Slice, Turn, Work};
pub(crate) use ladder::{IBOUND_STEP, Ladder, first_ibound, least_gain};
use level::Level;

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
